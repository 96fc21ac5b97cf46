import Alerter
import Digest
import HTTPServer
import NIOCore
import Notify

/// One request and its answer, with the times on the way.
///
///     resolve │ connect │ tls │ processing: request out, first byte in │ transfer: to the last byte
///
/// A probe is a list of them: each redirect is a trip of its own, on a connection of its own.
struct HTTPTrip {
    var address: HTTPAddress
    var method: String
    var body: [UInt8]
    /// Where the connection leads.
    var destination: Destination
    /// To whom the target is named, in `Host` and in TLS.
    var host: String
    var serverName: String
    /// Of the proxy that stands in between, if any.
    var proxy: HTTPAddress?
    /// Credentials go along: it is the host they were given for.
    var isTrusted: Bool

    // What has happened.
    var resolve = 0.0
    var connect: Double?
    var handshake: Double?
    var processing: Double?
    var transfer: Double?
    var tls: TLSReport?
    var answer: HTTPAnswer?
}

/// A body as it came, or why it did not.
struct HTTPBody {
    var bytes: [UInt8] = []
    var count = 0
    var problem: String?
}

extension HTTPTrip {
    /// Goes. `wantsBody` decides with the head in hand. Throws where there is no answer; the times say how far it came.
    mutating func go(
        _ probe: Probe, _ settings: HTTPSettings, cookies: CookieJar, keepsBody: Bool, bodyLimit: Int,
        wantsBody: (HTTPAnswer) -> Bool
    ) async throws -> HTTPBody {
        let request = try requestText(settings, cookies)
        var result = HTTPBody()
        let connecting = Stopwatch()
        let secure = address.isSecure
        do {
            try await ProbeConnection.open(destination, source: nil, policy: probe.hosts.policy, deadline: probe.deadline) { connection in
                if secure, proxy != nil { try await tunnel(connection, probe.deadline) }
                let connected = connecting.seconds
                if secure {
                    let shaking = Stopwatch()
                    tls = try await connection.startTLS(try settings.client.tls.forProbe(protocols: ["http/1.1"]), serverName: serverName)
                    handshake = shaking.seconds
                }
                connect = connected
                let processing = Stopwatch()
                try await connection.write(request)
                var reader = HTTPAnswerReader(connection, probe.deadline), firstByte: Double?
                let answer = try await reader.head { firstByte = processing.seconds }
                self.answer = answer
                self.processing = firstByte
                guard wantsBody(answer) else { return }
                let transferring = Stopwatch()
                do {
                    (result.bytes, result.count) = try await reader.body(
                        answer.framing(of: method), keeps: keepsBody, limit: bodyLimit)
                } catch {
                    result.problem = probe.describe(error)
                    if error is HTTPAnswerReader.BodyTooLarge { result.count = bodyLimit }
                }
                transfer = transferring.seconds
            }
        } catch {
            // With the answer in hand, how the connection ends is nobody's concern.
            if answer == nil { throw error }
        }
        return result
    }

    /// Asks the proxy for a way through.
    private func tunnel(_ connection: ProbeConnection, _ deadline: Deadline) async throws {
        let place = (address.host.contains(":") ? "[\(address.host)]" : address.host) + ":\(address.port)"
        var text = "CONNECT \(place) HTTP/1.1\r\nHost: \(place)\r\n"
        if let credentials = proxy?.credentials { text += "Proxy-Authorization: Basic \(Self.basic(credentials))\r\n" }
        try await connection.write(Array((text + "\r\n").utf8))
        var reader = HTTPAnswerReader(connection, deadline)
        let answer = try await reader.head {}
        guard answer.status == 200 else { throw ProbeFailure("the proxy answers \(answer.status)") }
    }

    private static func basic(_ credentials: String) -> String {
        Base64.encode(PercentCoding.decode(credentials[...].utf8, plusIsSpace: false)?.utf8.map { $0 } ?? Array(credentials.utf8))
    }

    private func requestText(_ settings: HTTPSettings, _ cookies: CookieJar) throws -> [UInt8] {
        let target = proxy != nil && !address.isSecure ? address.url : address.rest
        var headers: [(String, String)] = [("Host", host)]
        let own = settings.headers.filter { $0.name != "Host" }
        func isWritten(_ name: String) -> Bool { own.contains { $0.name == name } }
        if !isWritten("User-Agent") { headers.append(("User-Agent", "Blackbox-Exporter/0.1.0+minprom")) }
        headers += own.filter { isTrusted || ($0.name != "Authorization" && $0.name != "Cookie") }.map { ($0.name, $0.value) }
        if isTrusted {
            do throws(AttemptError) {
                if !isWritten("Authorization"), let line = try authorization(settings) { headers.append(("Authorization", line)) }
                for header in settings.client.headers {
                    for value in header.values { headers.append((header.name, try value.value())) }
                }
            } catch { throw ProbeFailure(error.message) }
        }
        if let cookie = cookies.header(for: address.host, path: String(address.rest.prefix { $0 != "?" }), isSecure: address.isSecure) {
            headers.append(("Cookie", cookie))
        }
        if proxy != nil, !address.isSecure, let credentials = proxy?.credentials {
            headers.append(("Proxy-Authorization", "Basic " + Self.basic(credentials)))
        }
        if !isWritten("Content-Length"), !body.isEmpty || ["POST", "PUT", "PATCH"].contains(method) {
            headers.append(("Content-Length", String(body.count)))
        }
        headers.append(("Connection", "close"))
        // The configuration and the target were checked for it; secrets from files were not.
        guard headers.allSatisfy({ $0.1.utf8.allSatisfy { $0 != 13 && $0 != 10 && $0 != 0 } }),
            method.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), !method.isEmpty
        else { throw ProbeFailure("net/http: invalid method or header") }
        let head = "\(method) \(target) HTTP/1.1\r\n" + headers.map { "\($0.0): \($0.1)\r\n" }.joined() + "\r\n"
        return Array(head.utf8) + body
    }

    private func authorization(_ settings: HTTPSettings) throws(AttemptError) -> String? {
        switch settings.client.authorization {
        case .basic(let username, let password)?:
            return "Basic " + Base64.encode(Array("\(try username.value()):\(try password.value())".utf8))
        case .bearer(let type, let credentials)?: return "\(type) \(try credentials.value())"
        case nil: return address.credentials.map { "Basic " + Self.basic($0) }
        }
    }
}
