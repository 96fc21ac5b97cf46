import Numbers
import RegularExpression
import TSDB

/// Matchers as people write them in Alertmanager's configuration, API and tools.
///
///     severity="page"      {alertname="Down",cluster=~"eu-.*"}      "service name"!="a b",      team=db
///
/// There are two grammars. The classic one takes the label name up to the operator and everything else as the value, quoted or not.
/// The UTF-8 one has tokens: names and values are quoted, or free of reserved characters. The usual mode reads with both: what only the
/// classic grammar understands is taken, with a warning that says how to write it; where both understand and disagree, the classic
/// reading counts.
///
/// Source: Alertmanager, `matcher/compat`, `pkg/labels`; error texts are upstream's.
public enum MatcherText {
    public enum Mode: Sendable { case classic, utf8, fallback }

    /// Bytes of one text; far above anything written by hand.
    public static let maximumBytes = 1 << 20

    /// What was read, and what the writer should know.
    public struct Reading: Sendable, Equatable {
        public var matchers: [Matcher]
        public var warning: String?
    }

    /// Any number of matchers, in the order they are written.
    public static func matchers(_ text: String, mode: Mode = .fallback) throws(MatcherError) -> Reading {
        guard text.utf8.count <= maximumBytes else {
            throw MatcherError("matchers of \(text.utf8.count) bytes; the limit is \(maximumBytes)")
        }
        switch mode {
        case .classic: return Reading(matchers: try ClassicMatchers.parse(text))
        case .utf8: return Reading(matchers: try UTF8Matchers.parse(text))
        case .fallback: break
        }
        let utf8 = Result { () throws(MatcherError) in try UTF8Matchers.parse(text) }
        let classic = Result { () throws(MatcherError) in try ClassicMatchers.parse(text) }
        switch (utf8, classic) {
        case (.success(let new), .success(let old)):
            return new == old ? Reading(matchers: new) : Reading(matchers: old, warning: "Matchers input has disagreement: \(text)")
        case (.success(let new), .failure): return Reading(matchers: new)
        case (.failure(let error), .success(let old)):
            let suggestion = old.map(string).joined(separator: ",")
            return Reading(
                matchers: old,
                warning: "matchers \(text) are not valid in the UTF-8 syntax (\(error.message)); write them as \(suggestion)")
        case (.failure, .failure(let error)): throw error
        }
    }

    /// Exactly one matcher, without braces.
    public static func matcher(_ text: String, mode: Mode = .fallback) throws(MatcherError) -> Matcher {
        if mode != .classic, text.hasPrefix("{") || text.hasSuffix("}") {
            throw MatcherError("unexpected open or close brace: \(text)")
        }
        guard text.utf8.count <= maximumBytes else {
            throw MatcherError("a matcher of \(text.utf8.count) bytes; the limit is \(maximumBytes)")
        }
        let classic = Result { () throws(MatcherError) in try ClassicMatchers.parseOne(text) }
        if mode == .classic { return try classic.get() }
        let utf8 = Result { () throws(MatcherError) in try UTF8Matchers.parseOne(text) }
        if mode == .utf8 { return try utf8.get() }
        if case .success(let old) = classic { return old }
        guard case .success(let new) = utf8 else { return try classic.get() }
        return new
    }

    // MARK: Printing

    /// `name="value"`; the name is quoted where it has a reserved character.
    public static func string(_ matcher: Matcher) -> String {
        if matcher.name.unicodeScalars.contains(where: isReserved) {
            return QuotedText.go(matcher.name) + matcher.kind.rawValue + QuotedText.go(matcher.value)
        }
        var value = ""
        for scalar in matcher.value.unicodeScalars {
            switch scalar {
            case "\\": value += "\\\\"
            case "\n": value += "\\n"
            case "\"": value += "\\\""
            default: value.unicodeScalars.append(scalar)
            }
        }
        return "\(matcher.name)\(matcher.kind.rawValue)\"\(value)\""
    }

    /// `{a="1",b!="2"}`, in the order given; routes and silences keep theirs `sorted`.
    public static func string(_ matchers: [Matcher]) -> String { "{" + matchers.map(string).joined(separator: ",") + "}" }

    /// By name, value and kind.
    public static func sorted(_ matchers: [Matcher]) -> [Matcher] {
        matchers.sorted { a, b in
            if !a.name.utf8.elementsEqual(b.name.utf8) { return a.name.utf8.lexicographicallyPrecedes(b.name.utf8) }
            if !a.value.utf8.elementsEqual(b.value.utf8) { return a.value.utf8.lexicographicallyPrecedes(b.value.utf8) }
            return rank(a.kind) < rank(b.kind)
        }
    }

    private static func rank(_ kind: Matcher.Kind) -> Int {
        switch kind {
        case .equal: 0
        case .notEqual: 1
        case .regex: 2
        case .notRegex: 3
        }
    }

    // MARK: Characters

    /// Has a meaning in the UTF-8 grammar, so it stands in quotes only.
    static func isReserved(_ scalar: Unicode.Scalar) -> Bool {
        isSpace(scalar) || "{}!=~,\\\"'`".unicodeScalars.contains(scalar)
    }

    /// Go's `unicode.IsSpace`.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    /// Compiles the value of a regex matcher; the error quotes the expression as upstream wraps it.
    static func make(_ kind: Matcher.Kind, _ name: String, _ value: String) throws(MatcherError) -> Matcher {
        do throws(PatternError) { return try Matcher(kind, name: name, value: value) } catch {
            throw MatcherError(regexProblem(value) ?? error.message)
        }
    }

    /// What is wrong with an expression, in Go's words for `^(?:value)$`.
    public static func regexProblem(_ value: String) -> String? {
        do throws(PatternError) {
            _ = try Pattern("^(?:\(value))$")
            return nil
        } catch { return error.message }
    }
}

/// Why a text is no matcher.
public struct MatcherError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
