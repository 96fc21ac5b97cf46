/// The parsed expression: nodes in one array, children before parents, referred to by number.
///
///     (a|b)*c     0: set a  1: set b  2: set [ab]  3: capture 2  4: repetition 3  5: set c  6: concatenation 4 5
///
/// An array instead of a tree of objects: nothing to deinitialise recursively, and what must be known about a node (its size when
/// compiled, its height) is computed from its children when it is added.
struct SyntaxTree: Sendable {
    typealias NodeID = Int

    enum Node: Sendable {
        /// Matches the empty text.
        case empty
        /// One code point out of `sets[number]`.
        case set(Int)
        /// A condition on a place; takes no text.
        case assertion(Assertion)
        case concatenation([NodeID])
        /// The first branch is preferred.
        case alternation([NodeID])
        case capture(NodeID, group: Int)
        /// `minimum` to `maximum` times; without maximum, any number. Greedy prefers more.
        case repetition(NodeID, minimum: Int, maximum: Int?, greedy: Bool)
    }

    /// What a parent needs to know of a child.
    private struct Facts {
        /// Instructions it compiles to; never counted beyond `countingLimit`.
        var size: Int
        var height: Int
        var isNullable: Bool
        /// Nested `{n,m}` multiply; Go allows a product of 1000.
        var repeatProduct: Int

        mutating func include(_ child: Facts) {
            size = min(size + child.size, SyntaxTree.countingLimit)
            height = max(height, child.height)
            repeatProduct = max(repeatProduct, child.repeatProduct)
        }
    }

    private static let countingLimit = 1 << 24

    private(set) var nodes: [Node] = []
    private var facts: [Facts] = []
    /// The distinct sets. Interned, so `\pL` a hundred times is one set.
    private(set) var sets: [ScalarSet] = []
    private var setNumbers: [ScalarSet: Int] = [:]
    /// Ranges in all `sets` together.
    private(set) var rangeCount = 0
    /// Names of the groups, `""` for those without; group 0 is the whole match.
    var groupNames: [String] = [""]
    var root: NodeID = 0

    func size(_ node: NodeID) -> Int { facts[node].size }
    func height(_ node: NodeID) -> Int { facts[node].height }
    /// Whether the node can match the empty text.
    func isNullable(_ node: NodeID) -> Bool { facts[node].isNullable }
    func repeatProduct(_ node: NodeID) -> Int { facts[node].repeatProduct }
    func set(of node: NodeID) -> ScalarSet? {
        if case .set(let number) = nodes[node] { sets[number] } else { nil }
    }

    mutating func add(_ set: ScalarSet) -> NodeID {
        if let number = setNumbers[set] { return add(.set(number)) }
        setNumbers[set] = sets.count
        sets.append(set)
        rangeCount += set.ranges.count
        return add(.set(sets.count - 1))
    }

    /// `counted`: a repetition written `{n,m}`, whose nesting is limited.
    mutating func add(_ node: Node, counted: Bool = false) -> NodeID {
        nodes.append(node)
        facts.append(facts(of: node, counted: counted))
        return nodes.count - 1
    }

    private func facts(of node: Node, counted: Bool) -> Facts {
        var result: Facts
        switch node {
        case .empty: result = Facts(size: 0, height: 1, isNullable: true, repeatProduct: 1)
        case .set: result = Facts(size: 1, height: 1, isNullable: false, repeatProduct: 1)
        case .assertion: result = Facts(size: 1, height: 1, isNullable: true, repeatProduct: 1)
        case .concatenation(let children):
            result = Facts(size: 0, height: 0, isNullable: true, repeatProduct: 1)
            for child in children {
                result.include(facts[child])
                result.isNullable = result.isNullable && facts[child].isNullable
            }
            result.height += 1
        case .alternation(let children):
            result = Facts(size: max(0, children.count - 1), height: 0, isNullable: false, repeatProduct: 1)
            for child in children {
                result.include(facts[child])
                result.isNullable = result.isNullable || facts[child].isNullable
            }
            result.height += 1
        case .capture(let child, _):
            result = facts[child]
            result.size += 2
            result.height += 1
        case .repetition(let child, let minimum, let maximum, _):
            result = facts[child]
            result.height += 1
            result.isNullable = result.isNullable || minimum == 0
            if let maximum {
                result.size = maximum * result.size + (maximum - minimum)
            } else {
                result.size = max(1, minimum) * result.size + (minimum == 0 && facts[child].isNullable ? 2 : 1)
            }
            if counted {
                let times = maximum ?? minimum
                result.repeatProduct = maximum == 0 ? 0 : result.repeatProduct * max(1, times)
            }
        }
        result.size = min(result.size, Self.countingLimit)
        return result
    }
}

/// A condition on the place between two code points.
enum Assertion: UInt8, Sendable, Hashable {
    case beginText, endText, beginLine, endLine, wordBoundary, notWordBoundary

    func holds(after before: Neighbor, before after: Neighbor) -> Bool {
        switch self {
        case .beginText: before.contains(.edge)
        case .endText: after.contains(.edge)
        case .beginLine: !before.isDisjoint(with: [.edge, .newline])
        case .endLine: !after.isDisjoint(with: [.edge, .newline])
        case .wordBoundary: before.contains(.word) != after.contains(.word)
        case .notWordBoundary: before.contains(.word) == after.contains(.word)
        }
    }
}

/// What an assertion needs to know about the code point beside it.
struct Neighbor: OptionSet, Sendable, Hashable {
    var rawValue: UInt8
    /// There is none: the beginning or the end of the text.
    static let edge = Neighbor(rawValue: 1)
    static let newline = Neighbor(rawValue: 2)
    static let word = Neighbor(rawValue: 4)
}
