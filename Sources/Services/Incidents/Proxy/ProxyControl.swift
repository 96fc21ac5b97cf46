import HTTPServer
import HTTPTypes
import NIOCore
import SelfMetrics
import ServiceProcess

/// The proxy's control port: what the fault is, sets it, takes it back, and the page of metrics.
///
///     GET    /-/fault                          {"mode":"drop","for_s":41.2} or {"mode":null}
///     POST   /-/fault   {"mode":"delay","delay_ms":500,"for_s":60}
///     DELETE /-/fault
///     POST   /-/quit                           ends the process; its restart policy brings it back, without the fault
///
/// These four need the token; `/-/healthy`, `/-/ready` and `/metrics` do not.
public struct ProxyControl: HTTPService {
    /// A fault is a line.
    static let maximumBody = 4 << 10

    private let proxy: FaultProxy
    private let guarded: AccessToken
    private let quit: @Sendable () -> Void
    public let packing = ThreadPool("packing", threads: 1)
    public var answers: ThreadPool { packing }

    public init(_ proxy: FaultProxy, token: String?, quit: @escaping @Sendable () -> Void) {
        self.proxy = proxy
        guarded = AccessToken("ADMIN_TOKEN", token)
        self.quit = quit
    }

    public func bodyLimit(_ path: String, _ limits: WebServer.Limits) -> Int { Self.maximumBody }

    public func answer(_ request: APIRequest) async -> Reply {
        switch request.path {
        case "/-/healthy": return .text("Healthy.\n")
        case "/-/ready": return .text("Ready.\n")
        case "/metrics":
            var page = MetricsPage()
            await write(to: &page)
            return Reply(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: ByteBuffer(bytes: page.bytes))
        case "/-/fault": return await fault(request)
        case "/-/quit":
            guard request.method == .post else { return notAllowed("POST") }
            if let refusal = guarded.refusal(of: request) { return refusal }
            quit()
            return .text("Quitting.\n")
        default: return .notFound
        }
    }

    private func fault(_ request: APIRequest) async -> Reply {
        if let refusal = guarded.refusal(of: request) { return refusal }
        switch request.method {
        case .get: break
        case .delete: await proxy.clear()
        case .post:
            do throws(IncidentError) { await proxy.set(try Fault(json: String(buffer: request.body))) } catch {
                return .text(error.message + "\n", .badRequest)
            }
        default: return notAllowed("GET, POST, DELETE")
        }
        return .json(ByteBuffer(string: await proxy.faultJSON()))
    }

    private func notAllowed(_ methods: String) -> Reply {
        var reply = Reply.text("method not allowed\n", .methodNotAllowed)
        reply.headers[.allow] = methods
        return reply
    }

    private func write(to page: inout MetricsPage) async {
        let counts = proxy.counts
        let fault = await proxy.fault()
        page.single("minprom_proxy_connections_active", .gauge, "Connections that are open now.", counts.active.value)
        page.single("minprom_proxy_connections_total", .counter, "Connections that came.", counts.accepted.value)
        page.single("minprom_proxy_connections_refused_total", .counter, "Connections that were reset when they came.", counts.refused.value)
        page.single("minprom_proxy_connections_broken_total", .counter, "Connections that a fault has broken.", counts.broken.value)
        page.single("minprom_proxy_connect_failures_total", .counter, "Connections to the target that did not come about.", counts.failed.value)
        page.family("minprom_proxy_bytes_total", .counter, "Bytes that came in, by direction: up is from the client.")
        page.sample("minprom_proxy_bytes_total", [("direction", "down")], counts.down.value)
        page.sample("minprom_proxy_bytes_total", [("direction", "up")], counts.up.value)
        page.family("minprom_proxy_fault_active", .gauge, "Whether a fault is set now.")
        for mode in Fault.Mode.allCases {
            page.sample("minprom_proxy_fault_active", [("mode", mode.rawValue)], fault?.mode == mode ? 1 : 0)
        }
        page.family("minprom_proxy_faults_total", .counter, "Faults that were set.")
        for mode in Fault.Mode.allCases {
            page.sample("minprom_proxy_faults_total", [("mode", mode.rawValue)], counts.faults[mode.rawValue].value)
        }
    }
}
