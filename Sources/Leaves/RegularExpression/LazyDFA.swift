/// A deterministic automaton that is built while it runs: a state is a set of instructions of the `Program`, and a transition is
/// worked out the first time it is taken.
///
///     state = { instructions waiting for the next code point }  +  what stood before (for ^ and \b)
///
///     table:        class 0   class 1   class 2
///     row 0          0          0          0        dead: no way to match from here
///     row 1        → row 1    → row 2    not known yet (-1)
///
/// A known transition is two loads. An unknown one costs a walk over the program. When the table is full everything is forgotten and
/// begun again from the current state, so memory is bounded and the time stays linear in the text.
/// Source: Aho, Sethi, Ullman, “Compilers”, §3.7; Cox, “Regular Expression Matching Can Be Simple And Fast”, 2007.
struct LazyDFA {
    /// Numbers in the table (1 MB), and as many in the keys. Counters of label values need a few hundred.
    static let maximumEntries = 1 << 18

    private let program: Program
    private let alphabet: Alphabet
    /// Row-major; a state is the offset of its row. 0: dead, -1: not known.
    private var table: [Int32]
    private var accepting: [Bool] = []
    /// The key of each state: what stood before, then the instructions in ascending order.
    private var keys: [[Int32]] = []
    private var stateOf: [[Int32]: Int32] = [:]
    private var keyEntries = 0
    private var start: Int32 = -1
    private var pending = SparseSet()
    private var reached = SparseSet()
    private var stack: [Int32] = []
    /// Instructions visited while working out transitions; what tests of linear time count.
    private(set) var visitedInstructions = 0
    /// How often the table was full.
    private(set) var resets = 0

    init(_ program: Program, _ alphabet: Alphabet) {
        self.program = program
        self.alphabet = alphabet
        table = []
        pending = SparseSet(capacity: program.instructions.count)
        reached = SparseSet(capacity: program.instructions.count)
        forget()
    }

    private enum Pause {
        case atEnd, dead
        /// The transition for this class is not known yet.
        case unknown(Int)
    }

    /// Whether the whole of `bytes` matches.
    mutating func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if start < 0 { start = state(before: .edge, [program.start]) }
        var state = start
        var position = 0
        while true {
            switch run(bytes, from: &state, at: &position) {
            case .dead: return false
            case .atEnd: return accepting[Int(state) / alphabet.count]
            case .unknown(let classIndex): state = step(state, classIndex)
            }
        }
    }

    /// Follows known transitions.
    @inline(__always)
    private func run(_ bytes: UnsafeRawBufferPointer, from state: inout Int32, at position: inout Int) -> Pause {
        let count = bytes.count
        return table.withUnsafeBufferPointer { table in
            alphabet.ascii.withUnsafeBufferPointer { ascii in
                var current = Int(state)
                var index = position
                defer {
                    state = Int32(truncatingIfNeeded: current)
                    position = index
                }
                while index < count {
                    let byte = bytes[index]
                    let classIndex: Int
                    if byte < 0x80 {
                        index &+= 1
                        classIndex = Int(ascii[Int(byte)])
                    } else {
                        classIndex = alphabet.index(of: UTF8Decoder.next(bytes, &index))
                    }
                    let next = Int(table[current &+ classIndex])
                    if next <= 0 { return next == 0 ? .dead : .unknown(classIndex) }
                    current = next
                }
                return .atEnd
            }
        }
    }

    // MARK: Building

    /// Works out where `state` goes with a code point of the class, and notes it.
    private mutating func step(_ state: Int32, _ classIndex: Int) -> Int32 {
        let key = keys[Int(state) / alphabet.count]
        let neighbor = alphabet.neighbor(classIndex)
        let scalar = alphabet.representatives[classIndex]
        closeOver(key, after: neighbor)
        reached.removeAll()
        for instruction in pending.members {
            if case .set(let number, let next) = program.instructions[Int(instruction)],
                program.sets[Int(number)].contains(scalar)
            {
                reached.insert(next)
            }
        }
        let resetsBefore = resets
        let target = reached.members.isEmpty ? 0 : self.state(before: neighbor, reached.members)
        if resets == resetsBefore { table[Int(state) + classIndex] = target }
        return target
    }

    /// Fills `pending` with all that is reached from a state without taking text, between what stood before it and `after`.
    private mutating func closeOver(_ key: [Int32], after: Neighbor) {
        let before = Neighbor(rawValue: UInt8(truncatingIfNeeded: key[0]))
        pending.removeAll()
        stack.removeAll(keepingCapacity: true)
        stack.append(contentsOf: key.dropFirst())
        while let instruction = stack.popLast() {
            guard pending.insert(instruction) else { continue }
            visitedInstructions &+= 1
            switch program.instructions[Int(instruction)] {
            case .match, .set: break
            case .split(let first, let second):
                stack.append(second)
                stack.append(first)
            case .save(_, let next): stack.append(next)
            case .assertion(let assertion, let next):
                if assertion.holds(after: before, before: after) { stack.append(next) }
            }
        }
    }

    /// The state with this key, made if there is none.
    private mutating func state(before: Neighbor, _ instructions: [Int32]) -> Int32 {
        let key = [program.hasAssertions ? Int32(before.rawValue) : 0] + instructions.sorted()
        if let known = stateOf[key] { return known }
        let isFull =
            table.count + alphabet.count > max(Self.maximumEntries, 8 * alphabet.count)
            || keyEntries + key.count > max(Self.maximumEntries, 8 * key.count)
        if isFull {
            resets += 1
            forget()
        }
        closeOver(key, after: .edge)
        return append(key, accepting: pending.contains(0))  // instruction 0 is `match`
    }

    private mutating func append(_ key: [Int32], accepting isAccepting: Bool) -> Int32 {
        let state = Int32(table.count)
        table.append(contentsOf: repeatElement(-1, count: alphabet.count))
        accepting.append(isAccepting)
        keys.append(key)
        keyEntries += key.count
        stateOf[key] = state
        return state
    }

    private mutating func forget() {
        table.removeAll(keepingCapacity: true)
        accepting.removeAll(keepingCapacity: true)
        keys.removeAll()
        stateOf.removeAll()
        keyEntries = 0
        start = -1
        // The dead state: row 0, all transitions to itself.
        _ = append([0], accepting: false)
        for index in table.indices { table[index] = 0 }
    }
}

/// Numbers below a bound, with insertion, lookup and clearing in constant time, and the order of insertion kept.
/// Source: Briggs, Torczon, “An Efficient Representation for Sparse Sets”, 1993.
struct SparseSet {
    private(set) var members: [Int32] = []
    private var places: [Int32]

    init(capacity: Int = 0) { places = [Int32](repeating: 0, count: capacity) }

    func contains(_ number: Int32) -> Bool {
        let place = Int(places[Int(number)])
        return place < members.count && members[place] == number
    }

    @discardableResult
    mutating func insert(_ number: Int32) -> Bool {
        if contains(number) { return false }
        places[Int(number)] = Int32(truncatingIfNeeded: members.count)
        members.append(number)
        return true
    }

    mutating func removeAll() { members.removeAll(keepingCapacity: true) }
}
