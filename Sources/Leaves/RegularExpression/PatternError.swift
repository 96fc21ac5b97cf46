/// Why an expression was refused, in the words of Go's `regexp/syntax`, which people of this field know by heart.
///
///     error parsing regexp: missing closing ): `(a|b`
public struct PatternError: Error, Equatable, Sendable {
    public enum Code: String, Sendable {
        case invalidClassRange = "invalid character class range"
        case invalidEscape = "invalid escape sequence"
        case invalidNamedCapture = "invalid named capture"
        case invalidPerlSyntax = "invalid or unsupported Perl syntax"
        case nestedRepetition = "invalid nested repetition operator"
        case invalidRepeatCount = "invalid repeat count"
        case missingBracket = "missing closing ]"
        case missingParenthesis = "missing closing )"
        case missingRepetitionArgument = "missing argument to repetition operator"
        case trailingBackslash = "trailing backslash at end of expression"
        case unexpectedParenthesis = "unexpected )"
        case nestingDepth = "expression nests too deeply"
        case tooLarge = "expression too large"
    }

    public var code: Code
    /// The offending part of the expression.
    public var expression: String
    /// Where that part stands: UTF-8 offsets into the text that was parsed.
    public var range: Range<Int>

    public var message: String { "error parsing regexp: \(code.rawValue): `\(expression)`" }
}

extension PatternError: CustomStringConvertible {
    public var description: String { message }
}
