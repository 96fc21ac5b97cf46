import TSDB

/// Which series of two vectors may meet: they get the same group number where the labels that count are equal.
///
///     a{job="x", le="1"}   ┐                         group 0  {job="x"}   left 0, 1   right 0
///     a{job="x", le="2"}   ┘ on(job)  b{job="x"}
///     a{job="y", le="1"}              c{job="z"}     group 1  {job="y"}   left 2      right –
///
/// Upstream calls the labels that count a signature. `on (…)`: the labels named; `ignoring (…)`, also with none named:
/// all but these and the name.
struct MatchGroups: Sendable {
    /// Group of each series.
    let left: [UInt32]
    let right: [UInt32]
    /// The labels that the members of each group share.
    private(set) var labels: [Labels]

    var count: Int { labels.count }

    init(_ matching: VectorMatching, left: any VectorOperator, right: any VectorOperator) {
        let grouping: Grouping =
            matching.isOn ? .by(matching.labels) : .without(matching.labels + [MetricName.label])
        let leftGroups = left.groups(grouping)
        let rightGroups = right.groups(grouping)
        var labels = leftGroups.labels
        var numbers: [Labels: UInt32] = [:]
        numbers.reserveCapacity(labels.count)
        for (number, label) in labels.enumerated() { numbers[label] = UInt32(truncatingIfNeeded: number) }
        let translation = rightGroups.labels.map { label in
            if let known = numbers[label] { return known }
            labels.append(label)
            return UInt32(truncatingIfNeeded: labels.count - 1)
        }
        self.left = leftGroups.assignment
        self.right = rightGroups.assignment.map { translation[Int($0)] }
        self.labels = labels
    }
}

/// One row of presence bits per group: at which steps any member has a value.
final class PresenceTable: @unchecked Sendable {
    // Sendable: written while it is made, read-only afterwards.
    private let words: UnsafeMutablePointer<UInt64>
    private let wordCount: Int
    private let count: Int

    /// Pulls the series of `source` whose group is `wanted`; the other rows stay empty.
    init(
        _ source: any VectorOperator, groups: [UInt32], groupCount: Int, stepCount: Int, wanted: [Bool],
        context: QueryContext
    ) throws(QueryError) {
        wordCount = (stepCount + 63) >> 6
        count = groupCount
        let size = max(1, groupCount * wordCount)
        try context.reserve(bytes: size * 8)
        words = .allocate(capacity: size)
        words.initialize(repeating: 0, count: size)
        let (words, wordCount) = (words, wordCount)
        let series = (0..<source.count).filter { wanted[Int(groups[$0])] }
        try source.forEachColumn(series, steps: stepCount, context) { (index, column) throws(QueryError) in
            let row = words + Int(groups[index]) * wordCount
            for word in 0..<wordCount { row[word] |= column.presence[word] }
        }
    }

    deinit { words.deallocate() }

    /// Bit words of `group`.
    subscript(group: Int) -> UnsafePointer<UInt64> {
        precondition(group >= 0 && group < count, "group \(group) of \(count)")
        return UnsafePointer(words + group * wordCount)
    }
}
