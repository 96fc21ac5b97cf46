/// A message of DNS: one question out, an answer with its records in.
///
///     id 16 │ flags 16 │ questions 16 │ answers 16 │ authority 16 │ additional 16 │ question │ records …
///     record:  name │ type 16 │ class 16 │ ttl 32 │ length 16 │ data
///
/// Source: RFC 1035 §4. Names may point back into the message; a pointer leads only backwards, so reading ends.
struct DNSMessage: Equatable, Sendable {
    struct Record: Equatable, Sendable {
        var name: String
        var type: UInt16
        var recordClass: UInt16
        var ttl: UInt32
        /// The data as it is written in a zone file.
        var text: String
        /// Of a SOA record.
        var serial: UInt32?

        /// `example.com.⇥3600⇥IN⇥A⇥10.0.0.1`.
        var line: String {
            let typeText = DNSNumbers.typeName[type] ?? "TYPE\(type)"
            let classText = DNSNumbers.className[recordClass] ?? "CLASS\(recordClass)"
            return "\(name)\t\(ttl)\t\(classText)\t\(typeText)\t\(text)"
        }
    }

    var id: UInt16 = 0
    var isResponse = false
    var isTruncated = false
    var code = 0
    var answers: [Record] = []
    var authority: [Record] = []
    var additional: [Record] = []

    static let maximumBytes = 65_535

    /// A question as bytes; `nil` where the name is none.
    static func query(id: UInt16, name: String, type: UInt16, class queryClass: UInt16, wantsRecursion: Bool) -> [UInt8]? {
        guard let name = DNSName.encode(name) else { return nil }
        var bytes = word(id) + [wantsRecursion ? 1 : 0, 0]
        bytes += word(1) + word(0) + word(0) + word(0)
        return bytes + name + word(type) + word(queryClass)
    }

    static func word(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }

    /// Reads an answer; throws at the byte that cannot be.
    init(_ bytes: [UInt8]) throws(DNSReader.Failure) {
        var reader = DNSReader(bytes)
        id = try reader.word()
        let flags = try reader.word()
        isResponse = flags & 0x8000 != 0
        isTruncated = flags & 0x0200 != 0
        code = Int(flags & 0xf)
        let questions = try reader.word(), answerCount = try reader.word(), authorityCount = try reader.word(),
            additionalCount = try reader.word()
        for _ in 0..<questions {
            _ = try reader.name()
            _ = try reader.word()
            _ = try reader.word()
        }
        answers = try reader.records(answerCount)
        authority = try reader.records(authorityCount)
        additional = try reader.records(additionalCount)
        // EDNS carries the upper bits of the code where a TTL would stand.
        if let option = additional.first(where: { $0.type == 41 }) { code |= Int(option.ttl >> 24) << 4 }
    }
}

/// Names: `example.com.` and its labels with their lengths in front.
enum DNSName {
    static let maximumBytes = 255
    static let maximumLabel = 63

    /// `nil` for a name with an empty or too long part. Backslashes escape: `\.`, `\032`.
    static func encode(_ name: String) -> [UInt8]? {
        var result: [UInt8] = [], label: [UInt8] = []
        var rest = Array(name.utf8)[...]
        if name == "." { rest = [] }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "."):
                guard !label.isEmpty, label.count <= maximumLabel else { return nil }
                result += [UInt8(label.count)] + label
                label = []
            case UInt8(ascii: "\\"):
                let digits = rest.prefix(3)
                if digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) {
                    guard let number = UInt8(String(decoding: digits, as: UTF8.self)) else { return nil }
                    label.append(number)
                    rest = rest.dropFirst(3)
                } else if let escaped = rest.popFirst() {
                    label.append(escaped)
                } else {
                    return nil
                }
            default: label.append(byte)
            }
        }
        if !label.isEmpty {
            guard label.count <= maximumLabel else { return nil }
            result += [UInt8(label.count)] + label
        }
        result.append(0)
        return result.count <= maximumBytes ? result : nil
    }

    /// As text: dots and what cannot be seen are escaped.
    static func text(_ labels: [ArraySlice<UInt8>]) -> String {
        if labels.isEmpty { return "." }
        var result = ""
        for label in labels {
            for byte in label {
                switch byte {
                case UInt8(ascii: "."), UInt8(ascii: " "), UInt8(ascii: "'"), UInt8(ascii: "@"), UInt8(ascii: ";"), UInt8(ascii: "("),
                    UInt8(ascii: ")"), UInt8(ascii: "\""), UInt8(ascii: "\\"):
                    result += "\\" + String(UnicodeScalar(byte))
                case 0x21...0x7e: result.unicodeScalars.append(UnicodeScalar(byte))
                default:
                    let digits = String(byte)
                    result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
                }
            }
            result += "."
        }
        return result
    }
}
