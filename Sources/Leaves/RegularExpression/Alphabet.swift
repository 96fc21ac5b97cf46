/// The code points, divided into classes the automaton cannot tell apart.
///
///     foo[0-9]+     →     {f} {o} {0…9} {everything else}
///
/// So a state of the DFA has four transitions here and not 1,114,112. Classes are found by refinement: starting from one class, every
/// set of the program splits the classes it holds in part.
/// Source: Hopcroft's partition refinement; the use here as in Cox, “Regular Expression Matching in the Wild”, 2010.
struct Alphabet: Sendable {
    /// The class of each ASCII character.
    let ascii: [UInt16]
    /// Where each interval begins, ascending from 0, and the class of its members.
    private let starts: [UInt32]
    private let classes: [UInt16]
    /// One member of each class: what holds for it holds for the class.
    let representatives: [UInt32]
    /// What assertions see of each class; empty when the program has none.
    let neighbors: [Neighbor]

    var count: Int { representatives.count }

    init(of program: Program) {
        var sets = program.sets
        if program.hasAssertions { sets += [.newline, .word] }

        var bounds: [UInt32] = [0]
        for set in sets { for range in set.ranges { bounds += [range.lowerBound, range.upperBound + 1] } }
        bounds.sort()
        var starts: [UInt32] = []
        for bound in bounds where bound <= ScalarSet.maximum && bound != starts.last { starts.append(bound) }

        func interval(_ scalar: UInt32) -> Int { Self.interval(of: scalar, in: starts) }
        var classOf = [Int](repeating: 0, count: starts.count)
        var size = [starts.count]  // intervals per class
        var inside = [0]  // of those, how many are in the set
        var splitOff = [-1]  // the class that takes them
        for set in sets {
            let covered = set.ranges.map { interval($0.lowerBound)...interval($0.upperBound) }
            for range in covered { for index in range { inside[classOf[index]] += 1 } }
            for range in covered {
                for index in range {
                    let old = classOf[index]
                    guard inside[old] < size[old] || splitOff[old] >= 0 else { continue }
                    if splitOff[old] < 0 {
                        splitOff[old] = size.count
                        size.append(0)
                        inside.append(0)
                        splitOff.append(-1)
                    }
                    classOf[index] = splitOff[old]
                    size[splitOff[old]] += 1
                    size[old] -= 1
                }
            }
            for index in inside.indices { (inside[index], splitOff[index]) = (0, -1) }
        }

        var representatives = [UInt32](repeating: 0, count: size.count)
        for index in starts.indices.reversed() { representatives[classOf[index]] = starts[index] }
        self.starts = starts
        // At most one class per interval, and Parser.maximumRanges keeps the intervals below 2^16.
        self.classes = classOf.map { UInt16(truncatingIfNeeded: $0) }
        self.ascii = (0..<128).map { UInt16(truncatingIfNeeded: classOf[interval($0)]) }
        self.representatives = representatives
        self.neighbors =
            program.hasAssertions
            ? representatives.map { scalar in
                ScalarSet.newline.contains(scalar) ? .newline : ScalarSet.word.contains(scalar) ? .word : []
            } : []
    }

    /// The class of any code point.
    func index(of scalar: UInt32) -> Int { Int(classes[Self.interval(of: scalar, in: starts)]) }

    func neighbor(_ classIndex: Int) -> Neighbor { neighbors.isEmpty ? [] : neighbors[classIndex] }

    private static func interval(of scalar: UInt32, in starts: [UInt32]) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= scalar { low = middle } else { high = middle }
        }
        return low
    }
}
