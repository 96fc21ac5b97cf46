import JSON
import Numbers
import TSDB

/// Lines of the incident log as JSON: members in a fixed order, what is empty left out.
///
///     {"ts":"2026-11-29T17:40:03.120Z","event":"decision","incident_id":"5b1e…","source":"minimal","alert":"APIHighLatency",…}
extension IncidentRecord {
    /// The object without its closing brace, so that the chain can add its two members.
    func openObject() -> [UInt8] {
        var out = RecordWriter()
        out.member("ts", TimeText.string(milliseconds: time.milliseconds))
        out.member("ts_ms", time.milliseconds)
        out.member("event", event.rawValue)
        out.text("incident_id", incident)
        out.text("source", source)
        out.text("alert", alert)
        out.pairs("labels", labels)
        out.pairs("annotations", annotations)
        if let key {
            out.begin("key")
            out.member("group_key", key.groupKey)
            out.member("fingerprint", key.fingerprint)
            out.member("starts_at", key.startsAt)
            out.end()
        }
        out.text("policy", policy)
        if let step { out.member("step", Int64(step)) }
        if isUndo { out.member("on_resolve", true) }
        out.text("decision", decision)
        out.text("mode", mode)
        out.text("action", action)
        out.text("target", target)
        out.text("via", via)
        if let attempt { out.member("attempt", Int64(attempt)) }
        out.text("approver", approver)
        out.text("result", result)
        out.text("reason", reason)
        if let duration { out.member("duration_ms", duration.milliseconds) }
        if let verify {
            out.begin("verify")
            out.member("query", verify.query)
            out.member("before", verify.before)
            out.member("after", verify.after)
            out.member("ok", verify.ok)
            out.end()
        }
        if let until { out.member("until", until.milliseconds) }
        if !notify.isEmpty { out.list("notify", notify) }
        if isDryRun { out.member("dry_run", true) }
        return out.bytes
    }

    /// Reads a line; `nil` where it is none of ours.
    public init?(parsing line: some Collection<UInt8>) {
        let parsed: JSONValue? = Array(line).withUnsafeBytes { try? JSONValue(parsing: $0) }
        guard let object = parsed, let milliseconds = object["ts_ms"]?.number.flatMap({ Int64(exactly: $0) }),
            let event = object["event"]?.string.flatMap(Event.init(rawValue:))
        else { return nil }
        self.init(event, at: Timestamp(milliseconds: milliseconds))
        incident = object["incident_id"]?.string ?? ""
        source = object["source"]?.string ?? ""
        alert = object["alert"]?.string ?? ""
        labels = Self.pairs(object["labels"])
        annotations = Self.pairs(object["annotations"])
        if let value = object["key"] {
            key = Key(
                groupKey: value["group_key"]?.string ?? "", fingerprint: value["fingerprint"]?.string ?? "",
                startsAt: value["starts_at"]?.string ?? "")
        }
        policy = object["policy"]?.string ?? ""
        step = object["step"]?.number.flatMap { Int(exactly: $0) }
        isUndo = object["on_resolve"]?.bool ?? false
        decision = object["decision"]?.string ?? ""
        mode = object["mode"]?.string ?? ""
        action = object["action"]?.string ?? ""
        target = object["target"]?.string ?? ""
        via = object["via"]?.string ?? ""
        attempt = object["attempt"]?.number.flatMap { Int(exactly: $0) }
        approver = object["approver"]?.string ?? ""
        result = object["result"]?.string ?? ""
        reason = object["reason"]?.string ?? ""
        duration = object["duration_ms"]?.number.flatMap { Int64(exactly: $0) }.map { .milliseconds($0) }
        if let value = object["verify"] {
            verify = Verify(
                query: value["query"]?.string ?? "", before: value["before"]?.number, after: value["after"]?.number,
                ok: value["ok"]?.bool ?? false)
        }
        until = object["until"]?.number.flatMap { Int64(exactly: $0) }.map { Timestamp(milliseconds: $0) }
        notify = object["notify"]?.elements.compactMap(\.string) ?? []
        isDryRun = object["dry_run"]?.bool ?? false
    }

    private static func pairs(_ value: JSONValue?) -> Pairs {
        guard case .object(let members)? = value else { return [:] }
        return Pairs(members.map { Pairs.Pair($0.name, $0.value.string ?? "") })
    }
}

/// JSON written member by member into an object that stays open.
struct RecordWriter {
    private(set) var bytes: [UInt8] = [UInt8(ascii: "{")]
    private var isFirst = true

    mutating func member(_ name: String, _ value: String) {
        key(name)
        quoted(value)
    }

    mutating func member(_ name: String, _ value: Int64) {
        key(name)
        bytes += String(value).utf8
    }

    mutating func member(_ name: String, _ value: Bool) {
        key(name)
        bytes += (value ? "true" : "false").utf8
    }

    /// `null` for none, and for what JSON cannot say.
    mutating func member(_ name: String, _ value: Double?) {
        key(name)
        let text = value.flatMap { $0.isFinite ? NumberText.string($0, style: .plain) : nil }
        bytes += (text ?? "null").utf8
    }

    mutating func text(_ name: String, _ value: String) { if !value.isEmpty { member(name, value) } }

    mutating func pairs(_ name: String, _ pairs: Pairs) {
        guard !pairs.isEmpty else { return }
        begin(name)
        for pair in pairs.all { member(pair.name, pair.value) }
        end()
    }

    mutating func list(_ name: String, _ values: [String]) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            quoted(value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func begin(_ name: String) {
        key(name)
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
    }

    mutating func end() {
        bytes.append(UInt8(ascii: "}"))
        isFirst = false
    }

    private mutating func key(_ name: String) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        quoted(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Everything outside printable ASCII is escaped: no value can turn the direction of a terminal's text or begin a line.
    private mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for unit in text.utf16 {
            switch unit {
            case 0x22, 0x5c: bytes += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: unit)]
            case 0x0a: bytes += "\\n".utf8
            case 0x20..<0x7f: bytes.append(UInt8(truncatingIfNeeded: unit))
            default:
                let digits = String(unit, radix: 16)
                bytes += "\\u".utf8
                bytes += String(repeating: "0", count: max(0, 4 - digits.utf8.count)).utf8
                bytes += digits.utf8
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
