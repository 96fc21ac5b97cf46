import TSDB

/// What to measure on which data: the command's options, checked before anything is allocated.
struct BenchPlan: Equatable, Sendable {
    var groups: [CaseGroup]
    var shape: FleetShape
    /// Steps of a range query.
    var stepCount: Int
    /// Milliseconds between two steps.
    var step: Int64
    /// Nanoseconds to spend on each case.
    var budget: Double

    /// Points of the API's range queries are bounded by this, ours and upstream's.
    static let maximumSteps = 11_000
    static let maximumSeries = 5_000_000
    static let maximumBuckets = 200
    /// All families together: about 1 GB as chunks in memory.
    static let maximumSamples = 500_000_000
    /// How far windows of the queries reach back before the first step.
    static let longestWindow: Int64 = 600_000

    /// Checks the options as they were given. Times are in milliseconds, `budget` in nanoseconds.
    init(
        groups: [CaseGroup], series: Int, buckets: Int, steps: Int, step: Int64, interval: Int64, end: Timestamp,
        seed: UInt64, run: String, budget: Double
    ) throws(BenchError) {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(BenchError) {
            guard range.contains(value) else {
                throw BenchError("--\(name) must be \(range.lowerBound)...\(range.upperBound), not \(value)")
            }
        }
        try check("buckets", buckets, 2...Self.maximumBuckets)
        try check("series", series, buckets...Self.maximumSeries)
        try check("steps", steps, 1...Self.maximumSteps)
        // A day between two steps is as far as anybody looks.
        guard (100...86_400_000).contains(step) else { throw BenchError("--step must be 100ms...1d") }
        guard (100...Self.longestWindow / 2).contains(interval) else {
            throw BenchError("--interval must be 100ms...5m")
        }
        guard budget > 0 && budget <= 3600e9 else {
            throw BenchError("--time must be more than nothing and at most 1h")
        }
        let span = Int64(steps - 1) * step + Self.longestWindow
        let families = groups.reduce(into: Set<MetricFamily>()) { $0.formUnion($1.families) }
        shape = FleetShape(
            seriesCount: series, bucketCount: buckets, scrapeCount: Int(span / interval) + 1, interval: interval,
            end: end,
            families: families, seed: seed, run: run)
        // 5 M series, 11,000 steps of a day: all products stay far below 2^63.
        guard shape.maximumSampleCount <= Self.maximumSamples else {
            throw BenchError(
                "\(shape.totalSeriesCount) series of \(shape.scrapeCount) scrapes are more than \(Self.maximumSamples) samples; "
                    + "take fewer --series or --steps, or a longer --interval")
        }
        self.groups = groups
        stepCount = steps
        self.step = step
        self.budget = budget
    }

    /// The last step; the first is `stepCount - 1` steps before.
    var end: Timestamp { shape.end }
    var start: Timestamp { shape.end - Duration(milliseconds: Int64(stepCount - 1) * step) }
}
