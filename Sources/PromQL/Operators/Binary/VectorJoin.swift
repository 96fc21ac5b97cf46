import TSDB

/// `a / b`, `a > on(job) b`, `a * on(job) group_left(team) b`: arithmetic and comparison of two vectors.
///
/// `JoinPlan` says who meets whom. One-to-one, both sides stream. Many-to-one, the many side streams and of the one
/// side those columns are held that have a partner, since each may be needed often.
///
/// Matching is decided per step, as upstream does: two series of a group on the one side are an error only where both
/// have a value at the same step (and the other side has any at all).
struct VectorJoin: VectorOperator {
    private let plan: JoinPlan
    private let kernel: BinaryKernel
    private let many: any VectorOperator
    private let one: any VectorOperator
    /// Columns of the one side by number of the series, where they are held.
    private let held: ColumnTable?
    private let heldRows: [Int32]
    /// The one side is the left operand.
    private let isSwapped: Bool
    private let marksNames: Bool
    private let note: @Sendable (BinaryRemarks) -> Void
    private let context: QueryContext
    let isDistinctWithoutNames: Bool

    init(
        _ expr: BinaryExpr, left: any VectorOperator, right: any VectorOperator, grid: StepGrid, names: NameTreatment,
        context: QueryContext
    ) throws(QueryError) {
        let matching = expr.matching ?? VectorMatching()
        let dropsNames = expr.op.changesMeaning || (expr.returnsBool && names == .dropped)
        isSwapped = matching.cardinality == .oneToMany
        many = isSwapped ? right : left
        one = isSwapped ? left : right
        var plan = JoinPlan(matching, many: many, one: one, dropsNames: dropsNames)
        kernel = BinaryKernel(op: expr.op, returnsBool: expr.returnsBool)
        marksNames = expr.returnsBool
        self.context = context
        isDistinctWithoutNames =
            (dropsNames || many.isDistinctWithoutNames) && !matching.include.contains { NameDropping.labels.contains($0) }
        note = { $0.annotate(expr.op, at: expr.range, context) }

        let check = MatchCheck(plan: plan, many: many, one: one, stepCount: grid.count, context: context)
        try check.oneSide(range: expr.range, side: isSwapped ? "left" : "right")
        if matching.cardinality == .oneToOne { try check.manySide(range: expr.range) }
        try plan.arrange(many: many, one: one, context: context)
        self.plan = plan

        var heldRows: [Int32] = []
        if matching.cardinality != .oneToOne {
            heldRows = Array(repeating: -1, count: one.count)
            var wanted: [Int] = []
            for meeting in plan.meetings where meeting.one >= 0 && heldRows[Int(meeting.one)] < 0 {
                heldRows[Int(meeting.one)] = Int32(truncatingIfNeeded: wanted.count)
                wanted.append(Int(meeting.one))
            }
            held = try ColumnTable.pulling(wanted, of: one, stepCount: grid.count, context: context)
        } else {
            held = nil
        }
        self.heldRows = heldRows
    }

    var count: Int { plan.rowCount }

    func labels(at index: Int) -> Labels {
        plan.resultLabels(plan.meetings[plan.starts[index]], many: many, one: one)
    }

    /// As upstream: a comparison without `bool` keeps names that were to go.
    func dropsName(at index: Int) -> Bool { marksNames }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        let range = plan.starts[index]..<plan.starts[index + 1]
        try match(plan.meetings[range.lowerBound], into: &column, scratch: scratch) { _ in true }
        if range.count > 1 { try fillRest(range, into: &column, scratch: scratch) }
    }

    /// The further meetings of a row. Two of one group at one step are ambiguous even where the comparison drops them; two
    /// of different groups are the same series twice.
    private func fillRest(
        _ range: Range<Int>, into column: inout StepColumn, scratch: Scratch
    ) throws(QueryError) {
        try scratch.withColumn(count: column.count) { (matched) throws(QueryError) in
            matched.clear()
            // Once more, for the steps at which the first one was matched, kept or not.
            try scratch.withColumn(count: column.count) { (again) throws(QueryError) in
                try match(plan.meetings[range.lowerBound], into: &again, scratch: scratch) { matched.absorb($0) }
            }
            var group = plan.meetings[range.lowerBound].group
            for position in range.dropFirst() {
                let meeting = plan.meetings[position]
                try context.check()
                if meeting.group != group {
                    matched.clear()
                    group = meeting.group
                }
                try scratch.withColumn(count: column.count) { (next) throws(QueryError) in
                    var isUnique = true
                    try match(meeting, into: &next, scratch: scratch) {
                        isUnique = matched.absorb($0)
                        return isUnique
                    }
                    guard isUnique else {
                        throw QueryError(
                            .evaluation, "multiple matches for labels: grouping labels must ensure unique matches")
                    }
                    guard column.merge(next) else { throw QueryError.sameLabelset }
                }
            }
        }
    }

    /// Computes one meeting. `matched` sees the steps at which both sides have a value, before a comparison filters,
    /// and may stop there.
    private func match(
        _ meeting: JoinPlan.Meeting, into column: inout StepColumn, scratch: Scratch,
        _ matched: (borrowing StepColumn) -> Bool
    ) throws(QueryError) {
        if meeting.many >= 0 { try many.fill(Int(meeting.many), into: &column, scratch: scratch) }
        try scratch.withColumn(count: column.count) { (partner) throws(QueryError) in
            if meeting.one >= 0 {
                try fillOne(Int(meeting.one), into: &partner, scratch: scratch)
            } else {
                try fillMissing(
                    plan.fillOne ?? .nan, of: one, members: plan.oneMembers[Int(meeting.group)], into: &partner,
                    scratch: scratch)
            }
            if meeting.many < 0 {
                try fillMissing(
                    plan.fillMany ?? .nan, of: many, members: plan.manyMembers[Int(meeting.group)], into: &column,
                    scratch: scratch
                ) { (member) throws(QueryError) in try dropRefused(from: &member, partner, scratch: scratch) }
            }
            for word in 0..<column.wordCount { column.presence[word] &= partner.presence[word] }
            if column.hasHistograms || partner.hasHistograms {
                return try matchMixed(&column, partner, scratch: scratch, matched)
            }
            guard matched(column) else { return }
            let left = UnsafePointer(isSwapped ? partner.values : column.values)
            let right = UnsafePointer(isSwapped ? column.values : partner.values)
            let done = kernel.run(
                left, right, result: column.values, presence: column.presence, count: column.count)
            if !done { note(.floatFloat) }
        }
    }

    /// The same where histograms are among the values. Operands that do not go together have not matched, as upstream: a
    /// fill value may still stand in.
    private func matchMixed(
        _ column: inout StepColumn, _ partner: borrowing StepColumn, scratch: Scratch,
        _ matched: (borrowing StepColumn) -> Bool
    ) throws(QueryError) {
        try scratch.withColumn(count: column.count) { (seen) throws(QueryError) in
            seen.clear()
            seen.presence.update(from: column.presence, count: column.wordCount)
            let refused = runMixed(&column, partner)
            for word in refused.indices { seen.presence[word] &= ~refused[word] }
            // `false` is followed by an error, whatever the column holds.
            _ = matched(seen)
        }
    }

    private func runMixed(_ column: inout StepColumn, _ partner: borrowing StepColumn) -> [UInt64] {
        let ours = column.histograms, theirs = partner.histograms
        let values = UnsafePointer(column.values), others = UnsafePointer(partner.values)
        let (remarks, refused) =
            isSwapped
            ? kernel.runMixed(others, theirs, values, ours, result: &column)
            : kernel.runMixed(values, ours, others, theirs, result: &column)
        if !remarks.isEmpty { note(remarks) }
        return refused
    }

    private func fillOne(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        if let held, heldRows[index] >= 0 {
            try held.fill(Int(heldRows[index]), into: &column, scratch: scratch)
        } else {
            try one.fill(index, into: &column, scratch: scratch)
        }
    }

    /// The fill value, at the steps at which no member of the group has a value. `correct` may take values from a member before.
    private func fillMissing(
        _ value: Double, of side: any VectorOperator, members: ArraySlice<Int>, into column: inout StepColumn,
        scratch: Scratch, _ correct: (inout StepColumn) throws(QueryError) -> Void = { _ in }
    ) throws(QueryError) {
        column.markAllPresent()
        try scratch.withColumn(count: column.count) { (member) throws(QueryError) in
            for index in members {
                try context.check()
                try side.fill(index, into: &member, scratch: scratch)
                try correct(&member)
                for word in 0..<column.wordCount { column.presence[word] &= ~member.presence[word] }
            }
        }
        column.values.update(repeating: value, count: column.count)
    }
}

extension VectorJoin {
    /// Takes from a series of the many side the steps at which it does not go together with one of the one side.
    private func dropRefused(
        from member: inout StepColumn, _ partner: borrowing StepColumn, scratch: Scratch
    ) throws(QueryError) {
        guard member.hasHistograms || partner.hasHistograms else { return }
        try scratch.withColumn(count: member.count) { (trial) throws(QueryError) in
            trial.copy(from: member)
            for word in 0..<trial.wordCount { trial.presence[word] &= partner.presence[word] }
            let refused = runMixed(&trial, partner)
            for word in refused.indices { member.presence[word] &= ~refused[word] }
        }
    }
}

extension StepColumn {
    /// Adds the presence of `other`; `false`, and nothing added, where they overlap. Values stay.
    mutating func absorb(_ other: borrowing StepColumn) -> Bool {
        for word in 0..<wordCount where presence[word] & other.presence[word] != 0 { return false }
        for word in 0..<wordCount { presence[word] |= other.presence[word] }
        return true
    }
}

extension ColumnTable {
    /// The series of `source` with the numbers `wanted`, computed and held.
    static func pulling(
        _ wanted: [Int], of source: any VectorOperator, stepCount: Int, context: QueryContext
    ) throws(QueryError) -> ColumnTable {
        try context.reserveTable(series: wanted.count, steps: stepCount)
        let table = ColumnTable(labels: Array(repeating: Labels(), count: wanted.count), stepCount: stepCount)
        var row = 0
        try source.forEachColumn(wanted, steps: stepCount, context) { (_, column) throws(QueryError) in
            try context.reserve(histogramsOf: column)
            table.set(column, at: row)
            row += 1
        }
        return table
    }
}
