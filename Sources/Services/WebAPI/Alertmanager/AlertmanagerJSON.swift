import Alerter
import HTTPServer
import NIOCore
import Numbers
import TSDB

/// Alerts, groups and silences as API v2 shows them, members in upstream's order.
extension Reply {
    static func v2(_ body: (inout JSONText) -> Void) -> Reply {
        var json = JSONText()
        body(&json)
        json.append("\n")
        return .json(json.take())
    }

    /// Done, nothing to say.
    static var v2Done: Reply { Reply(.ok, contentType: "", body: ByteBuffer()) }
}

extension JSONText {
    mutating func append<Element>(list: [Element], _ one: (inout JSONText, Element) -> Void) {
        append("[")
        for (index, element) in list.enumerated() {
            if index > 0 { append(",") }
            one(&self, element)
        }
        append("]")
    }

    /// `2026-11-29T14:36:43.019Z`: three decimals, always.
    mutating func append(_ name: StaticString, time: Timestamp, first: Bool = false) {
        append(name, string: Self.threeDecimals(time), first: first)
    }

    private static func threeDecimals(_ time: Timestamp) -> String {
        let shortest = TimeText.string(milliseconds: time.milliseconds).dropLast()
        guard let point = shortest.lastIndex(of: ".") else { return shortest + ".000Z" }
        let decimals = shortest.distance(from: point, to: shortest.endIndex) - 1
        return shortest + String(repeating: "0", count: max(0, 3 - decimals)) + "Z"
    }

    mutating func append(_ name: StaticString, labels: Labels, first: Bool = false) {
        append(name, texts: labels.pairs, first: first)
    }

    mutating func append(_ name: StaticString, annotations: Annotations, first: Bool = false) {
        append(name, texts: annotations.pairs.map { (name: $0.name, value: $0.value) }, first: first)
    }

    private mutating func append(_ name: StaticString, texts: [(name: String, value: String)], first: Bool) {
        if !first { append(",") }
        append("\"")
        append(name)
        append("\":{")
        for (index, pair) in texts.enumerated() {
            if index > 0 { append(",") }
            appendQuoted(pair.name)
            append(":")
            appendQuoted(pair.value)
        }
        append("}")
    }

    mutating func append(_ view: AlertView) {
        let alert = view.alert
        append("{")
        append("annotations", annotations: alert.annotations, first: true)
        append("endsAt", time: alert.endsAt ?? alert.startsAt)
        append("fingerprint", string: view.fingerprint.description)
        append(",\"receivers\":")
        append(list: view.receivers) { json, name in
            json.append("{")
            json.append("name", string: name, first: true)
            json.append("}")
        }
        append("startsAt", time: alert.startsAt)
        append(",\"status\":{\"inhibitedBy\":")
        append(strings: view.status.inhibitedBy.map(\.description))
        append(",\"mutedBy\":")
        append(strings: view.status.mutedBy)
        append(",\"silencedBy\":")
        append(strings: view.status.silencedBy)
        append("state", string: view.status.state.rawValue)
        append("}")
        append("updatedAt", time: alert.updatedAt)
        if !alert.generatorURL.isEmpty { append("generatorURL", string: alert.generatorURL) }
        append("labels", labels: alert.labels)
        append("}")
    }

    mutating func append(_ group: GroupView) {
        append("{\"alerts\":")
        append(list: group.alerts) { $0.append($1) }
        append("labels", labels: group.labels)
        append(",\"receiver\":{")
        append("name", string: group.receiver, first: true)
        append("}}")
    }

    mutating func append(_ silence: Silence, at now: Timestamp) {
        append("{")
        append("id", string: silence.id, first: true)
        append(",\"status\":{")
        append("state", string: silence.state(at: now).rawValue, first: true)
        append("}")
        append("updatedAt", time: silence.updatedAt)
        if !silence.annotations.isEmpty { append("annotations", annotations: silence.annotations) }
        append("comment", string: silence.comment)
        append("createdBy", string: silence.createdBy)
        append("endsAt", time: silence.endsAt)
        append(",\"matchers\":")
        append(list: silence.matchers) { json, matcher in
            json.append("{\"isEqual\":")
            json.append(matcher.kind == .equal || matcher.kind == .regex)
            json.append(",\"isRegex\":")
            json.append(matcher.kind == .regex || matcher.kind == .notRegex)
            json.append("name", string: matcher.name)
            json.append("value", string: matcher.value)
            json.append("}")
        }
        append("startsAt", time: silence.startsAt)
        append("}")
    }
}
