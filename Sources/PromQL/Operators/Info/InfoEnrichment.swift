import TSDB

/// `info(v)`: each series of `v` with the labels that info series tell about its target.
///
///     http_requests_total{instance="a", job="x"}          5 6 7
///     target_info{instance="a", job="x", version="1"}     1 1 _
///     target_info{instance="a", job="x", version="2"}     _ _ 1
///        ⇒ http_requests_total{…, version="1"}            5 6 _
///          http_requests_total{…, version="2"}            _ _ 7
///
/// Which info series hold is known before the first column is asked for (`InfoSeries`). A base series has one **variant** per combination of
/// info series that holds at some of the steps: labels, and the steps at which it is so. Rows are variants by labels; their columns are the base
/// columns, masked. Streaming.
///
/// Source: Prometheus, `info()` (docs: querying/functions), with the behaviour of 3.14.
struct InfoEnrichment: VectorOperator {
    /// A base series as it is at some steps.
    private struct Part: Sendable {
        var base: Int
        /// A bit per step; empty: all steps.
        var steps: [UInt64]
        /// Two info series say different things about this label.
        var conflict: String?
    }

    private let base: any VectorOperator
    private let info: InfoSeries
    private var rowLabels: [Labels] = []
    private var rowDropsName: [Bool] = []
    private var parts: [[Part]] = []
    /// A bit per step at which the info series are in conflict with each other.
    private let wrongSteps: [UInt64]
    let isDistinctWithoutNames = false
    let canFail: Bool

    /// `select` gets the info series that satisfy matchers, and the windows they are looked at in.
    static func make(
        _ base: any VectorOperator, _ selection: InfoSelection, _ windows: WindowGrid, context: QueryContext,
        select: ([Matcher]) throws(QueryError) -> any SeriesSet
    ) throws(QueryError) -> any VectorOperator {
        var labels: [Labels] = []
        labels.reserveCapacity(base.count)
        var budget = LabelBudget(context)
        for index in 0..<base.count {
            let own = base.labels(at: index)
            try budget.add(own)
            labels.append(own)
        }
        try budget.settle()
        let isInfo = labels.map { selection.isInfo($0.metricName ?? "") }
        var info = InfoSeries()
        if let matchers = try selection.matchers(for: labels.indices.lazy.filter { !isInfo[$0] }.map { labels[$0] }) {
            info = try InfoSeries(try select(matchers), windows, context: context)
        }
        return try InfoEnrichment(base, labels, isInfo, selection, info, steps: windows.count, context)
    }

    private init(
        _ base: any VectorOperator, _ labels: [Labels], _ isInfo: [Bool], _ selection: InfoSelection, _ info: InfoSeries,
        steps: Int, _ context: QueryContext
    ) throws(QueryError) {
        self.base = base
        self.info = info
        let faultySteps = info.faultySteps
        var wrong = [UInt64](repeating: 0, count: faultySteps.isEmpty ? 0 : (steps + 63) >> 6)
        for step in faultySteps { wrong[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63) }
        wrongSteps = wrong

        var rows: [RowKey: Int] = [:]
        var known: [[Int]: [Variant]] = [:]
        var budget = LabelBudget(context)
        for index in labels.indices {
            var variants = [Variant(series: [], steps: [])]
            if !isInfo[index] {
                let groups = info.groups(about: labels[index])
                if let made = known[groups] {
                    variants = made
                } else {
                    variants = try Self.variants(groups, info, steps, context)
                    known[groups] = variants
                }
                try context.check()
            }
            for variant in variants {
                if variant.series.isEmpty && selection.dropsUnmatched && !isInfo[index] { continue }
                let (enriched, conflict) = Self.enrich(labels[index], variant.series.map { info.labels[$0] }, selection)
                let key = RowKey(labels: enriched, dropsName: base.dropsName(at: index))
                let part = Part(base: index, steps: variant.steps, conflict: conflict)
                try budget.add(bytes: MemoryLayout<Part>.stride)
                if let row = rows[key] {
                    parts[row].append(part)
                } else {
                    rows[key] = rowLabels.count
                    try budget.add(enriched)
                    rowLabels.append(enriched)
                    rowDropsName.append(key.dropsName)
                    parts.append([part])
                }
            }
        }
        try budget.settle()
        canFail = base.canFail || !wrongSteps.isEmpty || parts.contains { $0.count > 1 || $0[0].conflict != nil }
        guard base.canFail else { return }
        var isUsed = Array(repeating: false, count: base.count)
        for row in parts { for part in row { isUsed[part.base] = true } }
        try base.computeUnused(isUsed.indices.lazy.filter { !isUsed[$0] }, steps: steps, context)
    }

    private struct RowKey: Hashable {
        var labels: Labels
        var dropsName: Bool
    }

    /// A combination of info series, at most one of each metric, and the steps at which it holds.
    private struct Variant {
        var series: [Int]
        /// Empty: all steps.
        var steps: [UInt64]
    }

    /// Info series that change at every step make a row of bits for each: counted before it is made.
    private static func variants(
        _ groups: [Int], _ info: InfoSeries, _ steps: Int, _ context: QueryContext
    ) throws(QueryError) -> [Variant] {
        if groups.isEmpty { return [Variant(series: [], steps: [])] }
        var order: [[Int]] = []
        var places: [[Int]: [UInt64]] = [:]
        let wordCount = (steps + 63) >> 6
        for step in 0..<steps {
            let series = groups.compactMap { info.chosen($0, at: step) }
            if places[series] == nil {
                try context.reserve(bytes: (wordCount &+ series.count) &* 8 &+ LabelBudget.overhead)
                order.append(series)
                places[series] = Array(repeating: 0, count: wordCount)
            }
            places[series]?[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
        }
        return order.map { Variant(series: $0, steps: order.count == 1 ? [] : places[$0] ?? []) }
    }

    /// `base` with what `infos` add to it: labels that it has not. The name of a label about which they disagree, if there is one.
    private static func enrich(_ base: Labels, _ infos: [Labels], _ selection: InfoSelection) -> (Labels, conflict: String?) {
        if infos.isEmpty { return (base, nil) }
        var added = LabelsBuilder()
        var builder = LabelsBuilder(base)
        for info in infos {
            for (name, value) in info.pairs where selection.adds(name) {
                let before = added[name]
                if !before.isEmpty && before != value { return (base, name) }
                if base[name] != nil { continue }
                added.set(name, to: value)
                builder.set(name, to: value)
            }
        }
        return (builder.labels(), nil)
    }

    var count: Int { rowLabels.count }
    func labels(at index: Int) -> Labels { rowLabels[index] }
    func dropsName(at index: Int) -> Bool { rowDropsName[index] }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try fill(parts[index][0], into: &column, scratch: scratch)
        for part in parts[index].dropFirst() {
            try scratch.withColumn(count: column.count) { (other) throws(QueryError) in
                try fill(part, into: &other, scratch: scratch)
                guard column.merge(other) else { throw QueryError.sameLabelset }
            }
        }
    }

    private func fill(_ part: Part, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try base.fill(part.base, into: &column, scratch: scratch)
        for word in wrongSteps.indices where column.presence[word] & wrongSteps[word] != 0 {
            let step = word << 6 &+ (column.presence[word] & wrongSteps[word]).trailingZeroBitCount
            throw QueryError(.evaluation, info.fault(at: step) ?? "info series are in conflict")
        }
        for word in part.steps.indices { column.presence[word] &= part.steps[word] }
        if let conflict = part.conflict, !column.isEmpty {
            throw QueryError(.evaluation, "conflicting label: \(conflict)")
        }
    }
}
