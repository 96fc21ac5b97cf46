import HTTPServer
import NIOCore
import Notify

/// Asks a name server one question.
///
///     resolve │ connect │ request        over UDP, TCP, or TCP with TLS
struct DNSProbe {
    private let probe: Probe
    private let settings: DNSSettings

    init(_ probe: Probe, _ settings: DNSSettings) { (self.probe, self.settings) = (probe, settings) }

    private static let phases = "probe_dns_duration_seconds"

    func run() async -> Bool {
        probe.metrics.register(Self.phases, phases: ["resolve", "connect", "request"], "Duration of DNS request by phase")
        probe.metrics.register("probe_dns_answer_rrs", "Returns number of entries in the answer resource record list")
        probe.metrics.register("probe_dns_authority_rrs", "Returns number of entries in the authority resource record list")
        probe.metrics.register("probe_dns_additional_rrs", "Returns number of entries in the additional resource record list")
        probe.metrics.register("probe_dns_query_succeeded", "Displays whether or not the query was executed successfully")
        let defaultPort = settings.usesTLS ? 853 : 53
        let place: (host: String, port: Int) =
            (try? HostPort(probe.target)).map { ($0.host, $0.port) } ?? (probe.target, defaultPort)
        let (destination, seconds) = await probe.choose(place.host, port: place.port, settings.ip)
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
        let id = UInt16.random(in: .min ... .max)
        guard
            let query = DNSMessage.query(
                id: id, name: settings.queryName, type: settings.queryType, class: settings.queryClass,
                wantsRecursion: settings.wantsRecursion)
        else {
            probe.log.error("Error while sending a DNS query", ("err", "dns: bad name"))
            return false
        }
        probe.log.debug("Making DNS query", ("target", destination.address.withPort(destination.port)), ("query", settings.queryName))
        do {
            let answer =
                settings.usesTCP
                ? try await askOverTCP(destination, source, query, id, host: place.host)
                : try await askOverUDP(destination, source, query, id)
            return judge(answer)
        } catch {
            probe.log.error("Error while sending a DNS query", ("err", probe.describe(error)))
            return false
        }
    }

    // MARK: Asking

    private func askOverUDP(_ destination: Destination, _ source: IPAddress?, _ query: [UInt8], _ id: UInt16) async throws -> DNSMessage {
        let deadline = probe.deadline
        let outcome = try await probe.hosts.pool.run { () -> Result<(DNSMessage, Double, Double), ProbeFailure> in
            let connecting = Stopwatch()
            do {
                let socket = try DatagramSocket(.udp, to: destination, source: source)
                let connect = connecting.seconds, asking = Stopwatch()
                try socket.send(query)
                while true {
                    let bytes = try socket.receive(limit: DNSMessage.maximumBytes, deadline).bytes
                    let answer = try Self.read(bytes)
                    // A late answer to somebody else's question.
                    if answer.id == id && answer.isResponse { return .success((answer, connect, asking.seconds)) }
                }
            } catch {
                return .failure(error as? ProbeFailure ?? ProbeFailure("\(error)"))
            }
        }
        let (answer, connect, request) = try outcome.get()
        probe.metrics.add(Self.phases, phase: "connect", connect)
        probe.metrics.add(Self.phases, phase: "request", request)
        return answer
    }

    private func askOverTCP(
        _ destination: Destination, _ source: IPAddress?, _ query: [UInt8], _ id: UInt16, host: String
    ) async throws -> DNSMessage {
        let connecting = Stopwatch()
        var answer: DNSMessage?
        try await ProbeConnection.open(destination, source: source, policy: probe.hosts.policy, deadline: probe.deadline) { connection in
            if settings.usesTLS {
                let serverName = settings.tls.serverName.isEmpty ? host : settings.tls.serverName
                _ = try await connection.startTLS(try settings.tls.forProbe(), serverName: serverName)
            }
            probe.metrics.add(Self.phases, phase: "connect", connecting.seconds)
            let asking = Stopwatch()
            try await connection.write(DNSMessage.word(UInt16(query.count)) + query)
            var bytes: [UInt8] = []
            while answer == nil {
                guard let piece = try await connection.read() else { throw ProbeFailure("EOF") }
                bytes += piece
                guard bytes.count >= 2 else { continue }
                let length = Int(bytes[0]) << 8 | Int(bytes[1])
                guard bytes.count >= 2 + length else { continue }
                let read = try Self.read(Array(bytes[2..<2 + length]))
                guard read.id == id else { throw ProbeFailure("dns: id mismatch") }
                answer = read
            }
            probe.metrics.add(Self.phases, phase: "request", asking.seconds)
        }
        guard let answer else { throw ProbeFailure("EOF") }
        return answer
    }

    private static func read(_ bytes: [UInt8]) throws -> DNSMessage {
        do throws(DNSReader.Failure) { return try DNSMessage(bytes) } catch { throw ProbeFailure("dns: the answer cannot be read: \(error)") }
    }

    // MARK: Judging

    private func judge(_ answer: DNSMessage) -> Bool {
        probe.metrics.set("probe_dns_answer_rrs", Double(answer.answers.count))
        probe.metrics.set("probe_dns_authority_rrs", Double(answer.authority.count))
        probe.metrics.set("probe_dns_additional_rrs", Double(answer.additional.count))
        probe.metrics.set("probe_dns_query_succeeded", 1)
        if settings.queryType == DNSNumbers.types["SOA"] {
            probe.metrics.register("probe_dns_serial", "Returns the serial number of the zone")
            if let serial = answer.answers.compactMap(\.serial).last { probe.metrics.set("probe_dns_serial", Double(serial)) }
        }
        let valid = settings.validCodes.isEmpty ? [0] : settings.validCodes
        guard valid.contains(answer.code) else {
            probe.log.error(
                "Rcode is not one of the valid rcodes", ("rcode", String(answer.code)),
                ("string_rcode", DNSNumbers.codeName[answer.code] ?? ""))
            return false
        }
        for (name, records, check) in [
            ("Answer", answer.answers, settings.answer), ("Authority", answer.authority, settings.authority),
            ("Additional", answer.additional, settings.additional),
        ] {
            if let problem = Self.problem(records.map(\.line), check) {
                probe.log.error(problem)
                probe.log.error("\(name) RRs validation failed")
                return false
            }
        }
        return true
    }

    /// What is wrong with the records of one section; `nil` for nothing.
    static func problem(_ lines: [String], _ check: DNSSettings.RecordCheck) -> String? {
        if lines.isEmpty && !check.failsIfNotMatches.isEmpty { return "fail_if_not_matches_regexp specified but no RRs returned" }
        if lines.isEmpty && !check.failsIfNoneMatches.isEmpty { return "fail_if_none_matches_regexp specified but no RRs returned" }
        for line in lines {
            if let pattern = check.failsIfMatches.first(where: { $0.matches(line) }) {
                return "At least one RR matched regexp \(pattern.source): \(line)"
            }
            if let pattern = check.failsIfNotMatches.first(where: { !$0.matches(line) }) {
                return "At least one RR did not match regexp \(pattern.source): \(line)"
            }
        }
        let allMatch = lines.allSatisfy { line in check.failsIfAllMatch.allSatisfy { $0.matches(line) } }
        // Upstream says it the other way round, in its code as in its message: it fails where not all match.
        if !check.failsIfAllMatch.isEmpty && !allMatch { return "Not all RRs matched regexp" }
        let anyMatches = lines.contains { line in check.failsIfNoneMatches.contains { $0.matches(line) } }
        if !check.failsIfNoneMatches.isEmpty && !anyMatches { return "None of the RRs did matched any regexp" }
        return nil
    }
}
