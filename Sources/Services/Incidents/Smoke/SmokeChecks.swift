import JSON

/// The checks of `minprom smoke` that break nothing. Each answers what it saw, or throws what was wrong.
public struct SmokeChecks: Sendable {
    public struct Check: Sendable {
        public var name: String
        public var run: @Sendable (SmokeChecks) async throws(IncidentError) -> String
    }

    /// What the supervisor says of one.
    public struct Service: Sendable {
        public var name: String
        public var state: String
        public var health: String
        public var pid: Int32?
    }

    let addresses: StackAddresses
    let alertmanager: String
    let client: StackClient
    /// How long requests are sent in `load`.
    let loadLength: Duration

    public init(addresses: StackAddresses, alertmanager: String, client: StackClient, loadLength: Duration = .seconds(10)) {
        self.addresses = addresses
        self.alertmanager = alertmanager
        self.client = client
        self.loadLength = loadLength
    }

    public static let all: [Check] = [
        Check(name: "services") { checks throws(IncidentError) in
            let services = try await checks.services()
            let bad = services.filter { !($0.state == "running" && $0.health != "unhealthy" || $0.state.hasPrefix("exited")) }
            guard bad.isEmpty else { throw checks.wrong(bad.map { "\($0.name) is \($0.state), \($0.health)" }.joined(separator: "; ")) }
            return "\(services.count) as they should be"
        },
        Check(name: "targets") { checks throws(IncidentError) in
            let targets = try await checks.json(checks.addresses.prometheus, "/api/v1/targets?state=active")["data"]?["activeTargets"]?.elements ?? []
            let down = targets.filter { $0["health"]?.string != "up" }
            guard down.isEmpty, !targets.isEmpty else {
                throw checks.wrong(
                    targets.isEmpty
                        ? "none" : down.map { "\($0["scrapeUrl"]?.string ?? "?"): \($0["lastError"]?.string ?? "?")" }.joined(separator: "; "))
            }
            return "\(targets.count) up"
        },
        // The two calls of Grafana's “Save & test”.
        Check(name: "data source") { checks throws(IncidentError) in
            let answer = try await checks.json(checks.addresses.prometheus, "/api/v1/query?query=1%2B1&time=4")
            guard answer["data"]?["resultType"]?.string == "scalar" else { throw checks.wrong("1+1 is no scalar") }
            let build = try await checks.json(checks.addresses.prometheus, "/api/v1/status/buildinfo")["data"]
            guard let version = build?["version"]?.string, build?["features"] == nil else { throw checks.wrong("buildinfo") }
            return "answers 1+1, is \(version)"
        },
        Check(name: "rules") { checks throws(IncidentError) in
            let groups = try await checks.json(checks.addresses.prometheus, "/api/v1/rules")["data"]?["groups"]?.elements ?? []
            let rules = groups.flatMap { $0["rules"]?.elements ?? [] }
            let bad = rules.filter { !["ok", "unknown"].contains($0["health"]?.string ?? "") }
            guard !rules.isEmpty, bad.isEmpty else { throw checks.wrong(bad.first?["lastError"]?.string ?? "none") }
            return "\(rules.count) in \(groups.count) groups, all in health"
        },
        Check(name: "alertmanager") { checks throws(IncidentError) in
            let status = try await checks.json(checks.alertmanager, "/api/v2/status")
            return "is \(status["versionInfo"]?["version"]?.string ?? "?")"
        },
        Check(name: "bot") { checks throws(IncidentError) in
            let answer = try await checks.client.send(.GET, checks.addresses.bot, "/-/ready")
            guard answer.status == 200 else { throw checks.wrong("/-/ready answers \(answer.status)") }
            return "ready"
        },
        Check(name: "load") { checks throws(IncidentError) in
            guard let schedule = ArrivalSchedule(rate: 20, length: checks.loadLength) else { throw checks.wrong("no schedule") }
            let before = try await checks.requestsCounted()
            let generator = try LoadGenerator(.init(base: checks.addresses.api, paths: ["/health"]), schedule)
            let report = await generator.run()
            let counted = try await checks.requestsCounted() - before
            // A few may be lost on a busy machine.
            let wanted = 0.95 * 20 * checks.loadLength.seconds, answered = report.statuses[200] ?? 0
            let seen = LoadReport.fixed(counted, 0)
            guard Double(answered) >= wanted, counted >= wanted else {
                throw checks.wrong("20 requests a second: \(answered) answered 200, \(seen) counted by the api")
            }
            return "20 requests a second for \(LoadReport.seconds(checks.loadLength.seconds)); the api counted \(seen)"
        },
    ]

    func wrong(_ text: String) -> IncidentError { IncidentError(.refused, text) }

    func json(_ base: String, _ path: String) async throws(IncidentError) -> JSONValue {
        let answer = try await client.send(.GET, base, path)
        guard answer.status == 200 else { throw wrong("\(path) answers \(answer.status)") }
        do throws(JSONError) { return try JSONValue(parsing: answer.text) } catch { throw wrong("\(path): \(error)") }
    }

    /// What the supervisor says of its services.
    public func services() async throws(IncidentError) -> [Service] {
        try await json(addresses.supervisor, "/services").elements.map { service in
            Service(
                name: service["name"]?.string ?? "?", state: service["state"]?.string ?? "?", health: service["health"]?.string ?? "?",
                pid: service["pid"]?.number.flatMap { Int32(exactly: $0) })
        }
    }

    /// The sum of `flask_http_request_total` on the api's page.
    private func requestsCounted() async throws(IncidentError) -> Double {
        let page = try await client.send(.GET, addresses.api, "/metrics")
        guard page.status == 200 else { throw wrong("/metrics answers \(page.status)") }
        return page.text.split(separator: "\n").filter { $0.hasPrefix("flask_http_request_total{") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }
}
