/// Where each group matched: the preferred way through the program, found in two passes and without trying ways out.
///
///     text         a     b     c
///     backward  ◄──●─────●─────●──●   at each place: which instructions can still reach the end
///     forward      ●─────●─────●──●►  at each split: the first branch that can
///
/// The first pass knows all futures, so the second never turns back, and one array of bounds is enough.
/// Marks are kept for one block of places at a time; of the others only the last row, from which the block is marked again.
/// Time: text × program. Source: Frisch, Cardelli, “Greedy Regular Expression Matching”, ICALP 2004.
///
/// Invariant: the bounds are those of leftmost-first matching, as a backtracking matcher finds them.
struct CaptureSearch {
    /// Places per block.
    static let blockLength = 256

    private let program: Program
    private let alphabet: Alphabet
    /// The class of each code point, and where it begins; one more for the end.
    private var classes: [UInt16] = []
    private var offsets: [Int] = []
    private let predecessors: Predecessors
    /// Rows of marks, one bit per instruction: those of the current block, and the first row of every later block.
    private let words: Int
    private var marks: [UInt64]
    private var checkpoints: [UInt64] = []
    private var stack: [Int32] = []
    /// Instructions visited in both passes; what tests of linear time count.
    private(set) var visitedInstructions = 0

    init(
        _ program: Program, _ alphabet: Alphabet, _ predecessors: Predecessors, _ bytes: UnsafeRawBufferPointer
    ) {
        self.program = program
        self.alphabet = alphabet
        self.predecessors = predecessors
        classes.reserveCapacity(bytes.count)
        offsets.reserveCapacity(bytes.count + 1)
        var position = 0
        while position < bytes.count {
            offsets.append(position)
            classes.append(UInt16(truncatingIfNeeded: alphabet.index(of: UTF8Decoder.next(bytes, &position))))
        }
        offsets.append(position)
        words = (program.instructions.count + 63) / 64
        marks = [UInt64](repeating: 0, count: words * min(Self.blockLength, classes.count + 1))
    }

    /// The bounds, or nil if the whole text does not match.
    mutating func run() -> [Int]? {
        let blocks = classes.count / Self.blockLength + 1
        checkpoints = [UInt64](repeating: 0, count: blocks * words)
        for block in (0..<blocks).reversed() {
            mark(block)
            if block > 0 { for word in 0..<words { checkpoints[(block - 1) * words + word] = marks[word] } }
        }
        guard isMarked(program.start, row: 0) else { return nil }
        return walk()
    }

    // MARK: Backward

    private func isMarked(_ instruction: Int32, row: Int) -> Bool {
        marks[row * words + Int(instruction) >> 6] >> UInt64(instruction & 63) & 1 != 0
    }

    /// Marks the places `block × blockLength ...` up to the next block, from the back.
    private mutating func mark(_ block: Int) {
        let first = block * Self.blockLength
        let last = min(first + Self.blockLength - 1, classes.count)
        for place in stride(from: last, through: first, by: -1) {
            let row = place - first
            for word in 0..<words { marks[row * words + word] = 0 }
            stack.removeAll(keepingCapacity: true)
            if place == classes.count {
                setMark(0, row)  // `match`
            } else {
                markTakers(of: Int(classes[place]), row, isLastOfBlock: place == last, block)
            }
            let (before, after) = neighbors(place)
            while let target = stack.popLast() {
                visitedInstructions &+= 1
                for source in predecessors.of(target) {
                    switch program.instructions[Int(source)] {
                    case .match, .set: break
                    case .split, .save: setMark(source, row)
                    case .assertion(let assertion, _):
                        if assertion.holds(after: before, before: after) { setMark(source, row) }
                    }
                }
            }
        }
    }

    /// Marks the set instructions that take a code point of the class and whose successor is marked one place on.
    private mutating func markTakers(of classIndex: Int, _ row: Int, isLastOfBlock: Bool, _ block: Int) {
        let scalar = alphabet.representatives[classIndex]
        for word in 0..<words {
            var bits = isLastOfBlock ? checkpoints[block * words + word] : marks[(row + 1) * words + word]
            while bits != 0 {
                let target = word * 64 + bits.trailingZeroBitCount
                bits &= bits &- 1
                for source in predecessors.of(Int32(truncatingIfNeeded: target)) {
                    visitedInstructions &+= 1
                    if case .set(let number, _) = program.instructions[Int(source)],
                        program.sets[Int(number)].contains(scalar)
                    {
                        setMark(source, row)
                    }
                }
            }
        }
    }

    private mutating func setMark(_ instruction: Int32, _ row: Int) {
        guard !isMarked(instruction, row: row) else { return }
        marks[row * words + Int(instruction) >> 6] |= 1 << UInt64(instruction & 63)
        stack.append(instruction)
    }

    private func neighbors(_ place: Int) -> (Neighbor, Neighbor) {
        guard program.hasAssertions else { return ([], []) }
        return (
            place == 0 ? .edge : alphabet.neighbor(Int(classes[place - 1])),
            place == classes.count ? .edge : alphabet.neighbor(Int(classes[place]))
        )
    }

    // MARK: Forward

    /// Follows the marks from the start. At each place a loop may come back to an instruction already seen there; that way adds
    /// nothing and is given up, together with the bounds it had set.
    private mutating func walk() -> [Int]? {
        var bounds = [Int](repeating: -1, count: 2 * program.groupCount)
        var seen = SparseSet(capacity: program.instructions.count)
        /// What to try next, and which bounds to restore on the way there (`slot >= 0`).
        var pending: [(instruction: Int32, slot: Int, bound: Int)] = []
        var current = program.start
        for place in 0...classes.count {
            let row = place % Self.blockLength
            if row == 0, place > 0 { mark(place / Self.blockLength) }
            seen.removeAll()
            pending.removeAll(keepingCapacity: true)
            pending.append((current, -1, 0))
            var taken: Int32 = -1
            while taken < 0, let (instruction, slot, bound) = pending.popLast() {
                if slot >= 0 {
                    bounds[slot] = bound
                    continue
                }
                guard isMarked(instruction, row: row), seen.insert(instruction) else { continue }
                visitedInstructions &+= 1
                switch program.instructions[Int(instruction)] {
                case .match: taken = instruction
                case .set(_, let next): taken = next
                case .split(let first, let second):
                    pending.append((second, -1, 0))
                    pending.append((first, -1, 0))
                case .assertion(_, let next): pending.append((next, -1, 0))
                case .save(let slot, let next):
                    pending.append((0, Int(slot), bounds[Int(slot)]))
                    bounds[Int(slot)] = offsets[place]
                    pending.append((next, -1, 0))
                }
            }
            guard taken >= 0 else { return nil }
            current = taken
        }
        bounds[0] = 0
        bounds[1] = offsets[classes.count]
        return bounds
    }
}

/// For each instruction, those that lead to it: of `i` they are `sources[first[i] ..< first[i + 1]]`.
struct Predecessors: Sendable {
    private let sources: [Int32]
    private let first: [Int]

    init(in program: Program) {
        let count = program.instructions.count
        var first = [Int](repeating: 0, count: count + 1)
        for instruction in program.instructions { instruction.forEachTarget { first[Int($0) + 1] += 1 } }
        for index in 1...count { first[index] += first[index - 1] }
        var next = first
        var sources = [Int32](repeating: 0, count: first[count])
        for (index, instruction) in program.instructions.enumerated() {
            instruction.forEachTarget {
                sources[next[Int($0)]] = Int32(truncatingIfNeeded: index)
                next[Int($0)] += 1
            }
        }
        (self.first, self.sources) = (first, sources)
    }

    func of(_ instruction: Int32) -> ArraySlice<Int32> { sources[first[Int(instruction)]..<first[Int(instruction) + 1]] }
}

extension Program.Instruction {
    fileprivate func forEachTarget(_ body: (Int32) -> Void) {
        switch self {
        case .match: break
        case .set(_, let next), .assertion(_, let next), .save(_, let next): body(next)
        case .split(let first, let second):
            body(first)
            if second != first { body(second) }
        }
    }
}
