import Numbers
import TSDB

/// The routing tree, ready to be walked: which routes an alert takes.
///
///     {}                                         labels {severity="page", team="db"}
///     ├─ {severity="page"}      key {}/{severity="page"}
///     │    └─ {team="db"}       key {}/{severity="page"}/{team="db"}     ◄─ matches
///     └─ {team="db"}            not reached: the first match ends the search, unless it says `continue`
///
/// Depth first; a node counts only where none of its children matched.
/// Source: Alertmanager, `dispatch/route.go`.
public struct RouteTree: Sendable {
    /// All nodes, a parent before its children, in the file's order.
    public let nodes: [RouteMatch]
    /// Indices of each node's children.
    private let children: [[Int]]

    public init(_ root: Route) {
        var builder = Builder()
        _ = builder.add(root, under: "")
        nodes = builder.nodes
        children = builder.children
    }

    public var root: RouteMatch { nodes[0] }

    /// The routes that alerts with these labels take; empty only where the root has matchers that fail.
    public func matches(_ labels: Labels) -> [RouteMatch] {
        var result: [RouteMatch] = []
        _ = visit(0, labels, &result)
        return result
    }

    /// Children of a node, in order.
    public func children(of node: RouteMatch) -> [RouteMatch] { children[node.position].map { nodes[$0] } }

    private func visit(_ node: Int, _ labels: Labels, _ result: inout [RouteMatch]) -> Bool {
        guard nodes[node].route.matchers.allSatisfy({ $0.matches(labels) }) else { return false }
        var isTaken = false
        for child in children[node] where visit(child, labels, &result) {
            isTaken = true
            if !nodes[child].route.continues { break }
        }
        if !isTaken { result.append(nodes[node]) }
        return true
    }

    private struct Builder {
        var nodes: [RouteMatch] = []
        var children: [[Int]] = []
        /// Upstream numbers a node after its children.
        private var counter = 0

        mutating func add(_ route: Route, under parent: String) -> Int {
            let key = parent + MatcherText.string(MatcherText.sorted(route.matchers))
            let position = nodes.count
            nodes.append(RouteMatch(route, key: key, index: 0, position: position))
            children.append([])
            var indices: [Int] = []
            for child in route.routes { indices.append(add(child, under: key + "/")) }
            nodes[position] = RouteMatch(route, key: key, index: counter, position: position)
            children[position] = indices
            counter += 1
            return position
        }
    }
}

/// A node of the tree, as an alert meets it. Immutable, so that groups and flushes share it.
public final class RouteMatch: Sendable {
    public let route: Route
    /// The matchers on the way: `{}/{severity="page"}/{team="db"}`. Two nodes may have the same.
    public let key: String
    /// Number of the node in its tree, the same each time the file is read; children come before their parents.
    public let index: Int
    /// Place in `RouteTree.nodes`.
    let position: Int
    private let names: Set<[UInt8]>

    init(_ route: Route, key: String, index: Int, position: Int) {
        self.route = route
        self.key = key
        self.index = index
        self.position = position
        names = Set(route.groupBy.map { Array($0.utf8) })
    }

    /// The labels that make an alert's group: those of `group_by` that it has, or all of them.
    public func groupLabels(of labels: Labels) -> Labels {
        if route.groupsByAll { return labels }
        if names.isEmpty { return Labels() }
        return Labels(labels.pairs.filter { names.contains(Array($0.name.utf8)) })
    }

    /// The group's name in webhooks and in the notification log: `{}/{team="db"}:{alertname="Down"}`.
    public func groupKey(_ groupLabels: Labels) -> String {
        let text = groupLabels.pairs.map { "\($0.name)=\(QuotedText.go($0.value))" }.joined(separator: ", ")
        return "\(key):{\(text)}"
    }
}
