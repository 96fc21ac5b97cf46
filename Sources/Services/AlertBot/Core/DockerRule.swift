/// What the filter in front of Docker's socket lets through: two requests, and no other.
///
///     POST /containers/NAME/restart        GET /containers/NAME/json        NAME on the list
///
/// Whoever may speak to that socket is root on the machine, so the rule is an equality of whole paths: no versions, no queries, no
/// escapes, no identifiers in place of names.
public struct DockerRule: Equatable, Sendable {
    public enum Request: Equatable, Sendable {
        case restart(String), inspect(String)
    }

    private let names: [String]

    /// `nil` where a name is none that Docker gives: letters, digits, `_`, `.` and `-`, as `LabelArgument.isSafe`.
    public init?(_ names: [String]) {
        guard !names.isEmpty, names.allSatisfy(LabelArgument.isSafe) else { return nil }
        self.names = names
    }

    /// `path` and `query` as decoded; a request with a body or a query is none of the two.
    public func allows(_ method: String, _ path: String, query: String, hasBody: Bool) -> Request? {
        guard query.isEmpty, !hasBody else { return nil }
        for name in names {
            if method == "POST", path == "/containers/\(name)/restart" { return .restart(name) }
            if method == "GET", path == "/containers/\(name)/json" { return .inspect(name) }
        }
        return nil
    }
}
