import PrometheusClient
import TSDB
import Testing

@Suite("Answers as lines")
struct QueryTextTests {
    @Test("values stand under each other, points beneath their series")
    func lines() {
        let vector = QueryData.vector([
            QueryElement(labels: ["__name__": "up", "job": "node"], time: .init(milliseconds: 0), value: .float(1)),
            QueryElement(labels: [:], time: .init(milliseconds: 0), value: .float(.nan)),
        ])
        #expect(vector.lines == ["up{job=\"node\"}  1", "{}              NaN"])
        var series = QuerySeries(labels: ["__name__": "up"])
        series.times = [Timestamp(milliseconds: 0), Timestamp(milliseconds: 1500)]
        series.values = [0.5, .infinity]
        #expect(
            QueryData.matrix([series]).lines
                == ["up", "  1970-01-01T00:00:00Z  0.5", "  1970-01-01T00:00:01.5Z  +Inf"])
        #expect(QueryData.scalar(time: Timestamp(milliseconds: 0), 2).lines == ["2"])
    }

    private let histogram = QueryHistogram(
        count: 15, sum: 34.5,
        buckets: [
            .init(bounds: .both, lower: -0.25, upper: 0.25, count: 3), .init(bounds: .upper, lower: 0.25, upper: 0.5, count: 8),
            .init(bounds: .none, lower: 2, upper: .infinity, count: 4),
        ])

    @Test("a histogram is bars beneath a vector's series, and one line of a matrix")
    func histograms() {
        let vector = QueryData.vector([QueryElement(labels: ["a": "b"], time: .init(milliseconds: 0), value: .histogram(histogram))])
        #expect(
            vector.lines == [
                #"{a="b"}  count 15  sum 34.5"#,
                "  [-0.25, 0.25]  3  ███████████████",
                "  (0.25, 0.5]    8  ████████████████████████████████████████",
                "  (2, +Inf)      4  ████████████████████",
            ])
        var series = QuerySeries(labels: ["a": "b"])
        series.histograms = [(Timestamp(milliseconds: 0), histogram), (Timestamp(milliseconds: 1000), QueryHistogram(count: 0, sum: .nan))]
        #expect(
            QueryData.matrix([series]).lines == [
                #"{a="b"}"#, "  1970-01-01T00:00:00Z  count 15  sum 34.5  (-0.25 … +Inf)  ▃█▄", "  1970-01-01T00:00:01Z  count 0  sum NaN",
            ])
    }

    @Test("many buckets are put together with their neighbours, and no count is too odd to be drawn")
    func joined() {
        func lines(_ counts: [Double]) -> [String] {
            let buckets = counts.enumerated().map { index, count in
                QueryHistogram.Bucket(bounds: .upper, lower: Double(index), upper: Double(index + 1), count: count)
            }
            let histogram = QueryHistogram(count: 1, sum: 1, buckets: buckets)
            return QueryData.vector([QueryElement(labels: [:], time: .init(milliseconds: 0), value: .histogram(histogram))]).lines
        }
        let many = lines(Array(repeating: 1, count: 100))
        #expect(many.count == 35 && many[1].hasPrefix("  (0, 3]     3  ██") && many[34].hasPrefix("  (99, 100]  1  ██"))
        #expect(lines([.nan, -5, .infinity, 0, 1e308, 1e-308]).count == 7)
    }
}
