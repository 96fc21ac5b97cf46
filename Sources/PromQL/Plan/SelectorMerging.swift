import TSDB

/// A selection that is part of another one in the same query is taken from it.
///
///     sum(rate(x{code="500"}[5m])) / sum(rate(x[5m]))      select x once; of its series, those with code="500"
///
/// Both must look at the same times. Besides the work this makes the two sides see the same samples: a scrape that arrives
/// between two selections would be in one and not in the other.
///
/// The part is found by grouping the whole by the labels in question, which storage does on symbol numbers, and by testing one
/// label set per group.
enum SelectorMerging {
    static func apply(to root: PlanNode) -> PlanNode {
        var all: [Place: [[Matcher]]] = [:]
        _ = visit(root, Surroundings()) { selector, place in
            all[place, default: []].append(selector.matchers)
            return selector
        }
        guard all.values.contains(where: { $0.count > 1 }) else { return root }
        return visit(root, Surroundings()) { selector, place in
            // The widest selection that has all of this one's series; itself, where another one is the same or a part of it.
            let others = all[place] ?? []
            let wider = others.filter { $0.allSatisfy(selector.matchers.contains) }
            let narrower = others.filter { other in selector.matchers.allSatisfy(other.contains) }
            guard wider.count > 1 || narrower.count > 1, let widest = wider.min(by: { $0.count < $1.count }) else {
                return selector
            }
            var selector = selector
            selector.whole = widest
            return selector
        }
    }

    /// Selections of one place look at the same times.
    private struct Place: Hashable {
        var surroundings: Surroundings
        /// Milliseconds; `nil`: an instant selector, whose window is the lookback.
        var length: Int64?
        var offset: Int64
        var at: Int64?
        var reach: WindowReach
    }

    /// Which grid of steps a part runs on.
    private struct Surroundings: Hashable {
        /// Range, step, offset and time of the subqueries around it.
        var subqueries: [[Int64]] = []
        var runsOnce = false
    }

    private static func visit(
        _ node: PlanNode, _ surroundings: Surroundings, _ change: (SelectorPlan, Place) -> SelectorPlan
    ) -> PlanNode {
        func changed(_ selector: SelectorPlan, length: Int64?) -> SelectorPlan {
            change(
                selector,
                Place(
                    surroundings: surroundings, length: length, offset: selector.offset.milliseconds,
                    at: selector.at?.milliseconds, reach: selector.reach))
        }
        func changed(_ range: RangePlan) -> RangePlan {
            var range = range
            switch range.source {
            case .selector(let selector):
                range.source = .selector(changed(selector, length: range.length.milliseconds))
            case .subquery(let inner, let step, let offset, let at):
                var within = surroundings
                within.subqueries.append(
                    [range.length.milliseconds, step.milliseconds, offset.milliseconds, at?.milliseconds ?? .min])
                range.source = .subquery(visit(inner, within, change), step: step, offset: offset, at: at)
            }
            return range
        }
        switch node {
        case .selector(let selector): return .selector(changed(selector, length: nil))
        case .range(let range): return .range(changed(range))
        case .rangeFunction(var plan):
            plan.range = changed(plan.range)
            plan.parameters = plan.parameters.map { visit($0, surroundings, change) }
            return .rangeFunction(plan)
        case .stepInvariant(let inner):
            var within = surroundings
            within.runsOnce = true
            return .stepInvariant(visit(inner, within, change))
        default: return node.mapChildren { visit($0, surroundings, change) }
        }
    }
}

/// The selections of one query that several parts look at, made when the first of them asks.
final class SharedSelections {
    private var made: [(matchers: [Matcher], from: Timestamp, through: Timestamp, set: any SeriesSet)] = []

    /// The whole selection, from `select` the first time.
    func whole(
        _ matchers: [Matcher], from: Timestamp, through: Timestamp, _ select: () throws(TSDBError) -> any SeriesSet
    ) throws(TSDBError) -> any SeriesSet {
        for known in made where known.from == from && known.through == through && known.matchers == matchers {
            return known.set
        }
        let set = try select()
        made.append((matchers, from, through, set))
        return set
    }
}

/// Some series of a selection.
struct PartialSeriesSet: SeriesSet {
    private let whole: any SeriesSet
    private let indices: [Int]

    /// The series of `whole` that satisfy `matchers`; `whole` itself where there is nothing to ask.
    static func of(_ whole: any SeriesSet, where matchers: [Matcher]) -> any SeriesSet {
        if matchers.isEmpty { return whole }
        let groups = whole.groups(.by(matchers.map(\.name)))
        let accepted = groups.labels.map { labels in matchers.allSatisfy { $0.matches(labels[$0.name] ?? "") } }
        return PartialSeriesSet(
            whole: whole, indices: groups.assignment.indices.filter { accepted[Int(groups.assignment[$0])] })
    }

    var count: Int { indices.count }
    func labels(at index: Int) -> Labels { whole.labels(at: indices[index]) }

    func decode(_ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns) throws(TSDBError) {
        try whole.decode(indices[index], from: from, through: through, into: &columns)
    }

    func chunkTally(_ index: Int, from: Int64, through: Int64) -> ChunkTally {
        whole.chunkTally(indices[index], from: from, through: through)
    }

    func groups(_ grouping: Grouping) -> Groups {
        let all = whole.groups(grouping)
        // Numbered anew, in order of first appearance among these.
        var numbers = [UInt32?](repeating: nil, count: all.labels.count)
        var labels: [Labels] = []
        let assignment = indices.map { index -> UInt32 in
            let group = Int(all.assignment[index])
            if let number = numbers[group] { return number }
            let number = UInt32(truncatingIfNeeded: labels.count)
            numbers[group] = number
            labels.append(all.labels[group])
            return number
        }
        return Groups(assignment: assignment, labels: labels)
    }
}
