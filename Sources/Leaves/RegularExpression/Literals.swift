/// What can be read off an expression without running it: the texts it matches, if they are few, and how every match begins.
///
///     foo(1|2)      →   literals foo1 foo2
///     api-(v1|v2).* →   prefix api-v
///
/// Invariant: nothing here contains U+FFFD, which also stands for broken bytes; such an expression is left to the automaton.
struct LiteralAnalysis {
    /// Products of alternatives are multiplied out up to this many texts. Written-out alternations may be longer.
    static let maximumCount = 256
    static let maximumBytes = 1 << 16

    let tree: SyntaxTree
    private let maximumCount: Int
    private let maximumBytes: Int

    init(_ tree: SyntaxTree, sourceLength: Int) {
        self.tree = tree
        maximumBytes = Self.maximumBytes + sourceLength
        maximumCount = max(Self.maximumCount, Self.branches(of: tree.root, in: tree))
    }

    private static func branches(of node: SyntaxTree.NodeID, in tree: SyntaxTree) -> Int {
        switch tree.nodes[node] {
        case .alternation(let children): children.count
        case .capture(let child, _): branches(of: child, in: tree)
        case .concatenation(let children): children.map { branches(of: $0, in: tree) }.max() ?? 1
        default: 1
        }
    }

    // MARK: The finite set

    /// All texts the expression matches, sorted, each once; nil if there are too many.
    func literals() -> [[UInt8]]? {
        guard let all = expand(tree.root, atStart: true, atEnd: true) else { return nil }
        var unique: [[UInt8]] = []
        for text in all.texts.sorted(by: { $0.lexicographicallyPrecedes($1) }) where text != unique.last {
            unique.append(text)
        }
        return unique
    }

    private struct Texts {
        var texts: [[UInt8]] = []
        var bytes = 0

        static let emptyText = Texts(texts: [[]])

        mutating func add(_ other: Texts) {
            texts += other.texts
            bytes += other.bytes
        }

        /// Every text of `self` followed by every text of `tails`.
        mutating func append(_ tails: Texts) {
            bytes = bytes * tails.texts.count + tails.bytes * texts.count
            if tails.texts.count == 1 {
                if tails.bytes > 0 { for index in texts.indices { texts[index] += tails.texts[0] } }
            } else {
                texts = texts.flatMap { head in tails.texts.map { head + $0 } }
            }
        }
    }

    /// `atStart`, `atEnd`: whether the node can only stand there, so that `^` and `$` hold.
    private func expand(_ node: SyntaxTree.NodeID, atStart: Bool, atEnd: Bool) -> Texts? {
        switch tree.nodes[node] {
        case .empty: return .emptyText
        case .set(let number):
            guard let members = tree.sets[number].members(limit: Self.maximumCount),
                !members.contains(UTF8Decoder.replacement)
            else { return nil }
            let texts = members.compactMap { Unicode.Scalar($0).map { Array(String($0).utf8) } }
            return Texts(texts: texts, bytes: texts.reduce(0) { $0 + $1.count })
        case .assertion(let assertion):
            switch assertion {
            case .beginText, .beginLine: return atStart ? .emptyText : nil
            case .endText, .endLine: return atEnd ? .emptyText : nil
            case .wordBoundary, .notWordBoundary: return nil
            }
        case .concatenation(let children):
            let firstSolid = children.firstIndex { !isAnchor($0) } ?? children.count
            let lastSolid = children.lastIndex { !isAnchor($0) } ?? -1
            var all = Texts.emptyText
            for (index, child) in children.enumerated() {
                guard
                    let tails = expand(
                        child, atStart: atStart && index <= firstSolid, atEnd: atEnd && index >= lastSolid),
                    canAppend(tails, to: all)
                else { return nil }
                all.append(tails)
            }
            return all
        case .alternation(let children):
            var all = Texts()
            for child in children {
                guard let more = expand(child, atStart: atStart, atEnd: atEnd) else { return nil }
                all.add(more)
                guard fits(all) else { return nil }
            }
            return all
        case .capture(let child, _): return expand(child, atStart: atStart, atEnd: atEnd)
        case .repetition(let child, let minimum, let maximum, _):
            guard let maximum, let once = expand(child, atStart: false, atEnd: false) else { return nil }
            var power = Texts.emptyText
            for _ in 0..<minimum {
                guard canAppend(once, to: power) else { return nil }
                power.append(once)
            }
            var all = power
            for _ in 0..<max(0, maximum - minimum) {
                guard canAppend(once, to: power) else { return nil }
                power.append(once)
                all.add(power)
                guard fits(all) else { return nil }
            }
            return all
        }
    }

    private func isAnchor(_ node: SyntaxTree.NodeID) -> Bool {
        if case .assertion = tree.nodes[node] { true } else { false }
    }

    private func canAppend(_ tails: Texts, to heads: Texts) -> Bool {
        let (a, b) = (heads.texts.count, tails.texts.count)
        return a * b <= maximumCount && heads.bytes * b + tails.bytes * a <= maximumBytes
    }

    private func fits(_ all: Texts) -> Bool { all.texts.count <= maximumCount && all.bytes <= maximumBytes }

    // MARK: The prefix

    /// What every match begins with.
    func prefix() -> [UInt8] { prefix(tree.root).bytes }

    /// `isWhole`: the node matches exactly this, so that what follows continues it.
    private func prefix(_ node: SyntaxTree.NodeID) -> (bytes: [UInt8], isWhole: Bool) {
        switch tree.nodes[node] {
        case .empty, .assertion: return ([], true)
        case .set(let number):
            guard let scalar = tree.sets[number].single.flatMap(Unicode.Scalar.init),
                scalar.value != UTF8Decoder.replacement
            else { return ([], false) }
            return (Array(String(scalar).utf8), true)
        case .concatenation(let children):
            var bytes: [UInt8] = []
            for child in children {
                let next = prefix(child)
                bytes += next.bytes
                if !next.isWhole { return (bytes, false) }
            }
            return (bytes, true)
        case .alternation(let children):
            guard let first = children.first else { return ([], false) }
            var common = prefix(first).bytes
            for child in children.dropFirst() where !common.isEmpty {
                let other = prefix(child).bytes
                let same = zip(common, other).prefix { $0 == $1 }.count
                common.removeLast(common.count - same)
            }
            // Half a code point is no text: cut back to where one begins.
            while !common.isEmpty, String(validating: common, as: UTF8.self) == nil { common.removeLast() }
            return (common, false)
        case .capture(let child, _): return prefix(child)
        case .repetition(let child, let minimum, let maximum, _):
            guard minimum > 0 else { return ([], false) }
            let once = prefix(child)
            return (once.bytes, once.isWhole && maximum == 1)
        }
    }
}
