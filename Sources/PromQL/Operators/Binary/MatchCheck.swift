import TSDB

/// Finds what upstream refuses: a step at which a group has two values on a side that may have only one.
///
///     a{job="x", pod="1"}   5 5 _            b{job="x"}   1 1 1
///     a{job="x", pod="2"}   _ 6 6                         ↑ a on(job) b: two matches at the second step
///
/// Only groups with several members are looked at; where labels are unique, which is the usual case, nothing is read.
struct MatchCheck {
    let plan: JoinPlan
    let many: any VectorOperator
    let one: any VectorOperator
    let stepCount: Int
    let operation: HistogramOperation
    let context: QueryContext

    private struct Conflict {
        var step: Int
        var first: Int
        var second: Int
        var group: Int
    }

    /// The one side may have one value per group and step. `side` is its name in the query, left or right.
    func oneSide(range: Range<Int>, side: String) throws(QueryError) {
        let crowded = (0..<plan.groups.count).filter { plan.oneMembers[$0].count > 1 }
        guard !crowded.isEmpty else { return }
        var found: Conflict?
        let scratch = Scratch()
        // Upstream looks only where the other side has any value, or a fill value could stand in for it.
        var relevant: PresenceTable?
        for group in crowded {
            try context.check()
            let conflict = try firstConflict(plan.oneMembers[group], of: one, group: group, scratch: scratch) {
                (bits, column) throws(QueryError) in
                guard plan.fillMany == nil && plan.fillOne == nil else { return }
                if relevant == nil { relevant = try presenceOfManySide() }
                guard let table = relevant else { return }
                for word in 0..<column.wordCount { bits[word] &= table[0][word] }
            }
            guard let conflict else { continue }
            if let best = found, (best.step, best.second) <= (conflict.step, conflict.second) { continue }
            found = conflict
        }
        guard let found else { return }
        let names = [found.first, found.second].map { one.labels(at: $0).inBraces }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        throw QueryError(
            .evaluation,
            "found duplicate series for the match group \(plan.groups.labels[found.group].inBraces) on the \(side) "
                + "hand-side of the operation: [\(names[0]), \(names[1])];many-to-many matching not allowed: "
                + "matching labels must be unique on one side",
            range: range)
    }

    /// One-to-one: the other side too, at the steps at which it finds a partner.
    func manySide(range: Range<Int>) throws(QueryError) {
        let scratch = Scratch()
        for group in 0..<plan.groups.count where plan.manyMembers[group].count > 1 {
            let partners = plan.oneMembers[group]
            if partners.isEmpty && plan.fillOne == nil { continue }
            try context.check()
            let conflict = try firstConflict(plan.manyMembers[group], of: many, group: group, scratch: scratch) {
                (bits, column) throws(QueryError) in
                if try dropUndefined(&bits, group: group, scratch: scratch) { return }
                guard plan.fillOne == nil else { return }
                var matched = Array(repeating: UInt64(0), count: column.wordCount)
                for partner in partners {
                    try context.check()
                    try one.fill(partner, into: &column, scratch: scratch)
                    for word in 0..<column.wordCount { matched[word] |= column.presence[word] }
                }
                for word in 0..<column.wordCount { bits[word] &= matched[word] }
            }
            if conflict != nil {
                throw QueryError(
                    .evaluation,
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                    range: range)
            }
        }
    }

    /// Where native histograms are among them, members that the operation is not defined on have no partner: leaves the steps at which
    /// two have one. `false`: all are floats, and nothing was done.
    private func dropUndefined(_ bits: inout [UInt64], group: Int, scratch: Scratch) throws(QueryError) -> Bool {
        let fill = plan.fillOne.map { HistogramOperation.Operand.float($0) }
        var partners: [HistogramOperation.Operand?] = Array(repeating: fill, count: stepCount)
        var matches = Array(repeating: 0, count: stepCount)
        var hasHistograms = false
        let steps = (0..<stepCount).filter { bits[$0 >> 6] & (1 << UInt64(truncatingIfNeeded: $0 & 63)) != 0 }
        try scratch.withColumn(count: stepCount) { (column) throws(QueryError) in
            for partner in plan.oneMembers[group] {
                try context.check()
                try one.fill(partner, into: &column, scratch: scratch)
                if column.hasHistograms { hasHistograms = true }
                for step in steps where column.isPresent(step) { partners[step] = column.operand(step) }
            }
            for member in plan.manyMembers[group] {
                try context.check()
                try many.fill(member, into: &column, scratch: scratch)
                if column.hasHistograms { hasHistograms = true }
                for step in steps where column.isPresent(step) {
                    if let partner = partners[step], operation.isDefined(column.operand(step), partner) { matches[step] += 1 }
                }
            }
        }
        guard hasHistograms else { return false }
        for step in steps where matches[step] < 2 { bits[step >> 6] &= ~(1 << UInt64(truncatingIfNeeded: step & 63)) }
        return true
    }

    /// The earliest step with values of two `members`. `restrict` clears bits of steps that do not matter, and may use
    /// the column it is given; it is asked only where there is a conflict at all.
    private func firstConflict(
        _ members: ArraySlice<Int>, of side: any VectorOperator, group: Int, scratch: Scratch,
        restrict: (_ bits: inout [UInt64], _ column: inout StepColumn) throws(QueryError) -> Void
    ) throws(QueryError) -> Conflict? {
        try scratch.withColumn(count: stepCount) { (column) throws(QueryError) in
            var seen = Array(repeating: UInt64(0), count: column.wordCount)
            var found: Conflict?
            for member in members {
                try context.check()
                try side.fill(member, into: &column, scratch: scratch)
                var overlap = seen
                var any: UInt64 = 0
                for word in 0..<column.wordCount {
                    overlap[word] &= column.presence[word]
                    seen[word] |= column.presence[word]
                    any |= overlap[word]
                }
                guard any != 0 else { continue }
                try restrict(&overlap, &column)
                guard let word = overlap.firstIndex(where: { $0 != 0 }) else { continue }
                let step = word << 6 + overlap[word].trailingZeroBitCount
                if let found, found.step <= step { continue }
                // The one that was there before: the first member with a value at this step.
                var first = member
                for candidate in members {
                    try context.check()
                    try side.fill(candidate, into: &column, scratch: scratch)
                    if column.isPresent(step) {
                        first = candidate
                        break
                    }
                }
                found = Conflict(step: step, first: first, second: member, group: group)
            }
            return found
        }
    }

    /// One row: the steps at which the many side has any value.
    private func presenceOfManySide() throws(QueryError) -> PresenceTable {
        try PresenceTable(
            many, groups: Array(repeating: 0, count: many.count), groupCount: 1, stepCount: stepCount, wanted: [true],
            context: context)
    }
}
