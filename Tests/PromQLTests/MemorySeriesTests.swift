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

    @Test("a native histogram is only noted, and only by selections that cover it")
    func histograms() throws {
        let series = MemorySeries()
        series.noteHistogram(["__name__": "m"], 50)
        #expect(try times(series, 0, 49) == [])
        #expect(!series.histogramsSelected)
        #expect(try times(series, 0, 50) == [])
        #expect(series.histogramsSelected)
    }
}
