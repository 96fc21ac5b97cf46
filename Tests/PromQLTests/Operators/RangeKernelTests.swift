import Support
import TSDB
import Testing

@testable import PromQL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Kernels that slide against the plain definition: each window cut out and computed alone, equal to the last bit.
@Suite("Range kernels")
struct RangeKernelTests {
    static let seed = getenv("MINPROM_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? 20_261_122

    struct Series {
        var times: [Int64] = []
        var values: [Double] = []
    }

    /// Samples about 15 s apart with jitter, gaps, resets, and now and then a value that is hard to compute with.
    static func series(_ random: inout SeededRandom, odd: Bool) -> Series {
        var series = Series()
        var time = Int64.random(in: -50_000...50_000, using: &random)
        var value = Double(Int.random(in: 0...100, using: &random))
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            time += Int64.random(in: 0...9, using: &random) == 0 ? 200_000 : Int64.random(in: 1...30_000, using: &random)
            switch Int.random(in: 0...19, using: &random) {
            case 0: value = 0
            case 1: value /= 3
            case 2 where odd: value = [.nan, .infinity, -.infinity, 1e308, -0.0].randomElement(using: &random) ?? 0
            case 3 where odd: value = Double.random(in: -5...5, using: &random)
            case 4: break
            default: value += Double.random(in: 0...10, using: &random)
            }
            series.times.append(time)
            series.values.append(value)
        }
        return series
    }

    /// Runs `kernel` over random series and windows, and `definition` over each window's samples.
    static func compare(
        _ kernel: some WindowKernel, odd: Bool = true,
        _ definition: (_ times: [Int64], _ values: [Double], _ end: Int64, _ length: Int64) -> Double?
    ) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<300 {
            let series = series(&random, odd: odd)
            let step = Int64.random(in: 1...60_000, using: &random)
            let grid = StepGrid(
                start: Int64.random(in: -100_000...300_000, using: &random), step: step,
                count: Int.random(in: 1...150, using: &random))
            let length = Int64.random(in: 1...400_000, using: &random)
            let windows = WindowGrid(grid, length: .milliseconds(length))
            var column = StepColumn(count: grid.count)
            try series.times.withUnsafeBufferPointer { times in
                try series.values.withUnsafeBufferPointer { values in
                    let samples = WindowSamples(
                        times: try #require(times.baseAddress), values: try #require(values.baseAddress),
                        count: times.count)
                    let plan = WindowPlan(windows)
                    plan.fit(samples.times, count: samples.count)
                    try kernel.run(samples, plan, into: &column, QueryContext())
                }
            }
            for index in 0..<grid.count {
                let end = grid.time(index)
                let inside = series.times.indices.filter { series.times[$0] > end - length && series.times[$0] <= end }
                let expected =
                    inside.isEmpty
                    ? nil : definition(inside.map { series.times[$0] }, inside.map { series.values[$0] }, end, length)
                let actual = column.isPresent(index) ? column.values[index] : nil
                let same =
                    actual?.bitPattern == expected?.bitPattern || (actual?.isNaN == true && expected?.isNaN == true)
                guard same else {
                    Issue.record(
                        """
                        seed \(seed), round \(round), step \(index): \(String(describing: actual)) instead of \
                        \(String(describing: expected)) from \(inside.map { series.values[$0] })
                        """)
                    return
                }
            }
        }
    }

    @Test("rate, increase and delta are the definition's, bit for bit", arguments: [(true, true), (true, false), (false, false)])
    func rate(isCounter: Bool, isPerSecond: Bool) throws {
        try Self.compare(Rate(isCounter: isCounter, isPerSecond: isPerSecond)) { times, values, end, length in
            guard times.count >= 2 else { return nil }
            var result = values[values.count - 1] - values[0]
            if isCounter {
                for index in 1..<values.count where values[index] < values[index - 1] { result += values[index - 1] }
            }
            var toStart = Double(times[0] - (end - length)) / 1000
            var toEnd = Double(end - times[times.count - 1]) / 1000
            let sampled = Double(times[times.count - 1] - times[0]) / 1000
            let average = sampled / Double(times.count - 1)
            if toStart >= average * 1.1 { toStart = average / 2 }
            if isCounter {
                var toZero = toStart
                if result > 0 && values[0] >= 0 { toZero = sampled * (values[0] / result) }
                if toZero < toStart { toStart = toZero }
            }
            if toEnd >= average * 1.1 { toEnd = average / 2 }
            var factor = (sampled + toStart + toEnd) / sampled
            if isPerSecond { factor /= Double(length / 1000) + Double(length % 1000) / 1000 }
            return result * factor
        }
    }

    @Test("a counter is not stretched to before it was zero")
    func zeroClamp() throws {
        // 0, 10, 20 at 30 s, 60 s, 90 s: the line reaches zero at 30 s, so nothing is added before it.
        let times: [Int64] = [30_000, 60_000, 90_000], values = [0.0, 10, 20]
        var column = StepColumn(count: 1)
        let grid = StepGrid(start: 90_000, step: 1, count: 1)
        try times.withUnsafeBufferPointer { times in
            try values.withUnsafeBufferPointer { values in
                let samples = WindowSamples(
                    times: try #require(times.baseAddress), values: try #require(values.baseAddress), count: 3)
                let plan = WindowPlan(WindowGrid(grid, length: .seconds(90)))
                plan.fit(samples.times, count: 3)
                try Rate(isCounter: true, isPerSecond: false).run(samples, plan, into: &column, QueryContext())
            }
        }
        #expect(column.isPresent(0) && column.values[0] == 20)
    }

    @Test("sums and averages of four windows at a time are those of one at a time, bit for bit")
    func fourSums() throws {
        for odd in [true, false] {
            try Self.compare(WindowSums(isAverage: false), odd: odd) { _, values, _, _ in
                values.withUnsafeBufferPointer { SumOverTime.value($0.baseAddress!, count: $0.count) }
            }
            try Self.compare(WindowSums(isAverage: true), odd: odd) { _, values, _, _ in
                values.withUnsafeBufferPointer { AverageOverTime.value($0.baseAddress!, count: $0.count) }
            }
        }
    }

    @Test("deriv with sums over times shared is the plain regression, bit for bit")
    func sharedRegression() throws {
        for odd in [true, false] {
            try Self.compare(DerivativeKernel(), odd: odd) { times, values, _, _ in
                guard values.count >= 2 else { return nil }
                return LinearRegression(times, values, count: values.count, origin: times[0]).slope
            }
        }
    }

    @Test("irate and idelta look at the last two samples", arguments: [true, false])
    func instantRate(isRate: Bool) throws {
        try Self.compare(InstantRate(isRate: isRate)) { times, values, _, _ in
            guard times.count >= 2 else { return nil }
            let last = values.count - 1
            var result = values[last] - values[last - 1]
            if isRate && values[last] < values[last - 1] { result = values[last] }
            return isRate ? result / (Double(times[last] - times[last - 1]) / 1000) : result
        }
    }

    @Test("changes and resets carry their counts from window to window")
    func pairs() throws {
        try Self.compare(PairCount<Changed>()) { _, values, _, _ in
            Double(zip(values, values.dropFirst()).filter { $0 != $1 && !($0.isNaN && $1.isNaN) }.count)
        }
        try Self.compare(PairCount<Fell>()) { _, values, _, _ in
            Double(zip(values, values.dropFirst()).filter { $1 < $0 }.count)
        }
    }

    @Test("min and max over time ignore NaN unless there is nothing else")
    func extremes() throws {
        try Self.compare(ExtremeOverTime(isMaximum: true, yieldsTime: false)) { _, values, _, _ in
            var best = values[0]
            for value in values where value > best || best.isNaN { best = value }
            return best
        }
        try Self.compare(ExtremeOverTime(isMaximum: false, yieldsTime: false)) { _, values, _, _ in
            var best = values[0]
            for value in values where value < best || best.isNaN { best = value }
            return best
        }
        try Self.compare(ExtremeOverTime(isMaximum: true, yieldsTime: true)) { times, values, _, _ in
            var best = 0
            for index in values.indices where values[index] >= values[best] || values[best].isNaN { best = index }
            return Double(times[best]) / 1000
        }
    }

    @Test("sum and avg over time are compensated in the order of the samples")
    func sums() throws {
        func add(_ value: Double, _ sum: Double, _ lost: Double) -> (Double, Double) {
            let next = sum + value
            if next.isInfinite { return (next, 0) }
            return (next, lost + (abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum))
        }
        try Self.compare(Rescanning(function: SumOverTime())) { _, values, _, _ in
            var sum = 0.0, lost = 0.0
            for value in values { (sum, lost) = add(value, sum, lost) }
            return sum.isInfinite ? sum : sum + lost
        }
        try Self.compare(Rescanning(function: AverageOverTime())) { _, values, _, _ in
            var sum = values[0], lost = 0.0, mean = 0.0, isRunning = false
            for (index, value) in values.enumerated().dropFirst() {
                let n = Double(index + 1)
                if !isRunning {
                    let (next, nextLost) = add(value, sum, lost)
                    if !next.isInfinite { (sum, lost) = (next, nextLost); continue }
                    isRunning = true
                    mean = sum / (n - 1)
                    lost /= n - 1
                }
                (mean, lost) = add(value / n, (n - 1) / n * mean, (n - 1) / n * lost)
            }
            return isRunning ? mean + lost : sum / Double(values.count) + lost / Double(values.count)
        }
    }

    @Test("a quantile over a sliding sorted window equals sorting each window", arguments: [0, 0.3, 0.5, 0.95, 1])
    func quantile(phi: Double) throws {
        let kernel = QuantileOverTime(phi: ScalarColumn(constant: phi, stepCount: 150), place: 0..<0)
        try Self.compare(kernel) { _, values, _, _ in
            let sorted = values.sorted { $0.isNaN ? !$1.isNaN : $0 < $1 }
            let rank = phi * Double(values.count - 1)
            let lower = Int(rank.rounded(.down)), upper = min(values.count - 1, lower + 1)
            let weight = rank - rank.rounded(.down)
            // Zeros of both signs sort as equals, so their signs are not compared.
            return sorted[lower] * (1 - weight) + sorted[upper] * weight
        }
    }

    @Test("deriv of a straight line is its slope, predict_linear goes on along it")
    func regression() throws {
        let times: [Int64] = [0, 10_000, 20_000, 40_000], values: [Double] = [5, 25, 45, 85]
        var column = StepColumn(count: 1)
        let grid = StepGrid(start: 50_000, step: 1, count: 1)
        let windows = WindowGrid(grid, length: .seconds(60))
        try times.withUnsafeBufferPointer { times in
            try values.withUnsafeBufferPointer { values in
                let samples = WindowSamples(
                    times: try #require(times.baseAddress), values: try #require(values.baseAddress), count: 4)
                let plan = WindowPlan(windows)
                plan.fit(samples.times, count: 4)
                try Rescanning(function: Derivative()).run(samples, plan, into: &column, QueryContext())
                #expect(column.values[0] == 2)
                let ahead = ScalarColumn(constant: 100, stepCount: 1)
                try Rescanning(function: Prediction(ahead: ahead, grid: grid))
                    .run(samples, plan, into: &column, QueryContext())
                #expect(abs(column.values[0] - (5 + 2 * 150)) < 1e-9)
            }
        }
    }
}
