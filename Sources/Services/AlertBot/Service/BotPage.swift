import BotCore
import HTTPServer
import NIOCore
import TSDB

/// `GET /api/incidents`: what the page draws.
///
///     {"dry_run":false,"actions":{"last_hour":1,"limit":10},"incidents":[{"id":"5b1e…","alert":"APIDown","state":"verified",…}],
///      "approvals":[{"id":"5b1e…-0","until":1764437…,"link":"/approve/…"}],"cooldowns":[…],"circuits":[…],"log":{"lines":42,"hash":"…"}}
enum BotPage {
    /// Incidents that are shown, newest first.
    static let maximumIncidents = 200

    static func json(_ snapshot: BotSnapshot, withLinks: Bool) -> ByteBuffer {
        var out = JSONText(capacity: 16 << 10)
        out.append("{\"dry_run\":")
        out.append(snapshot.isDryRun)
        out.append(",\"trusted\":")
        out.append(withLinks)
        out.append(",\"actions\":{\"last_hour\":")
        out.append(snapshot.actionsLastHour)
        out.append(",\"limit\":")
        out.append(snapshot.actionsPerHour)
        out.append("},\"incidents\":[")
        for (index, incident) in snapshot.incidents.prefix(maximumIncidents).enumerated() {
            if index > 0 { out.append(",") }
            self.incident(incident, &out)
        }
        out.append("],\"approvals\":[")
        for (index, approval) in snapshot.approvals.enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"id\":")
            out.appendQuoted(approval.id)
            out.append(",\"incident\":")
            out.appendQuoted(approval.incident)
            out.append(",\"until\":")
            out.append(approval.until.milliseconds)
            if withLinks {
                out.append(",\"link\":")
                out.appendQuoted(approval.link)
            }
            out.append("}")
        }
        out.append("],\"cooldowns\":")
        ends(snapshot.cooldowns, &out)
        out.append(",\"circuits\":")
        ends(snapshot.circuits, &out)
        out.append(",\"log\":{\"lines\":")
        out.append(snapshot.logLines)
        out.append(",\"hash\":")
        out.appendQuoted(snapshot.logHash)
        out.append("}}")
        return out.take()
    }

    private static func ends(_ list: [(target: String, until: Timestamp)], _ out: inout JSONText) {
        out.append("[")
        for (index, end) in list.enumerated() {
            out.append(index > 0 ? ",{\"target\":" : "{\"target\":" as StaticString)
            out.appendQuoted(end.target)
            out.append(",\"until\":")
            out.append(end.until.milliseconds)
            out.append("}")
        }
        out.append("]")
    }

    private static func incident(_ incident: Incident, _ out: inout JSONText) {
        out.append("{\"id\":")
        out.appendQuoted(incident.id)
        for (name, value) in [
            ("alert", incident.alert), ("source", incident.source), ("policy", incident.policy), ("state", incident.state),
            ("summary", incident.annotations["summary"] ?? ""),
        ] {
            out.append(",")
            out.appendQuoted(name)
            out.append(":")
            out.appendQuoted(value)
        }
        out.append(",\"labels\":{")
        for (index, pair) in incident.labels.all.enumerated() {
            if index > 0 { out.append(",") }
            out.appendQuoted(pair.name)
            out.append(":")
            out.appendQuoted(pair.value)
        }
        out.append("},\"actions\":")
        out.append(incident.actions)
        out.append(",\"dry_run\":")
        out.append(incident.isDryRun)
        // An incident may be closed by the time its verification has its answer.
        out.append(",\"verified\":")
        out.append(incident.isVerified)
        for (name, time) in [
            ("opened", incident.openedAt), ("acted", incident.actedAt), ("escalated", incident.escalatedAt), ("resolved", incident.resolvedAt),
        ] {
            guard let time else { continue }
            out.append(",")
            out.appendQuoted(name)
            out.append(":")
            out.append(time.milliseconds)
        }
        out.append("}")
    }
}
