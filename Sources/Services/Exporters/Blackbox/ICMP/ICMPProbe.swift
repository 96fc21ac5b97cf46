import HTTPServer
import NIOCore
import Synchronization

/// Pings a host: one echo request, and the reply that equals it.
///
///     resolve │ setup: a ping socket, or a raw one where the system gives none │ rtt
struct ICMPProbe {
    private let probe: Probe
    private let settings: ICMPSettings

    init(_ probe: Probe, _ settings: ICMPSettings) { (self.probe, self.settings) = (probe, settings) }

    /// Begins anywhere, so that two exporters started at once are told apart.
    private static let sequence = Atomic<UInt16>(UInt16.random(in: .min ... .max))
    private static let phases = "probe_icmp_duration_seconds"
    private static let text = Array("Prometheus Blackbox Exporter".utf8)
    private static let maximumReply = 65_535

    func run() async -> Bool {
        probe.metrics.register(Self.phases, phases: ["resolve", "setup", "rtt"], "Duration of icmp request by phase")
        let (destination, seconds) = await probe.choose(probe.target, port: 0, settings.ip)
        guard let destination else { return false }
        probe.metrics.add(Self.phases, phase: "resolve", seconds)
        var source: IPAddress?
        if !settings.source.isEmpty {
            source = IPAddress(settings.source)
            guard source != nil else {
                probe.log.error("Error parsing source ip address", ("srcIP", settings.source))
                return false
            }
        }
        var data = Self.text
        if settings.payloadSize > 0 {
            data = Array(data.prefix(settings.payloadSize))
            data += repeatElement(0, count: settings.payloadSize - data.count)
        }
        let message = EchoMessage(
            isVersion6: destination.address.isVersion6, identifier: .random(in: .min ... .max),
            sequence: Self.sequence.wrappingAdd(1, ordering: .relaxed).newValue, data: data)
        let settings = settings, deadline = probe.deadline, from = source
        let outcome: Result<Outcome, ProbeFailure>
        do throws(ThreadPool.Full) {
            outcome = try await probe.hosts.pool.run { Self.ping(destination, from, message, settings, deadline) }
        } catch {
            outcome = .failure(ProbeFailure("too many probes are waiting"))
        }
        switch outcome {
        case .success(let outcome):
            probe.metrics.add(Self.phases, phase: "setup", outcome.setup)
            guard let rtt = outcome.rtt else {
                probe.log.warn("Timeout reading from socket", ("err", outcome.problem))
                return false
            }
            probe.metrics.add(Self.phases, phase: "rtt", rtt)
            if let limit = outcome.hopLimit {
                probe.metrics.register("probe_icmp_reply_hop_limit", "Replied packet hop limit (TTL for ipv4)")
                probe.metrics.set("probe_icmp_reply_hop_limit", Double(limit))
            }
            return true
        case .failure(let failure):
            probe.log.error("Error listening to socket", ("err", failure.description))
            return false
        }
    }

    private struct Outcome: Sendable {
        var setup: Double
        var rtt: Double?
        var hopLimit: Int?
        var problem = ""
    }

    /// On a thread of the pool.
    private static func ping(
        _ destination: Destination, _ source: IPAddress?, _ message: EchoMessage, _ settings: ICMPSettings, _ deadline: Deadline
    ) -> Result<Outcome, ProbeFailure> {
        let setup = Stopwatch()
        let socket: DatagramSocket
        var isPrivileged = false
        do {
            do { socket = try DatagramSocket(.ping, to: destination, source: source) } catch {
                socket = try DatagramSocket(.rawPing, to: destination, source: source)
                isPrivileged = true
            }
        } catch { return .failure(error as? ProbeFailure ?? ProbeFailure("\(error)")) }
        socket.wantHopLimits()
        if settings.hopLimit > 0 { socket.setHopLimit(settings.hopLimit) }
        if settings.forbidsFragments { socket.forbidFragments() }
        var outcome = Outcome(setup: setup.seconds)
        let watch = Stopwatch()
        do {
            try socket.send(message.bytes)
            while true {
                let received = try socket.receive(limit: maximumReply, deadline)
                guard let reply = EchoMessage(received.bytes, isVersion6: message.isVersion6), reply.isReply,
                    reply.sequence == message.sequence, reply.data == message.data,
                    // The kernel gives a ping socket an identifier of its own, and only what belongs to it.
                    !isPrivileged || reply.identifier == message.identifier
                else { continue }
                outcome.rtt = watch.seconds
                outcome.hopLimit = received.hopLimit
                return .success(outcome)
            }
        } catch {
            outcome.problem = "\(error)"
            return .success(outcome)
        }
    }
}
