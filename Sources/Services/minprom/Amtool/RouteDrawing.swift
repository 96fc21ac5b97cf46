import Alerter
import TSDB

/// A routing tree, drawn.
///
///     .
///     └── default-route  receiver: ops
///         ├── {severity="page"}  continue: true  receiver: pager
///         │   └── {team="db"}  receiver: db-pager
///         └── {team="web"}  receiver: web
struct RouteDrawing {
    private let tree: RouteTree

    init(_ tree: RouteTree) { self.tree = tree }

    /// All routes.
    var whole: String { draw(node(tree.root)) }

    /// The routes that an alert with these labels takes, receivers where it ends.
    func matching(_ labels: Labels) -> String { draw(matchingNode(tree.root, labels)) }

    private struct Node {
        var text: String
        var children: [Node]
    }

    private func node(_ match: RouteMatch) -> Node {
        Node(
            text: Self.text(match, showsContinue: true, showsReceiver: true),
            children: tree.children(of: match).map(node))
    }

    private func matchingNode(_ match: RouteMatch, _ labels: Labels) -> Node {
        var children: [Node] = []
        for child in tree.children(of: match) where child.route.matchers.allSatisfy({ $0.matches(labels) }) {
            children.append(matchingNode(child, labels))
            if !child.route.continues { break }
        }
        return Node(text: Self.text(match, showsContinue: false, showsReceiver: children.isEmpty), children: children)
    }

    private static func text(_ match: RouteMatch, showsContinue: Bool, showsReceiver: Bool) -> String {
        let matchers = MatcherText.sorted(match.route.matchers)
        var text = matchers.isEmpty ? "default-route" : MatcherText.string(matchers)
        if match.route.continues && showsContinue { text += "  continue: true" }
        if showsReceiver { text += "  receiver: " + match.route.receiver }
        return text
    }

    private func draw(_ root: Node) -> String {
        var text = ".\n"
        add([root], "", &text)
        return text
    }

    private func add(_ nodes: [Node], _ indent: String, _ text: inout String) {
        for (index, node) in nodes.enumerated() {
            let isLast = index == nodes.count - 1
            text += indent + (isLast ? "└── " : "├── ") + node.text + "\n"
            add(node.children, indent + (isLast ? "    " : "│   "), &text)
        }
    }
}
