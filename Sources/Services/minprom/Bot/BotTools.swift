import AlertBot
import ArgumentParser
import AsyncHTTPClient
import BotCore
import ConfigurationFile
import HTTPServer
import Logging
import NIOPosix
import TSDB

/// `minprom bot check-policy FILE`: what the file allows, or what is wrong with it.
struct CheckPolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "check-policy", abstract: "Check a policy file and say what it allows.")

    @Argument(help: "The policy.") var file: String

    func run() async throws {
        let policy: BotPolicy
        do throws(StartError) { policy = try BotServe.policy(file, isDryRun: false, directory: ".") } catch {
            throw ExitCode(Console.complain(error.message))
        }
        print("\(file): \(policy.policies.count) policies, \(policy.targets.count) targets, \(policy.actionsPerHour) actions an hour")
        for one in policy.policies {
            let match = one.match.map { "\($0.label)=\($0.values.joined(separator: "|"))" }.joined(separator: " ")
            let steps = one.steps.map(Self.text).joined(separator: ", then ")
            let outcome = one.escalatesAtOnce ? "escalate" : steps.isEmpty ? "nothing" : steps
            print("  \(one.name) [\(one.mode.rawValue)]  \(match)  →  \(outcome)")
        }
    }

    private static func text(_ step: BotPolicy.Step) -> String {
        switch step.action {
        case .restart(let target, let via): "restart \(target) by \(via.map(\.rawValue).joined(separator: ", else "))"
        case .scale(let target, let count, let via): "scale \(target) to \(count) by \(via.map(\.rawValue).joined(separator: ", else "))"
        case .http(let request): "request \(request)"
        case .run(let command): "run \(command)"
        case .notify(let notifier): "notify \(notifier)"
        case .ticket(let notifier): "ticket to \(notifier)"
        }
    }
}

/// `minprom bot verify-log FILE`: whether every line is what was written, in its place.
struct VerifyLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "verify-log", abstract: "Check the hash chain of an incident log.")

    @Argument(help: "The incident log.") var file: String

    func run() async throws {
        do throws(TSDBError) {
            let bytes = try DiskFileStore().readAll(file, limit: IncidentLog.maximumBytes)
            do throws(BotError) {
                let log = try IncidentLogFile(bytes, keepsRecords: false)
                print("\(file): \(log.chain.count) lines, the chain holds, last hash \(log.chain.last)")
                if log.tornBytes > 0 { print("\(file): \(log.tornBytes) bytes of an unfinished line at the end") }
            } catch { throw TSDBError(.io, "\(file): \(error.message)") }
        } catch { throw ExitCode(Console.complain(error.message)) }
    }
}

/// `minprom bot docker-proxy`: lets restarts of listed containers through to Docker's socket, and nothing else.
struct DockerProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docker-proxy", abstract: "Filter in front of Docker's socket: restarts and states of listed containers only.")

    @Option(help: "Names of containers, apart by commas.") var allow: String

    @Option(name: .customLong("docker.socket"), help: "Docker's socket.") var socket = "/var/run/docker.sock"

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on.") var listenAddress = "127.0.0.1:2375"

    @Option(name: .customLong("audit.log"), help: "File of all requests, hash-chained; standard error has them in any case.")
    var auditLog = ""

    @OptionGroup var logging: LogFlags

    func run() async throws {
        do throws(StartError) { try await start() } catch { throw ExitCode(Console.complain(error.message)) }
    }

    private func start() async throws(StartError) {
        let logger = try logging.logger()
        let signals = Signals.stream()
        guard let rule = DockerRule(allow.split(separator: ",").map(String.init)) else {
            throw StartError("--allow: names of containers, such as flask_api,worker")
        }
        guard let address = WebServer.Address(listenAddress) else {
            throw StartError("--web.listen-address: \"\(listenAddress)\" is not host:port")
        }
        let audit: AuditLog
        do throws(BotError) { audit = try AuditLog(path: auditLog, DiskFileStore()) } catch { throw StartError(error.message) }
        let http = HTTPClient(eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton))
        let proxy = DockerProxy(rule, socket: socket, token: try Secret.environment("DOCKER_PROXY_TOKEN"), http: http) {
            method, path, client, result in
            logger.info("request", metadata: ["method": "\(method)", "path": "\(path.prefix(200))", "client": "\(client)", "result": "\(result)"])
            if let failure = audit.write(method, path, client, result, at: SystemClock().now()) {
                logger.error("The audit log cannot be written", metadata: ["err": "\(failure)"])
            }
        }
        let web = WebServer(proxy, on: [address], eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger) { host, port in
            logger.info("Docker proxy is listening on", metadata: ["address": "\(host):\(port)"])
        }
        let wishes = Task {
            for await wish in signals {
                switch wish {
                case .stop: await web.stop()
                case .reload: break
                }
            }
        }
        defer { wishes.cancel() }
        do { try await web.run() } catch { throw StartError(WebServer.describe(error, addresses: [listenAddress])) }
        try? await http.shutdown()
    }
}
