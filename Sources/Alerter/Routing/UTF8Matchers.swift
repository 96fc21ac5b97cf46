import TSDB
import TextTemplate

/// The UTF-8 grammar of matchers.
///
///     matchers   "{" list "}" │ list          list     matcher ("," matcher)* [","]
///     matcher    word operator word           word     "quoted, with Go's escapes" │ unquoted
///     operator   = │ != │ =~ │ !~
///
/// Positions in error texts are columns, counted in characters from 0.
/// Source: Alertmanager, `matcher/parse`.
struct UTF8Matchers {
    private var lexer: MatcherLexer
    private var hasOpenBrace = false

    static func parse(_ text: String) throws(MatcherError) -> [Matcher] {
        var parser = UTF8Matchers(lexer: MatcherLexer(text))
        return try parser.matchers()
    }

    static func parseOne(_ text: String) throws(MatcherError) -> Matcher {
        let all = try parse(text)
        guard let first = all.first else { throw MatcherError("no matchers") }
        guard all.count == 1 else { throw MatcherError("expected 1 matcher, found \(all.count)") }
        return first
    }

    private mutating func matchers() throws(MatcherError) -> [Matcher] {
        var result: [Matcher] = []
        guard let first = try lexer.peek() else { return [] }
        if first.kind == .openBrace {
            hasOpenBrace = true
            _ = try lexer.next()
        }
        if let next = try lexer.peek(), next.kind != .closeBrace {
            repeat { result.append(try matcher()) } while try takesComma()
        }
        try closeBrace()
        let end: MatcherLexer.Token?
        do throws(MatcherError) { end = try lexer.next() } catch { throw MatcherError("\(error.message): expected end of input") }
        if let end { throw MatcherError("\(end.place): \(end.text): expected end of input") }
        return result
    }

    /// Whether another matcher follows.
    private mutating func takesComma() throws(MatcherError) -> Bool {
        guard let token = try peek([.comma, .closeBrace], "expected a comma or close brace") else { return false }
        guard token.kind == .comma else { return false }
        _ = try lexer.next()
        guard let next = try peek([.closeBrace, .word, .quoted], "expected a matcher or close brace after comma") else { return false }
        return next.kind != .closeBrace
    }

    private mutating func matcher() throws(MatcherError) -> Matcher {
        let name = try word("expected label name")
        let token = try expect([.operation], "expected an operator such as '=', '!=', '=~' or '!~'")
        guard let kind = Matcher.Kind(rawValue: token.text) else { throw MatcherError("\(token.place): \(token.text): invalid input") }
        let value = try word("expected label value")
        do throws(MatcherError) { return try MatcherText.make(kind, name, value) } catch {
            throw MatcherError("failed to create matcher: \(error.message)")
        }
    }

    private mutating func word(_ wanted: String) throws(MatcherError) -> String {
        let token = try expect([.word, .quoted], wanted)
        if token.kind == .word { return token.text }
        // As in Go, a literal line break ends no quoted text.
        guard !token.text.utf8.contains(UInt8(ascii: "\n")), let bytes = QuotedLiteral.bytes(of: token.text),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw MatcherError("\(token.place): \(token.text): invalid input") }
        return text
    }

    private mutating func closeBrace() throws(MatcherError) {
        let next: MatcherLexer.Token?
        do throws(MatcherError) { next = try lexer.peek() } catch {
            if hasOpenBrace { throw MatcherError("0:\(lexer.columns): \(error.message): expected close brace") }
            return
        }
        if hasOpenBrace {
            guard let next else { throw MatcherError("0:\(lexer.columns): end of input: expected close brace") }
            guard next.kind == .closeBrace else {
                throw MatcherError("0:\(lexer.columns): \(next.place): unexpected \(next.text): expected close brace")
            }
            _ = try lexer.next()
        } else if next?.kind == .closeBrace {
            _ = try lexer.next()
            throw MatcherError("0:\(lexer.columns): }: expected opening brace")
        }
    }

    // MARK: Tokens

    /// The next token, which must be of one of `kinds`; `nil` at the end.
    private mutating func peek(_ kinds: [MatcherLexer.Kind], _ wanted: String) throws(MatcherError) -> MatcherLexer.Token? {
        let token: MatcherLexer.Token?
        do throws(MatcherError) { token = try lexer.peek() } catch { throw MatcherError("\(error.message): \(wanted)") }
        guard let token else { return nil }
        guard kinds.contains(token.kind) else { throw MatcherError("\(token.place): unexpected \(token.text): \(wanted)") }
        return token
    }

    private mutating func expect(_ kinds: [MatcherLexer.Kind], _ wanted: String) throws(MatcherError) -> MatcherLexer.Token {
        guard let token = try peek(kinds, wanted) else { throw MatcherError("end of input: \(wanted)") }
        _ = try lexer.next()
        return token
    }
}

/// Tokens of the UTF-8 grammar.
struct MatcherLexer {
    enum Kind { case openBrace, closeBrace, comma, operation, quoted, word }

    struct Token {
        var kind: Kind
        var text: String
        /// Columns, the end excluded.
        var range: Range<Int>
        var place: String { "\(range.lowerBound):\(range.upperBound)" }
    }

    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// Characters taken so far.
    var columns: Int { position }

    func peek() throws(MatcherError) -> Token? {
        var copy = self
        return try copy.next()
    }

    /// `nil` at the end.
    mutating func next() throws(MatcherError) -> Token? {
        while position < scalars.count, MatcherText.isSpace(scalars[position]) { position += 1 }
        guard position < scalars.count else { return nil }
        let start = position
        switch scalars[start] {
        case "{": return take(.openBrace, from: start, to: start + 1)
        case "}": return take(.closeBrace, from: start, to: start + 1)
        case ",": return take(.comma, from: start, to: start + 1)
        case "=": return take(.operation, from: start, to: start + (has("~", at: start + 1) ? 2 : 1))
        case "!":
            if has("=", at: start + 1) || has("~", at: start + 1) { return take(.operation, from: start, to: start + 2) }
            if start + 1 >= scalars.count {
                throw MatcherError("\(start):\(start + 1): unexpected end of input, expected one of '=~'")
            }
            throw MatcherError("\(start):\(start + 1): !: expected one of '=~'")
        case "\"": return try quoted(from: start)
        case let scalar where MatcherText.isReserved(scalar):
            throw MatcherError("\(start):\(start + 1): \(scalar): invalid input")
        default:
            var end = start
            while end < scalars.count, !MatcherText.isReserved(scalars[end]) { end += 1 }
            return take(.word, from: start, to: end)
        }
    }

    private mutating func quoted(from start: Int) throws(MatcherError) -> Token {
        var end = start + 1
        while end < scalars.count, scalars[end] != "\"" { end += scalars[end] == "\\" ? 2 : 1 }
        guard end < scalars.count else {
            throw MatcherError("\(start):\(scalars.count): \(text(start..<scalars.count)): missing end \"")
        }
        return take(.quoted, from: start, to: end + 1)
    }

    private mutating func take(_ kind: Kind, from start: Int, to end: Int) -> Token {
        position = end
        return Token(kind: kind, text: text(start..<end), range: start..<end)
    }

    private func has(_ scalar: Unicode.Scalar, at index: Int) -> Bool { index < scalars.count && scalars[index] == scalar }

    private func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }
}
