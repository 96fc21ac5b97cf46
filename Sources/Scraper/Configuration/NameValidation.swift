/// The rules for metric and label names, in both schemes.
///
///     utf8     any text that is not empty (labels arrive here as valid UTF-8)
///     legacy   metric [a-zA-Z_:][a-zA-Z0-9_:]*      label [a-zA-Z_][a-zA-Z0-9_]*
extension NameValidation {
    public func isLabelName(_ name: String) -> Bool {
        switch self {
        case .utf8: !name.isEmpty
        case .legacy: Self.isLegacy(name.utf8, allowsColon: false)
        }
    }

    public func isMetricName(_ name: String) -> Bool {
        switch self {
        case .utf8: !name.isEmpty
        case .legacy: Self.isLegacy(name.utf8, allowsColon: true)
        }
    }

    /// A label name with references such as `$1` or `${group}` in it.
    func isTemplate(_ name: String) -> Bool {
        switch self {
        case .utf8: return !name.isEmpty
        case .legacy:
            // References count as letters: take their marks out and what is left must be a name.
            let plain = name.utf8.filter { !"${}".utf8.contains($0) }
            guard !name.isEmpty, let first = name.utf8.first, first == UInt8(ascii: "$") || !(48...57).contains(first) else {
                return false
            }
            return plain.allSatisfy { Self.isLegacyByte($0, first: false, allowsColon: false) }
        }
    }

    static func isLegacy(_ name: some Collection<UInt8>, allowsColon: Bool) -> Bool {
        guard let first = name.first, isLegacyByte(first, first: true, allowsColon: allowsColon) else { return false }
        return name.dropFirst().allSatisfy { isLegacyByte($0, first: false, allowsColon: allowsColon) }
    }

    private static func isLegacyByte(_ byte: UInt8, first: Bool, allowsColon: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
        case UInt8(ascii: ":"): allowsColon
        default: false
        }
    }
}
