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
    let canFail: Bool

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

        let check = MatchCheck(
            plan: plan, many: many, one: one, stepCount: grid.count,
            operation: HistogramOperation(op: expr.op, returnsBool: expr.returnsBool), context: context)
        try check.oneSide(range: expr.range, side: isSwapped ? "left" : "right")
        if matching.cardinality == .oneToOne { try check.manySide(range: expr.range) }
        try plan.arrange(many: many, one: one, context: context)
        self.plan = plan
        // Rows of one meeting each cannot be ambiguous.
        canFail = many.canFail || one.canFail || plan.meetings.count > plan.rowCount
        try Self.computeUnmatched(many, met: plan.meetings.lazy.map(\.many), grid, context)
        try Self.computeUnmatched(one, met: plan.meetings.lazy.map(\.one), grid, context)

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

    /// Series without a partner are in no row, and their errors are errors of the query all the same.
    private static func computeUnmatched(
        _ side: any VectorOperator, met: some Sequence<Int32>, _ grid: StepGrid, _ context: QueryContext
    ) throws(QueryError) {
        guard side.canFail else { return }
        var isMet = Array(repeating: false, count: side.count)
        for index in met where index >= 0 { isMet[Int(index)] = true }
        try side.computeUnused(isMet.indices.lazy.filter { !isMet[$0] }, steps: grid.count, context)
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

    /// Computes one meeting. `matched` sees the steps at which both sides have a value and the operation exists for them, before a comparison
    /// filters, and may stop there.
    private func match(
        _ meeting: JoinPlan.Meeting, into column: inout StepColumn, scratch: Scratch,
        _ matched: (borrowing StepColumn) -> Bool
    ) throws(QueryError) {
        if meeting.many >= 0 {
            try many.fill(Int(meeting.many), into: &column, scratch: scratch)
        } else {
            column.markAllPresent()
        }
        try scratch.withColumn(count: column.count) { (partner) throws(QueryError) in
            if meeting.one >= 0 {
                try fillOne(Int(meeting.one), into: &partner, scratch: scratch)
            } else {
                try fillMissing(
                    plan.fillOne ?? .nan, of: one, members: plan.oneMembers[Int(meeting.group)], into: &partner,
                    scratch: scratch)
            }
            if meeting.many < 0 {
                try fillUnmatched(partner, plan.manyMembers[Int(meeting.group)], into: &column, scratch: scratch)
            }
            for word in 0..<column.wordCount { column.presence[word] &= partner.presence[word] }
            if column.hasHistograms || partner.hasHistograms {
                return try matchMixed(partner, into: &column, scratch: scratch, matched)
            }
            guard matched(column) else { return }
            let left = UnsafePointer(isSwapped ? partner.values : column.values)
            let right = UnsafePointer(isSwapped ? column.values : partner.values)
            let done = kernel.run(
                left, right, result: column.values, presence: column.presence, count: column.count)
            if !done { note(.floatFloat) }
        }
    }

    private func matchMixed(
        _ partner: borrowing StepColumn, into column: inout StepColumn, scratch: Scratch,
        _ matched: (borrowing StepColumn) -> Bool
    ) throws(QueryError) {
        let ours = column.histograms, theirs = partner.histograms
        let left = UnsafePointer(isSwapped ? partner.values : column.values)
        let right = UnsafePointer(isSwapped ? column.values : partner.values)
        var remarks: BinaryRemarks = []
        try scratch.withColumn(count: column.count) { (defined) throws(QueryError) in
            defined.copy(from: column)
            remarks = kernel.runMixed(
                left, isSwapped ? theirs : ours, right, isSwapped ? ours : theirs, result: &column, defined: defined.presence)
            guard matched(defined) else { return }
        }
        if !remarks.isEmpty { note(remarks) }
    }

    /// The many side's fill value, at the steps at which no member of the group has matched `one`.
    private func fillUnmatched(
        _ one: borrowing StepColumn, _ members: ArraySlice<Int>, into column: inout StepColumn, scratch: Scratch
    ) throws(QueryError) {
        let operation = HistogramOperation(op: kernel.op, returnsBool: kernel.returnsBool)
        column.markAllPresent()
        try scratch.withColumn(count: column.count) { (member) throws(QueryError) in
            for index in members {
                try context.check()
                try many.fill(index, into: &member, scratch: scratch)
                if !member.hasHistograms && !one.hasHistograms {
                    for word in 0..<column.wordCount { column.presence[word] &= ~member.presence[word] }
                    continue
                }
                for step in 0..<column.count where member.isPresent(step) && one.isPresent(step) {
                    let (a, b) = (member.operand(step), one.operand(step))
                    if isSwapped ? operation.isDefined(b, a) : operation.isDefined(a, b) { column.unset(step) }
                }
            }
        }
        column.values.update(repeating: plan.fillMany ?? .nan, count: column.count)
    }

    private func fillOne(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        if let held, heldRows[index] >= 0 {
            try held.fill(Int(heldRows[index]), into: &column, scratch: scratch)
        } else {
            try one.fill(index, into: &column, scratch: scratch)
        }
    }

    /// The fill value, at the steps at which no member of the group has a value.
    private func fillMissing(
        _ value: Double, of side: any VectorOperator, members: ArraySlice<Int>, into column: inout StepColumn,
        scratch: Scratch
    ) throws(QueryError) {
        column.markAllPresent()
        try scratch.withColumn(count: column.count) { (member) throws(QueryError) in
            for index in members {
                try context.check()
                try side.fill(index, into: &member, scratch: scratch)
                for word in 0..<column.wordCount { column.presence[word] &= ~member.presence[word] }
            }
        }
        column.values.update(repeating: value, count: column.count)
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
