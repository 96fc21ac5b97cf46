import ArgumentParser
import Numbers
import PromQL
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// `minprom bench`: what the hot paths cost on this machine.
public struct BenchCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure queries, storage and ingestion on invented data, alone or beside another Prometheus.",
        discussion: """
            Subjects: \(CaseGroup.allCases.map(\.rawValue).joined(separator: ", ")); all of them where none is named.

              minprom bench histogram-quantile --series 62000
              minprom bench all --json > today.json
              minprom bench --against http://localhost:9090
            """)

    @Argument(help: ArgumentHelp("What to measure; \"all\" for everything.", valueName: "subject"))
    var subjects: [String] = []

    @Option(help: "Series of each metric.")
    var series = 10_000

    @Option(help: "Buckets of a histogram, +Inf among them.")
    var buckets = 12

    @Option(help: "Steps of range queries.")
    var steps = 241

    @Option(help: "Time between two steps.")
    var step = "15s"

    @Option(help: "Time between two scrapes of an instance; as --step where left out, 5m at most.")
    var interval: String?

    @Option(help: "Address of a server to feed with the same samples (remote write) and to compare with.")
    var against: String?

    @Option(help: "Address of a minprom to measure over HTTP likewise.")
    var test: String?

    @Option(help: "The same seed makes the same data.")
    var seed: UInt64 = 1

    @Option(help: "How long to repeat each case.")
    var time = "1s"

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @Flag(help: "Print the subjects and their queries, measure nothing.")
    var list = false

    public init() {}

    public func run() async throws {
        do {
            if list { return print(try listing(), terminator: "") }
            try await measure()
        } catch let error as BenchError {
            complain(error.message)
            throw ExitCode.failure
        }
    }

    private func complain(_ message: String) {
        Self.tell("minprom bench: \(message)\n")
    }

    private func measure() async throws {
        let plan = try plan()
        var others: [RemoteSubject] = []
        for address in [test, against].compactMap({ $0 }) { others.append(try await RemoteSubject(address)) }
        let report: Report
        do {
            report = try await Bench(plan: plan, others: others).run { note($0) }
        } catch {
            note("")
            for other in others { await other.close() }
            throw error
        }
        for other in others { await other.close() }
        if json { return print(report.json(), terminator: "") }
        let colours = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
        print(report.introduction)
        print(report.table().rendered(colours: colours))
        print(report.footnotes, terminator: "")
    }

    /// Somebody who waits at a terminal sees what is going on.
    private func note(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        Self.tell("\r\u{1b}[K\(text)")
    }

    /// To standard error, at once.
    private static func tell(_ text: String) {
        fflush(nil)
        var text = text
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

// MARK: Options

extension BenchCommand {
    /// The options, checked.
    func plan() throws(BenchError) -> BenchPlan {
        let step = try duration("step", step)
        // Alone, the data are the same on every day; a server only takes what is new, and tells runs apart by a label.
        var end = Timestamp(milliseconds: 1_700_000_000_000)
        var run = "\(seed)"
        if against != nil || test != nil {
            let now = wallTime()
            end = Timestamp(milliseconds: now - now % max(step, 1))
            run += "-\(now / 1000)"
        }
        return try BenchPlan(
            groups: try groups(), series: series, buckets: buckets, steps: steps, step: step,
            interval: try interval.map { (text) throws(BenchError) in try duration("interval", text) }
                ?? min(step, 300_000),
            end: end, seed: seed, run: run, budget: Double(try duration("time", time)) * 1e6)
    }

    func groups() throws(BenchError) -> [CaseGroup] {
        if subjects.isEmpty || subjects.contains("all") { return CaseGroup.allCases }
        var groups: [CaseGroup] = []
        for subject in subjects {
            guard let group = CaseGroup(rawValue: subject) else {
                let known = CaseGroup.allCases.map(\.rawValue).joined(separator: ", ")
                throw BenchError("nothing to measure is called \"\(subject)\"; there are \(known) and all")
            }
            if !groups.contains(group) { groups.append(group) }
        }
        return groups
    }

    private func duration(_ name: String, _ text: String) throws(BenchError) -> Int64 {
        do throws(DurationError) {
            return try DurationText.parse(text)
        } catch {
            throw BenchError("--\(name): \(error.message)")
        }
    }

    private func listing() throws(BenchError) -> String {
        var text = ""
        for group in try groups() {
            text += "\(group.rawValue): \(group.title)\n"
            for query in QueryCase.all(of: group) { text += "  \(query.kind.rawValue)  \(query.query)\n" }
        }
        return text
    }
}
