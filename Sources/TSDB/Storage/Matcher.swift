import RegularExpression

/// A condition on one label: `name = "value"`, `!=`, `=~`, `!~`.
///
/// An absent label counts as the empty value, so `{x=""}` selects series without `x` and `{x!=""}` those with it.
public struct Matcher: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case regex = "=~"
        case notRegex = "!~"
    }

    public let kind: Kind
    public let name: String
    public let value: String
    /// The compiled expression of a regex matcher; whole-string anchored.
    public let pattern: Pattern?

    /// Compiles `value` where `kind` is a regex.
    public init(_ kind: Kind, name: String, value: String) throws(PatternError) {
        self.kind = kind
        self.name = name
        self.value = value
        self.pattern = kind == .regex || kind == .notRegex ? try Pattern(value) : nil
    }

    private init(literal kind: Kind, name: String, value: String) {
        self.kind = kind
        self.name = name
        self.value = value
        self.pattern = nil
    }

    public static func equal(_ name: String, _ value: String) -> Matcher {
        Matcher(literal: .equal, name: name, value: value)
    }

    public static func notEqual(_ name: String, _ value: String) -> Matcher {
        Matcher(literal: .notEqual, name: name, value: value)
    }

    public static func == (a: Matcher, b: Matcher) -> Bool {
        a.kind == b.kind && a.name == b.name && a.value == b.value
    }

    /// Whether a label value satisfies the condition; pass the empty buffer for an absent label.
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch kind {
        case .equal: return equalsValue(bytes)
        case .notEqual: return !equalsValue(bytes)
        case .regex: return pattern?.matches(bytes) ?? false
        case .notRegex: return !(pattern?.matches(bytes) ?? false)
        }
    }

    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// Whether series without the label satisfy the condition.
    public var matchesEmpty: Bool { matches(UnsafeRawBufferPointer(start: nil, count: 0)) }

    public func matches(_ labels: Labels) -> Bool {
        var name = name
        return name.withUTF8 { wanted in
            labels.withValue(of: UnsafeRawBufferPointer(wanted)) {
                matches($0 ?? UnsafeRawBufferPointer(start: nil, count: 0))
            }
        }
    }

    private func equalsValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var value = value
        return value.withUTF8 { UnsafeRawBufferPointer($0).equals(bytes) }
    }
}
