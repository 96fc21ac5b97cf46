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
        var low = 0, high = 0
        /// Pairs (i − 1, i) with low < i < high that count.
        var pairs = 0
        for step in 0..<plan.windows.count {
            while high < plan.high[step] {
                if high > low && Pair.counts(values[high &- 1], values[high]) { pairs &+= 1 }
                high &+= 1
            }
            while low < plan.low[step] {
                if low &+ 1 < high && Pair.counts(values[low], values[low &+ 1]) { pairs &-= 1 }
                low &+= 1
            }
            if plan.high[step] > plan.low[step] { column.set(step, Double(pairs)) }
        }
    }
}

/// Says which neighbours count.
protocol PairPredicate: Sendable {
    static func counts(_ before: Double, _ after: Double) -> Bool
}

/// Two NaN are no change.
enum Changed: PairPredicate {
    @inline(__always)
    static func counts(_ before: Double, _ after: Double) -> Bool {
        before != after && !(before.isNaN && after.isNaN)
    }
}

enum Fell: PairPredicate {
    @inline(__always)
    static func counts(_ before: Double, _ after: Double) -> Bool { after < before }
}
