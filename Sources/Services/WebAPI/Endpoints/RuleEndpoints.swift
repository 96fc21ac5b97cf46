import Alerter
import HTTPServer
import Numbers
import TSDB

/// `/api/v1/rules`, `/api/v1/alerts`, `/api/v1/alertmanagers`: rules as they were last evaluated, what they found, and who is told.
extension WebAPI {
    func addRules(to routes: inout Routes) {
        let status = status
        routes.on([.get], "/api/v1/rules") { request throws(APIError) in
            let parameters = request.parameters
            return try await offload {
                do throws(APIError) {
                    let question = try RuleQuestion(parameters)
                    let (groups, nextToken) = try question.answer(status.parts?.rules.groups() ?? [])
                    return .success(Self.rules(groups, nextToken, includesAlerts: question.includesAlerts))
                } catch {
                    return .failure(error)
                }
            }
        }
        routes.on([.get], "/api/v1/alerts") { _ throws(APIError) in
            try await offload {
                let groups = status.parts?.rules.groups() ?? []
                let alerts = groups.flatMap { $0.rules.flatMap { $0.alerting?.alerts ?? [] } }
                return .success(
                    .success { json in
                        json.append("{\"alerts\":")
                        json.append(alerts)
                        json.append("}")
                    })
            }
        }
        routes.on([.get], "/api/v1/alertmanagers") { _ in
            let (active, dropped) = status.parts?.rules.alertmanagers() ?? ([], [])
            return .success { json in
                json.append("{\"activeAlertmanagers\":")
                json.append(urls: active)
                json.append(",\"droppedAlertmanagers\":")
                json.append(urls: dropped)
                json.append("}")
            }
        }
    }

    private static func rules(_ groups: [RuleGroupStatus], _ nextToken: String?, includesAlerts: Bool) -> Reply {
        .success { json in
            json.append("{\"groups\":[")
            for (index, group) in groups.enumerated() {
                if index > 0 { json.append(",") }
                json.append(group, includesAlerts: includesAlerts)
            }
            json.append("]")
            if let nextToken { json.append("groupNextToken", string: nextToken) }
            json.append("}")
        }
    }
}

extension JSONText {
    fileprivate mutating func append(_ group: RuleGroupStatus, includesAlerts: Bool) {
        append("{")
        append("name", string: group.name, first: true)
        append("file", string: group.file)
        append(",\"rules\":[")
        for (index, rule) in group.rules.enumerated() {
            if index > 0 { append(",") }
            append(rule, includesAlerts: includesAlerts)
        }
        append("],\"interval\":")
        append(group.interval.seconds)
        append(",\"limit\":")
        append(group.limit)
        append(",\"evaluationTime\":")
        append(group.evaluationSeconds)
        append("lastEvaluation", string: Self.time(group.lastEvaluation))
        append("}")
    }

    private mutating func append(_ rule: RuleStatus, includesAlerts: Bool) {
        append("{")
        if let alerting = rule.alerting {
            append("state", string: alerting.state, first: true)
            append("name", string: rule.name)
            append("query", string: rule.query)
            append(",\"duration\":")
            append(alerting.hold.seconds)
            append(",\"keepFiringFor\":")
            append(alerting.keepFiring.seconds)
            append(",\"labels\":")
            append(rule.labels)
            append(",\"annotations\":")
            append(alerting.annotations)
            append(",\"alerts\":")
            if includesAlerts { append(alerting.alerts) } else { append("null" as StaticString) }
        } else {
            append("name", string: rule.name, first: true)
            append("query", string: rule.query)
            append(",\"labels\":")
            append(rule.labels)
        }
        append("health", string: rule.health.rawValue)
        if let error = rule.lastError { append("lastError", string: error) }
        append(",\"evaluationTime\":")
        append(rule.evaluationSeconds)
        append("lastEvaluation", string: Self.time(rule.lastEvaluation))
        append("type", string: rule.alerting == nil ? "recording" : "alerting")
        append("}")
    }

    fileprivate mutating func append(_ alerts: [AlertState]) {
        append("[")
        for (index, alert) in alerts.enumerated() {
            append(index > 0 ? ",{\"labels\":" : "{\"labels\":" as StaticString)
            append(alert.labels)
            append(",\"annotations\":")
            append(alert.annotations)
            append("state", string: alert.isFiring ? "firing" : "pending")
            append("activeAt", string: Self.time(alert.activeAt))
            if let since = alert.keepFiringSince { append("keepFiringSince", string: Self.time(since)) }
            append("value", string: Self.scientific(alert.value))
            append("}")
        }
        append("]")
    }

    fileprivate mutating func append(urls: [String]) {
        append("[")
        for (index, url) in urls.enumerated() {
            append(index > 0 ? ",{" : "{" as StaticString)
            append("url", string: url, first: true)
            append("}")
        }
        append("]")
    }

    /// `1.25e+00`, as Go's `%e` with the fewest digits.
    static func scientific(_ value: Double) -> String {
        let text = NumberText.string(value, style: .plain)
        guard value.isFinite else { return text }
        var digits: [UInt8] = [], exponent = 0, isBehindPoint = false
        let mantissa = text.utf8.prefix { $0 != UInt8(ascii: "e") }
        if mantissa.count < text.utf8.count { exponent = Int(text.dropFirst(mantissa.count + 1)) ?? 0 }
        for byte in mantissa where byte != UInt8(ascii: "-") {
            if byte == UInt8(ascii: ".") {
                isBehindPoint = true
            } else if digits.isEmpty && byte == UInt8(ascii: "0") {
                // Zeros in front count once they are behind the point.
                if isBehindPoint { exponent -= 1 }
            } else {
                digits.append(byte)
                if !isBehindPoint { exponent += 1 }
            }
        }
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        // Now `0.digits × 10^exponent`.
        exponent = digits.isEmpty ? 0 : exponent - 1
        let shown = digits.isEmpty ? "0" : String(decoding: digits, as: UTF8.self)
        let fraction = shown.dropFirst().isEmpty ? "" : "." + shown.dropFirst()
        let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
        return (value.sign == .minus ? "-" : "") + shown.prefix(1) + fraction + "e" + (exponent < 0 ? "-" : "+") + size
    }

    /// Go's zero time where there is none.
    private static func time(_ time: Timestamp?) -> String {
        time.map { TimeText.string(milliseconds: $0.milliseconds) } ?? "0001-01-01T00:00:00Z"
    }

    /// `{"summary":"…"}`.
    public mutating func append(_ annotations: Alerter.Annotations) {
        append("{")
        for (index, pair) in annotations.pairs.enumerated() {
            if index > 0 { append(",") }
            appendQuoted(pair.name)
            append(":")
            appendQuoted(pair.value)
        }
        append("}")
    }
}
