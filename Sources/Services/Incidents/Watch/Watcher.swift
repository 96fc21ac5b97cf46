import JSON

/// Follows an incident from outside: asks Prometheus for alerts and readings and the bot for its log, and tells what changed.
///
///     begin ─▶ poll ─▶ poll ─▶ … ─▶ verdict
///
/// Answers that do not come say nothing: a Prometheus that is busy for a second is not an alert that is over.
public struct Watcher: Sendable {
    private let addresses: StackAddresses
    private let client: StackClient
    private let options: Options
    private let target: String?
    private var approved: Set<String> = []
    public private(set) var life: AlertLife
    public private(set) var checks: [SightCheck]
    /// What stood in the way of asking, told once each.
    private var complaints: Set<String> = []

    public struct Options: Sendable {
        public var botToken: String?
        /// Gives the text of the bot's log file; `nil`: the bot is asked for its lines.
        public var log: (@Sendable () -> String?)?
        /// Says yes to what the bot asks for, as a person would.
        public var approves = false

        public init(botToken: String? = nil) { self.botToken = botToken }
    }

    public init(_ plan: IncidentPlan, _ addresses: StackAddresses, _ client: StackClient, _ options: Options = Options()) {
        self.addresses = addresses
        self.client = client
        self.options = options
        target = plan.target
        life = AlertLife(alert: plan.alert, kin: plan.kin, muted: plan.muted, actions: plan.actions)
        checks = plan.checks
    }

    /// What stands in the way of an incident that could be judged: one of its alerts that is there, or a bot that must not act yet.
    public func obstacle() async throws(IncidentError) -> String? {
        if let why = life.obstacle(alerts: try await alerts()) { return why }
        let page = try await botPage()
        return target.flatMap { BotLog.restraint(page, target: $0) }
    }

    /// Looks at what there is before the incident. Both sides must answer, and its alerts must be quiet.
    public mutating func begin() async throws(IncidentError) {
        let alerts = try await alerts(), lines = try await botLines()
        if let why = life.begin(alerts: alerts, lines: lines) {
            throw IncidentError(.refused, "\(why): nothing could be told from watching it now; wait until it is over")
        }
    }

    /// Asks once; what is new.
    public mutating func poll(at time: Duration) async -> [AlertLife.Entry] {
        var entries: [AlertLife.Entry] = []
        do throws(IncidentError) { entries += life.observe(alerts: try await alerts(), at: time) } catch {
            entries += complain(error, at: time)
        }
        do throws(IncidentError) { entries += life.observe(lines: try await botLines(), at: time) } catch {
            entries += complain(error, at: time)
        }
        if options.approves { entries += await approve(at: time) }
        for index in checks.indices {
            let wasMet = checks[index].metAt != nil, hadFailed = checks[index].failure != nil
            let reading = (try? await self.reading(checks[index].query)) ?? .unknown
            checks[index].observe(reading, at: time, hasActed: life.hasActed)
            if !wasMet, checks[index].metAt != nil {
                entries.append(AlertLife.Entry(time: time, text: "seen: \(checks[index].name) (\(SightCheck.text(reading)))"))
            }
            if !hadFailed, let failure = checks[index].failure {
                entries.append(AlertLife.Entry(time: time, text: "NOT: \(checks[index].name): \(failure)"))
            }
        }
        return entries
    }

    /// What is missing for “healed, and seen as it must be”; empty: nothing.
    public var objections: [String] {
        life.objections + checks.compactMap { check in check.objection.map { "\(check.name): \($0)" } }
    }

    /// Whether waiting cannot help any more.
    public var isLost: Bool { checks.contains { $0.failure != nil } }

    private mutating func complain(_ error: IncidentError, at time: Duration) -> [AlertLife.Entry] {
        guard complaints.count < 100, complaints.insert(error.message).inserted else { return [] }
        return [AlertLife.Entry(time: time, text: "no answer: \(error.message)")]
    }

    // MARK: Questions

    /// The worst state of each alert there is.
    private func alerts() async throws(IncidentError) -> [String: AlertLife.State] {
        let answer = try await client.send(.GET, addresses.prometheus, "/api/v1/alerts", timeout: .seconds(5))
        guard answer.status == 200, let json = try? JSONValue(parsing: answer.text), let list = json["data"]?["alerts"] else {
            throw IncidentError(.malformed, "\(addresses.prometheus): no list of alerts (status \(answer.status))")
        }
        var states: [String: AlertLife.State] = [:]
        for alert in list.elements {
            guard let name = alert["labels"]?["alertname"]?.string, let state = alert["state"]?.string.flatMap(AlertLife.State.init(rawValue:))
            else { continue }
            if states[name] != .firing { states[name] = state }
        }
        return states
    }

    private func botLines() async throws(IncidentError) -> [AlertLife.BotLine] {
        if let log = options.log {
            guard let text = log() else { throw IncidentError(.system, "the bot's log cannot be read") }
            return BotLog.lines(ofFile: text)
        }
        return try BotLog.lines(try await botPage())
    }

    private func botPage() async throws(IncidentError) -> String {
        let answer = try await client.send(.GET, addresses.bot, "/api/incidents", token: options.botToken, timeout: .seconds(5))
        guard answer.status == 200 else {
            throw IncidentError(.refused, "\(addresses.bot)/api/incidents: status \(answer.status)")
        }
        return answer.text
    }

    private mutating func approve(at time: Duration) async -> [AlertLife.Entry] {
        var entries: [AlertLife.Entry] = []
        guard let page = try? await botPage() else { return [] }
        for link in BotLog.approvals(page) where approved.count < 100 && approved.insert(link).inserted {
            let answer = try? await client.send(
                .POST, addresses.bot, link + (link.contains("?") ? "&" : "?") + "verdict=approve", token: options.botToken)
            entries.append(AlertLife.Entry(time: time, text: "approval: \(answer.map { "status \($0.status)" } ?? "no answer")"))
        }
        return entries
    }

    private func reading(_ query: String) async throws(IncidentError) -> SightCheck.Reading {
        let answer = try await client.send(
            .GET, addresses.prometheus, "/api/v1/query?query=" + Self.escaped(query), timeout: .seconds(5))
        return Self.reading(answer)
    }

    /// The only value of an answer; of several series the first, for our queries give one.
    static func reading(_ answer: StackClient.Answer) -> SightCheck.Reading {
        guard answer.status == 200, let json = try? JSONValue(parsing: answer.text), let result = json["data"]?["result"] else {
            return .unknown
        }
        guard let first = result.elements.first else { return .empty }
        let text = first["value"]?.elements.last?.string
        guard let text, let value = Double(text), !value.isNaN else { return .unknown }
        return .value(value)
    }

    /// All but RFC 3986's unreserved characters escaped.
    static func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
