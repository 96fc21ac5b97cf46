import Histograms
import Support
import TSDB
import Testing

@testable import PromQL

/// Kernels of native histograms, which work on rows of buckets, against the plain definition: each window cut out, and computed from
/// histograms as they are.
@Suite("Range kernels of native histograms")
struct NativeKernelTests {
    enum Sample {
        case float(Double)
        case histogram(FloatHistogram)

        var histogram: FloatHistogram? {
            if case .histogram(let histogram) = self { return histogram }
            return nil
        }

        /// Of a float; 0 of a histogram.
        var value: Double {
            if case .float(let value) = self { return value }
            return 0
        }
    }

    typealias Series = [(time: Int64, sample: Sample)]

    /// A counter that grows, begins again, gets other buckets or bounds, and now and then is a float or a gauge.
    static func series(_ random: inout SeededRandom, floats: Bool = true) -> Series {
        var series: Series = []
        var time = Int64.random(in: -50_000...50_000, using: &random)
        var current = start(&random)
        for _ in 0..<Int.random(in: 1...50, using: &random) {
            time += Int64.random(in: 0...9, using: &random) == 0 ? 200_000 : Int64.random(in: 1...30_000, using: &random)
            switch Int.random(in: 0...29, using: &random) {
            case 0: current = start(&random)
            case 1 where floats:
                series.append((time, .float(Double(Int.random(in: 0...50, using: &random)))))
                continue
            case 2: current.hint = [.unknown, .reset, .notReset, .gauge].randomElement(using: &random) ?? .unknown
            case 3:
                for bucket in current.positiveBuckets.indices { current.positiveBuckets[bucket] /= 2 }
                current.count = current.positiveBuckets.reduce(current.zeroCount, +)
            default: break
            }
            for bucket in current.positiveBuckets.indices where Int.random(in: 0...2, using: &random) == 0 {
                let more = Double(Int.random(in: 1...9, using: &random))
                current.positiveBuckets[bucket] += more
                current.count += more
                current.sum += more * Double(bucket)
            }
            series.append((time, .histogram(current)))
        }
        return series
    }

    private static func start(_ random: inout SeededRandom) -> FloatHistogram {
        let isCustom = Int.random(in: 0...4, using: &random) == 0
        let first = Int.random(in: 0...3, using: &random), second = Int.random(in: 0...3, using: &random)
        let count = first + second, width = Int.random(in: 0...4, using: &random) == 0 ? 2 : 1
        let spans = [
            BucketSpan(offset: Int32.random(in: isCustom ? 0...2 : -3...3, using: &random), length: UInt32(first)),
            BucketSpan(offset: Int32.random(in: 0...2, using: &random), length: UInt32(second)),
        ].filter { $0.length > 0 }
        return FloatHistogram(
            schema: isCustom ? FloatHistogram.customSchema : Int32.random(in: 0...2, using: &random),
            zeroThreshold: isCustom ? 0 : 0.001, positiveSpans: spans, positiveBuckets: Array(repeating: 0, count: count),
            customBounds: isCustom ? (1...12).map { Double($0 * width) } : [])
    }

    /// Runs `kernel` over random series and windows, and `definition` over each window's samples.
    static func compare(
        _ kernel: some WindowKernel, tolerance: Double = 0,
        _ definition: (_ window: Series, _ end: Int64, _ length: Int64) -> Sample?
    ) throws {
        for seed in TestSeed.seeds(TestSeed.cases(200)) {
            var random = SeededRandom(seed: seed)
            let series = series(&random)
            let grid = StepGrid(
                start: Int64.random(in: -100_000...300_000, using: &random),
                step: Int64.random(in: 1...60_000, using: &random), count: Int.random(in: 1...100, using: &random))
            let length = Int64.random(in: 1...400_000, using: &random)
            let windows = WindowGrid(grid, length: .milliseconds(length))
            var column = StepColumn(count: grid.count)
            let scratch = Scratch()
            for (time, sample) in series {
                switch sample {
                case .float(let value): scratch.samples.append(time, value)
                case .histogram(let histogram): scratch.samples.append(time, histogram)
                }
            }
            let plan = WindowPlan(windows)
            plan.fit(scratch.samples.timestamps, count: scratch.samples.count)
            var notes: WindowNotes = []
            try kernel.run(native: NativeSamples(scratch.samples), plan, into: &column, &notes, scratch, QueryContext())
            for index in 0..<grid.count {
                let end = grid.time(index)
                let window = series.filter { $0.time > end - length && $0.time <= end }
                let expected = window.isEmpty ? nil : definition(window, end, length)
                let actual: Sample? =
                    column.isPresent(index)
                    ? column.histogram(index).map { .histogram($0) } ?? .float(column.values[index]) : nil
                guard same(actual, expected, tolerance) else {
                    Issue.record("seed \(seed), step \(index): \(text(actual)) instead of \(text(expected))")
                    return
                }
            }
        }
    }

    private static func text(_ sample: Sample?) -> String {
        switch sample {
        case nil: "nothing"
        case .float(let value): "\(value)"
        case .histogram(let histogram): "\(histogram.hint) \(histogram.testExpression)"
        }
    }

    private static func same(_ a: Sample?, _ b: Sample?, _ tolerance: Double) -> Bool {
        switch (a, b) {
        case (nil, nil): return true
        case (.float(let a), .float(let b)): return a == b || (a.isNaN && b.isNaN) || (a - b).magnitude <= tolerance * a.magnitude
        case (.histogram(var a), .histogram(var b)):
            guard a.hint == b.hint else { return false }
            if tolerance == 0 { return a.isEquivalent(to: b) }
            a.compact()
            b.compact()
            func near(_ a: Double, _ b: Double) -> Bool { (a - b).magnitude <= tolerance * max(1, a.magnitude) }
            return a.schema == b.schema && a.positiveSpans == b.positiveSpans && near(a.sum, b.sum) && near(a.count, b.count)
                && zip(a.positiveBuckets, b.positiveBuckets).allSatisfy { near($0, $1) }
        default: return false
        }
    }

    /// Histogram by histogram: every pair compared, every schema looked at.
    private static func increase(_ window: [FloatHistogram]) -> FloatHistogram? {
        guard var result = window.last, var first = window.first else { return nil }
        let isReset = zip(window.dropFirst(), window).map { $0.detectsReset(since: $1) }
        if isReset[0] { first = FloatHistogram(schema: window[1].schema, customBounds: window[1].customBounds) }
        let relevant = [first] + window.dropFirst()
        guard Set(relevant.map(\.hasCustomBounds)).count == 1 else { return nil }
        let schema = relevant.map(\.schema).min() ?? 0
        if schema < result.schema { result.reduceResolution(to: schema) }
        guard (try? result.subtract(first)) != nil else { return nil }
        for (index, isReset) in isReset.enumerated() where isReset && index > 0 {
            guard (try? result.add(window[index])) != nil else { return nil }
        }
        result.hint = .gauge
        result.compact()
        return result
    }

    @Test("increase: rows subtracted give what histograms give, over resets, other buckets and mixtures")
    func increases() throws {
        try Self.compare(Rate(isCounter: true, isPerSecond: false)) { window, end, length in
            let histograms = window.compactMap(\.sample.histogram)
            guard window.count >= 2, histograms.isEmpty || histograms.count == window.count else { return nil }
            let times = window.map(\.time)
            let values = window.map { $0.sample.value }
            let increase = histograms.isEmpty ? nil : Self.increase(histograms)
            if !histograms.isEmpty && increase == nil { return nil }
            var total = values[values.count - 1] - values[0]
            for (before, after) in zip(values, values.dropFirst()) where after < before { total += before }

            var toStart = Double(times[0] - (end - length)) / 1000
            var toEnd = Double(end - times[times.count - 1]) / 1000
            let sampled = Double(times[times.count - 1] - times[0]) / 1000
            let average = sampled / Double(times.count - 1)
            if toStart >= average * 1.1 { toStart = average / 2 }
            if toEnd >= average * 1.1 { toEnd = average / 2 }
            let rise = increase?.count ?? total, first = histograms.first?.count ?? values[0]
            if rise > 0, first >= 0 { toStart = min(toStart, sampled * (first / rise)) }
            let factor = (sampled + toStart + toEnd) / sampled
            guard var result = increase else { return .float(total * factor) }
            result.multiply(by: factor)
            return .histogram(result)
        }
    }

    @Test("irate: the last two samples, of one kind")
    func lastTwo() throws {
        try Self.compare(InstantRate(isRate: true)) { window, _, _ in
            guard window.count >= 2 else { return nil }
            let (before, last) = (window[window.count - 2], window[window.count - 1])
            let seconds = Double(last.time - before.time) / 1000
            switch (before.sample, last.sample) {
            case (.float(let a), .float(let b)): return .float((b < a ? b : b - a) / seconds)
            case (.histogram(let a), .histogram(var b)):
                if !b.detectsReset(since: a) {
                    guard (try? b.subtract(a)) != nil else { return nil }
                }
                b.hint = .gauge
                b.compact()
                b.divide(by: seconds)
                return .histogram(b)
            default: return nil
            }
        }
    }

    @Test("sum_over_time: rows added up give what histograms give")
    func sums() throws {
        try Self.compare(WindowSums(isAverage: false)) { window, _, _ in Self.sum(window) }
    }

    @Test("avg_over_time: the sum over the number, and still a number where the sum is too large to be one")
    func averages() throws {
        try Self.compare(WindowSums(isAverage: true), tolerance: 1e-12) { window, _, _ in
            switch Self.sum(window) {
            case .histogram(var sum):
                sum.divide(by: Double(window.count))
                return .histogram(sum)
            case .float(let sum): return .float(sum / Double(window.count))
            case nil: return nil
            }
        }
        let huge = FloatHistogram(
            count: 1e308, sum: 1e308, positiveSpans: [BucketSpan(offset: 0, length: 1)], positiveBuckets: [1e308])
        let scratch = Scratch()
        for time in 1...4 { scratch.samples.append(Int64(time), huge) }
        let plan = WindowPlan(WindowGrid(StepGrid(start: 10, step: 1, count: 1), length: .milliseconds(20)))
        plan.fit(scratch.samples.timestamps, count: 4)
        var column = StepColumn(count: 1), notes: WindowNotes = []
        try WindowSums(isAverage: true).run(
            native: NativeSamples(scratch.samples), plan, into: &column, &notes, scratch, QueryContext())
        let result = column.histogram(0)
        let mean = try #require(result)
        #expect(mean.count == 1e308 && mean.sum == 1e308 && mean.positiveBuckets == [1e308])
    }

    private static func sum(_ window: Series) -> Sample? {
        let histograms = window.compactMap(\.sample.histogram)
        guard histograms.isEmpty || histograms.count == window.count else { return nil }
        guard var sum = histograms.first else {
            // Small whole numbers: exact in any order.
            return .float(window.reduce(0) { $0 + $1.sample.value })
        }
        var compensation: FloatHistogram?
        for histogram in histograms.dropFirst() {
            guard (try? sum.add(histogram, compensation: &compensation)) != nil else { return nil }
        }
        if let compensation { guard (try? sum.add(compensation)) != nil else { return nil } }
        return .histogram(sum)
    }

    @Test("resets and changes count a change of kind, and compare histograms with their neighbours")
    func pairs() throws {
        func count(_ window: Series, _ floats: (Double, Double) -> Bool, _ histograms: (FloatHistogram, FloatHistogram) -> Bool) -> Sample {
            let pairs = zip(window, window.dropFirst()).filter { before, after in
                switch (before.sample, after.sample) {
                case (.float(let a), .float(let b)): floats(a, b)
                case (.histogram(let a), .histogram(let b)): histograms(a, b)
                default: true
                }
            }
            return .float(Double(pairs.count))
        }
        try Self.compare(PairCount<Fell>()) { window, _, _ in count(window, { $1 < $0 }, { $1.detectsReset(since: $0) }) }
        try Self.compare(PairCount<Changed>()) { window, _, _ in count(window, { $1 != $0 }, { !$1.isEquivalent(to: $0) }) }
    }

    @Test("first and last give histograms as they are; functions of floats see floats alone")
    func endsAndExtremes() throws {
        try Self.compare(WindowEnds(answer: .first)) { window, _, _ in window.first?.sample }
        try Self.compare(WindowEnds(answer: .last)) { window, _, _ in window.last?.sample }
        try Self.compare(WindowEnds(answer: .count)) { window, _, _ in .float(Double(window.count)) }
        try Self.compare(ExtremeOverTime(isMaximum: true, yieldsTime: false)) { window, _, _ in
            window.filter { $0.sample.histogram == nil }.map(\.sample.value).max().map { .float($0) }
        }
    }
}
