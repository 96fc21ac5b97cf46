import Numbers
import TextTemplate

/// JSON as Go's `encoding/json` prints it: what receivers have been given for ten years, byte for byte.
///
///     {"text":"5 \u003c 6 \u0026 é","n":1.5}      < > & and line separators escaped, other characters as they are
///
/// Objects keep the order of their members: Go has the order of a struct's fields, and of a map's sorted names.
public indirect enum PayloadJSON: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case float(Double)
    case string(String)
    case array([PayloadJSON])
    case object([Member])

    public struct Member: Sendable, Equatable {
        public var name: String
        public var value: PayloadJSON
        public init(_ name: String, _ value: PayloadJSON) {
            self.name = name
            self.value = value
        }
    }

    /// The document and a line's end, as Go's encoder writes it.
    public var line: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        bytes.append(10)
        return bytes
    }

    public var text: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += Array("null".utf8)
        case .boolean(let value): bytes += Array((value ? "true" : "false").utf8)
        case .integer(let value): bytes += Array(String(value).utf8)
        case .float(let value): bytes += Array(Self.number(value).utf8)
        case .string(let text): Self.write(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// `1e-7`, where Go's other printing has `1e-07`.
    private static func number(_ value: Double) -> String {
        var text = NumberText.string(value, style: .plain)
        if let range = text.utf8.firstIndex(of: UInt8(ascii: "e")) {
            let mantissa = text[..<range]
            var exponent = text[text.index(after: range)...]
            let sign = exponent.first == "-" ? "-" : "+"
            exponent = exponent.drop { $0 == "-" || $0 == "+" || $0 == "0" }
            text = "\(mantissa)e\(sign)\(exponent)"
        }
        return text
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5c: bytes += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            case 8: bytes += Array("\\b".utf8)
            case 9: bytes += Array("\\t".utf8)
            case 10: bytes += Array("\\n".utf8)
            case 12: bytes += Array("\\f".utf8)
            case 13: bytes += Array("\\r".utf8)
            case 0..<0x20, 0x3c, 0x3e, 0x26, 0x2028, 0x2029:
                let digits = String(scalar.value, radix: 16)
                bytes += Array(("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8)
            case 0x20..<0x80: bytes.append(UInt8(scalar.value))
            default: bytes += Array(String(scalar).utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension PayloadJSON {
    /// Members by the order of their names, as Go prints a map.
    init(sorting members: [Member]) {
        self = .object(members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
    }

    init(_ pairs: [NotificationData.NamedText]) { self = .object(pairs.map { Member($0.name, .string($0.value)) }) }

    init(_ alert: NotificationData.Entry) {
        self = .object([
            Member("status", .string(alert.status.rawValue)),
            Member("labels", PayloadJSON(alert.labels)),
            Member("annotations", PayloadJSON(alert.annotations)),
            Member("startsAt", .string(alert.startsAt.rfc3339)),
            Member("endsAt", .string(alert.endsAt.rfc3339)),
            Member("generatorURL", .string(alert.generatorURL)),
            Member("fingerprint", .string(alert.fingerprint)),
        ])
    }

    /// The members of a notification that every webhook knows; upstream's order.
    static func members(_ data: NotificationData) -> [Member] {
        [
            Member("receiver", .string(data.receiver)),
            Member("status", .string(data.status.rawValue)),
            Member("alerts", .array(data.alerts.map { PayloadJSON($0) })),
            Member("notification_reason", .string(data.reason)),
            Member("groupLabels", PayloadJSON(data.groupLabels)),
            Member("commonLabels", PayloadJSON(data.commonLabels)),
            Member("commonAnnotations", PayloadJSON(data.commonAnnotations)),
            Member("externalURL", .string(data.externalURL)),
        ]
    }

    /// What `toJson` makes of a template's value. `depth` bounds lists within lists, which templates can build.
    init(_ value: TemplateValue, depth: Int = 64) throws(TemplateError) {
        guard depth > 0 else { throw TemplateError("toJson: nested too deep") }
        switch value {
        case .missing, .null: self = .null
        case .boolean(let flag): self = .boolean(flag)
        case .integer(let number): self = .integer(number)
        case .float(let number):
            guard number.isFinite else {
                throw TemplateError("json: unsupported value: \(NumberText.string(number, style: .general))")
            }
            self = .float(number)
        case .string(let text): self = .string(text)
        case .list(let elements, _): self = try Self.array(elements, depth)
        case .map(let map):
            var members: [Member] = []
            for name in map.sortedNames {
                members.append(Member(name, try PayloadJSON(map.values[name] ?? .null, depth: depth - 1)))
            }
            self = .object(members)
        case .object(let object):
            switch object {
            case let data as NotificationData: self = .object(Self.members(data))
            case let alert as NotificationData.Entry: self = PayloadJSON(alert)
            case let pair as NotificationData.NamedText:
                self = .object([Member("Name", .string(pair.name)), Member("Value", .string(pair.value))])
            case let time as TemplateTime: self = .string(time.rfc3339)
            case let duration as TemplateDuration: self = .integer(duration.nanoseconds)
            default:
                if let list = object.list {
                    self = try Self.array(list.elements, depth)
                } else {
                    self = .string(object.text)
                }
            }
        }
    }

    private static func array(_ elements: [TemplateValue], _ depth: Int) throws(TemplateError) -> PayloadJSON {
        var values: [PayloadJSON] = []
        for element in elements { values.append(try PayloadJSON(element, depth: depth - 1)) }
        return .array(values)
    }
}
