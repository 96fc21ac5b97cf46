import ConfigurationFile
import HTTPServer
import HTTPTypes
import Logging
import NIOCore
import Numbers
import SelfMetrics
import ServiceNames
import Synchronization

/// The blackbox exporter: asked for a target, it goes there and tells how it was.
///
///     GET /probe?target=http://api:8000/health&module=http_2xx ─▶ module of blackbox.yml ─▶ Probe ─▶ metrics
///
/// Paths, metrics and file are the original's. Where it may go is bounded by `AddressPolicy`, which the original has not.
public final class BlackboxExporter: HTTPService {
    public struct Options: Sendable {
        /// For messages, and what paths in it are relative to.
        public var configFile = "blackbox.yml"
        /// Seconds that are left for the way back: `--timeout-offset`.
        public var timeoutOffset = 0.5
        public var historyLimit = 100
        /// `--log.prober`.
        public var probeLogLevel = Logger.Level.info
        public var policy = AddressPolicy()
        public var names = ServiceNames.current
        public var version = "0.1.0"
        /// With a slash in front and none behind; empty for none.
        public var routePrefix = ""

        public init() {}
    }

    public typealias Loader = @Sendable () throws(ConfigError) -> [UInt8]

    /// Probes that may run at once.
    static let maximumProbes = 500
    /// Without a timeout of the scrape.
    static let longestProbe = 120.0

    public let packing = ThreadPool("blackbox", threads: 1)
    public let answers = ThreadPool("blackbox-answers", threads: 1)
    public let registry = MetricsRegistry()
    let options: Options
    let history: ProbeHistory
    private let hosts: Hosts
    private let load: Loader
    private let logger: Logger
    private let state: Mutex<State>
    private let unknownModules = Counter()
    private let running = Mutex(0)

    private struct State {
        var configuration: BlackboxConfiguration
        var lastReloadSucceeded = true
        var lastReload: Int64
    }

    /// Reads the configuration; throws what is wrong with it.
    public init(_ options: Options, logger: Logger, load: @escaping Loader) throws(ConfigError) {
        let configuration = try BlackboxConfiguration(try load(), path: options.configFile)
        self.options = options
        self.load = load
        self.logger = logger
        history = ProbeHistory(limit: max(1, options.historyLimit))
        hosts = Hosts(policy: options.policy, names: options.names, pool: ThreadPool("probes", threads: 64, queueLimit: 1000))
        state = Mutex(State(configuration: configuration, lastReload: WallTime.milliseconds()))
        for warning in configuration.warnings { logger.warning("\(warning)") }
        registry.add { [weak self] page in self?.write(to: &page) }
    }

    /// Reads the file again; what is wrong with it, or `nil`. A file that does not load changes nothing.
    public func reload() -> String? {
        do throws(ConfigError) {
            let configuration = try BlackboxConfiguration(try load(), path: options.configFile)
            for warning in configuration.warnings { logger.warning("\(warning)") }
            state.withLock { $0 = State(configuration: configuration, lastReload: WallTime.milliseconds()) }
            logger.info("Reloaded config file")
            return nil
        } catch {
            state.withLock { $0.lastReloadSucceeded = false }
            logger.error("Error reloading config", metadata: ["err": "\(error)"])
            return error.description
        }
    }

    private func write(to page: inout MetricsPage) {
        page.family("blackbox_exporter_build_info", .gauge, "A metric with a constant '1' value labeled by the version it was built from.")
        page.sample("blackbox_exporter_build_info", [("goversion", ""), ("program", "minprom"), ("version", options.version)], 1)
        let (succeeded, moment) = state.withLock { ($0.lastReloadSucceeded, $0.lastReload) }
        page.single(
            "blackbox_exporter_config_last_reload_success_timestamp_seconds", .gauge,
            "Timestamp of the last successful configuration reload.", Double(moment) / 1000)
        page.single(
            "blackbox_exporter_config_last_reload_successful", .gauge, "Blackbox exporter config loaded successfully.", succeeded ? 1 : 0)
        page.single(
            "blackbox_module_unknown_total", .counter, "Count of unknown modules requested by probes", unknownModules.value)
    }

    // MARK: Answering

    public func answer(_ request: APIRequest) async -> Reply {
        guard request.path.hasPrefix(options.routePrefix) else { return .notFound }
        switch request.path.dropFirst(options.routePrefix.count) {
        case "/probe": return await probe(request)
        case "/metrics": return Self.page(registry.page())
        case "/config": return .text(state.withLock { $0.configuration.text })
        case "/-/healthy": return .text("Healthy")
        case "/-/ready": return .text("Ready")
        case "/-/reload": return await reload(request)
        case "/logs": return logs(request.parameters)
        case "/", "": return BlackboxPages.index(history.entries)
        default: return .notFound
        }
    }

    private static func page(_ bytes: [UInt8]) -> Reply {
        Reply(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", body: ByteBuffer(bytes: bytes))
    }

    private func reload(_ request: APIRequest) async -> Reply {
        guard request.method == .post || request.method == .put else {
            return .text("This endpoint requires a POST request.\n", .methodNotAllowed)
        }
        let problem: String?
        do throws(ThreadPool.Full) { problem = try await packing.run { self.reload() } } catch { problem = "too many reloads are waiting" }
        guard let problem else { return .text("") }
        return .text("failed to reload config: \(problem)\n", .internalServerError)
    }

    private func logs(_ parameters: Parameters) -> Reply {
        let id = Int(parameters["id"]), target = parameters["target"], module = parameters["module"]
        if id != nil && !target.isEmpty { return .text("Probe id and target can't be defined at the same time\n", .badRequest) }
        if id == nil && target.isEmpty { return .text("Probe id or target must be defined as http query parameters\n", .badRequest) }
        if target.isEmpty && !module.isEmpty {
            return .text("Probe module filter only works in conjunction with target parameter\n", .badRequest)
        }
        if let id { return history[id].map { .text($0.report) } ?? .text("Probe id not found\n", .notFound) }
        return history.entry(target: target, module: module).map { .text($0.report) } ?? .text("Probe target not found\n", .notFound)
    }

    // MARK: Probing

    private func probe(_ request: APIRequest) async -> Reply {
        let parameters = request.parameters
        let name = parameters["module"].isEmpty ? "http_2xx" : parameters["module"]
        guard var module = state.withLock({ $0.configuration.modules[name] }) else {
            unknownModules.increment()
            return .text("Unknown module \(QuotedText.go(name))\n", .badRequest)
        }
        guard let seconds = timeout(request, module) else {
            return .text("Failed to parse timeout from Prometheus header: invalid syntax\n", .internalServerError)
        }
        var target = parameters["target"]
        guard !target.isEmpty else { return .text("Target parameter is missing\n", .badRequest) }
        // Relabelled targets come encoded twice now and then.
        target = PercentCoding.decode(target[...].utf8, plusIsSpace: true) ?? target
        if let problem = module.name(parameters["hostname"]) { return .text(problem + "\n", .badRequest) }
        guard enter() else { return .text("more than \(Self.maximumProbes) probes are running\n", .serviceUnavailable) }
        defer { leave() }

        let log = ProbeLog(module: name, target: target, level: options.probeLogLevel, logger: logger)
        let probe = Probe(target: target, module: module, hosts: hosts, deadline: Deadline(seconds: seconds), log: log)
        probe.metrics.register("probe_success", "Displays whether or not the probe was a success")
        probe.metrics.register("probe_duration_seconds", "Returns how long the probe took to complete in seconds")
        probe.metrics.register("probe_timeout_seconds", "Returns how long the probe timeout is in seconds")
        probe.log.debug("Beginning probe", ("probe", module.prober), ("timeout_seconds", "\(seconds)"))
        let watch = Stopwatch()
        let succeeded = await probe.run()
        let duration = watch.seconds
        probe.metrics.set("probe_duration_seconds", duration)
        probe.metrics.set("probe_timeout_seconds", seconds)
        probe.metrics.set("probe_success", succeeded)
        if succeeded {
            probe.log.debug("Probe succeeded", ("duration_seconds", "\(duration)"))
        } else {
            probe.log.error("Probe failed", ("duration_seconds", "\(duration)"))
        }
        let page = probe.metrics.page()
        let report = BlackboxPages.report(log: probe.log.text, metrics: page, module: module.text)
        history.add(module: name, target: target, report: report, succeeded: succeeded)
        return parameters["debug"] == "true" ? .text(report) : Self.page(page)
    }

    private func enter() -> Bool {
        running.withLock { running in
            guard running < Self.maximumProbes else { return false }
            running += 1
            return true
        }
    }

    private func leave() { running.withLock { $0 -= 1 } }

    private static let timeoutHeader = HTTPField.Name("X-Prometheus-Scrape-Timeout-Seconds")

    /// Seconds; `nil` where the scraper's own timeout cannot be read.
    private func timeout(_ request: APIRequest, _ module: ProbeModule) -> Double? {
        var scrape = 0.0
        if let name = Self.timeoutHeader, let text = request.headers[name], !text.isEmpty {
            guard let number = NumberText.parse(text), number.isFinite else { return nil }
            scrape = number
        }
        return Self.timeout(scrape: scrape, module: module.timeout, offset: options.timeoutOffset)
    }

    /// The module's, or what the scrape leaves: the smaller.
    static func timeout(scrape: Double, module: Double, offset: Double) -> Double {
        let most = (scrape == 0 ? longestProbe : scrape) - offset
        return (module < most && module > 0) || most < 0 ? module : most
    }
}

extension ProbeModule {
    /// Takes the parameter `hostname`: the name that is asked for where the target is an address. What is wrong with it, or `nil`.
    mutating func name(_ hostname: String) -> String? {
        guard !hostname.isEmpty else { return nil }
        guard hostname.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return "hostname is no name" }
        switch kind {
        case .http(var settings):
            if let written = settings.headers.first(where: { $0.name == "Host" }), written.value != hostname {
                return "host header defined both in module configuration (\(written.value)) and with URL-parameter 'hostname' (\(hostname))"
            }
            settings.headers.removeAll { $0.name == "Host" }
            settings.headers.append(("Host", hostname))
            kind = .http(settings)
        case .tcp(var settings):
            if settings.tls.serverName.isEmpty { settings.tls.serverName = hostname }
            kind = .tcp(settings)
        case .dns, .icmp: break
        }
        return nil
    }
}
