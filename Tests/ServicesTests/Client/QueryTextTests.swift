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
}
