import HTTPServer
import NIOCore
import NIOPosix
import ServiceNames

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// From names to addresses: `ServiceNames` first, then the text of an address in any form, then the system.
///
///     api:8000 ── ServiceNames ──▶ 127.0.0.1:18000     the operator's word: free of the policy
///     0x7f.1   ── IPAddress    ──▶ 127.0.0.1           asked for
///     web.lan  ── getaddrinfo  ──▶ 10.0.0.7            asked for, on a thread of its own, for it blocks
struct Hosts: Sendable {
    let policy: AddressPolicy
    let names: ServiceNames
    let pool: ThreadPool

    struct Found: Sendable {
        var addresses: [IPAddress]
        var port: Int
        /// Led here by `ServiceNames`.
        var isNamed: Bool
    }

    enum Family: Sendable { case any, version4, version6 }

    func isNamed(_ host: String, _ port: Int) -> Bool { names.connecting(to: host, port) != .init(host, port) }

    /// Without asking the policy. Throws where there is none, or where it takes longer than the probe.
    func find(_ host: String, port: Int, _ family: Family, _ deadline: Deadline) async throws -> Found {
        let place = names.connecting(to: host, port)
        let isNamed = place != .init(host, port)
        if let address = IPAddress(place.host) {
            let fits = family == .any || (family == .version6) == address.isVersion6
            guard fits else { throw ProbeFailure("address \(place.host): no suitable address found") }
            return Found(addresses: [address], port: place.port, isNamed: isNamed)
        }
        guard !place.host.isEmpty, place.host.utf8.count <= 255, !place.host.utf8.contains(0) else {
            throw ProbeFailure("lookup \(host): no such host")
        }
        let addresses = try await lookUp(place.host, family, deadline)
        return Found(addresses: addresses, port: place.port, isNamed: isNamed)
    }

    private func lookUp(_ host: String, _ family: Family, _ deadline: Deadline) async throws -> [IPAddress] {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: [IPAddress].self)
        // Whoever comes second finds the promise kept already, which is no fault.
        let timer = loop.scheduleTask(deadline: deadline.moment) { promise.fail(ProbeFailure.late) }
        do throws(ThreadPool.Full) {
            try pool.submit {
                let (addresses, problem) = Self.system(host, family)
                if let problem { promise.fail(ProbeFailure("lookup \(host): \(problem)")) } else { promise.succeed(addresses) }
            }
        } catch {
            promise.fail(ProbeFailure("lookup \(host): too many lookups are waiting"))
        }
        defer { timer.cancel() }
        return try await promise.futureResult.get()
    }

    private static func system(_ host: String, _ family: Family) -> ([IPAddress], problem: String?) {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        switch family {
        case .any: hints.ai_family = AF_UNSPEC
        case .version4: hints.ai_family = AF_INET
        case .version6: hints.ai_family = AF_INET6
        }
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else {
            return ([], code == EAI_NONAME ? "no such host" : String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(list) }
        var result: [IPAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            if let address = entry.pointee.ai_addr.flatMap({ IPAddress($0) }), !result.contains(address) { result.append(address) }
        }
        return result.isEmpty ? ([], "no such host") : (result, nil)
    }
}
