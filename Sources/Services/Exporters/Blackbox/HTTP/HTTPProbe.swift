import Alerter
import HTTPServer
import NIOCore
import Notify

/// Asks for a page, follows redirects, and looks at what comes.
///
/// All `probe_http_*` are there from the start with 0, so that a target that is gone has the same series as one that answers.
struct HTTPProbe {
    private let probe: Probe
    private let settings: HTTPSettings
    private let checks: HTTPChecks

    init(_ probe: Probe, _ settings: HTTPSettings) {
        (self.probe, self.settings, checks) = (probe, settings, HTTPChecks(settings: settings))
    }

    static let maximumRedirects = 10
    private static let phases = "probe_http_duration_seconds"
    /// Without a limit there is still one where a body must be held in memory.
    private var bodyLimit: Int {
        if settings.bodySizeLimit > 0 { return settings.bodySizeLimit }
        return keepsBody ? HTTPAnswerReader.maximumBody : .max
    }
    private var keepsBody: Bool { checks.looksAtBody || !["", "identity"].contains(settings.compression) }

    func run() async -> Bool {
        registerMetrics()
        let lower = probe.target.prefix(8).lowercased()
        let isWhole = lower.hasPrefix("http://") || lower.hasPrefix("https://")
        guard let address = HTTPAddress(isWhole ? probe.target : "http://" + probe.target) else {
            probe.log.error("Could not parse target URL")
            return false
        }
        var first: Destination?
        let proxy = HTTPAddress(settings.client.proxyURL)
        if proxy == nil || !settings.skipsResolveWithProxy {
            let (destination, seconds) = await probe.choose(address.host, port: address.port, settings.ip)
            probe.metrics.add(Self.phases, phase: "resolve", seconds)
            guard destination != nil else { return false }
            first = destination
        }
        for phase in ["connect", "tls", "processing", "transfer"] { probe.metrics.add(Self.phases, phase: phase, 0) }
        do {
            return try await follow(address, first, proxy)
        } catch {
            probe.log.error("Error for HTTP request", ("err", probe.describe(error)))
            return false
        }
    }

    private func registerMetrics() {
        probe.metrics.register(Self.phases, phases: [], "Duration of http request by phase, summed over all redirects")
        probe.metrics.register("probe_http_content_length", "Length of http content response")
        probe.metrics.register("probe_http_uncompressed_body_length", "Length of uncompressed response body")
        probe.metrics.register("probe_http_redirects", "The number of redirects")
        probe.metrics.register("probe_http_ssl", "Indicates if SSL was used for the final redirect")
        probe.metrics.register("probe_http_status_code", "Response HTTP status code")
        probe.metrics.register("probe_http_version", "Returns the version of HTTP of the probe response")
        probe.metrics.register("probe_failed_due_to_regex", "Indicates if probe failed due to regex")
    }

    // MARK: Redirects

    private func follow(_ address: HTTPAddress, _ destination: Destination?, _ proxy: HTTPAddress?) async throws -> Bool {
        let namedHost = settings.headers.first { $0.name == "Host" }?.value
        var trip = HTTPTrip(
            address: address, method: settings.method, body: try requestBody(),
            destination: try await way(to: destination, of: address, proxy), host: namedHost ?? Self.authority(address),
            serverName: settings.client.tls.serverName.isEmpty ? Self.withoutPort(namedHost) ?? address.host : settings.client.tls.serverName,
            proxy: proxy, isTrusted: true)
        var jar = CookieJar(), redirects = 0, isFirst = true
        while true {
            var next: HTTPAddress?, isRefused = false
            let current = trip
            let body: HTTPBody
            do {
                body = try await trip.go(probe, settings, cookies: jar, keepsBody: keepsBody, bodyLimit: bodyLimit) { answer in
                    next = Self.next(after: current, answer)
                    return next == nil
                }
            } catch {
                record(trip, isFirst: isFirst)
                throw error
            }
            guard let answer = trip.answer else { throw ProbeFailure("EOF") }
            if next != nil {
                redirects += 1
                probe.log.info("Received redirect", ("location", answer.first("Location") ?? ""))
                isRefused = redirects > Self.maximumRedirects || !settings.client.followsRedirects
            }
            guard let target = next, !isRefused else {
                if isRefused {
                    probe.log.info("Not following redirect")
                    trip.transfer = 0
                }
                record(trip, isFirst: isFirst)
                return judge(trip, answer, body, redirects: redirects, isRefused: isRefused)
            }
            record(trip, isFirst: isFirst)
            isFirst = false
            jar.take(answer.values("Set-Cookie"), from: trip.address.host, path: String(trip.address.rest.prefix { $0 != "?" }))
            trip = try await redirected(trip, to: target, answer, from: address, namedHost)
        }
    }

    private static func next(after trip: HTTPTrip, _ answer: HTTPAnswer) -> HTTPAddress? {
        guard [301, 302, 303, 307, 308].contains(answer.status), let location = answer.first("Location"), !location.isEmpty else { return nil }
        return trip.address.resolved(location)
    }

    /// The trip a redirect asks for. Its address is looked up and approved like the first; a name that only `ServiceNames` knows is open to
    /// it only where the trip before was led by `ServiceNames`, too: a page outside cannot send us to the services inside.
    private func redirected(
        _ trip: HTTPTrip, to target: HTTPAddress, _ answer: HTTPAnswer, from original: HTTPAddress, _ namedHost: String?
    ) async throws -> HTTPTrip {
        let keepsMethod = answer.status == 307 || answer.status == 308
        let isSameHost = target.host == original.host && target.port == original.port && target.isSecure == original.isSecure
        if trip.proxy == nil, probe.hosts.isNamed(target.host, target.port), !trip.destination.isNamed {
            throw ProbeFailure("redirect to \(target.host):\(target.port), which is a service's name")
        }
        let watch = Stopwatch()
        var found: Destination?
        if trip.proxy == nil || !settings.skipsResolveWithProxy { found = try await lookUp(target) }
        var next = HTTPTrip(
            address: target, method: keepsMethod || trip.method == "HEAD" ? trip.method : "GET", body: keepsMethod ? trip.body : [],
            destination: try await way(to: found, of: target, trip.proxy), host: isSameHost ? trip.host : Self.authority(target),
            serverName: isSameHost ? trip.serverName : target.host, proxy: trip.proxy, isTrusted: trip.isTrusted && isSameHost)
        next.resolve = watch.seconds
        return next
    }

    /// Without touching the metrics, which are about the target itself.
    private func lookUp(_ target: HTTPAddress) async throws -> Destination {
        let found = try await probe.hosts.find(target.host, port: target.port, .any, probe.deadline)
        let preferred = found.addresses.first { $0.isVersion6 == settings.ip.prefersVersion6 } ?? found.addresses.first
        guard let address = preferred else { throw ProbeFailure("lookup \(target.host): no such host") }
        if !found.isNamed, let refusal = probe.hosts.policy.refusal(of: address, port: found.port) { throw refusal }
        return Destination(address: address, port: found.port, isNamed: found.isNamed)
    }

    /// Straight, or to the proxy, which is the configuration's word and not the target's.
    private func way(to destination: Destination?, of address: HTTPAddress, _ proxy: HTTPAddress?) async throws -> Destination {
        guard let proxy else {
            guard let destination else { throw ProbeFailure("lookup \(address.host): no such host") }
            return destination
        }
        let found = try await probe.hosts.find(proxy.host, port: proxy.port, .any, probe.deadline)
        guard let first = found.addresses.first else { throw ProbeFailure("lookup \(proxy.host): no such host") }
        return Destination(address: first, port: found.port, isNamed: true)
    }

    private func requestBody() throws -> [UInt8] {
        if settings.bodyFile.isEmpty { return Array(settings.body.utf8) }
        do throws(AttemptError) { return try SmallFile.bytes(settings.bodyFile) } catch { throw ProbeFailure(error.message) }
    }

    private static func authority(_ address: HTTPAddress) -> String {
        let origin = address.origin
        return String(origin.dropFirst(address.isSecure ? "https://".count : "http://".count))
    }

    private static func withoutPort(_ host: String?) -> String? {
        guard let host else { return nil }
        return (try? HostPort(host))?.host ?? host
    }

    // MARK: The end

    /// Adds the times of a trip to the phases. The first one's lookup was counted already.
    private func record(_ trip: HTTPTrip, isFirst: Bool) {
        if !isFirst { probe.metrics.add(Self.phases, phase: "resolve", trip.resolve) }
        for (phase, seconds) in [
            ("connect", trip.connect), ("tls", trip.handshake), ("processing", trip.processing), ("transfer", trip.transfer),
        ] {
            if let seconds { probe.metrics.add(Self.phases, phase: phase, seconds) }
        }
    }

    private func judge(_ trip: HTTPTrip, _ answer: HTTPAnswer, _ body: HTTPBody, redirects: Int, isRefused: Bool) -> Bool {
        var problem = checks.statusProblem(answer.status)
        if problem == nil && checks.looksAtHeaders {
            problem = checks.headerProblem(answer)
            probe.metrics.set("probe_failed_due_to_regex", problem != nil)
        }
        let (bytes, count, readProblem) = unpack(body)
        if problem == nil && checks.looksAtBody {
            problem = isRefused ? "Error reading HTTP body" : readProblem.map { "Error reading HTTP body: \($0)" } ?? checks.bodyProblem(bytes)
            probe.metrics.set("probe_failed_due_to_regex", problem != nil)
        }
        if let readProblem, !isRefused, problem == nil { problem = "Failed to read HTTP response body: \(readProblem)" }
        problem = problem ?? checks.versionProblem(answer.version)
        if let date = answer.first("Last-Modified").flatMap({ HTTPDate.seconds($0) }) {
            probe.metrics.register(
                "probe_http_last_modified_timestamp_seconds", "Returns the Last-Modified HTTP response header in unixtime")
            probe.metrics.set("probe_http_last_modified_timestamp_seconds", Double(date))
        }
        probe.metrics.set("probe_http_version", answer.versionNumber)
        if let tls = trip.tls {
            probe.metrics.set("probe_http_ssl", 1)
            tls.show(in: &probe.metrics, showsCipher: true)
            if settings.failsIfSSL { problem = problem ?? "Final request was over SSL" }
        } else if settings.failsIfNotSSL {
            problem = problem ?? "Final request was not over SSL"
        }
        probe.metrics.set("probe_http_status_code", Double(answer.status))
        probe.metrics.set("probe_http_content_length", Double(answer.contentLength(of: trip.method)))
        probe.metrics.set("probe_http_uncompressed_body_length", Double(isRefused ? 0 : count))
        probe.metrics.set("probe_http_redirects", Double(redirects))
        if let problem { probe.log.error(problem, ("status_code", String(answer.status))) }
        return problem == nil
    }

    private func unpack(_ body: HTTPBody) -> (bytes: [UInt8], count: Int, problem: String?) {
        guard body.problem == nil, !["", "identity"].contains(settings.compression) else { return (body.bytes, body.count, body.problem) }
        do {
            let bytes = try checks.unpacked(body.bytes, limit: bodyLimit)
            return (bytes, bytes.count, nil)
        } catch {
            return ([], error is HTTPAnswerReader.BodyTooLarge ? bodyLimit : 0, "\(error)")
        }
    }
}
