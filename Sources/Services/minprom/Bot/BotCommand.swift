import AlertBot
import ArgumentParser
import BotCore
import ConfigurationFile
import HTTPServer
import Logging
import NIOPosix
import SelfMetrics
import TSDB

/// `minprom bot`: hears alerts, remedies what its policy allows, and writes down all of it.
struct BotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bot", abstract: "Alert bot: remedies what its policy allows, verifies it, and writes down all of it.",
        subcommands: [BotServe.self, CheckPolicyCommand.self, VerifyLogCommand.self, DockerProxyCommand.self],
        defaultSubcommand: BotServe.self)
}

/// `minprom bot [serve]`.
struct BotServe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Take webhooks and act on them.")

    @Option(name: .customLong("config.file"), help: "The policy.")
    var configFile = "bot/policy.yml"

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on; loopback where nothing else is said.")
    var listenAddress = "127.0.0.1:5001"

    @Option(name: .customLong("web.external-url"), help: "The URL under which people reach the bot; approval links begin with it.")
    var externalURL = ""

    @Option(name: .customLong("storage.path"), help: "Directory of waiting webhooks and the key of approval links.")
    var storagePath = "bot-data/"

    @Option(name: .customLong("incident.log"), help: "The incident log; incident_log.jsonl in the storage path where left out.")
    var incidentLog = ""

    @Option(name: .customLong("docker.proxy"), help: "Address of `minprom bot docker-proxy`, for the docker actuator.")
    var dockerProxy = ""

    @Flag(name: .customLong("dry-run"), help: "Do nothing; write down what would be done.")
    var isDryRun = false

    @OptionGroup var logging: LogFlags

    func run() async throws {
        do throws(StartError) { try await start() } catch { throw ExitCode(Console.complain(error.message)) }
    }

    private func start() async throws(StartError) {
        let logger = try logging.logger()
        let signals = Signals.stream()
        let directory = storagePath.hasSuffix("/") ? String(storagePath.dropLast()) : storagePath
        let policy = try Self.policy(configFile, isDryRun: isDryRun, directory: directory)
        guard let address = WebServer.Address(listenAddress) else {
            throw StartError("--web.listen-address: \"\(listenAddress)\" is not host:port")
        }
        let clock = SystemClock(), files = DiskFileStore()
        let bot: Bot, spool: WebhookSpool
        do throws(BotError) {
            do throws(TSDBError) { try files.createDirectory(directory) } catch { throw BotError(.log, error.message) }
            let key = try Secret.approvalKey(in: directory)
            let (log, content) = try IncidentLog.open(incidentLog.isEmpty ? directory + "/incident_log.jsonl" : incidentLog, files)
            if content.tornBytes > 0 {
                logger.warning("The last line of the incident log was torn off by a crash", metadata: ["bytes": "\(content.tornBytes)"])
            }
            logger.info("Incident log", metadata: ["file": "\(log.path)", "lines": "\(content.chain.count)"])
            bot = Bot(policy, log: content, approvals: Approvals(key: key), to: log)
            spool = try WebhookSpool(directory + "/queue", files)
        } catch { throw StartError(error.message) }
        let token = try Secret.environment("BOT_TOKEN")
        if token.isEmpty { logger.warning("BOT_TOKEN is not set: webhooks are refused") }
        let actuators = Actuators(try actuatorSettings(policy, port: address.port))
        let metrics = BotMetrics(), registry = MetricsRegistry()
        let driver = BotDriver(bot, spool: spool, actuators: actuators, metrics: metrics, clock: clock, logger: logger)
        registry.add { metrics.write(to: &$0) }
        registry.add { ProcessMetrics.write(to: &$0) }
        let assets = EmbeddedFiles.all().filter { $0.key.hasPrefix("bot/") || $0.key.hasPrefix("app/") }
        let service = BotService(driver, token: token, files: assets, registry: registry)
        let web = WebServer(service, on: [address], eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger) { host, port in
            logger.info("Bot is listening on", metadata: ["address": "\(host):\(port)"])
        }
        let configFile = configFile, isDryRun = isDryRun
        let wishes = Task {
            for await wish in signals {
                switch wish {
                case .stop: await web.stop()
                case .reload:
                    do throws(StartError) {
                        await driver.reload(try Self.policy(configFile, isDryRun: isDryRun, directory: directory))
                        logger.info("Policy reloaded")
                    } catch { logger.error("Policy not reloaded", metadata: ["err": "\(error.message)"]) }
                }
            }
        }
        let machine = Task { await driver.run() }
        defer {
            wishes.cancel()
            machine.cancel()
        }
        do { try await web.run() } catch { throw StartError(WebServer.describe(error, addresses: [listenAddress])) }
        machine.cancel()
        await actuators.shutdown()
        logger.info("See you next time!")
    }

    private func actuatorSettings(_ policy: BotPolicy, port: Int) throws(StartError) -> Actuators.Settings {
        var settings = Actuators.Settings()
        settings.adminToken = try Secret.environment("ADMIN_TOKEN")
        settings.supervisorSocket = try Secret.environment("SUPERVISOR_SOCKET")
        settings.dockerProxy = dockerProxy.isEmpty ? try Secret.environment("DOCKER_PROXY_URL") : dockerProxy
        settings.dockerToken = try Secret.environment("DOCKER_PROXY_TOKEN")
        settings.externalURL = externalURL.isEmpty ? "http://localhost:\(port)" : externalURL
        while settings.externalURL.hasSuffix("/") { settings.externalURL.removeLast() }
        for request in policy.requests.values where !request.tokenVariable.isEmpty {
            settings.tokens[request.tokenVariable] = try Secret.environment(request.tokenVariable)
        }
        return settings
    }

    /// The policy of a file; notices that go to files lie below `directory`.
    static func policy(_ path: String, isDryRun: Bool, directory: String) throws(StartError) -> BotPolicy {
        do throws(TSDBError) {
            let text = try DiskFileStore().readAll(path, limit: YAMLReader.maximumBytes)
            do throws(ConfigError) {
                var policy = try BotPolicyReader.read(text)
                policy.isDryRun = policy.isDryRun || isDryRun
                for (name, notifier) in policy.notifiers {
                    if case .file(let file) = notifier, !file.hasPrefix("/") { policy.notifiers[name] = .file(directory + "/" + file) }
                }
                return policy
            } catch {
                var error = error
                error.file = path
                throw TSDBError(.io, error.description)
            }
        } catch { throw StartError(error.message) }
    }
}
