import NIOCore
import Numbers
import Support
import TSDB
import Testing

@testable import PromQL
@testable import WebAPI

@Suite("Answers as JSON, point by point")
struct ResultRendererTests {
    /// Values whose texts are short and long, equal and nearly equal, and two zeros that differ.
    private static let values: [Double] = [
        0, -0.0, 1, -1, 12_345_678, 123_456_789, 9_007_199_254_740_991, 0.1, -0.0000012345678901234567, 1e20, -1.2345678901234567e-308,
        .nan, .infinity, -.infinity, 0x1p60,
    ]

    @Test("the points of a row are its times and values, whatever stands still, is missing or repeats")
    func rows() {
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        for _ in 0..<300 {
            let count = Int(random.next() % 200) + 1
            let grid = StepGrid(start: Int64(random.next() % 3_000_000) - 1_000_000, step: Int64(random.next() % 20_000) + 1, count: count)
            var matrix = RangeMatrix(grid: grid)
            var expected: [String] = []
            for row in 0..<Int(random.next() % 5) + 1 {
                var column = StepColumn(count: count)
                var points: [String] = []
                var value = 1.0
                for step in 0..<count where random.next() % 8 != 0 {
                    if random.next() % 3 == 0 { value = Self.values[Int(random.next() % UInt64(Self.values.count))] }
                    column.set(step, value)
                    points.append("[\(seconds(grid.time(step))),\"\(NumberText.string(value, style: .plain))\"]")
                }
                guard !points.isEmpty else { continue }
                matrix.append(["row": "\(row)"], column)
                expected.append("{\"metric\":{\"row\":\"\(row)\"},\"values\":[\(points.joined(separator: ","))]}")
            }
            let result = QueryResult(
                value: .matrix(matrix), annotations: Annotations(), warnings: [], infos: [],
                statistics: QueryStatistics(samplesRead: 0, samplesPeak: 0))
            let answer = String(decoding: ResultRenderer(result, limit: nil, statistics: nil).reply().wholeBody, as: UTF8.self)
            let head = "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
            #expect(answer == head + expected.joined(separator: ",") + "]}}", "seed \(seed)")
        }
    }

    private func seconds(_ milliseconds: Int64) -> String { NumberText.string(Double(milliseconds) / 1000, style: .fixed) }
}
