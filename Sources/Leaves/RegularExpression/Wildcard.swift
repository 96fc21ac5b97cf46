/// Literals with gaps between them, which is what most matchers on labels are:
///
///     foo.*      .*foo      .*foo.*      foo.+bar.*      .*      .+
///
/// The first literal stands at the start, the last at the end, and those between are found one after the other from the left, each as early as
/// possible: an earlier place never leaves less room for the rest.
///
/// Works on bytes. A literal begins with a byte that begins a code point, so it is never found inside one.
/// A class, so that asking costs one reference count and not one per array.
final class Wildcard: Sendable {
    /// Where a match begins and ends; either may be empty.
    private let head: [UInt8]
    private let tail: [UInt8]
    /// What stands between, and the gaps around it: one more. `.*` needs 0 bytes, `.+` needs 1.
    private let middle: [[UInt8]]
    private let gaps: [Int]
    private let minimumLength: Int

    /// Nil if the expression is of another shape.
    init?(_ tree: SyntaxTree) {
        var literals: [[UInt8]] = [[]]
        var gaps: [Int] = []
        for node in Self.items(tree) {
            switch tree.nodes[node] {
            case .set(let number):
                guard let scalar = tree.sets[number].single.flatMap(Unicode.Scalar.init),
                    scalar.value != UTF8Decoder.replacement
                else { return nil }
                literals[literals.count - 1] += Array(String(scalar).utf8)
            case .repetition(let child, let minimum, maximum: nil, _) where minimum <= 1:
                guard let set = tree.set(of: child), set.isAll else { return nil }
                if let last = gaps.last, literals[literals.count - 1].isEmpty {
                    guard last + minimum <= 1 else { return nil }  // .+.+ counts code points, not bytes
                    gaps[gaps.count - 1] = last + minimum
                } else {
                    gaps.append(minimum)
                    literals.append([])
                }
            default: return nil
            }
        }
        guard !gaps.isEmpty else { return nil }
        head = literals[0]
        tail = literals[literals.count - 1]
        middle = Array(literals[1..<(literals.count - 1)])
        self.gaps = gaps
        minimumLength = literals.reduce(0) { $0 + $1.count } + gaps.reduce(0, +)
    }

    /// The expression as one concatenation, without groups, and without `^` in front and `$` behind, which hold there anyway.
    private static func items(_ tree: SyntaxTree) -> [SyntaxTree.NodeID] {
        var items: [SyntaxTree.NodeID] = []
        var pending = [tree.root]
        while let node = pending.popLast() {
            switch tree.nodes[node] {
            case .concatenation(let children): pending += children.reversed()
            case .capture(let child, _): pending.append(child)
            case .empty: break
            default: items.append(node)
            }
        }
        func isAnchor(_ node: SyntaxTree.NodeID?, _ kinds: [Assertion]) -> Bool {
            guard let node, case .assertion(let kind) = tree.nodes[node] else { return false }
            return kinds.contains(kind)
        }
        while isAnchor(items.last, [.endText, .endLine]) { items.removeLast() }
        let anchors = items.prefix { isAnchor($0, [.beginText, .beginLine]) }.count
        return Array(items.dropFirst(anchors))
    }

    var matchesEverything: Bool { head.isEmpty && tail.isEmpty && gaps == [0] }
    var requiresNonEmpty: Bool { head.isEmpty && tail.isEmpty && gaps == [1] }

    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= minimumLength else { return false }
        let tailStart = text.count - tail.count
        guard head.withUnsafeBytes({ ByteSearch.isEqual(text, $0, count: head.count) }),
            tail.withUnsafeBytes({
                ByteSearch.isEqual(UnsafeRawBufferPointer(rebasing: text[tailStart...]), $0, count: tail.count)
            })
        else { return false }
        // Without a middle the gap fits: the text is as long as everything needs.
        if middle.isEmpty { return true }
        var position = head.count
        for index in middle.indices {
            guard let found = ByteSearch.first(middle[index], in: text, from: position + gaps[index]) else { return false }
            position = found + middle[index].count
        }
        return position + gaps[gaps.count - 1] <= tailStart
    }
}
