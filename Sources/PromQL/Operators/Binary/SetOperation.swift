import TSDB

/// `and`, `or`, `unless`: sets of series, decided step by step.
///
///     a{x="1"}  1 2 3       b{x="1"}  _ 5 _        a and b      a{x="1"}  _ 2 _
///     a{x="2"}  4 5 6                              a unless b   a{x="1"}  1 _ 3    a{x="2"}  4 5 6
///                                                  b or a       b{x="1"}  _ 5 _    a{x="1"}  1 _ 3    a{x="2"}  4 5 6
///
/// Series match as in `MatchGroups`; of the side that only decides, a row of bits per group is held. The other columns stream.
struct SetOperation: VectorOperator {
    /// A row of the result: a series of the left side, one of the right side, or for `or` both, where their labels are equal.
    private struct Row {
        var left: Int32
        var right: Int32
    }

    private let op: BinaryOperator
    private let left: any VectorOperator
    private let right: any VectorOperator
    private let groups: MatchGroups
    /// Steps at which a group is present on the deciding side: the right, for `or` the left.
    private let deciding: PresenceTable
    private let rows: [Row]
    /// Rows of both sides, of which only one keeps its name: whether the name goes. As upstream, the first value decides.
    private var undecidedNames: [Int: Bool] = [:]
    let canFail: Bool

    init(
        _ op: BinaryOperator, _ left: any VectorOperator, _ right: any VectorOperator, matching: VectorMatching,
        grid: StepGrid, context: QueryContext
    ) throws(QueryError) {
        precondition(op.isSetOperator, "\(op) is not a set operator")
        self.op = op
        self.left = left
        self.right = right
        canFail = left.canFail || right.canFail
        let groups = MatchGroups(matching, left: left, right: right)
        self.groups = groups

        var onLeft = Array(repeating: false, count: groups.count), onRight = onLeft
        for group in groups.left { onLeft[Int(group)] = true }
        for group in groups.right { onRight[Int(group)] = true }
        let shared = zip(onLeft, onRight).map { $0 && $1 }

        deciding =
            op == .or
            ? try PresenceTable(
                left, groups: groups.left, groupCount: groups.count, stepCount: grid.count, wanted: shared,
                context: context)
            : try PresenceTable(
                right, groups: groups.right, groupCount: groups.count, stepCount: grid.count, wanted: shared,
                context: context)

        // A series that no series of the other side can meet decides nothing, and `and` has no row for it.
        if op != .or {
            try right.computeUnused(
                (0..<right.count).lazy.filter { !shared[Int(groups.right[$0])] }, steps: grid.count, context)
        }
        if op == .and {
            try left.computeUnused((0..<left.count).lazy.filter { !shared[Int(groups.left[$0])] }, steps: grid.count, context)
        }

        var rows: [Row] = []
        rows.reserveCapacity(left.count)
        for index in 0..<left.count where op != .and || shared[Int(groups.left[index])] {
            rows.append(Row(left: Int32(truncatingIfNeeded: index), right: -1))
        }
        if op == .or {
            // Equal labels are in the same group, so only shared groups can hold them.
            var known: [Labels: Int] = [:]
            var budget = LabelBudget(context)
            for index in 0..<left.count where shared[Int(groups.left[index])] {
                let labels = left.labels(at: index)
                try budget.add(labels)
                known[labels] = index
            }
            try budget.settle()
            for index in 0..<right.count {
                if shared[Int(groups.right[index])], let same = known[right.labels(at: index)] {
                    rows[same].right = Int32(truncatingIfNeeded: index)
                } else {
                    rows.append(Row(left: -1, right: Int32(truncatingIfNeeded: index)))
                }
            }
        }
        self.rows = rows
        for (index, row) in rows.enumerated() where row.left >= 0 && row.right >= 0 {
            let drops = left.dropsName(at: Int(row.left))
            if drops != right.dropsName(at: Int(row.right)) {
                undecidedNames[index] = try startsOnLeft(row, steps: grid.count) ? drops : !drops
            }
        }
    }

    /// Whether the first value of a row of `or` comes from its left side.
    private func startsOnLeft(_ row: Row, steps: Int) throws(QueryError) -> Bool {
        let scratch = Scratch()
        return try scratch.withColumn(count: steps) { (column) throws(QueryError) in
            try left.fill(Int(row.left), into: &column, scratch: scratch)
            let onLeft = column.firstPresentStep ?? .max
            try fillRemainder(Int(row.right), into: &column, scratch: scratch)
            return onLeft <= column.firstPresentStep ?? .max
        }
    }

    var count: Int { rows.count }
    var isDistinctWithoutNames: Bool { op != .or && left.isDistinctWithoutNames }

    func labels(at index: Int) -> Labels {
        let row = rows[index]
        return row.left >= 0 ? left.labels(at: Int(row.left)) : right.labels(at: Int(row.right))
    }

    func dropsName(at index: Int) -> Bool {
        if let drops = undecidedNames[index] { return drops }
        let row = rows[index]
        return row.left >= 0 ? left.dropsName(at: Int(row.left)) : right.dropsName(at: Int(row.right))
    }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        let row = rows[index]
        if row.left < 0 { return try fillRemainder(Int(row.right), into: &column, scratch: scratch) }
        try left.fill(Int(row.left), into: &column, scratch: scratch)
        let group = Int(groups.left[Int(row.left)])
        switch op {
        case .and: for word in 0..<column.wordCount { column.presence[word] &= deciding[group][word] }
        case .unless: for word in 0..<column.wordCount { column.presence[word] &= ~deciding[group][word] }
        default:
            guard row.right >= 0 else { return }
            try scratch.withColumn(count: column.count) { (other) throws(QueryError) in
                try fillRemainder(Int(row.right), into: &other, scratch: scratch)
                // They cannot meet: where the left one is present, its group is, and the right one is not taken.
                guard column.merge(other) else { throw QueryError.sameLabelset }
            }
        }
    }

    /// A series of the right side of `or`, at the steps at which the left side has nothing of its group.
    private func fillRemainder(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try right.fill(index, into: &column, scratch: scratch)
        let present = deciding[Int(groups.right[index])]
        for word in 0..<column.wordCount { column.presence[word] &= ~present[word] }
    }
}
