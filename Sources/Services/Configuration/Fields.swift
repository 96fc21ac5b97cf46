import Numbers
import TSDB

/// The fields of one mapping, taken out one by one; what is left at the end is an error.
///
/// So no field of a file is ever ignored in silence: it is read, refused as unknown, or refused as not supported yet.
package struct Fields {
    /// What the mapping is, for error texts: `global`, `scrape_configs entry`.
    package let kind: String
    package let position: YAMLPosition
    private var left: [YAMLNode.Entry]

    /// A null node is an empty mapping.
    package init(_ node: YAMLNode, _ kind: String) throws(ConfigError) {
        self.kind = kind
        position = node.position
        if node.isNull {
            left = []
            return
        }
        guard case .mapping(let entries) = node.content else {
            throw ConfigError("\(kind) must be a mapping", at: node.position)
        }
        left = entries
    }

    /// Takes a field; `nil` where it is not written or null.
    package mutating func take(_ name: String) -> YAMLNode? {
        guard let index = left.firstIndex(where: { $0.key == name }) else { return nil }
        let value = left.remove(at: index).value
        return value.isNull ? nil : value
    }

    /// Takes a field that is written and null; `false` for any other.
    package mutating func takesNull(_ name: String) -> Bool {
        guard let index = left.firstIndex(where: { $0.key == name && $0.value.isNull }) else { return false }
        left.remove(at: index)
        return true
    }

    /// Says that fields are known upstream and not supported here, if one of them is written.
    package func refuse(_ names: [String], _ reason: String = "is not supported yet") throws(ConfigError) {
        for entry in left where names.contains(entry.key) && !entry.value.isNull {
            throw ConfigError("field \(entry.key) of \(kind) \(reason)", at: entry.position)
        }
    }

    /// Names of fields not taken yet.
    package var names: [(name: String, position: YAMLPosition)] { left.map { ($0.key, $0.position) } }

    /// Everything must have been taken.
    package func finish() throws(ConfigError) {
        if let entry = left.first(where: { !$0.value.isNull }) ?? left.first {
            throw ConfigError("field \(entry.key) not found in \(kind)", at: entry.position)
        }
    }
}

// MARK: Typed fields

extension Fields {
    package mutating func string(_ name: String) throws(ConfigError) -> String? {
        guard let node = take(name) else { return nil }
        return try node.text(name)
    }

    /// A field that must be there and not be empty.
    package mutating func required(_ name: String) throws(ConfigError) -> String {
        guard let text = try string(name), !text.isEmpty else {
            throw ConfigError("\(name) is empty in \(kind)", at: position)
        }
        return text
    }

    package mutating func bool(_ name: String) throws(ConfigError) -> Bool? {
        guard let node = take(name) else { return nil }
        if case .scalar(let text, true) = node.content {
            if ["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"].contains(text) { return true }
            if ["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"].contains(text) { return false }
        }
        throw ConfigError("\(name) must be true or false", at: node.position)
    }

    /// `1m`, `90s`, `1h30m`.
    package mutating func duration(_ name: String) throws(ConfigError) -> TSDB.Duration? {
        guard let node = take(name) else { return nil }
        do throws(DurationError) {
            return .milliseconds(try Numbers.DurationText.parse(try node.plain()))
        } catch {
            throw ConfigError("\(name): \(error.message)", at: node.position)
        }
    }

    /// A number from 0 up.
    package mutating func count(_ name: String) throws(ConfigError) -> Int? {
        guard let node = take(name) else { return nil }
        guard let text = try? node.text(name), let number = Int(text), number >= 0 else {
            throw ConfigError("\(name) must be a number from 0 up", at: node.position)
        }
        return number
    }

    /// A number with decimals.
    package mutating func number(_ name: String) throws(ConfigError) -> Double? {
        guard let node = take(name) else { return nil }
        guard let text = try? node.text(name), let number = NumberText.parse(text, allowing: .go) else {
            throw ConfigError("\(name) must be a number", at: node.position)
        }
        return number
    }

    /// `10MB`, `512KiB`, `1000`.
    package mutating func bytes(_ name: String) throws(ConfigError) -> Int? {
        guard let node = take(name) else { return nil }
        guard let text = try? node.text(name), let size = ByteSize.parse(text) else {
            throw ConfigError("\(name) must be a size such as 512MB", at: node.position)
        }
        return size
    }

    package mutating func strings(_ name: String) throws(ConfigError) -> [String]? {
        guard let node = take(name) else { return nil }
        var result: [String] = []
        for item in try node.items(name) { result.append(try item.text(name)) }
        return result
    }

    package mutating func items(_ name: String) throws(ConfigError) -> [YAMLNode] {
        guard let node = take(name) else { return [] }
        return try node.items(name)
    }

    /// `name: value` pairs; names are not empty.
    package mutating func labels(_ name: String) throws(ConfigError) -> [(name: String, value: String, position: YAMLPosition)] {
        let labels = try pairs(name)
        if let wrong = labels.first(where: { $0.name.isEmpty }) {
            throw ConfigError("\"\" is not a valid label name", at: wrong.position)
        }
        return labels
    }

    /// `name: value` pairs, whatever the names.
    package mutating func pairs(_ name: String) throws(ConfigError) -> [(name: String, value: String, position: YAMLPosition)] {
        guard let node = take(name) else { return [] }
        guard case .mapping(let entries) = node.content else {
            throw ConfigError("\(name) must be a mapping", at: node.position)
        }
        var result: [(name: String, value: String, position: YAMLPosition)] = []
        for entry in entries {
            result.append((entry.key, entry.value.isNull ? "" : try entry.value.text(entry.key), entry.position))
        }
        return result
    }

    /// One of a fixed set of words.
    package mutating func choice<Choice: RawRepresentable>(
        _ name: String, _ type: Choice.Type = Choice.self
    ) throws(ConfigError) -> Choice? where Choice.RawValue == String {
        guard let node = take(name) else { return nil }
        let text = try node.text(name)
        guard let choice = Choice(rawValue: text) else {
            throw ConfigError("\(name): unknown value \"\(text)\"", at: node.position)
        }
        return choice
    }
}

extension YAMLNode {
    package func text(_ name: String) throws(ConfigError) -> String {
        guard case .scalar(let text, _) = content else { throw ConfigError("\(name) must be text", at: position) }
        return text
    }

    /// The scalar's text; anything else reads as nothing, which is no duration.
    package func plain() -> String {
        if case .scalar(let text, _) = content { return text }
        return ""
    }

    package func items(_ name: String) throws(ConfigError) -> [YAMLNode] {
        if isNull { return [] }
        guard case .sequence(let items) = content else { throw ConfigError("\(name) must be a list", at: position) }
        return items
    }
}

/// Sizes with binary units, as upstream reads them: `KB` and `KiB` are both 1024 bytes.
public enum ByteSize {
    public static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let number = Int(digits) else { return nil }
        let unit = text.dropFirst(digits.count)
        let units = ["", "K", "M", "G", "T", "P", "E"]
        let letter = unit.hasSuffix("iB") ? unit.dropLast(2) : unit.hasSuffix("B") ? unit.dropLast() : unit
        guard let power = units.firstIndex(of: String(letter)) else { return nil }
        let (size, overflow) = number.multipliedReportingOverflow(by: 1 << (10 * power))
        return overflow ? nil : size
    }

    /// The shortest spelling: `512MB`.
    public static func string(_ bytes: Int) -> String {
        var size = bytes
        for unit in ["B", "KB", "MB", "GB", "TB", "PB"] {
            if size == 0 || size % 1024 != 0 { return "\(size)\(unit)" }
            size /= 1024
        }
        return "\(size)EB"
    }
}
