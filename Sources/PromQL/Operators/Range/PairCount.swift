/// `changes` and `resets`: how many neighbours in the window differ, or fall.
///
///     window   (  3   3   5   1   1  ]        changes 2, resets 1
///                   =   ≠   ≠   =
///
/// A count of whole numbers can be carried from window to window exactly: a pair is added when its second sample comes in
/// and taken away when its first goes out. O(samples + steps).
struct PairCount<Pair: PairPredicate>: WindowKernel {
    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        let values = samples.values
        slide(plan, into: &column) { Pair.counts(values[$0 &- 1], values[$0]) }
    }

    func run(
        _ samples: WindowSamples, starting starts: SampleStarts, _ plan: WindowPlan, into column: inout StepColumn,
        _ context: QueryContext
    ) throws(QueryError) {
        guard Pair.heedsStarts else { return try run(samples, plan, into: &column, context) }
        let values = samples.values
        slide(plan, into: &column) { Pair.counts(values[$0 &- 1], values[$0]) || starts.beganAgain($0) }
    }

    /// A float behind a histogram, or the other way round, is a change and a reset. Pairs of histograms are compared once.
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        var counts = [false]
        for index in 1..<max(1, samples.count) {
            switch (samples.isHistogram(index &- 1), samples.isHistogram(index)) {
            case (false, false):
                counts.append(
                    Pair.counts(samples.values[index &- 1], samples.values[index])
                        || Pair.heedsStarts && samples.starts.beganAgain(index))
            case (true, true): counts.append(Pair.counts(samples, index))
            case (true, false), (false, true): counts.append(true)
            }
        }
        slide(plan, into: &column) { counts[$0] }
    }

    /// `counts` tells whether the pair of a sample and the one before it does.
    @inline(__always)
    private func slide(_ plan: WindowPlan, into column: inout StepColumn, counts: (_ second: Int) -> Bool) {
        var low = 0, high = 0
        /// Pairs (i − 1, i) with low < i < high that count.
        var pairs = 0
        for step in 0..<plan.windows.count {
            while high < plan.high[step] {
                if high > low && counts(high) { pairs &+= 1 }
                high &+= 1
            }
            while low < plan.low[step] {
                if low &+ 1 < high && counts(low &+ 1) { pairs &-= 1 }
                low &+= 1
            }
            if plan.high[step] > plan.low[step] { column.set(step, Double(pairs)) }
        }
    }
}

/// Says which neighbours count.
protocol PairPredicate: Sendable {
    static func counts(_ before: Double, _ after: Double) -> Bool
    /// Of the histograms that sample `index` and the one before it are.
    static func counts(_ samples: NativeSamples, _ index: Int) -> Bool
    /// Whether a pair counts, too, between which the counter began again.
    static var heedsStarts: Bool { get }
}

/// Two NaN are no change.
enum Changed: PairPredicate {
    static let heedsStarts = false

    @inline(__always)
    static func counts(_ before: Double, _ after: Double) -> Bool {
        before != after && !(before.isNaN && after.isNaN)
    }

    static func counts(_ samples: NativeSamples, _ index: Int) -> Bool { samples.isChange(index) }
}

enum Fell: PairPredicate {
    static let heedsStarts = true

    @inline(__always)
    static func counts(_ before: Double, _ after: Double) -> Bool { after < before }

    static func counts(_ samples: NativeSamples, _ index: Int) -> Bool { samples.isReset(index) }
}
