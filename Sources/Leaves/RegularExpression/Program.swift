/// The expression as a nondeterministic automaton: a list of instructions (Thompson's construction).
///
///     a(b|c)*d     6: set a → 5     5: split 4 | 1     4: save…     …     1: set d → 0     0: match
///
/// Compiled from back to front: every piece is given the instruction that follows it and answers with the one it starts at,
/// so there is nothing to patch but loops.
/// Source: Thompson, “Regular Expression Search Algorithm”, CACM 1968; Cox, “Regular Expression Matching: the Virtual
/// Machine Approach”, 2009.
struct Program: Sendable {
    enum Instruction: Sendable {
        case match
        /// One code point of `sets[number]`, then `next`.
        case set(Int32, next: Int32)
        /// Both; `first` is preferred.
        case split(first: Int32, second: Int32)
        case assertion(Assertion, next: Int32)
        /// Remembers the place as capture bound `slot`: group n has the slots 2n and 2n + 1.
        case save(slot: Int32, next: Int32)
    }

    private(set) var instructions: [Instruction] = [.match]
    private(set) var sets: [ScalarSet] = []
    private(set) var start: Int32 = 0
    private(set) var hasAssertions = false
    let groupCount: Int
    private var setNumbers: [Int: Int32] = [:]

    /// `tree` must have been measured: at most `Parser.maximumSize` instructions.
    init(_ tree: SyntaxTree) {
        groupCount = tree.groupNames.count
        start = emit(tree.root, tree, next: 0)
    }

    private mutating func add(_ instruction: Instruction) -> Int32 {
        instructions.append(instruction)
        return Int32(instructions.count - 1)
    }

    /// Recursion is as deep as the tree is high: `Parser.maximumHeight`.
    private mutating func emit(_ node: SyntaxTree.NodeID, _ tree: borrowing SyntaxTree, next: Int32) -> Int32 {
        switch tree.nodes[node] {
        case .empty:
            return next
        case .set(let number):
            return add(.set(compactNumber(number, tree), next: next))
        case .assertion(let assertion):
            hasAssertions = true
            return add(.assertion(assertion, next: next))
        case .concatenation(let children):
            var next = next
            for child in children.reversed() { next = emit(child, tree, next: next) }
            return next
        case .alternation(let children):
            var entry: Int32?
            for child in children.reversed() {
                let branch = emit(child, tree, next: next)
                entry = if let rest = entry { add(.split(first: branch, second: rest)) } else { branch }
            }
            return entry ?? next
        case .capture(let child, let group):
            let end = add(.save(slot: Int32(2 * group + 1), next: next))
            let body = emit(child, tree, next: end)
            return add(.save(slot: Int32(2 * group), next: body))
        case .repetition(let child, let minimum, let maximum, let greedy):
            return emitRepetition(child, minimum, maximum, greedy, tree, next: next)
        }
    }

    /// x{2,4} → xx(x(x)?)?     x{2,} → xx+     x* → a loop; (x+)? where x may be empty, which keeps the order of preference.
    private mutating func emitRepetition(
        _ child: SyntaxTree.NodeID, _ minimum: Int, _ maximum: Int?, _ greedy: Bool, _ tree: borrowing SyntaxTree,
        next: Int32
    ) -> Int32 {
        var entry = next
        var copies = minimum
        if let maximum {
            for _ in 0..<max(0, maximum - minimum) {
                entry = addSplit(emit(child, tree, next: entry), next, greedy)
            }
        } else {
            let loop = addSplit(next, next, greedy)
            let body = emit(child, tree, next: loop)
            instructions[Int(loop)] = split(body, next, greedy)
            if minimum > 0 {
                entry = body
                copies -= 1
            } else {
                entry = tree.isNullable(child) ? addSplit(body, next, greedy) : loop
            }
        }
        for _ in 0..<copies { entry = emit(child, tree, next: entry) }
        return entry
    }

    private func split(_ into: Int32, _ past: Int32, _ greedy: Bool) -> Instruction {
        greedy ? .split(first: into, second: past) : .split(first: past, second: into)
    }

    private mutating func addSplit(_ into: Int32, _ past: Int32, _ greedy: Bool) -> Int32 {
        add(split(into, past, greedy))
    }

    /// Only the sets that are compiled count: merged ones leave their parts behind in the tree.
    private mutating func compactNumber(_ number: Int, _ tree: borrowing SyntaxTree) -> Int32 {
        if let known = setNumbers[number] { return known }
        let compact = Int32(sets.count)
        sets.append(tree.sets[number])
        setNumbers[number] = compact
        return compact
    }
}
