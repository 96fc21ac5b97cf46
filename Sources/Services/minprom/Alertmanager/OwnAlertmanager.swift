import Alerter
import ConfigurationFile
import HTTPServer
import Rules
import Synchronization
import TSDB
import WebAPI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The way from our rules to an Alertmanager of `alerting:`, which may turn out to be the one in this process: then alerts go there
/// without a socket.
///
///     alertmanager:9093 ─▶ is 9093 a port of ours, and `alertmanager` an address of this machine? ─▶ straight, else HTTP
///
/// Asked again after a minute: names move. A machine that answers to the same address twice gets each alert twice, which is one alert.
final class OwnAlertmanager: AlertSink {
    private static let lifetime = Swift.Duration.seconds(60)

    private let url: String
    private let half: AlertmanagerHalf
    private let outside: any AlertSink
    private let pool: ThreadPool
    private let known = Mutex<(isOwn: Bool, since: ContinuousClock.Instant)?>(nil)

    init(_ url: String, _ half: AlertmanagerHalf, else outside: any AlertSink, pool: ThreadPool) {
        self.url = url
        self.half = half
        self.outside = outside
        self.pool = pool
    }

    func send(_ alerts: [Alert]) async throws(AlertSinkError) {
        if await isOwn() { await half.receive(alerts) } else { try await outside.send(alerts) }
    }

    private func isOwn() async -> Bool {
        if let known = known.withLock({ $0 }), known.since.duration(to: .now) < Self.lifetime { return known.isOwn }
        let url = url, settings = half.settings
        let isOwn = (try? await pool.run { Self.leads(url, to: settings) }) ?? false
        known.withLock { $0 = (isOwn, .now) }
        return isOwn
    }

    /// Whether the URL is one of ours: its port, its path and its host. Looks names up, so it may take a moment.
    static func leads(_ url: String, to settings: AlertmanagerSettings) -> Bool {
        guard url.hasPrefix("http://") else { return false }
        let rest = url.dropFirst("http://".count)
        let place = rest.prefix { $0 != "/" }
        guard let address = WebServer.Address(String(place.contains(":") ? place : place + ":80")),
            rest.dropFirst(place.count) == settings.routePrefix + "/api/v2/alerts",
            settings.addresses.contains(where: { $0.port == address.port })
        else { return false }
        let mine = localAddresses()
        let found = addresses(of: address.host)
        return !found.isEmpty && found.allSatisfy { mine.contains($0) || $0.hasPrefix("127.") || $0 == "::1" }
    }

    private static func addresses(of host: String) -> [String] {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var result: [String] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr, let text = numeric(address, entry.pointee.ai_addrlen) { result.append(text) }
            next = entry.pointee.ai_next
        }
        return result
    }

    private static func localAddresses() -> Set<String> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var result: Set<String> = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr else { continue }
            let size: Int
            switch Int32(address.pointee.sa_family) {
            case AF_INET: size = MemoryLayout<sockaddr_in>.size
            case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
            default: continue
            }
            if let text = numeric(address, socklen_t(size)) { result.insert(text) }
        }
        return result
    }

    private static func numeric(_ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> String? {
        var name = [CChar](repeating: 0, count: 256)
        guard getnameinfo(address, size, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
