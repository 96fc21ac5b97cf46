import Support
import Testing

@testable import Incidents

@Suite("Latencies in logarithmic buckets")
struct LogHistogramTests {
    @Test("quantiles are those of the sorted values, to 1/64 above", arguments: TestSeed.seeds(4))
    func quantiles(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var histogram = LogHistogram(), values: [UInt64] = []
        for _ in 0..<TestSeed.cases(2000) {
            // All scales alike.
            let value = UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 28...63, using: &random)
            values.append(value)
            histogram.record(microseconds: value)
        }
        values.sort()
        for q in [0, 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 1] {
            let rank = max(1, Int((q * Double(values.count)).rounded(.up)))
            let exact = values[rank - 1], found = try #require(histogram.quantile(q))
            #expect(found >= exact && found <= exact + exact / 64, "seed \(seed): q \(q)")
        }
        #expect(histogram.maximum == values.last && histogram.count == values.count)
    }

    @Test("every value lies in its bucket: above the one before, not above its end")
    func buckets() {
        for power in 0..<36 {
            let first = UInt64(1) << UInt64(power)
            for value in [first, first + 1, first * 2 - 1] {
                let bucket = LogHistogram.bucket(value)
                #expect(value <= LogHistogram.upperEnd(bucket))
                if bucket > 0 { #expect(value > LogHistogram.upperEnd(bucket - 1)) }
            }
        }
        #expect(LogHistogram.bucket(.max) == LogHistogram.bucket(1 << 40))
    }

    @Test("two added are one that saw all")
    func added() {
        var one = LogHistogram(), other = LogHistogram(), both = LogHistogram()
        for value in stride(from: UInt64(1), to: 1_000_000, by: 777) {
            if value % 2 == 0 { one.record(microseconds: value) } else { other.record(microseconds: value) }
            both.record(microseconds: value)
        }
        one.add(other)
        #expect(one == both)
    }

    @Test("none has no quantile; a refused connection is no quick answer, a timeout is a slow one")
    func report() {
        var report = LoadReport()
        #expect(report.latencies.quantile(0.5) == nil)
        report.record(.error("connection refused"), latency: .milliseconds(1))
        #expect(report.latencies.count == 0 && report.failed == 1)
        report.record(.timeout, latency: .seconds(10))
        report.record(.status(200), latency: .milliseconds(2))
        report.record(.cut, latency: .seconds(3))
        report.sent = 4
        report.length = .seconds(2)
        report.wantedRate = 2
        #expect(
            report.lines == [
                "4 requests in 2.0 s: 2.0/s of 2.0/s", "status   200 1", "errors   connection refused 1   timeout 1",
                "latency  p50 2.0 ms   p90 10.00 s   p95 10.00 s   p99 10.00 s   max 10.00 s", "cut off  1 (still under way at the end)",
            ])
    }

    @Test("reasons are bounded in number")
    func reasons() {
        var report = LoadReport()
        for number in 0..<1000 { report.record(.error("reason \(number)"), latency: .zero) }
        #expect(report.errors.count <= LoadReport.maximumReasons + 1 && report.failed == 1000)
    }

    @Test(
        "numbers as people read them",
        arguments: [(0.0, 1, "0.0"), (2.426, 2, "2.43"), (-0.04, 1, "0.0"), (-1.25, 1, "-1.3"), (19.999, 2, "20.00"), (7, 0, "7")])
    func numbers(value: Double, decimals: Int, text: String) { #expect(LoadReport.fixed(value, decimals) == text) }
}
