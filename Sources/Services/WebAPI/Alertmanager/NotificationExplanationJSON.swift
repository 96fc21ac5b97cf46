import Alerter
import HTTPServer
import Numbers
import TSDB

/// “Why was I (not) told?” as JSON, with the deciding cause in a sentence.
extension JSONText {
    mutating func append(_ explanation: NotificationExplanation, at now: Timestamp) {
        append("{")
        append("labels", labels: explanation.labels, first: true)
        append("fingerprint", string: explanation.fingerprint.description)
        append(",\"known\":")
        append(explanation.alert != nil)
        let active = explanation.silences.filter { $0.state(at: now) == .active }
        let isSuppressed = !active.isEmpty || explanation.inhibition != nil
        let state = explanation.alert == nil ? "unknown" : !explanation.isFiring ? "resolved" : isSuppressed ? "suppressed" : "active"
        append("state", string: state)
        append(",\"routes\":")
        append(list: explanation.routes) { $0.append($1) }
        append(",\"silencedBy\":")
        append(list: explanation.silences) { json, silence in
            json.append("{")
            json.append("id", string: silence.id, first: true)
            json.append("state", string: silence.state(at: now).rawValue)
            json.append("comment", string: silence.comment)
            json.append("createdBy", string: silence.createdBy)
            json.append("startsAt", time: silence.startsAt)
            json.append("endsAt", time: silence.endsAt)
            json.append("}")
        }
        append(",\"inhibitedBy\":")
        append(list: explanation.inhibition.map { [$0] } ?? []) { json, inhibition in
            json.append("{")
            json.append("fingerprint", string: inhibition.source.description, first: true)
            json.append("labels", labels: inhibition.sourceLabels)
            json.append("rule", string: inhibition.rule)
            json.append("}")
        }
        let verdicts = explanation.routes.map { route in
            explanation.routes.count == 1 ? route.cause.sentence : "\(route.receiver): \(route.cause.sentence)"
        }
        append("verdict", string: verdicts.isEmpty ? NotificationExplanation.Cause.noRoute.sentence : verdicts.joined(separator: "; "))
        append("}")
    }

    private mutating func append(_ route: NotificationExplanation.RouteExplanation) {
        append("{")
        append("key", string: route.route, first: true)
        append("receiver", string: route.receiver)
        append("groupKey", string: route.groupKey)
        append("groupLabels", labels: route.groupLabels)
        append(",\"groupExists\":")
        append(route.nextFlush != nil)
        append("nextFlush", optional: route.nextFlush)
        append("lastFlush", optional: route.lastFlush)
        append(",\"mutedBy\":")
        append(strings: route.mutedBy)
        append("cause", string: route.cause.sentence)
        append(",\"integrations\":")
        append(list: route.integrations) { $0.append($1) }
        append("}")
    }

    private mutating func append(_ integration: NotificationExplanation.IntegrationExplanation) {
        let parts = integration.integration.split(separator: "[")
        append("{")
        append("integration", string: parts.first.map(String.init) ?? integration.integration, first: true)
        append(",\"index\":")
        append(parts.count > 1 ? Int(parts[1].dropLast()) ?? 0 : 0)
        append("cause", string: integration.cause.sentence)
        switch integration.lastDecision {
        case .notify(let reason):
            append("lastDecision", string: "notify")
            append("lastReason", string: reason.rawValue)
        case .nothingToTell: append("lastDecision", string: "nothing to tell")
        case .alreadyTold(_, let repeatsAt):
            append("lastDecision", string: "already told")
            append("nextRepeat", optional: repeatsAt)
        case nil: break
        }
        append("decidedAt", optional: integration.decidedAt)
        append("notifiedAt", optional: integration.notifiedAt)
        append("lastAttempt", optional: integration.attempts.last?.time)
        if let last = integration.attempts.last { append("lastOutcome", string: last.outcome.sentence) }
        append(",\"attempts\":")
        append(list: integration.attempts) { json, attempt in
            json.append("{")
            json.append("time", time: attempt.time, first: true)
            json.append(",\"number\":")
            json.append(attempt.number)
            json.append("outcome", string: attempt.outcome.sentence)
            json.append("}")
        }
        append("}")
    }

    mutating func append(_ name: StaticString, optional time: Timestamp?) {
        guard let time else {
            append(",\"")
            append(name)
            append("\":null")
            return
        }
        append(name, time: time)
    }

    /// The routing tree from `node` down.
    mutating func append(_ node: RouteMatch, in tree: RouteTree) {
        let route = node.route
        append("{")
        append("receiver", string: route.receiver, first: true)
        append("key", string: node.key)
        append(",\"matchers\":")
        append(strings: route.matchers.map(MatcherText.string))
        append(",\"groupBy\":")
        append(strings: route.groupsByAll ? ["..."] : route.groupBy)
        append(",\"groupWait\":")
        append(route.groupWait.milliseconds)
        append(",\"groupInterval\":")
        append(route.groupInterval.milliseconds)
        append(",\"repeatInterval\":")
        append(route.repeatInterval.milliseconds)
        append(",\"continue\":")
        append(route.continues)
        append(",\"muteTimeIntervals\":")
        append(strings: route.muteTimeIntervals)
        append(",\"activeTimeIntervals\":")
        append(strings: route.activeTimeIntervals)
        append(",\"routes\":")
        append(list: tree.children(of: node)) { $0.append($1, in: tree) }
        append("}")
    }

    mutating func append(_ entry: AlertHistoryEntry) {
        append("{")
        append("time", time: entry.time, first: true)
        append(",\"number\":")
        append(Int64(clamping: entry.number))
        switch entry.event {
        case .fired(let labels), .resolved(let labels):
            if case .fired = entry.event { append("kind", string: "alert_firing") } else { append("kind", string: "alert_resolved") }
            append("fingerprint", string: Fingerprint(labels).description)
            append("labels", labels: labels)
        case .notification(let told):
            append("kind", string: told.outcome == .sent ? "notified" : "failed")
            append("receiver", string: told.receiver)
            append("integration", string: told.integration)
            append("groupKey", string: told.groupKey)
            append("reason", string: told.reason.rawValue)
            append(",\"firing\":")
            append(strings: told.firing.map(\.description))
            append(",\"resolved\":")
            append(strings: told.resolved.map(\.description))
            append(",\"attempts\":")
            append(told.attempts)
            if told.outcome != .sent { append("message", string: told.outcome.sentence) }
        case .silence(let id, let change, let author, let comment):
            append("kind", string: "silence_\(change.rawValue)")
            append("silence", string: id)
            append("createdBy", string: author)
            append("message", string: comment)
        }
        append("}")
    }

    mutating func append(_ result: AlertmanagerParts.TestResult) {
        append("{")
        append("integration", string: result.integration, first: true)
        append(",\"index\":")
        append(result.index)
        append("outcome", string: result.outcome == .sent ? "sent" : "failed")
        append("message", string: result.outcome.sentence)
        append("exchange", string: result.exchange)
        append("}")
    }
}

extension NotificationOutcome {
    var sentence: String {
        switch self {
        case .sent: "sent"
        case .failed(let reason, let message, let isRetryable):
            "failed (\(reason)\(isRetryable ? ", tried again" : "")): \(message)"
        }
    }
}

extension NotificationExplanation.Cause {
    var sentence: String {
        func text(_ time: Timestamp) -> String { TimeText.string(milliseconds: time.milliseconds) }
        switch self {
        case .unknownAlert: return "no such alert is known; this is the way it would take"
        case .noRoute: return "no route takes it"
        case .emptyReceiver: return "the receiver has nobody to tell"
        case .inhibited(let source, let rule): return "inhibited by the alert \(source)" + (rule.isEmpty ? "" : " (rule “\(rule)”)")
        case .outsideActiveIntervals(let names): return "outside of the active time intervals \(names.joined(separator: ", "))"
        case .insideMuteIntervals(let names): return "muted by the time interval \(names.joined(separator: ", "))"
        case .silenced(let ids): return "silenced by \(ids.joined(separator: ", "))"
        case .waiting(let until): return "the group is looked at next at \(text(until))"
        case .sending(let since): return "being sent since \(text(since))"
        case .retrying(let time, let error): return "failed (\(error)), tried again at \(text(time))"
        case .failed(let time, let error, let next): return "given up at \(text(time)) (\(error)); the next look is at \(text(next))"
        case .notified(let time, let repeats): return "told at \(text(time)); repeated from \(text(repeats)) on"
        case .resolvedNotified(let time): return "over, and told so at \(text(time))"
        case .resolvedNotWanted: return "over; the integration does not want to know (send_resolved)"
        case .resolvedBeforeNotified: return "it was over before anybody was told of it"
        }
    }
}
