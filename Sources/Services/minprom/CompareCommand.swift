import ArgumentParser
import Compare
import ConfigurationFile
import JSON
import Numbers
import PrometheusClient
import TSDB

/// `minprom compare`: the same queries to two servers, and where their answers differ.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Ask two servers the same queries and show where their answers differ.",
        discussion: """
            Without a file of queries, a built-in set is asked: the panels of the demo's and a host's dashboards, the whole language, \
            and queries made for the metrics that the reference has. Two servers that hold equal data give equal answers; \
            --replay makes two such servers.

            Exit code: 0 no differences, 1 differences, 2 no comparison.
            """)

    @Option(help: "The server that is right, as http://host:9090.")
    var reference: String?

    @Option(help: "The server that is tested.")
    var test: String?

    @Option(help: "File of queries, one per line. May be given several times, as may --rules and --dashboard.")
    var queries: [String] = []

    @Option(help: "Rule file: every expression is asked.")
    var rules: [String] = []

    @Option(help: "Grafana dashboard (JSON): every expression is asked; variables get their current values.")
    var dashboard: [String] = []

    @Option(help: "Span and step of range queries.")
    var range = "1h:15s"

    @Option(help: "Time of instant queries and end of range queries: RFC 3339 or Unix seconds. Without one, 30 s ago.")
    var time: String?

    @Option(help: "How far values may be apart: 0, 4ulp or 1e-9.")
    var tolerance = "0"

    @Option(help: "Kinds of differences that do not count, separated by commas: error-text, warning-text, info-text, …")
    var ignore = ""

    @Option(help: "Differences shown in full.")
    var show = 20

    @Option(help: "Write a report with plots to this file.")
    var html: String?

    @Option(
        parsing: .upToNextOption,
        help: "Recorded metrics pages (text format), in order: feed them to two servers of our own.")
    var replay: [String] = []

    @Option(help: "Program that is the reference of a replay.")
    var prometheus = "prometheus"

    @Option(name: .customLong("replay-steps"), help: "Scrapes made of one page on the way to the next.")
    var replaySteps = 20

    @Option(name: .customLong("test.engine-fault"), help: .hidden)
    var engineFault: String?

    func run() async throws {
        let signals = Signals.stream()
        let isEqual: Bool
        do {
            isEqual = try await withThrowingTaskGroup(of: Bool?.self) { group in
                group.addTask { try await compare() }
                group.addTask {
                    for await wish in signals where wish == .stop { throw StartError("stopped") }
                    return nil
                }
                var equal = false
                do {
                    while let result = try await group.next() {
                        guard let result else { continue }
                        equal = result
                        break
                    }
                } catch {
                    // The comparison takes its servers away before the group ends.
                    group.cancelAll()
                    throw error
                }
                group.cancelAll()
                return equal
            }
        } catch {
            _ = Console.complain((error as? StartError)?.message ?? "\(error)")
            throw ExitCode(2)
        }
        if !isEqual { throw ExitCode(1) }
    }

    private func compare() async throws -> Bool {
        let own = try ownQueries()
        if replay.isEmpty {
            guard let reference, let test else { throw StartError("--reference and --test are needed, or --replay") }
            let a = try PrometheusClient(reference), b = try PrometheusClient(test)
            let outcome = await Result<Bool, any Error>.catching {
                let span = try Span(range)
                let end = try await endTime(a, b, span.step)
                return try await compare(a, b, own, from: end - span.length, to: end, step: span.step)
            }
            await a.shutdown()
            await b.shutdown()
            return try outcome.get()
        }
        var pages: [RecordedPage] = []
        for path in replay { pages.append(try RecordedPage(try Self.read(path))) }
        var play = Replay(pages)
        play.prometheus = prometheus
        play.stepsPerPage = max(1, replaySteps)
        if let engineFault { play.testFlags.append("--test.engine-fault=\(engineFault)") }
        return try await play.run(log: { Console.write($0 + "\n") }) { a, b, from, to in
            try await compare(a, b, own, from: from, to: to, step: .seconds(15))
        }
    }

    /// `own` queries, or the built-in ones.
    private func compare(
        _ a: PrometheusClient, _ b: PrometheusClient, _ own: [ComparedQuery], from: Timestamp, to: Timestamp,
        step: TSDB.Duration
    ) async throws -> Bool {
        var settings = Comparison.Settings(time: to, range: to - from, step: step)
        guard let tolerance = Tolerance(self.tolerance) else {
            throw StartError("--tolerance: \"\(self.tolerance)\" is not a tolerance such as 0, 4ulp or 1e-9")
        }
        settings.tolerance = tolerance
        settings.ignored = try ignored()
        let queries = own.isEmpty ? try await Comparison.builtInQueries(of: a) : own
        Console.write("\(queries.count) queries, each instant and over a range that ends at \(to.seconds)\n")
        let result = try await Comparison(reference: a, test: b, settings: settings).run(queries)
        var report = TextReport(result)
        report.maximumShown = max(0, show)
        print(report.text, terminator: "")
        if let html {
            try Self.write(HTMLReport(result, reference: a.base, test: b.base).html, to: html)
            Console.write("report: \(html)\n")
        }
        return result.isEqual
    }

    // MARK: Flags

    private struct Span {
        var length: TSDB.Duration
        var step: TSDB.Duration

        init(_ text: String) throws {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let length = try? Numbers.DurationText.parse(parts[0]),
                let step = try? Numbers.DurationText.parse(parts[1]),
                length > 0, step > 0
            else { throw StartError("--range: \"\(text)\" is not a span and a step such as 1h:15s") }
            self.length = .milliseconds(length)
            self.step = .milliseconds(step)
        }
    }

    private func endTime(_ a: PrometheusClient, _ b: PrometheusClient, _ step: TSDB.Duration) async throws -> Timestamp {
        guard let time else { return try await Comparison.commonTime(a, b, step: step, delay: .seconds(30)) }
        if let milliseconds = TimeText.parse(time) { return Timestamp(milliseconds: milliseconds) }
        guard let seconds = Double(time), let milliseconds = Int64(exactly: (seconds * 1000).rounded()),
            milliseconds.magnitude < 1 << 60
        else { throw StartError("--time: \"\(time)\" is neither RFC 3339 nor Unix seconds") }
        return Timestamp(milliseconds: milliseconds)
    }

    private func ownQueries() throws -> [ComparedQuery] {
        var all: [ComparedQuery] = []
        for path in queries { all += QueryFiles.list(String(decoding: try Self.read(path), as: UTF8.self)) }
        for path in rules { all += try QueryFiles.rules(try Self.read(path), file: path) }
        for path in dashboard {
            let bytes = try Self.read(path), step = try Span(range).step
            do throws(JSONError) { all += try QueryFiles.dashboard(bytes, step: step) } catch {
                throw StartError("\(path): \(error)")
            }
        }
        if all.isEmpty && !(queries + rules + dashboard).isEmpty { throw StartError("the files have no queries") }
        return all.withoutRepetitions
    }

    private func ignored() throws -> Set<Difference.Kind> {
        var kinds: Set<Difference.Kind> = []
        for word in ignore.split(separator: ",") {
            guard let kind = Difference.Kind(rawValue: String(word.map { $0 == "-" ? " " : $0 })) else {
                throw StartError("--ignore: \"\(word)\" is not a kind of difference")
            }
            kinds.insert(kind)
        }
        return kinds
    }

    // MARK: Files

    private static func read(_ path: String) throws -> [UInt8] {
        do throws(TSDBError) { return try DiskFileStore().readAll(path, limit: 64 << 20) } catch {
            throw StartError(error.description)
        }
    }

    private static func write(_ text: String, to path: String) throws {
        guard Console.writeFile(path, Array(text.utf8)) else { throw StartError("\(path) cannot be written") }
    }
}

extension Result where Failure == any Error {
    static func catching(_ body: () async throws -> Success) async -> Self {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}
