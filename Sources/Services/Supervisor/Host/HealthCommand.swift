import ArgumentParser
import ServiceNames
import ServiceProcess
import Supervisor

/// `minprom health URL…`, `minprom-demo health URL…`: exit 0 where every page answers with 2xx. What health checks of containers
/// without curl ask with.
public struct HealthCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Ask pages whether a service is healthy; exit 0 where all answer with 2xx.")

    @Option(help: "Seconds to wait for each answer.") var timeout = 3.0
    @Argument(help: "http://host:port/path") var urls: [String]

    public init() {}

    public func run() throws {
        for url in urls {
            guard let page = Probe.Page(url) else {
                throw ExitCode(Console.complain("\"\(url)\" is not a URL such as http://localhost:9090/-/healthy"))
            }
            let milliseconds = Int64(min(max(timeout, 0.001), 3600) * 1000)
            if let failure = HealthProbe.failure(of: page.resolved(.current), milliseconds: milliseconds) {
                throw ExitCode(Console.complain("\(url): \(failure)"))
            }
        }
    }
}
