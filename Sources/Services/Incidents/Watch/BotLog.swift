import JSON

/// Reads the lines of the bot's log out of `GET /api/incidents`, whatever else the answer holds.
///
///     {"event":"decision","alert":"APIHighLatency","action":"restart","target":"api","hash":"8f3a…"}
///
/// Every object with a member `event` is a line; what stands around them does not matter. Where the answer has none, an incident's summary says
/// as much of the same as it can (`state`, `actions`, `resolved`); the log itself, a file with a line of JSON each, says it best.
public enum BotLog {
    /// Lines in the order in which they stand.
    public static func lines(_ text: String) throws(IncidentError) -> [AlertLife.BotLine] {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
            throw IncidentError(.malformed, "the bot's incidents are no JSON: \(error)")
        }
        var lines: [AlertLife.BotLine] = []
        collect(value, alert: "", incident: "", into: &lines)
        return lines
    }

    /// Lines of the log file; the last may be half written.
    public static func lines(ofFile text: String) -> [AlertLife.BotLine] {
        text.split(separator: "\n").flatMap { line in (try? lines(String(line))) ?? [] }
    }

    /// Links of approvals that wait, without the host.
    public static func approvals(_ text: String) -> [String] {
        guard let value = try? JSONValue(parsing: text), let list = value["approvals"] else { return [] }
        return list.elements.compactMap { $0["link"]?.string }.filter { $0.hasPrefix("/approve/") }
    }

    /// Why the bot would not act on `target` now.
    public static func restraint(_ text: String, target: String) -> String? {
        guard let value = try? JSONValue(parsing: text) else { return nil }
        func names(_ list: String) -> Bool { value[list]?.elements.contains { $0["target"]?.string == target } ?? false }
        if names("circuits") { return "the bot's circuit of \(target) is open" }
        return names("cooldowns") ? "\(target) cools down from the bot's last action" : nil
    }

    /// What the summary of an incident gives away of its lines.
    private static func summary(_ value: JSONValue, _ alert: String, _ incident: String) -> [AlertLife.BotLine] {
        guard let state = value["state"]?.string, value["opened"] != nil, !alert.isEmpty else { return [] }
        func line(_ event: String, _ more: String = "") -> AlertLife.BotLine {
            AlertLife.BotLine(
                event: event, alert: alert, id: "\(incident) \(event) \(more)", detail: more.isEmpty ? "" : "(\(more))",
                source: value["source"]?.string ?? "")
        }
        var lines = [line("received")]
        if state != "deciding" { lines.append(line("decision")) }
        let actions = value["actions"]?.number.flatMap { Int(exactly: $0) } ?? 0
        for number in 0..<min(max(actions, 0), 100) { lines.append(line("action", "number \(number + 1)")) }
        if state == "verified" || value["verified"]?.bool == true { lines.append(line("verified")) }
        if value["resolved"] != nil { lines.append(line("resolved")) }
        return lines
    }

    /// JSON is at most 64 levels deep (`JSONReader`), so this is, too.
    private static func collect(_ value: JSONValue, alert: String, incident: String, into lines: inout [AlertLife.BotLine]) {
        switch value {
        case .array(let elements):
            for element in elements { collect(element, alert: alert, incident: incident, into: &lines) }
        case .object(let members):
            let alert = value["alert"]?.string ?? value["labels"]?["alertname"]?.string ?? alert
            let incident = value["incident_id"]?.string ?? value["id"]?.string ?? incident
            if let event = value["event"]?.string {
                lines.append(line(event, value, alert, incident))
            } else {
                lines += summary(value, alert, incident)
                for member in members { collect(member.value, alert: alert, incident: incident, into: &lines) }
            }
        case .null, .bool, .number, .string: break
        }
    }

    private static func line(_ event: String, _ value: JSONValue, _ alert: String, _ incident: String) -> AlertLife.BotLine {
        func word(_ name: String) -> String? { value[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        let result = word("result")
        let step = value["step"]?.number.map { "\($0)" } ?? ""
        let time = value["ts_ms"]?.number.map { "\($0)" } ?? word("ts") ?? ""
        var ok = value["ok"]?.bool
        var detail: [String] = []
        for name in ["decision", "mode", "action", "target", "via"] { if let text = word(name) { detail.append(text) } }
        if let result { detail.append("→ \(result)") }
        switch event {
        case "verified":
            ok = value["verify"]?["ok"]?.bool ?? ok
            if let after = value["verify"]?["after"]?.number { detail.append("now \(LoadReport.fixed(after, 3))") }
        case "action": ok = ok ?? result.map { ["ok", "done", "success", "succeeded"].contains($0) }
        default: break
        }
        if let reason = word("reason") { detail.append("(\(reason.prefix(120)))") }
        return AlertLife.BotLine(
            event: event, alert: alert,
            id: word("hash") ?? "\(time) \(event) \(incident) \(step) \(word("action") ?? "")", ok: ok,
            detail: detail.joined(separator: " "), isNotice: ["notify", "ticket"].contains(word("action") ?? ""),
            source: word("source") ?? "")
    }
}
