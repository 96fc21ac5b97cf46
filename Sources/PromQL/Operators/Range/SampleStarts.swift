import TSDB

/// When the counts of a series' samples began, as far as that is known, and what it says about resets.
///
///     samples     5        7        2        9
///     started at  0 s      0 s      25 s     25 s       between the second and the third it began again, which their values say, too
///                 5        7        8                   … and here only the starts say it
///                 0 s      0 s      25 s
///
/// Deltas have the time of the sample before as their start: each begins again, and counts in full.
///
/// Source: Prometheus, `isStartTimestampReset` in `promql/functions.go`; OpenTelemetry, “Cumulative streams: handling unknown start time”.
struct SampleStarts {
    private let times: UnsafePointer<Int64>
    /// Milliseconds since the epoch, 0: not known. May be shorter than the samples.
    private let starts: [Int64]

    init(_ samples: borrowing SampleColumns) {
        times = UnsafePointer(samples.timestamps)
        starts = samples.starts
    }

    /// Nothing is known of any sample.
    var isEmpty: Bool { starts.isEmpty }

    @inline(__always)
    func start(_ index: Int) -> Int64 { index < starts.count ? starts[index] : 0 }

    /// Whether the counter began again between samples `index − 1` and `index`.
    @inline(__always)
    func beganAgain(_ index: Int) -> Bool {
        // Beyond the end nothing is known.
        if index >= starts.count { return false }
        let start = starts[index], before = times[index &- 1]
        // One at the sample is OpenTelemetry's word for “unknown”, one behind it is wrong.
        if start == 0 || start >= times[index] || start < before { return false }
        if start > before { return true }
        // Right at the sample before: a delta, if that one's own start is known; else a counter whose beginning nobody saw.
        let earlier = starts[index &- 1]
        return earlier != 0 && earlier < before
    }

    /// Whether sample `index` began before the sample in front of it, and not when that one did: somebody mixes two counters.
    private func overlaps(_ index: Int) -> Bool {
        let start = start(index)
        return start != 0 && start < times[index &- 1] && start != self.start(index &- 1)
    }

    /// When sample `index`, the first of a window, began, if that was inside of the window.
    @inline(__always)
    func start(_ index: Int, behind windowStart: Int64) -> Int64? {
        let start = start(index)
        return start != 0 && start > windowStart && start < times[index] ? start : nil
    }

    /// In how many of the windows that have an answer samples overlap.
    func overlapCount(_ plan: WindowPlan, _ column: borrowing StepColumn) -> Int {
        var seen = 1, last = 0, count = 0
        for step in 0..<plan.windows.count where plan.high[step] > plan.low[step] {
            while seen < plan.high[step] {
                if overlaps(seen) { last = seen }
                seen &+= 1
            }
            if last > plan.low[step] && column.isPresent(step) { count &+= 1 }
        }
        return count
    }

    /// The note on them.
    static func overlapNote(_ metric: String, count: Int, at range: Range<Int>) -> Annotation {
        var note = Annotation(
            .warning, "sample has start time that overlaps with previous sample timestamp for metric \(metric.goQuoted)", at: range)
        note.occurrences = count
        return note
    }
}

extension WindowKernel {
    /// Functions that are not of counters do not care when something began.
    func run(
        _ samples: WindowSamples, starting starts: SampleStarts, _ plan: WindowPlan, into column: inout StepColumn,
        _ context: QueryContext
    ) throws(QueryError) {
        try run(samples, plan, into: &column, context)
    }

    var notesOverlaps: Bool { false }
}
