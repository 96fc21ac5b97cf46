import TSDB

/// The classic grammar of matchers: tolerant, one regular expression in the original.
///
///     name   operator   value            spaces around each are dropped
///     [a-zA-Z_:][a-zA-Z0-9_:]*           =~ = != !~
///
/// The value may stand in double quotes; in it `\"`, `\\` and `\n` are escapes and any other backslash is itself. Lists are split at
/// commas outside of quotes, an open brace at the start and a close brace at the end are optional and need not agree.
enum ClassicMatchers {
    static func parse(_ text: String) throws(MatcherError) -> [Matcher] {
        var text = text.unicodeScalars[...]
        if text.first == "{" { text.removeFirst() }
        if text.last == "}" { text.removeLast() }
        var result: [Matcher] = []
        for piece in split(text) { result.append(try parseOne(piece)) }
        return result
    }

    private static func split(_ text: Substring.UnicodeScalarView) -> [String] {
        var pieces: [String] = [], piece = String.UnicodeScalarView()
        var isQuoted = false, isEscaped = false
        for scalar in text {
            switch scalar {
            case "," where !isQuoted:
                pieces.append(String(piece))
                piece = String.UnicodeScalarView()
                continue
            // Upstream keeps the escape over a quoted comma: seen only in texts that are errors anyway.
            case ",": break
            case "\"":
                if isEscaped { isEscaped = false } else { isQuoted.toggle() }
            case "\\": isEscaped.toggle()
            default: isEscaped = false
            }
            piece.append(scalar)
        }
        var last = piece[...]
        while let first = last.first, MatcherText.isSpace(first) { last.removeFirst() }
        while let end = last.last, MatcherText.isSpace(end) { last.removeLast() }
        if !last.isEmpty { pieces.append(String(last)) }
        return pieces
    }

    static func parseOne(_ text: String) throws(MatcherError) -> Matcher {
        let wrong = MatcherError("bad matcher format: \(text)")
        var rest = text.unicodeScalars[...]
        func dropSpaces() { while let first = rest.first, isSpace(first) { rest.removeFirst() } }
        dropSpaces()
        let name = rest.prefix { isNamePart($0) }
        guard let first = name.first, !("0"..."9").contains(first) else { throw wrong }
        rest = rest[name.endIndex...]
        dropSpaces()
        let kind: Matcher.Kind
        switch (rest.popFirst(), rest.first) {
        case ("=", "~"): kind = .regex
        case ("=", _): kind = .equal
        case ("!", "="): kind = .notEqual
        case ("!", "~"): kind = .notRegex
        default: throw wrong
        }
        if kind != .equal { rest.removeFirst() }
        dropSpaces()
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return try MatcherText.make(kind, String(name), try unescaped(rest))
    }

    private static func unescaped(_ raw: Substring.UnicodeScalarView) throws(MatcherError) -> String {
        let wrong = MatcherError("matcher value contains unescaped double quote: \(String(raw))")
        var rest = raw, value = String.UnicodeScalarView()
        var expectsQuote = false
        if rest.first == "\"" {
            rest.removeFirst()
            expectsQuote = true
        }
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\":
                switch rest.popFirst() {
                case nil: value.append("\\")
                case "n": value.append("\n")
                case "\"": value.append("\"")
                case "\\": value.append("\\")
                case let other?: value.append(contentsOf: ["\\", other])
                }
            case "\"":
                guard expectsQuote, rest.isEmpty else { throw wrong }
                expectsQuote = false
            default: value.append(scalar)
            }
        }
        if expectsQuote { throw wrong }
        return String(value)
    }

    /// `\s` of Go's regular expressions.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool { [" ", "\t", "\n", "\u{0C}", "\r"].contains(scalar) }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ":": true
        default: false
        }
    }
}
