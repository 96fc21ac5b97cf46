import TSDB

/// Who meets whom in `left op right`, and which row of the result each meeting belongs to. Made from labels alone,
/// before any value is read.
///
///     many side (left)                      one side (right)           row    labels from the many side
///     errors{job="x", code="500"}   ──┬──   requests{job="x"}           0     {job="x", code="500"}
///     errors{job="x", code="404"}   ──┘                                 1     {job="x", code="404"}
///     errors{job="y", code="500"}           (no partner: no row, or a fill value)
///
/// One-to-one matching has the same form with at most one series per group and step on either side. Several members
/// of a group on the one side are fine as long as they never have values at the same step; then a row is made of several meetings.
struct JoinPlan: Sendable {
    /// A series of each side; −1 stands for the fill value.
    struct Meeting: Sendable {
        var many: Int32
        var one: Int32
        var group: UInt32
    }

    let matching: VectorMatching
    /// The result loses the name at once.
    let dropsNames: Bool
    let groups: MatchGroups
    let manyGroups: [UInt32]
    let oneGroups: [UInt32]
    let manyMembers: GroupMembers
    let oneMembers: GroupMembers
    /// Values for missing partners on either side.
    let fillMany: Double?
    let fillOne: Double?
    /// Row `i` is made of `meetings[starts[i]..<starts[i + 1]]`; meetings of one row are sorted by group.
    private(set) var meetings: [Meeting] = []
    private(set) var starts: [Int] = [0]

    var rowCount: Int { starts.count - 1 }

    init(
        _ matching: VectorMatching, many: any VectorOperator, one: any VectorOperator, dropsNames: Bool
    ) {
        self.matching = matching
        self.dropsNames = dropsNames
        // With group_right the left side is the one side; groups do not care which side is called left.
        groups = MatchGroups(matching, left: many, right: one)
        manyGroups = groups.left
        oneGroups = groups.right
        manyMembers = GroupMembers(groups.left, groupCount: groups.count)
        oneMembers = GroupMembers(groups.right, groupCount: groups.count)
        // Upstream's, also with group_right: `fill_left` stands in on the many side, `fill_right` on the one side.
        fillMany = matching.fillLeft
        fillOne = matching.fillRight

    }

    /// Finds the meetings and their rows. To be called when `MatchCheck` has found the one side in order: a group with
    /// thousands of members on both sides would have millions of meetings, and is an error anyway.
    mutating func arrange(
        many: any VectorOperator, one: any VectorOperator, context: QueryContext
    ) throws(QueryError) {
        var total = fillMany == nil ? 0 : one.count
        for group in manyGroups {
            try context.checkCanceled()
            // At most 2³² members times 2³² series.
            total += oneMembers[Int(group)].count + (fillOne == nil ? 0 : 1)
        }
        let (bytes, overflow) = total.multipliedReportingOverflow(by: MemoryLayout<Meeting>.stride * 2)
        try context.reserve(bytes: overflow ? -1 : bytes)
        meetings.reserveCapacity(total)
        let areDistinct = meet(many: many)
        try reserveIncluded(of: one, context: context)
        if areDistinct {
            try context.reserve(bytes: (meetings.count + 1) * MemoryLayout<Int>.stride)
            starts = Array(0...meetings.count)
        } else {
            try mergeRows(many: many, one: one, context: context)
        }
    }

    /// `group_left (path)` copies a label of the one side to every row: counted before any row has it.
    private func reserveIncluded(of one: any VectorOperator, context: QueryContext) throws(QueryError) {
        guard !matching.include.isEmpty else { return }
        var lengths = [Int](repeating: -1, count: one.count)
        var total = 0
        for (number, meeting) in meetings.enumerated() where meeting.one >= 0 {
            let index = Int(meeting.one)
            if lengths[index] < 0 {
                let labels = one.labels(at: index)
                lengths[index] = matching.include.reduce(0) { $0 &+ labels.length(of: $1) }
            }
            total &+= lengths[index]
            if total > 1 << 20 || number & 4095 == 0 {
                try context.reserve(bytes: total)
                try context.check()
                total = 0
            }
        }
        try context.reserve(bytes: total)
    }

    /// Lists the meetings in the order of the many side; tells whether each is certain to have labels of its own.
    private mutating func meet(many: any VectorOperator) -> Bool {
        var distinct = fillMany == nil
        for (index, group) in manyGroups.enumerated() {
            let members = oneMembers[Int(group)]
            for member in members {
                meetings.append(
                    Meeting(many: Int32(truncatingIfNeeded: index), one: Int32(truncatingIfNeeded: member), group: group))
            }
            if fillOne != nil {
                meetings.append(Meeting(many: Int32(truncatingIfNeeded: index), one: -1, group: group))
            }
            if members.count + (fillOne == nil ? 0 : 1) > 1 { distinct = false }
            if matching.cardinality == .oneToOne, !members.isEmpty, manyMembers[Int(group)].count > 1 {
                distinct = false
            }
        }
        if fillMany != nil {
            for (index, group) in oneGroups.enumerated() {
                meetings.append(Meeting(many: -1, one: Int32(truncatingIfNeeded: index), group: group))
            }
        }
        guard distinct, matching.cardinality != .oneToOne else { return distinct }
        // Labels that the many side may lose; where it has none of them or differs in others too, rows stay distinct.
        let endangered = matching.include + (dropsNames && !many.isDistinctWithoutNames ? NameDropping.labels : [])
        return endangered.isEmpty || many.groups(.without(endangered)).labels.count == many.count
    }

    /// Gathers meetings with equal result labels into rows.
    private mutating func mergeRows(
        many: any VectorOperator, one: any VectorOperator, context: QueryContext
    ) throws(QueryError) {
        var known: [Labels: Int] = [:]
        var rows: [[Meeting]] = []
        var budget = LabelBudget(context)
        for (number, meeting) in meetings.enumerated() {
            if number & 1023 == 0 { try context.check() }
            let labels = resultLabels(meeting, many: many, one: one)
            if let row = known[labels] {
                rows[row].append(meeting)
            } else {
                try budget.add(labels)
                // Its list.
                try context.reserve(bytes: 64)
                known[labels] = rows.count
                rows.append([meeting])
            }
        }
        try budget.settle()
        meetings = []
        for row in rows {
            meetings += row.sorted { $0.group < $1.group }
            starts.append(meetings.count)
        }
    }

    /// Upstream's rules: the labels of the many side; one-to-one keeps only those that were matched on; `include` comes
    /// from the one side. A fill value has the labels of the group.
    func resultLabels(_ meeting: Meeting, many: any VectorOperator, one: any VectorOperator) -> Labels {
        var labels = meeting.many >= 0 ? many.labels(at: Int(meeting.many)) : groups.labels[Int(meeting.group)]
        if dropsNames { labels = labels.droppingName() }
        if matching.cardinality == .oneToOne {
            labels = matching.isOn ? labels.keeping(matching.labels) : labels.dropping(matching.labels)
        }
        guard !matching.include.isEmpty else { return labels }
        let partner = meeting.one >= 0 ? one.labels(at: Int(meeting.one)) : groups.labels[Int(meeting.group)]
        var builder = LabelsBuilder(labels)
        for name in matching.include { builder.set(name, to: partner[name] ?? "") }
        return builder.labels()
    }
}
