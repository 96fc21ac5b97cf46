import RegularExpression

/// Which names a collector shows: those that `include` finds a match in and `exclude` does not.
///
///     NameFilter(exclude: "^(lo|veth.*)$").allows("eth0") ─▶ true
///
/// As in node_exporter an expression may match anywhere in the name; anchors are the user's affair.
public struct NameFilter: Sendable {
    private let include: Pattern?
    private let exclude: Pattern?

    /// Shows everything.
    public static let all = NameFilter(searchingInclude: nil, searchingExclude: nil)

    /// An empty expression is none.
    public init(include: String = "", exclude: String = "") throws(PatternError) {
        self.include = include.isEmpty ? nil : try Self.searching(include)
        self.exclude = exclude.isEmpty ? nil : try Self.searching(exclude)
    }

    private init(searchingInclude: Pattern?, searchingExclude: Pattern?) {
        include = searchingInclude
        exclude = searchingExclude
    }

    /// For expressions that stand in our own source.
    static func builtIn(include: String = "", exclude: String = "") -> NameFilter {
        do throws(PatternError) { return try NameFilter(include: include, exclude: exclude) } catch {
            preconditionFailure("a built-in expression is wrong: \(error)")
        }
    }

    public func allows(_ name: some StringProtocol) -> Bool {
        if include == nil && exclude == nil { return true }
        let name = String(name)
        if let include, !include.matches(name) { return false }
        if let exclude, exclude.matches(name) { return false }
        return true
    }

    /// Our expressions match whole texts; with anything on both sides they search.
    private static func searching(_ source: String) throws(PatternError) -> Pattern {
        _ = try Pattern(source)
        return try Pattern("(?s:.*)(?:\(source))(?s:.*)")
    }
}
