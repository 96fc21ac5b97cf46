import Synchronization

/// A compiled expression, shared by all threads that match with it.
///
/// The lazy DFA changes while it runs, so it stands behind a lock. There are a few of them: a thread takes the first that is free, and
/// only when all are taken does it wait. Each learns its own table.
final class Automaton: Sendable {
    private final class Slot: Sendable {
        let dfa = Mutex<LazyDFA?>(nil)
    }

    let program: Program
    let alphabet: Alphabet
    private let predecessors: Predecessors
    /// What every match begins with: most texts are refused by it.
    private let prefix: [UInt8]
    private let slots = [Slot(), Slot(), Slot(), Slot()]

    init(_ tree: SyntaxTree, prefix: [UInt8] = []) {
        self.prefix = prefix
        program = Program(tree)
        alphabet = Alphabet(of: program)
        predecessors = Predecessors(in: program)
    }

    func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= prefix.count,
            prefix.withUnsafeBytes({ ByteSearch.isEqual(bytes, $0, count: prefix.count) })
        else { return false }
        for slot in slots {
            if let answer = slot.dfa.withLockIfAvailable({ match(bytes, with: &$0) }) { return answer }
        }
        return slots[0].dfa.withLock { match(bytes, with: &$0) }
    }

    private func match(_ bytes: UnsafeRawBufferPointer, with dfa: inout sending LazyDFA?) -> Bool {
        if dfa == nil { dfa = LazyDFA(program, alphabet) }
        return dfa?.matches(bytes) ?? false
    }

    /// The bounds of all groups if the whole of `bytes` matches: slots 2n and 2n + 1 for group n, -1 where it took no part.
    func captures(_ bytes: UnsafeRawBufferPointer) -> [Int]? {
        var search = CaptureSearch(program, alphabet, predecessors, bytes)
        return search.run()
    }
}
