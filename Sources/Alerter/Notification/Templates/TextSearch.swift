import RegularExpression

/// Searching in a text with a regular expression, as Go's `MatchString` and `ReplaceAllString` do.
///
///     reReplaceAll "(.)b" "$1-" "aabcc"   →  aa-cc
///
/// Our expressions match whole texts. So the search is one: anything, as little as possible, the expression, the rest. The
/// next search begins one character before the place, so that `^` and `\b` see what stands there.
struct TextSearch {
    private let anywhere: Pattern
    private let inFirst: Pattern
    private let inRest: Pattern

    /// Bytes looked at over all searches of one replacement: text × matches.
    static let maximumWork = 32 << 20

    init(_ source: String) throws(PatternError) {
        // Alone first: messages quote what was written, and parentheses balance.
        _ = try Pattern(source)
        anywhere = try Pattern("(?s:.*)(?-s:\(source))(?s:.*)")
        inFirst = try Pattern("(?s:.*?)((?-s:\(source)))(?s:.*)")
        inRest = try Pattern("(?s:.)(?s:.*?)((?-s:\(source)))(?s:.*)")
    }

    func matches(_ text: String) -> Bool { anywhere.matches(text) }

    /// `nil`: it takes more than `maximumWork`.
    func replacingAll(in text: String, with template: String) -> String? {
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        /// Scalars before these places are copied, and searched.
        var copied = 0
        var place = 0
        var work = 0
        while place <= scalars.count {
            let from = max(0, place - 1)
            var suffix = String.UnicodeScalarView()
            suffix.append(contentsOf: scalars[from...])
            work += suffix.count + 16
            guard work <= Self.maximumWork else { return nil }
            let rest = String(suffix)
            guard let captures = (place == 0 ? inFirst : inRest).captures(in: rest), let match = captures[1] else { break }
            let begin = from + rest.unicodeScalars.distance(from: rest.unicodeScalars.startIndex, to: match.startIndex)
            let end = begin + match.unicodeScalars.count
            result.append(contentsOf: scalars[copied..<begin])
            // An empty match right behind a match is none.
            if end > copied || begin == 0 { result.append(contentsOf: Self.expand(template, captures).unicodeScalars) }
            copied = end
            place = max(place + 1, end)
        }
        if copied < scalars.count { result.append(contentsOf: scalars[copied...]) }
        return String(result)
    }

    /// `$1`, `${1}`, `$name`, `${name}`, `$$`; the expression's groups stand one behind, for group 1 is the match.
    private static func expand(_ template: String, _ captures: Captures) -> String {
        var result = ""
        var rest = template.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "$" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if rest.first == "$" {
                rest.removeFirst()
                result += "$"
                continue
            }
            let isBraced = rest.first == "{"
            let inner = isBraced ? rest.dropFirst() : rest
            let name = inner.prefix { $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType == .decimal }
            let after = inner[name.endIndex...]
            guard !name.isEmpty, !isBraced || after.first == "}" else {
                result += "$"
                continue
            }
            rest = isBraced ? after.dropFirst() : after
            let text = String(name)
            if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text == "0" || text.first != "0" {
                if let number = Int(text), number < captures.count - 1 { result += captures[number + 1] ?? "" }
            } else {
                result += captures[text] ?? ""
            }
        }
        return result
    }
}
