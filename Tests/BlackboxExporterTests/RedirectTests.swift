import HTTPServer
import HTTPTypes
import Logging
import Loopback
import NIOCore
import ServiceNames
import Synchronization
import Testing

@testable import BlackboxExporter

/// A page may send the prober anywhere. It goes where it would have gone if it had been asked to, and nowhere else.
@Suite("Redirects of a probe", .timeLimit(.minutes(1)))
struct RedirectTests {
    /// Answers `/go?to=URL` with a redirect there and everything else with 200; keeps what it was asked.
    private final class Site: HTTPService {
        let packing = ThreadPool("packing", threads: 1)
        var answers: ThreadPool { packing }
        private let heard = Mutex<[String]>([])

        var transcript: [String] { heard.withLock { $0 } }

        func answer(_ request: APIRequest) async -> Reply {
            var line = "\(request.method.rawValue) \(request.path)"
            if let credentials = request.headers[.authorization] { line += " \(credentials)" }
            if let cookie = request.headers[.cookie] { line += " \(cookie)" }
            let full = line
            heard.withLock { $0.append(full) }
            let parameters = request.parameters
            guard request.path == "/go" else { return .text("here\n") }
            var reply = Reply.text("", HTTPResponse.Status(code: Int(parameters["status"]) ?? 302))
            reply.headers[.location] = parameters["to"]
            reply.headers[.setCookie] = "seen=1"
            return reply
        }
    }

    /// Two sites on free ports of this machine.
    private struct Sites {
        let outer = Site(), inner = Site()
        var outerPort = 0, innerPort = 0
    }

    private func withSites(_ body: @Sendable @escaping (Sites) async throws -> Void) async throws {
        let sites = Sites()
        try await serving(sites.outer) { outer in
            try await serving(sites.inner) { inner in
                var sites = sites
                (sites.outerPort, sites.innerPort) = (outer, inner)
                try await body(sites)
            }
        }
    }

    /// Probes, and gives the report: the log and the metrics.
    private static func probe(_ target: String, allow: [String], names: String = "", http: String = "{}") async throws -> String {
        var options = BlackboxExporter.Options()
        options.policy = try AddressPolicy(allow)
        options.names = ServiceNames(names)
        let file = "modules: {http_2xx: {prober: http, timeout: 10s, http: \(http)}}"
        let exporter = try BlackboxExporter(options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { Array(file.utf8) }
        let escaped = target.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let reply = await exporter.answer(APIRequest(.get, "/probe", query: "module=http_2xx&debug=true&target=\(escaped)"))
        guard case .buffer(let buffer) = reply.body else { return "" }
        return String(buffer: buffer)
    }

    @Test("a redirect to this machine, to a metadata service or to another port is refused in every spelling, and nothing is sent there")
    func refused() async throws {
        try await withSites { sites in
            let inner = sites.innerPort
            let places = [
                ("http://127.0.0.1:\(inner)/secret", "127.0.0.1:\(inner) is this machine"), ("http://0x7f.1:\(inner)/secret", "is this machine"),
                ("http://2130706433:\(inner)/secret", "is this machine"), ("http://[::ffff:127.0.0.1]:\(inner)/secret", "is this machine"),
                ("http://localhost:\(inner)/secret", "is this machine"), ("//127.0.0.1:\(inner)/secret", "is this machine"),
                ("http://169.254.169.254/latest/meta-data", "169.254.169.254:80 is link-local"), ("https://[fe80::1]/", "is link-local"),
                ("http://100.100.100.200/", "is a metadata service"), ("http://0:\(inner)/", "is no address of a host"),
            ]
            for (place, reason) in places {
                for status in [301, 302, 303, 307, 308] {
                    let target = "http://127.0.0.1:\(sites.outerPort)/go?status=\(status)&to=\(place)"
                    let report = try await Self.probe(target, allow: ["127.0.0.0/8:\(sites.outerPort)"])
                    #expect(report.contains("Received redirect"), "\(place)")
                    #expect(report.contains(reason) && report.contains("probe_success 0"), "\(place)\n\(report)")
                }
            }
            #expect(sites.inner.transcript == [])
            #expect(sites.outer.transcript.count == places.count * 5)
        }
    }

    @Test("where the policy lets it, a redirect is followed; neither credentials nor cookies go to another site")
    func followed() async throws {
        try await withSites { sites in
            let outer = sites.outerPort, inner = sites.innerPort
            let target = "http://127.0.0.1:\(outer)/go?to=http://127.0.0.1:\(inner)/there"
            let report = try await Self.probe(
                target, allow: ["127.0.0.0/8"], http: "{basic_auth: {username: u, password: p}, headers: {Cookie: own=1}}")
            #expect(report.contains("probe_success 1") && report.contains("probe_http_redirects 1"), "\(report)")
            #expect(sites.outer.transcript == ["GET /go Basic dTpw own=1"] && sites.inner.transcript.map { $0.prefix(10) } == ["GET /there"])
            #expect(!sites.inner.transcript.joined().contains("dTpw") && !sites.inner.transcript.joined().contains("own=1"))
        }
    }

    @Test("to the same site with credentials and its cookies, relative or not; a private network is asked like any other")
    func sameSite() async throws {
        try await withSites { sites in
            let allowed = ["127.0.0.0/8:\(sites.outerPort)"], base = "http://127.0.0.1:\(sites.outerPort)"
            for place in ["/there", "\(base)/there"] {
                let report = try await Self.probe("\(base)/go?to=\(place)", allow: allowed, http: "{basic_auth: {username: u, password: p}}")
                #expect(report.contains("probe_success 1") && report.contains("probe_http_redirects 1"), "\(report)")
            }
            #expect(sites.outer.transcript.filter { $0.hasPrefix("GET /there") } == Array(repeating: "GET /there Basic dTpw seen=1", count: 2))
            // With a list of its own the operator closes private networks as well.
            let report = try await Self.probe("\(base)/go?to=http://10.0.0.1/", allow: ["none"] + allowed)
            #expect(report.contains("10.0.0.1:80 is not in the list of --probe.allow") && report.contains("probe_success 0"), "\(report)")
        }
    }

    @Test("a service's name is reached by a redirect only from a page that was reached by one")
    func names() async throws {
        try await withSites { sites in
            let names = "outer:80=127.0.0.1:\(sites.outerPort) inner:80=127.0.0.1:\(sites.innerPort)"
            let outside = try await Self.probe(
                "http://127.0.0.1:\(sites.outerPort)/go?to=http://inner/there", allow: ["127.0.0.0/8:\(sites.outerPort)"], names: names)
            #expect(outside.contains("which is a service's name") && outside.contains("probe_success 0"), "\(outside)")
            #expect(sites.inner.transcript == [])
            let inside = try await Self.probe("http://outer/go?to=http://inner/there", allow: [], names: names)
            #expect(inside.contains("probe_success 1") && sites.inner.transcript == ["GET /there"], "\(inside)")
        }
    }

    @Test("a page that sends on for ever is left after ten times, and one that must not be followed at once")
    func endless() async throws {
        try await withSites { sites in
            let base = "http://127.0.0.1:\(sites.outerPort)", allowed = ["127.0.0.0/8:\(sites.outerPort)"]
            let stays = try await Self.probe("\(base)/go?to=/there", allow: allowed, http: "{follow_redirects: false, valid_status_codes: [302]}")
            #expect(stays.contains("Not following redirect") && stays.contains("probe_success 1"), "\(stays)")
            #expect(sites.outer.transcript == ["GET /go"])
        }
        let turn = ScriptedService { _, _ in
            var reply = Reply.text("", .found)
            reply.headers[.location] = "/"
            return reply
        }
        try await serving(turn) { port in
            let report = try await Self.probe("http://127.0.0.1:\(port)/", allow: ["127.0.0.0/8:\(port)"])
            #expect(report.contains("probe_success 0") && report.contains("probe_http_redirects 11"), "\(report)")
            #expect(turn.transcript.count == HTTPProbe.maximumRedirects + 1)
        }
    }
}
