/// Label values as parts of an action: `{labels.service}` in a target's name or in one word of a program's arguments.
///
///     ["/usr/bin/flush", "--cache={labels.service}"]  +  service="api"       →  ["/usr/bin/flush", "--cache=api"]
///                                                     +  service="$(id)"     →  refused
///
/// A value must match `^[A-Za-z0-9_.-]{1,128}$` and not begin with `-`, so it is never an option, a path upwards, a shell's word
/// or two words. The number of words is the policy's, whatever the values are.
public enum LabelArgument {
    static let longest = 128

    /// Whether a label's value may stand in an argument.
    public static func isSafe(_ value: String) -> Bool {
        let bytes = value.utf8
        guard (1...longest).contains(bytes.count), bytes.first != UInt8(ascii: "-"), value != "..", value != "." else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                return true
            default: return false
            }
        }
    }

    /// The word with its labels filled in; throws where one is missing or is not safe.
    static func fill(_ word: String, _ labels: Pairs) throws(BotError) -> String {
        var result = "", rest = word[...]
        while let start = rest.firstRange(of: "{labels."), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = String(rest[start.upperBound..<end])
            guard let value = labels[name] else { throw BotError(.refused, "the alert has no label \(name)") }
            guard isSafe(value) else { throw BotError(.refused, "the value of label \(name) is no argument") }
            result += rest[..<start.lowerBound] + value
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    /// Names of labels a word asks for; `nil` where a brace is left open.
    public static func labels(in word: String) -> [String]? {
        var names: [String] = [], rest = word[...]
        while let start = rest.firstRange(of: "{labels.") {
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else { return nil }
            names.append(String(rest[start.upperBound..<end]))
            rest = rest[rest.index(after: end)...]
        }
        return names
    }
}
