import HTTPServer
import HTTPTypes
import HostMetrics
import NIOCore
import SelfMetrics
import Synchronization

/// node_exporter on a port: the page of host metrics, and little else.
///
///     /                landing page          /-/healthy, /-/ready
///     /metrics         all enabled collectors
///     /metrics?collect[]=cpu&collect[]=meminfo        only these
///     /metrics?exclude[]=filesystem                   all but these
///
/// The server's own job takes the same page from the same `HostMetrics` without a socket.
public final class HostExporter: HTTPService {
    public struct Options: Sendable {
        public var telemetryPath = "/metrics"
        /// Scrapes served at once; 0: any number.
        public var maxRequests = 40
        /// `process_*` and `promhttp_*`.
        public var showsOwnMetrics = true

        public init() {}
    }

    public let packing = ThreadPool("host exporter", threads: 2, queueLimit: 200)
    public var answers: ThreadPool { packing }

    private let metrics: HostMetrics
    private let options: Options
    private let scrapes = Mutex<[Int: Int]>([200: 0, 500: 0, 503: 0])
    private let inFlight = Mutex(0)

    public init(_ metrics: HostMetrics, _ options: Options = Options()) {
        self.metrics = metrics
        self.options = options
    }

    public func answer(_ request: APIRequest) async -> Reply {
        guard request.method == .get || request.method == .head else { return .text("Method Not Allowed\n", .methodNotAllowed) }
        switch request.path {
        case options.telemetryPath: return await page(request.parameters)
        case "/-/healthy": return .text("Healthy\n")
        case "/-/ready": return .text("Ready\n")
        case "/": return landingPage
        default: return .notFound
        }
    }

    // MARK: The page

    /// Which collectors a URL asks for.
    enum Choice: Equatable {
        case enabled
        case only(Set<String>)
        case refused(String)
    }

    static func choice(_ parameters: Parameters, enabled: Set<String>) -> Choice {
        let wanted = parameters.all("collect[]"), unwanted = parameters.all("exclude[]")
        if wanted.isEmpty && unwanted.isEmpty { return .enabled }
        if !wanted.isEmpty && !unwanted.isEmpty { return .refused("Combined collect and exclude queries are not allowed.") }
        for name in wanted where !enabled.contains(name) {
            let isKnown = HostMetrics.collectorNames.contains(name) || HostMetrics.absentCollectors.contains(name)
            let problem = isKnown ? "disabled" : "missing"
            return .refused("Couldn't create filtered metrics handler: couldn't create collector: \(problem) collector: \(name)")
        }
        return .only(wanted.isEmpty ? enabled.subtracting(unwanted) : Set(wanted))
    }

    private func page(_ parameters: Parameters) async -> Reply {
        let selected: Set<String>?
        switch Self.choice(parameters, enabled: metrics.options.collectors) {
        case .refused(let why): return .text(why, .badRequest)
        case .enabled: selected = nil
        case .only(let names): selected = names
        }
        let limit = options.maxRequests
        let entered = inFlight.withLock { count in
            guard limit <= 0 || count < limit else { return false }
            count += 1
            return true
        }
        guard entered else {
            count(503)
            return .text("Limit of concurrent requests reached (\(limit)), try again later.\n", .serviceUnavailable)
        }
        defer { inFlight.withLock { $0 -= 1 } }
        guard let bytes = try? await packing.run({ [self] in scrape(selected) }) else {
            count(503)
            return .text("Too many scrapes are waiting, try again later.\n", .serviceUnavailable)
        }
        count(200)
        return Reply(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: ByteBuffer(bytes: bytes))
    }

    private func count(_ status: Int) { scrapes.withLock { $0[status, default: 0] += 1 } }

    private func scrape(_ selected: Set<String>?) -> [UInt8] {
        var page = MetricsPage()
        metrics.write(selected, to: &page)
        guard options.showsOwnMetrics else { return page.bytes }
        ProcessMetrics.write(to: &page)
        page.single(
            "promhttp_metric_handler_requests_in_flight", .gauge, "Scrapes being served.", inFlight.withLock { $0 })
        page.family("promhttp_metric_handler_requests_total", .counter, "Scrapes by the status of their answer.")
        for (status, count) in scrapes.withLock({ $0.sorted { $0.key < $1.key } }) {
            page.sample("promhttp_metric_handler_requests_total", [("code", "\(status)")], count)
        }
        return page.bytes
    }

    private var landingPage: Reply {
        let text = """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>Node Exporter</title></head>
            <body>
            <h1>Node Exporter</h1>
            <p>Metrics of this machine, as node_exporter gives them. Version: \(HostMetrics.version)</p>
            <ul><li><a href="\(Self.escaped(options.telemetryPath))">Metrics</a></li></ul>
            </body>
            </html>

            """
        return Reply(.ok, contentType: "text/html; charset=utf-8", body: ByteBuffer(string: text))
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
