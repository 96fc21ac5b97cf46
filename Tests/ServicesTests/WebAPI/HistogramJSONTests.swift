import HTTPServer
import Histograms
import JSON
import TSDB
import Testing

@testable import PromQL
@testable import WebAPI

@Suite("Native histograms in answers look as upstream writes them")
struct HistogramJSONTests {
    private let histogram = FloatHistogram(
        schema: 0, zeroThreshold: 0.25, zeroCount: 3, count: 43, sum: 34593.34,
        positiveSpans: [BucketSpan(offset: 0, length: 3)], negativeSpans: [BucketSpan(offset: 1, length: 1)],
        positiveBuckets: [12, 0, 21], negativeBuckets: [7])

    private let text =
        #"{"count":"43","sum":"34593.34","buckets":[[1,"-2","-1","7"],[3,"-0.25","0.25","3"],[0,"0.5","1","12"],[0,"2","4","21"]]}"#

    private func json(_ histogram: FloatHistogram) -> String {
        var json = JSONText()
        json.append(histogram)
        return String(buffer: json.take())
    }

    private func answer(_ value: QueryResult.Value) -> String {
        let result = QueryResult(
            value: value, annotations: Annotations(), warnings: [], infos: [], statistics: QueryStatistics(samplesRead: 0, samplesPeak: 0))
        return String(decoding: ResultRenderer(result, limit: nil, statistics: nil).reply().wholeBody, as: UTF8.self)
    }

    @Test("empty buckets are left out, ascending, with the rule of their bounds")
    func buckets() {
        #expect(json(histogram) == text)
    }

    @Test("no bucket, no list; odd numbers are texts")
    func odd() {
        #expect(json(FloatHistogram(count: 0, sum: 0)) == #"{"count":"0","sum":"0"}"#)
        #expect(json(FloatHistogram(count: .infinity, sum: .nan)) == #"{"count":"+Inf","sum":"NaN"}"#)
        let custom = FloatHistogram(
            schema: -53, count: 1e21, sum: 1e-7, positiveSpans: [BucketSpan(offset: 0, length: 3)],
            positiveBuckets: [1, -0.5, .nan], customBounds: [-1, 2.5])
        #expect(
            json(custom)
                == #"{"count":"1e+21","sum":"1e-07","buckets":[[3,"-Inf","-1","1"],[0,"-1","2.5","-0.5"],[0,"2.5","+Inf","NaN"]]}"#)
    }

    @Test("a vector has histogram in place of value")
    func vector() {
        var vector = InstantVector(at: Timestamp(milliseconds: 1500))
        vector.append(["a": "1"], 2)
        vector.append(["a": "2"], 34593.34, histogram)
        #expect(
            answer(.vector(vector))
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"1"},"value":[1.5,"2"]},{"metric":{"a":"2"},"histogram":[1.5,\#(text)]}]}}"#
        )
    }

    @Test("a matrix has values, histograms or both")
    func matrix() {
        var matrix = RangeMatrix(grid: StepGrid(start: 0, step: 1000, count: 3))
        for (name, steps) in [("1", [0, 1, 2]), ("2", [0]), ("3", [])] {
            var column = StepColumn(count: 3)
            for step in 0..<3 {
                if steps.contains(step) { column.set(step, Double(step)) } else { column.set(step, histogram) }
            }
            matrix.append(["a": name], column)
        }
        #expect(
            answer(.matrix(matrix))
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[0,"0"],[1,"1"],[2,"2"]]},{"metric":{"a":"2"},"values":[[0,"0"]],"histograms":[[1,\#(text)],[2,\#(text)]]},{"metric":{"a":"3"},"histograms":[[0,\#(text)],[1,\#(text)],[2,\#(text)]]}]}}"#
        )
    }

    @Test("samples of a range selector likewise")
    func samples() {
        var columns = SampleColumns()
        columns.append(1, 5)
        columns.append(2, histogram)
        var samples = SampleMatrix()
        samples.append(["a": "1"], columns)
        #expect(
            answer(.samples(samples))
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[0.001,"5"]],"histograms":[[0.002,\#(text)]]}]}}"#
        )
    }

    @Test("a large answer comes in pieces that end between two histograms, and is whole")
    func pieces() throws {
        var column = StepColumn(count: 11_000)
        for step in 0..<11_000 { column.set(step, histogram) }
        var matrix = RangeMatrix(grid: StepGrid(start: 0, step: 1000, count: 11_000))
        for name in ["1", "2", "3"] { matrix.append(["a": name], column) }
        let result = QueryResult(
            value: .matrix(matrix), annotations: Annotations(), warnings: [], infos: [],
            statistics: QueryStatistics(samplesRead: 0, samplesPeak: 0))
        let renderer = ResultRenderer(result, limit: nil, statistics: nil)
        var whole = "", largest = 0
        while let piece = renderer.next() {
            largest = max(largest, piece.readableBytes)
            whole += String(buffer: piece)
        }
        #expect(largest < ResultRenderer.pieceSize + 4096)
        let rows = try JSONValue(parsing: whole)["data"]?["result"]?.elements ?? []
        #expect(rows.count == 3)
        for row in rows {
            let points = row["histograms"]?.elements ?? []
            #expect(points.count == 11_000 && points.last?.elements.last?["buckets"]?.elements.count == 4)
        }
    }
}
