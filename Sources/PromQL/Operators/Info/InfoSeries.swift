import TSDB

/// The info series of an `info` call, and which of them holds at each step.
///
///     group (name, instance, job)      steps   t₀   t₁   t₂   t₃
///     target_info a/1  v="old"                 ×    ×    stale
///     target_info a/1  v="new"                           ×    ×
///     chosen                                   old  old  new  new
///
/// Several series of a group at one step: the one with the newest sample holds; two equally new ones are an error, but only where there is
/// something to be told about at that step, so errors are kept by step.
struct InfoSeries: Sendable {
    /// Numbered by the label sets of `keys`: name, then identifying labels.
    private var groups: [[String]: Int] = [:]
    /// The names of info metrics there are, in order of appearance.
    private(set) var names: [String] = []
    private(set) var labels: [Labels] = []
    /// Group by group, a series per step; −1 where none holds.
    private var chosen: [[Int32]] = []
    private var faults: [Int: Fault] = [:]

    /// What is wrong at a step. Made a sentence only where it is told: labels are long, and steps are many.
    private enum Fault {
        case histogram
        case rivals(Int32, Int32, time: Int64)
    }

    /// No info series.
    init() {}

    init(_ series: any SeriesSet, _ windows: WindowGrid, context: QueryContext) throws(QueryError) {
        var newest: [[Int64]] = []
        let scratch = Scratch()
        var budget = LabelBudget(context)
        for index in 0..<series.count {
            let own = series.labels(at: index)
            try budget.add(own)
            labels.append(own)
            let name = own.metricName ?? ""
            if !names.contains(name) { names.append(name) }
            let key = Self.key(name, own)
            let group = groups[key] ?? chosen.count
            if group == chosen.count {
                groups[key] = group
                try context.reserve(bytes: windows.count.multipliedReportingOverflow(by: 12).overflow ? .max : windows.count * 12)
                chosen.append(Array(repeating: -1, count: windows.count))
                newest.append(Array(repeating: .min, count: windows.count))
            }
            try scratch.decode(index, of: series, windows, context)
            let count = scratch.samples.count
            guard count > 0 else { continue }
            let plan = scratch.plan(windows, fitting: scratch.samples.timestamps, count: count)
            for step in 0..<windows.count where plan.low[step] < plan.high[step] {
                let sample = plan.high[step] &- 1
                if StaleMarker.isStale(scratch.samples.values[sample]) { continue }
                if scratch.samples.histograms.row(of: sample) >= 0 { faults[step] = .histogram }
                let time = scratch.samples.timestamps[sample]
                let rival = chosen[group][step]
                if rival >= 0, newest[group][step] == time {
                    faults[step] = .rivals(rival, Int32(truncatingIfNeeded: index), time: time)
                }
                if time > newest[group][step] {
                    newest[group][step] = time
                    chosen[group][step] = Int32(truncatingIfNeeded: index)
                }
            }
        }
        try budget.settle()
    }

    private static func key(_ name: String, _ labels: Labels) -> [String] {
        [name] + InfoSelection.identifying.map { labels[$0] ?? "" }
    }

    /// The groups that tell about a series with `labels`: at most one per info metric.
    func groups(about labels: Labels) -> [Int] { names.compactMap { groups[Self.key($0, labels)] } }

    /// The steps at which something is wrong.
    var faultySteps: [Int] { Array(faults.keys) }

    /// What is wrong at `step`.
    func fault(at step: Int) -> String? {
        switch faults[step] {
        case nil: nil
        case .histogram: "info sample should be float"
        case .rivals(let existing, let new, let time):
            "found duplicate series for info metric: existing \(labels[Int(existing)].inBraces) @ \(time), new \(labels[Int(new)].inBraces) @ \(time)"
        }
    }

    /// The series of `group` that holds at `step`.
    func chosen(_ group: Int, at step: Int) -> Int? {
        let series = chosen[group][step]
        return series < 0 ? nil : Int(series)
    }
}
