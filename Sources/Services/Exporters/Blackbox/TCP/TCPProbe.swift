import Alerter
import NIOCore
import NIOSSL
import Notify

/// Connects, and talks as the module says.
///
///     expect: "^220"          read lines until one matches; groups fill `send` and `labels`
///     send: "EHLO prober"     a line goes out
///     starttls: true          from here on in secret
struct TCPProbe {
    private let probe: Probe
    private let settings: TCPSettings

    init(_ probe: Probe, _ settings: TCPSettings) { (self.probe, self.settings) = (probe, settings) }

    func run() async -> Bool {
        let place: HostPort
        do throws(ProbeFailure) { place = try HostPort(probe.target) } catch {
            probe.log.error("Error splitting target address and port", ("err", error.description))
            probe.log.error("Error dialing TCP", ("err", error.description))
            return false
        }
        guard let destination = await probe.choose(place.host, port: place.port, settings.ip).destination else {
            probe.log.error("Error dialing TCP", ("err", "no address"))
            return false
        }
        var source: IPAddress?
        if !settings.source.isEmpty {
            source = IPAddress(settings.source)
            guard source != nil else {
                probe.log.error("Error parsing source ip address", ("srcIP", settings.source))
                return false
            }
        }
        var succeeded = false, isConnected = false
        do {
            try await ProbeConnection.open(destination, source: source, policy: probe.hosts.policy, deadline: probe.deadline) { connection in
                let report = settings.usesTLS ? try await secure(connection, place.host) : nil
                isConnected = true
                probe.log.debug("Successfully dialed")
                probe.metrics.register("probe_failed_due_to_regex", "Indicates if probe failed due to regex")
                probe.metrics.register("probe_failed_due_to_bytes", "Indicates if probe failed due to bytes")
                report?.show(in: &probe.metrics, showsCipher: false)
                succeeded = try await converse(LineReader(connection, probe.deadline), place.host)
            }
        } catch {
            // Whatever goes wrong while the connection is closed comes too late.
            if !succeeded {
                probe.log.error(isConnected ? "Error reading from connection" : "Error dialing TCP", ("err", probe.describe(error)))
            }
        }
        return succeeded
    }

    private func secure(_ connection: ProbeConnection, _ host: String) async throws -> TLSReport {
        let serverName = settings.tls.serverName.isEmpty ? host : settings.tls.serverName
        return try await connection.startTLS(try settings.tls.forProbe(), serverName: serverName)
    }

    private func converse(_ reader: LineReader, _ host: String) async throws -> Bool {
        for (index, turn) in settings.conversation.enumerated() {
            probe.log.debug("Processing query response entry", ("entry_number", String(index)))
            var send = turn.send
            if let expect = turn.expect {
                guard let line = try await line(matching: expect, reader) else {
                    probe.metrics.set("probe_failed_due_to_regex", 1)
                    probe.log.error("Regexp did not match", ("regexp", expect.source))
                    return false
                }
                probe.metrics.set("probe_failed_due_to_regex", 0)
                send = line.expand(template: send)
                if !turn.labels.isEmpty {
                    probe.metrics.info(
                        "probe_expect_info", turn.labels.map { ($0.name, line.expand(template: $0.value)) }, "Explicit content matched")
                }
            }
            if !turn.expectBytes.isEmpty {
                let bytes = try await reader.bytes(turn.expectBytes.count)
                guard bytes.count == turn.expectBytes.count else {
                    probe.log.error("Read less data than expected", ("bytes", String(bytes.count)))
                    return false
                }
                probe.metrics.set("probe_failed_due_to_bytes", bytes != turn.expectBytes)
                guard bytes == turn.expectBytes else {
                    probe.log.error("Bytes did not match")
                    return false
                }
            }
            if !send.isEmpty {
                probe.log.debug("Sending line", ("line", send))
                try await reader.connection.write(Array(send.utf8) + [10])
            }
            if turn.startsTLS {
                reader.forget()
                let report: TLSReport
                do { report = try await secure(reader.connection, host) } catch {
                    probe.log.error("TLS Handshake (client) failed", ("err", probe.describe(error)))
                    return false
                }
                report.show(in: &probe.metrics, showsCipher: false)
            }
        }
        return true
    }

    /// Reads lines until one matches; `nil` where there are no more.
    private func line(matching pattern: SearchPattern, _ reader: LineReader) async throws -> Match? {
        while let line = try await reader.line() {
            probe.log.debug("Read line", ("line", line))
            if let captures = pattern.captures(in: line) { return Match(captures) }
        }
        return nil
    }
}
