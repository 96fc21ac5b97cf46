import TSDB

/// Series that became equal by losing their names (or by `label_replace`) are one series, as long as they never meet.
///
///     abs({__name__=~"a|b"})     a{job="x"}  1 2 _ _         {job="x"}  1 2 3 4
///                                b{job="x"}  _ _ 3 4    →
///
/// Two values at one step are upstream's error. Nothing is held: the parts of a row are computed when the row is asked for.
public struct DistinctRows: VectorOperator {
    private let source: any VectorOperator
    /// Rows' parts behind each other: row `i` is made of `parts[starts[i]..<starts[i + 1]]`.
    private let parts: [Int]
    private let starts: [Int]

    /// `source` itself where no two of its series have equal labels, else its merged series in order of appearance.
    public static func of(_ source: any VectorOperator) -> any VectorOperator {
        guard source.count > 1 else { return source }
        let groups = source.groups(.without([]))
        if groups.labels.count == source.count { return source }
        let members = GroupMembers(groups.assignment, groupCount: groups.labels.count)
        return DistinctRows(source: source, parts: members.members, starts: members.starts)
    }

    public var count: Int { starts.count - 1 }
    public var canFail: Bool { true }
    public var isDistinctWithoutNames: Bool { source.isDistinctWithoutNames }

    public func labels(at index: Int) -> Labels { source.labels(at: parts[starts[index]]) }

    public func dropsName(at index: Int) -> Bool { source.dropsName(at: parts[starts[index]]) }

    public func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try source.fill(parts[starts[index]], into: &column, scratch: scratch)
        for position in (starts[index] + 1)..<starts[index + 1] {
            try scratch.withColumn(count: column.count) { (other) throws(QueryError) in
                try source.fill(parts[position], into: &other, scratch: scratch)
                guard column.merge(other) else { throw QueryError.sameLabelset }
            }
        }
    }
}

extension QueryError {
    static let sameLabelset = QueryError(.evaluation, "vector cannot contain metrics with the same labelset")
}

extension StepColumn {
    /// Takes over the values of `other`; `false`, and nothing changed, where both have a value at one step.
    mutating func merge(_ other: borrowing StepColumn) -> Bool {
        for word in 0..<wordCount where presence[word] & other.presence[word] != 0 { return false }
        if hasHistograms || other.hasHistograms {
            other.forEachPresent { step in
                if let histogram = other.histogram(step) { set(step, histogram) } else { replace(step, with: other.values[step]) }
            }
            return true
        }
        for word in 0..<wordCount {
            var bits = other.presence[word]
            presence[word] |= bits
            while bits != 0 {
                let step = word << 6 &+ bits.trailingZeroBitCount
                values[step] = other.values[step]
                bits &= bits &- 1
            }
        }
        return true
    }
}

/// The members of each group, groups behind each other: the inverse of `Groups.assignment`, by counting.
struct GroupMembers: Sendable {
    private(set) var members: [Int]
    /// Group `g` is `members[starts[g]..<starts[g + 1]]`.
    private(set) var starts: [Int]

    init(_ assignment: [UInt32], groupCount: Int) {
        starts = Array(repeating: 0, count: groupCount + 1)
        for group in assignment { starts[Int(group) + 1] += 1 }
        for group in 0..<groupCount { starts[group + 1] += starts[group] }
        members = Array(repeating: 0, count: assignment.count)
        var next = starts
        for (index, group) in assignment.enumerated() {
            members[next[Int(group)]] = index
            next[Int(group)] += 1
        }
    }

    /// Members of `group`, ascending.
    subscript(group: Int) -> ArraySlice<Int> { members[starts[group]..<starts[group + 1]] }
}
