/// Percent-encoding as Go's `net/url` does it: what is shown as a target's URL, and asked for, is the same text.
enum URLText {
    /// A path: letters, digits and `-_.~$&+,/:;=@` stay; the rest is encoded, `%` and `?` included.
    static func encodedPath(_ path: String) -> String { encoded(path, keeping: "-_.~$&+,/:;=@", space: "%20") }

    /// `a=1&b=2`, names ascending by bytes, values in their order, spaces as `+`.
    static func query(_ values: [String: [String]]) -> String {
        let names = values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return names.flatMap { name in
            (values[name] ?? []).map { queryPart(name) + "=" + queryPart($0) }
        }.joined(separator: "&")
    }

    private static func queryPart(_ text: String) -> String { encoded(text, keeping: "-_.~", space: "+") }

    private static func encoded(_ text: String, keeping allowed: StaticString, space: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): result += space
            default:
                let isAllowed = (0..<allowed.utf8CodeUnitCount).contains { allowed.utf8Start[$0] == byte }
                if isAllowed {
                    result.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    let digits = String(byte, radix: 16, uppercase: true)
                    result += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
                }
            }
        }
        return result
    }
}
