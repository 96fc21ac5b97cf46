import TSDB

/// What a window of histograms needs to know of the samples up to its end, carried along while windows slide: where the last float, gauge,
/// reset and change of layout were. Everything is looked at once per sample, not once per window.
///
///     samples        H   H   H   f   H   H ↓ H
///     window             (               ]         lastFloat ≥ low: a mixture
///                                  (       ]       lastReset > low: there is one inside; lastChange ≤ low: one layout
struct NativeScan {
    private(set) var lastFloat = -1
    private(set) var lastHistogram = -1
    /// Samples that say they are gauges.
    private(set) var lastGauge = -1
    /// The newest sample that is no continuation of the one before it.
    private(set) var lastReset = -1
    /// The newest sample of another layout than the one before it.
    private(set) var lastChange = -1
    /// The newest sample that is of another kind than the one before it: other buckets, not just more of them.
    private(set) var lastUnlike = -1
    /// All resets, ascending.
    private(set) var resets: [Int] = []
    private var seen = 0
    /// Looks for resets.
    let isCounter: Bool

    init(isCounter: Bool) { self.isCounter = isCounter }

    /// Looks at all samples before `high`.
    @inline(__always)
    mutating func advance(to high: Int, _ samples: NativeSamples) {
        while seen < high { look(at: seen, samples) }
    }

    private mutating func look(at index: Int, _ samples: NativeSamples) {
        seen = index &+ 1
        guard samples.isHistogram(index) else {
            lastFloat = index
            return
        }
        let follows = lastHistogram == index &- 1 && index > 0
        lastHistogram = index
        if samples.hint(index) == .gauge { lastGauge = index }
        guard follows else {
            (lastChange, lastUnlike) = (index, index)
            return
        }
        if !samples.areAlike(index) {
            lastChange = index
            if !samples.areOfOneKind(index) { lastUnlike = index }
        }
        if isCounter, samples.isReset(index) {
            lastReset = index
            resets.append(index)
        }
    }

    /// What the window `low ..< high`, the last one advanced to and not empty, has.
    @inline(__always)
    func kind(_ low: Int) -> Kind {
        if lastFloat < low { return .histograms }
        return lastHistogram < low ? .floats : .mixed
    }

    enum Kind { case floats, histograms, mixed }

    /// Resets between two samples of the window `low ..< high`.
    func resets(in low: Int, _ high: Int) -> ArraySlice<Int> {
        var first = resets.count
        while first > 0 && resets[first &- 1] > low { first &-= 1 }
        var end = resets.count
        while end > first && resets[end &- 1] >= high { end &-= 1 }
        return resets[first..<end]
    }
}

extension WindowKernel {
    var canFail: Bool { false }

    /// Functions of numbers see the floats of each window alone, and say so where a window has both.
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        try runOnFloats(samples, plan, into: &column, &notes, scratch, context)
    }

    func runOnFloats(
        _ samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        var scan = NativeScan(isCounter: false)
        plan.forEachWindow { _, low, high in
            scan.advance(to: high, samples)
            if scan.kind(low) == .mixed { notes.insert(.ignored) }
        }
        var floats = SampleColumns(capacity: samples.count)
        for index in 0..<samples.count where !samples.isHistogram(index) {
            floats.append(samples.times[index], samples.values[index])
        }
        guard floats.count > 0 else { return }
        // May be `plan` itself with other times, so that one must not be used any more.
        let own = scratch.plan(plan.windows, fitting: floats.timestamps, count: floats.count)
        try run(
            WindowSamples(times: floats.timestamps, values: floats.values, count: floats.count), own, into: &column, context)
        // The pointers above live as long as this.
        floats.removeAll()
    }
}
