import Numbers
import RegularExpression

/// One relabeling rule: reads source labels, decides or rewrites.
///
///     source_labels: [__address__]          "10.0.0.7:9100"
///     regex: '(.*):\d+'                      ✓ $1 = 10.0.0.7
///     target_label: host, replacement: $1    host="10.0.0.7"
///
/// Defaults are upstream's. `validate()` gives upstream's errors; a config that passed it cannot fail later.
public struct RelabelConfig: Equatable, Sendable {
    public enum Action: String, Sendable, CaseIterable {
        case replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase
    }

    public static let standardSeparator = ";"
    public static let standardRegex = "(.*)"
    public static let standardReplacement = "$1"

    public var sourceLabels: [String] = []
    public var separator = standardSeparator
    /// Matched against the whole of the joined source labels.
    public var regex: Pattern
    /// For `hashmod`.
    public var modulus: UInt64 = 0
    /// May contain `$1` and the like for `replace`.
    public var targetLabel = ""
    public var replacement = standardReplacement
    public var action = Action.replace

    /// All defaults but the regular expression; throws where it does not compile.
    public init(regex: String = standardRegex) throws(PatternError) { self.regex = try Pattern(regex) }

    public static func == (a: RelabelConfig, b: RelabelConfig) -> Bool {
        a.sourceLabels == b.sourceLabels && a.separator == b.separator && a.regex.source == b.regex.source
            && a.modulus == b.modulus && a.targetLabel == b.targetLabel && a.replacement == b.replacement
            && a.action == b.action
    }

    var hasStandardRegex: Bool { regex.source == Self.standardRegex }

    /// Checks that the fields make sense together; throws upstream's message.
    public func validate(names: NameValidation = .utf8) throws(RelabelError) {
        let target = QuotedText.go(targetLabel)
        if modulus == 0, action == .hashmod {
            throw RelabelError("relabel configuration for hashmod requires non-zero modulus")
        }
        switch action {
        case .replace, .hashmod, .lowercase, .uppercase, .keepequal, .dropequal:
            if targetLabel.isEmpty {
                throw RelabelError("relabel configuration for \(action) action requires 'target_label' value")
            }
            let isTemplate = action == .replace && targetLabel.utf8.contains(UInt8(ascii: "$"))
            let isValid = isTemplate ? names.isTemplate(targetLabel) : names.isLabelName(targetLabel)
            if !isValid { throw RelabelError("\(target) is invalid 'target_label' for \(action) action") }
        case .keep, .drop, .labelmap, .labeldrop, .labelkeep: break
        }
        switch action {
        case .lowercase, .uppercase, .keepequal, .dropequal:
            if replacement != Self.standardReplacement {
                throw RelabelError("'replacement' can not be set for \(action) action")
            }
        case .labelmap where !names.isTemplate(replacement):
            throw RelabelError("\(QuotedText.go(replacement)) is invalid 'replacement' for \(action) action")
        default: break
        }
        let onlyStandard =
            modulus == 0 && separator == Self.standardSeparator && replacement == Self.standardReplacement
        switch action {
        case .keepequal, .dropequal:
            if !hasStandardRegex || !onlyStandard {
                throw RelabelError("\(action) action requires only 'source_labels' and `target_label`, and no other fields")
            }
        case .labeldrop, .labelkeep:
            if !sourceLabels.isEmpty || !targetLabel.isEmpty || !onlyStandard {
                throw RelabelError("\(action) action requires only 'regex', and no other fields")
            }
        default: break
        }
    }
}

/// A relabeling rule that makes no sense; the message is upstream's.
public struct RelabelError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
