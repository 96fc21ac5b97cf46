import Histograms
import Support
import TSDB
import Testing

@Suite("storage made for tests")
struct MemorySeriesTests {
    private func times(_ series: MemorySeries, _ from: Int64, _ through: Int64) throws -> [Int64] {
        let set = try series.select(
            [.equal("__name__", "m")], from: Timestamp(milliseconds: from), through: Timestamp(milliseconds: through))
        guard set.count == 1 else { return [] }
        var columns = SampleColumns()
        try set.decode(0, from: from, through: through, into: &columns)
        return (0..<columns.count).map { columns.timestamps[$0] }
    }

    @Test("samples written in any order come out by time, both ends of the range included")
    func order() throws {
        let series = MemorySeries()
        for time: Int64 in [30, 10, 20, 40, 0] { series.append(["__name__": "m"], time, 1) }
        #expect(try times(series, 10, 30) == [10, 20, 30])
        #expect(try times(series, 11, 19) == [])
        #expect(try times(series, .min, .max) == [0, 10, 20, 30, 40])
    }

    private func histogram(_ counts: Double..., hint: CounterResetHint = .unknown) -> FloatHistogram {
        FloatHistogram(
            hint: hint, count: counts.reduce(0, +), sum: 1,
            positiveSpans: [BucketSpan(offset: 0, length: UInt32(counts.count))], positiveBuckets: counts)
    }

    /// A letter per sample: `?` nothing known, `n` no reset, `g` gauge, `.` a float.
    private func hints(_ samples: [FloatHistogram?]) throws -> String {
        let series = MemorySeries()
        for (time, histogram) in samples.enumerated() {
            if let histogram {
                series.append(["__name__": "m"], Int64(time), histogram)
            } else {
                series.append(["__name__": "m"], Int64(time), StaleMarker.value)
            }
        }
        let set = try series.select(
            [.equal("__name__", "m")], from: Timestamp(milliseconds: .min), through: Timestamp(milliseconds: .max))
        var columns = SampleColumns()
        try set.decode(0, from: .min, through: .max, into: &columns)
        return String(
            (0..<columns.count).map { index -> Character in
                switch columns.histograms.histogram(sample: index)?.hint {
                case .unknown?: "?"
                case .notReset?: "n"
                case .reset?: "r"
                case .gauge?: "g"
                case nil: "."
                }
            })
    }

    @Test("histograms come out with the hints of the chunks that they would lie in")
    func chunkHints() throws {
        let five = histogram(2, 3), six = histogram(3, 3), wide = histogram(3, 3, 1)
        #expect(try hints([five, six, wide]) == "?nn")
        #expect(try hints([six, five, five]) == "??n")
        #expect(try hints([wide, six]) == "??", "a bucket in use is gone")
        #expect(try hints([histogram(3, 3, 0), six]) == "?n", "an empty bucket is gone")
        #expect(try hints([five, histogram(3, 3, hint: .reset), six]) == "??n")
        #expect(try hints([five, nil, six, six]) == "?n?n", "a stale marker ends a chunk, and is a histogram")
        #expect(try hints([nil, five]) == ".?")
        #expect(try hints([five, histogram(1, hint: .gauge), histogram(0, hint: .gauge), six]) == "?gg?")
    }
}
