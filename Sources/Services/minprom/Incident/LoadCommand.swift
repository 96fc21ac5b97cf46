import ArgumentParser
import Incidents
import Numbers

/// `minprom load`: asks a service again and again, on time, and says what came of it.
///
///     minprom load --url http://localhost:8000 --path /health --rps 20 --for 60s
///
/// An open loop: requests leave when they are due, whether or not answers have come, and latency counts from the moment a request was
/// due (`ArrivalSchedule` says why that matters). Ctrl-C ends it early, with the summary.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Send requests to a service at a steady rate, and measure.")

    @Option(help: "The service.")
    var url = "http://localhost:8000"

    @Option(name: .customLong("path"), help: "What to ask for; may be given several times, and is then taken in turn.")
    var paths: [String] = []

    @Option(help: "Requests per second.")
    var rps = 20.0

    @Option(name: .customLong("for"), help: "How long.")
    var length = "60s"

    @Option(help: "GET, POST …")
    var method = "GET"

    @Option(help: "A body, as JSON.")
    var body: String?

    @Option(help: "How long an answer may take.")
    var timeout = "10s"

    @Option(help: "Requests in flight, and connections, at most. What is due beyond that is counted, not sent.")
    var connections = 256

    @Flag(help: "Only the summary.")
    var quiet = false

    func run() async throws {
        do throws(StartError) { try await start() } catch { throw ExitCode(Console.complain(error.message)) }
    }

    private func start() async throws(StartError) {
        guard (1...10_000).contains(connections) else { throw StartError("--connections: 1 to 10000") }
        let schedule = try IncidentFlags.schedule(rps: rps, length: try IncidentFlags.span(length, flag: "for"))
        var request = LoadGenerator.Request(base: url, paths: paths.isEmpty ? ["/health"] : paths)
        request.method = method
        request.body = body
        request.timeout = try IncidentFlags.span(timeout, flag: "timeout")
        request.connections = connections
        let generator: LoadGenerator
        do throws(IncidentError) { generator = try LoadGenerator(request, schedule) } catch { throw StartError(error.message) }
        let signals = Signals.stream()
        let work = Task { await generator.run() }
        let stop = Task { for await wish in signals where wish == .stop { work.cancel() } }
        let live = Task {
            while !quiet, (try? await Task.sleep(for: .seconds(1))) != nil { Console.write(LiveLine.text(generator.report.line)) }
        }
        let report = await work.value
        stop.cancel()
        live.cancel()
        await live.value
        if !quiet { Console.write(LiveLine.end) }
        for line in report.lines { print(line) }
    }
}

/// A line that replaces itself on a terminal; in a file, lines below each other.
enum LiveLine {
    private static let isTerminal = Console.isTerminal

    static func text(_ line: String) -> String { isTerminal ? "\r\u{1b}[K" + line : line + "\n" }

    static var end: String { isTerminal ? "\r\u{1b}[K" : "" }
}
