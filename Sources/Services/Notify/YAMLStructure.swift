import Alerter
import ConfigurationFile
import Numbers

/// A filled-in text that is YAML for something other than a string: PagerDuty's details are sent as what they say.
///
///     [{"status":"firing"}] → a list      2 → a number      true → a truth      "" → null      Down: twice → an object
enum YAMLStructure {
    /// `nil`: a string, or no YAML at all.
    static func read(_ text: String) -> PayloadJSON? {
        if text.unicodeScalars.allSatisfy({ $0.properties.isWhitespace }) { return .null }
        guard let node = try? YAMLReader.read(Array(text.utf8)) else { return nil }
        let value = value(node)
        if case .string = value { return nil }
        return value
    }

    /// The reader's bounds on depth and number of nodes hold here too.
    private static func value(_ node: YAMLNode) -> PayloadJSON {
        switch node.content {
        case .scalar(let text, let isPlain): return isPlain ? scalar(text) : .string(text)
        case .sequence(let elements): return .array(elements.map(value))
        case .mapping(let entries):
            let members = entries.map { PayloadJSON.Member($0.key, value($0.value)) }
            return .object(members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
        }
    }

    /// What a word without quotes is in YAML 1.1, as upstream's reader takes it.
    private static func scalar(_ text: String) -> PayloadJSON {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": return .boolean(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N": return .boolean(false)
        default: break
        }
        let digits = text.filter { $0 != "_" }
        guard let first = digits.utf8.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first) else {
            return .string(text)
        }
        if let number = NumberText.parseGoInteger(digits) { return .integer(number) }
        if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
            let number = NumberText.parse(digits),
            number.isFinite
        {
            return .float(number)
        }
        return .string(text)
    }
}
