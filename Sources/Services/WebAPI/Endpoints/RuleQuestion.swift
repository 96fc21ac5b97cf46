import Alerter
import HTTPServer
import Numbers
import PromQL
import TSDB

/// Which groups and rules `/api/v1/rules` is asked for.
///
///     ?type=alert&rule_group[]=api&group_limit=10&group_next_token=3f…
///
/// Parameters without brackets (`file`, `rule_group`, `rule_name`), which Grafana sends as well, mean nothing here, as upstream.
struct RuleQuestion {
    private let names: Set<String>
    private let groups: Set<String>
    private let files: Set<String>
    private let selectors: [[Matcher]]
    private let wantsAlerting: Bool
    private let wantsRecording: Bool
    let includesAlerts: Bool
    /// Groups at most; `nil`: all.
    private let limit: Int?
    /// Where the page begins; empty: at the first group.
    private let token: String

    init(_ parameters: Parameters) throws(APIError) {
        names = Set(parameters.all("rule_name[]"))
        groups = Set(parameters.all("rule_group[]"))
        files = Set(parameters.all("file[]"))
        var selectors: [[Matcher]] = []
        for text in parameters.all("match[]") {
            let matchers: [Matcher]
            do throws(QueryError) { matchers = try Parser.parseMetricSelector(text) } catch {
                throw APIError(.badData, error.positioned(in: text))
            }
            guard matchers.contains(where: { !$0.matchesEmpty }) else {
                throw APIError(.badData, "match[] must contain at least one non-empty matcher")
            }
            selectors.append(matchers)
        }
        self.selectors = selectors
        let type = parameters["type"].lowercased()
        guard ["", "alert", "record"].contains(type) else {
            throw .invalidParameter("type", "not supported value \(QuotedText.go(type))")
        }
        wantsAlerting = type != "record"
        wantsRecording = type != "alert"
        includesAlerts = !(try Self.excludesAlerts(parameters))
        limit = try Self.limit(parameters)
        token = parameters["group_next_token"]
    }

    private static func excludesAlerts(_ parameters: Parameters) throws(APIError) -> Bool {
        let text = parameters["exclude_alerts"].lowercased()
        switch text {
        case "", "0", "f", "false": return false
        case "1", "t", "true": return true
        default:
            throw .invalidParameter(
                "exclude_alerts",
                "error converting exclude_alerts: strconv.ParseBool: parsing \(QuotedText.go(text)): invalid syntax")
        }
    }

    private static func limit(_ parameters: Parameters) throws(APIError) -> Int? {
        let text = parameters["group_limit"]
        if text.isEmpty {
            guard parameters["group_next_token"].isEmpty else {
                throw .invalidParameter(
                    "group_next_token", "group_limit needs to be present in order to paginate over the groups")
            }
            return nil
        }
        guard let limit = Int32(text) else {
            throw .invalidParameter(
                "group_limit",
                "group_limit needs to be a valid number: strconv.ParseInt: parsing \(QuotedText.go(text)): invalid syntax")
        }
        guard limit > 0 else { throw .invalidParameter("group_limit", "group_limit needs to be greater than 0") }
        return Int(limit)
    }

    /// The wanted groups with their wanted rules, and the token of the next page; groups without such rules are left out.
    func answer(_ all: [RuleGroupStatus]) throws(APIError) -> (groups: [RuleGroupStatus], nextToken: String?) {
        var result: [RuleGroupStatus] = []
        var hasBegun = token.isEmpty
        for group in all {
            if !hasBegun {
                guard token == Self.token(group) else { continue }
                hasBegun = true
            }
            guard groups.isEmpty || groups.contains(group.name), files.isEmpty || files.contains(group.file) else { continue }
            var wanted = group
            wanted.rules.removeAll { !wants($0) }
            if wanted.rules.isEmpty { continue }
            if let limit, result.count == limit { return (result, Self.token(group)) }
            result.append(wanted)
        }
        if !hasBegun {
            throw .invalidParameter(
                "group_next_token", "invalid group_next_token '\(token)'. were rule groups changed?")
        }
        return (result, nil)
    }

    private func wants(_ rule: RuleStatus) -> Bool {
        guard rule.alerting == nil ? wantsRecording : wantsAlerting, names.isEmpty || names.contains(rule.name) else { return false }
        return selectors.isEmpty
            || selectors.contains { $0.allSatisfy { $0.matches(rule.labels[$0.name] ?? "") } }
    }

    /// Says nothing to clients; upstream's is another hash of the same.
    private static func token(_ group: RuleGroupStatus) -> String {
        let identity: Labels = ["file": group.file, "name": group.name]
        return Fingerprint(identity).description
    }
}
