import Alerter
import ArgumentParser
import Numbers
import PrometheusClient
import TSDB

/// `minprom amtool`: the work that Alertmanager's own `amtool` does, against ours or the original, with the same flags and output.
///
///     minprom amtool check-config alertmanager.yml
///     minprom amtool config routes test --config.file=alertmanager.yml severity=page team=db
///     minprom amtool --alertmanager.url=http://localhost:9093 silence add alertname=Down -c 'known'
///     minprom amtool test tests.yml
///
/// Flags that all commands share may stand in front of the command or behind it, as there.
struct AmtoolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "amtool", abstract: "Check and test an Alertmanager's configuration; view and change its state.")

    @Argument(parsing: .captureForPassthrough)
    var arguments: [String] = []

    func run() async throws { await Amtool.main(Self.reordered(arguments)) }

    /// Shared flags with a value of their own.
    private static let withValue: Set<String> = ["--alertmanager.url", "--output", "-o", "--timeout", "--date.format"]
    private static let alone: Set<String> = ["--verbose", "-v", "--version-check", "--no-version-check"]

    /// Shared flags go behind the command's words.
    static func reordered(_ arguments: [String]) -> [String] {
        var front: [String] = [], rest = arguments[...]
        while let word = rest.first, word.hasPrefix("-") {
            let name = String(word.prefix { $0 != "=" })
            if alone.contains(word) || (name != word && withValue.contains(name)) {
                front.append(rest.removeFirst())
            } else if withValue.contains(word), rest.count > 1 {
                front += [rest.removeFirst(), rest.removeFirst()]
            } else {
                break
            }
        }
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return rest[..<end] + front + rest[end...]
    }
}

/// The commands themselves.
struct Amtool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "minprom amtool",
        abstract: "Check and test an Alertmanager's configuration; view and change its state.",
        subcommands: [
            CheckConfigCommand.self, AmtoolTestCommand.self, AmtoolConfigCommand.self, AlertCommand.self,
            SilenceCommand.self,
            ClusterCommand.self,
        ])
}

/// Flags that all commands share.
struct AmtoolOptions: ParsableArguments {
    enum Output: String, ExpressibleByArgument { case simple, extended, json }

    @Option(name: .customLong("alertmanager.url"), help: "Alertmanager to talk to.")
    var url: String?

    @Option(name: [.customLong("output"), .customShort("o")], help: "Output formatter: simple, extended, json.")
    var output = Output.simple

    @Option(help: "Timeout for the executed command.")
    var timeout = "30s"

    @Option(name: .customLong("date.format"), help: "Format of date output, as Go writes it.")
    var dateFormat = "2006-01-02 15:04:05 MST"

    @Flag(name: .shortAndLong, help: .hidden)
    var verbose = false

    @Flag(name: .customLong("version-check"), inversion: .prefixedNo, help: .hidden)
    var checksVersion = true

    func date(_ time: Timestamp) -> String { TemplateTime(time).text(layout: dateFormat) }
}

extension AmtoolOptions {
    /// Runs `body` with a client of the server, and ends the program where that fails.
    func withClient(_ body: (AlertmanagerClient) async throws -> Void) async throws {
        guard let url else { throw Self.fail("required flag --alertmanager.url not provided") }
        let client: AlertmanagerClient
        do throws(ClientError) { client = try AlertmanagerClient(url, seconds: try seconds()) } catch {
            throw Self.fail(error.message)
        }
        do {
            try await body(client)
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw Self.exit(error)
        }
    }

    private func seconds() throws(ClientError) -> Int64 {
        guard let nanoseconds = try? DurationText.parseGo(timeout), nanoseconds > 0 else {
            throw ClientError(.address, "--timeout: \"\(timeout)\" is not a duration such as 30s")
        }
        return max(1, nanoseconds / 1_000_000_000)
    }

    /// Says what is wrong; the result is to be thrown.
    static func fail(_ message: String) -> ExitCode { ExitCode(Console.complain(message)) }

    static func exit(_ error: any Error) -> any Error {
        switch error {
        case is ExitCode: error
        case let error as StartError: fail(error.message)
        case let error as ClientError: fail(error.message)
        case let error as MatcherError: fail(error.message)
        default: fail("\(error)")
        }
    }
}
