import ConfigurationFile

/// Puts variables into the text of a compose file.
///
///     ${PORT:-8000}  the default where PORT is unset or empty      ${PORT-8000}  … only where unset
///     ${TOKEN:?say so}  an error where it is unset or empty        ${A:+b}  b where A is set and not empty
///     $$ is one $
///
/// Defaults may hold variables themselves. Source: Compose Specification, “Interpolation”.
struct Interpolation {
    /// Levels of `${A:-${B:-…}}`.
    static let maximumDepth = 20

    let variables: [String: String]

    func expand(_ text: String, at position: YAMLPosition) throws(ConfigError) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var reader = Reader(bytes: Array(text.utf8), position: position)
        return try expand(&reader, inBraces: false, depth: 0)
    }

    private struct Reader {
        let bytes: [UInt8]
        let position: YAMLPosition
        var index = 0

        var next: UInt8? { index < bytes.count ? bytes[index] : nil }

        /// `[A-Za-z_][A-Za-z0-9_]*`, possibly nothing.
        mutating func name() -> String {
            let start = index
            while let byte = next {
                let isLetter =
                    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
                guard isLetter || index > start && byte &- 48 < 10 else { break }
                index += 1
            }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }

        mutating func skips(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            index += 1
            return true
        }

        func failure(_ message: String) -> ConfigError { ConfigError(message, at: position) }
    }

    /// Up to the end, or the brace that closes what we are in.
    private func expand(_ reader: inout Reader, inBraces: Bool, depth: Int) throws(ConfigError) -> String {
        guard depth <= Self.maximumDepth else {
            throw reader.failure("variables nested deeper than \(Self.maximumDepth) levels")
        }
        var result: [UInt8] = []
        while let byte = reader.next {
            if inBraces && byte == UInt8(ascii: "}") { break }
            reader.index += 1
            guard byte == UInt8(ascii: "$") else {
                result.append(byte)
                continue
            }
            if reader.skips(UInt8(ascii: "$")) {
                result.append(byte)
            } else if reader.skips(UInt8(ascii: "{")) {
                result += try braced(&reader, depth: depth).utf8
            } else {
                let name = reader.name()
                guard !name.isEmpty else {
                    throw reader.failure("invalid interpolation: a $ that begins no variable is written $$")
                }
                result += (variables[name] ?? "").utf8
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func braced(_ reader: inout Reader, depth: Int) throws(ConfigError) -> String {
        let name = reader.name()
        guard !name.isEmpty else { throw reader.failure("invalid interpolation: ${…} without a name") }
        let colon = reader.skips(UInt8(ascii: ":"))
        let value = variables[name].flatMap { colon && $0.isEmpty ? nil : $0 }
        let form = reader.next
        var rest = ""
        if let form, form != UInt8(ascii: "}") {
            reader.index += 1
            rest = try expand(&reader, inBraces: true, depth: depth + 1)
        }
        guard reader.skips(UInt8(ascii: "}")) else {
            throw reader.failure("invalid interpolation: ${\(name) is not closed")
        }
        switch form {
        case UInt8(ascii: "}") where !colon: return variables[name] ?? ""
        case UInt8(ascii: "-"): return value ?? rest
        case UInt8(ascii: "+"): return value == nil ? "" : rest
        case UInt8(ascii: "?"):
            guard let value else {
                throw reader.failure("required variable \(name) is missing a value" + (rest.isEmpty ? "" : ": \(rest)"))
            }
            return value
        default: throw reader.failure("invalid interpolation of \(name): after the name comes :-, -, :?, ?, :+ or +")
        }
    }

    /// Every value of a tree; keys stay.
    func expand(_ node: YAMLNode) throws(ConfigError) -> YAMLNode {
        switch node.content {
        case .scalar(let text, let isPlain):
            return YAMLNode(.scalar(try expand(text, at: node.position), isPlain: isPlain), at: node.position)
        case .sequence(let items):
            var expanded: [YAMLNode] = []
            for item in items { expanded.append(try expand(item)) }
            return YAMLNode(.sequence(expanded), at: node.position)
        case .mapping(let entries):
            var expanded = entries
            for index in entries.indices { expanded[index].value = try expand(entries[index].value) }
            return YAMLNode(.mapping(expanded), at: node.position)
        }
    }
}
