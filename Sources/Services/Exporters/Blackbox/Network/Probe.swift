import Logging

/// One probe while it runs: where it goes, what it has found out, until when.
///
/// Not Sendable: it belongs to the task of its request.
final class Probe {
    let target: String
    let module: ProbeModule
    let hosts: Hosts
    let deadline: Deadline
    var metrics = ProbeMetrics()
    var log: ProbeLog

    init(target: String, module: ProbeModule, hosts: Hosts, deadline: Deadline, log: ProbeLog) {
        self.target = target
        self.module = module
        self.hosts = hosts
        self.deadline = deadline
        self.log = log
    }

    /// Whether the target is as the module wants it.
    func run() async -> Bool {
        switch module.kind {
        case .http(let settings): return await HTTPProbe(self, settings).run()
        case .tcp(let settings): return await TCPProbe(self, settings).run()
        case .dns(let settings): return await DNSProbe(self, settings).run()
        case .icmp(let settings): return await ICMPProbe(self, settings).run()
        }
    }

    /// What an error is called in the log. An error behind the deadline is the deadline's.
    func describe(_ error: any Error) -> String {
        deadline.isOver && !(error is AddressRefusal) ? ProbeFailure.late.description : "\(error)"
    }
}

/// An address to connect to, approved.
struct Destination: Sendable {
    var address: IPAddress
    var port: Int
    /// Given by `ServiceNames`, so the policy has no say.
    var isNamed: Bool
}

extension Probe {
    /// Resolves a host and takes the address of the wanted version of IP; of the other one where that is allowed.
    /// Registers and sets `probe_ip_*` and `probe_dns_lookup_time_seconds`.
    func choose(_ host: String, port: Int, _ preference: IPPreference) async -> (destination: Destination?, seconds: Double) {
        metrics.register("probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6")
        metrics.register("probe_dns_lookup_time_seconds", "Returns the time taken for probe dns lookup in seconds")
        metrics.register(
            "probe_ip_addr_hash", "Specifies the hash of IP address. It's useful to detect if the IP address changes.")
        let version = preference.prefersVersion6 ? "ip6" : "ip4"
        log.debug("Resolving target address", ("host", host), ("ip_protocol", version))
        let watch = Stopwatch()
        defer { metrics.set("probe_dns_lookup_time_seconds", watch.seconds) }
        do {
            let family: Hosts.Family = preference.fallsBack ? .any : preference.prefersVersion6 ? .version6 : .version4
            let found = try await hosts.find(host, port: port, family, deadline)
            let wanted = found.addresses.first { $0.isVersion6 == preference.prefersVersion6 }
            guard let address = wanted ?? (preference.fallsBack ? found.addresses.last : nil) else {
                throw ProbeFailure("unable to find ip; no fallback")
            }
            if !found.isNamed, let refusal = hosts.policy.refusal(of: address, port: found.port) { throw refusal }
            log.debug("Resolved target address", ("host", host), ("ip", address.description))
            metrics.set("probe_ip_protocol", address.isVersion6 ? 6 : 4)
            metrics.set("probe_ip_addr_hash", Double(address.hash32))
            return (Destination(address: address, port: found.port, isNamed: found.isNamed), watch.seconds)
        } catch {
            log.error("Resolution with IP protocol failed", ("host", host), ("ip_protocol", version), ("err", describe(error)))
            log.error("Error resolving address", ("err", describe(error)))
            return (nil, watch.seconds)
        }
    }
}
