import Synchronization

/// A regular expression in RE2's syntax, anchored to the whole text, matched in linear time.
///
///     text ─► Parser ─► SyntaxTree ─┬─► LiteralSet   foo|bar|foo(1|2)
///                                   ├─► Wildcard     foo.*   .+   .*foo.*
///                                   └─► Program ─► Alphabet ─► LazyDFA        everything else
///                                                        └──► CaptureSearch   groups
///
/// `.` matches newlines, and the expression must match from the first byte to the last, as Prometheus compiles it:
/// `^(?s:…)$`. Bytes that are not UTF-8 count as U+FFFD, one each.
/// Values are immutable; any number of threads may match with the same one.
public struct Pattern: Sendable, Equatable {
    public let source: String
    /// The finite set of texts it matches, sorted, when they are few (256, or as many as an alternation spells out).
    public let literals: [String]?
    /// Every match begins with this; "" if nothing is known.
    public let prefix: String
    /// Names of the groups in order, `""` for those without. Number 0 is the whole match.
    public let groupNames: [String]

    private let matcher: Matcher
    private let captureSearch: LazyAutomaton

    /// The quickest way to answer whether a text matches.
    private enum Matcher: Sendable {
        case everything
        case nonEmpty
        case literals(LiteralSet)
        case wildcard(Wildcard)
        case automaton(Automaton)
    }

    /// Compiles an expression as label matchers do.
    public init(_ source: String) throws(PatternError) {
        try self.init(source, parsing: source, flags: .dotMatchesNewline)
    }

    /// Compiles an expression as relabeling and `label_replace` do: `^(?s:source)$` is parsed as one text, and that is what error
    /// messages quote.
    public init(wrapping source: String) throws(PatternError) {
        try self.init(source, parsing: "^(?s:\(source))$", flags: [])
    }

    private init(_ source: String, parsing text: String, flags: Parser.Flags) throws(PatternError) {
        let tree = try Parser(text, flags: flags).parse()
        let analysis = LiteralAnalysis(tree, sourceLength: text.utf8.count)
        let texts = analysis.literals()
        let prefix = analysis.prefix()
        // Match instruction included. A list of literals needs no automaton unless its groups are asked for.
        let needsProgram = texts == nil || tree.groupNames.count > 1
        if needsProgram, tree.size(tree.root) >= Parser.maximumSize {
            throw PatternError(code: .tooLarge, expression: text, range: 0..<text.utf8.count)
        }
        self.source = source
        self.groupNames = tree.groupNames
        self.literals = texts?.map { String(decoding: $0, as: UTF8.self) }
        self.prefix = String(decoding: prefix, as: UTF8.self)
        let lazy = LazyAutomaton(tree, prefix: prefix)
        captureSearch = lazy
        if let texts {
            matcher = .literals(LiteralSet(texts))
        } else if let wildcard = Wildcard(tree) {
            matcher = wildcard.matchesEverything ? .everything : wildcard.requiresNonEmpty ? .nonEmpty : .wildcard(wildcard)
        } else {
            matcher = .automaton(lazy.automaton)
        }
    }

    public static func == (a: Pattern, b: Pattern) -> Bool { a.source == b.source }

    /// Whether it is `.*`.
    public var matchesEverything: Bool { if case .everything = matcher { true } else { false } }

    /// Whether it is `.+`: everything but the empty text.
    public var requiresNonEmpty: Bool { if case .nonEmpty = matcher { true } else { false } }

    /// Whether the whole of `bytes` matches.
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch matcher {
        case .everything: return true
        case .nonEmpty: return bytes.count > 0
        case .literals(let set): return set.contains(bytes)
        case .wildcard(let wildcard): return wildcard.matches(bytes)
        case .automaton(let automaton): return automaton.matches(bytes)
        }
    }

    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// What the groups took, if the whole text matches. Of several ways to match, the preferred one counts: leftmost branch first, greedy
    /// repetitions as much as possible.
    public func captures(in text: String) -> Captures? {
        var text = text
        let bounds: [Int]? = text.withUTF8 { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            guard matches(bytes) else { return nil }
            return groupNames.count == 1 ? [0, bytes.count] : captureSearch.automaton.captures(bytes)
        }
        return bounds.map { Captures(text: text, groupNames: groupNames, bounds: $0) }
    }
}

/// An automaton that is compiled when it is first needed: expressions with a quicker way may never need it.
private final class LazyAutomaton: Sendable {
    private let tree: SyntaxTree
    private let prefix: [UInt8]
    private let made = Mutex<Automaton?>(nil)

    init(_ tree: SyntaxTree, prefix: [UInt8]) { (self.tree, self.prefix) = (tree, prefix) }

    var automaton: Automaton {
        made.withLock { made in
            if let made { return made }
            let automaton = Automaton(tree, prefix: prefix)
            made = automaton
            return automaton
        }
    }
}
