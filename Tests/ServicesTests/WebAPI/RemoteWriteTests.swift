import HTTPTypes
import NIOCore
import Snappy
import Support
import TSDB
import Testing

@testable import WebAPI

/// Writes protobuf by hand, so that the reader is tested against another pen than its own.
struct Protobuf {
    var bytes: [UInt8] = []

    mutating func varint(_ field: UInt64, _ value: UInt64) {
        bytes.appendVarint(field << 3)
        bytes.appendVarint(value)
    }
    mutating func fixed(_ field: UInt64, _ value: UInt64) {
        bytes.appendVarint(field << 3 | 1)
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(shift)))) }
    }
    mutating func message(_ field: UInt64, _ content: [UInt8]) {
        bytes.appendVarint(field << 3 | 2)
        bytes.appendVarint(UInt64(content.count))
        bytes += content
    }
    mutating func text(_ field: UInt64, _ text: String) { message(field, Array(text.utf8)) }

    static func series(_ labels: [(String, String)], _ samples: [(Int64, Double)], extra: (inout Protobuf) -> Void = { _ in }) -> [UInt8] {
        var series = Protobuf()
        for (name, value) in labels {
            var label = Protobuf()
            label.text(1, name)
            label.text(2, value)
            series.message(1, label.bytes)
        }
        for (time, value) in samples {
            var sample = Protobuf()
            sample.fixed(1, value.bitPattern)
            sample.varint(2, UInt64(bitPattern: time))
            series.message(2, sample.bytes)
        }
        extra(&series)
        return series.bytes
    }

    static func request(_ series: [[UInt8]]) -> [UInt8] {
        var request = Protobuf()
        for one in series { request.message(1, one) }
        return request.bytes
    }
}

@Suite("Remote write takes what can be stored and says what could not")
struct RemoteWriteTests {
    private let headers: HTTPFields = [.contentType: "application/x-protobuf", .contentEncoding: "snappy"]

    private func send(_ test: TestAPI, _ message: [UInt8], headers: HTTPFields? = nil) async -> (status: Int, body: String) {
        let body = message.withUnsafeBytes { Snappy.compress($0) }
        let answer = await test.ask(.post, "/api/v1/write", headers: headers ?? self.headers, bytes: body)
        return (answer.status, answer.body)
    }

    @Test("samples arrive under their labels: 204")
    func stored() async {
        let test = TestAPI()
        let answer = await send(
            test,
            Protobuf.request([
                Protobuf.series([("__name__", "a"), ("job", "x")], [(1000, 1), (2000, 2)]),
                Protobuf.series([("__name__", "a"), ("job", "ü")], [(1000, .infinity)]),
            ]))
        #expect(answer.status == 204 && answer.body == "")
        #expect(await test.get("/api/v1/query", "query=a&time=2").contains(#"{"__name__":"a","job":"x"},"value":[2,"2"]"#))
        #expect(await test.get("/api/v1/query", "query=a&time=2").contains(#"{"__name__":"a","job":"ü"},"value":[2,"+Inf"]"#))
    }

    @Test("labels may come unsorted and with empty values: the same series")
    func normalised() async {
        let test = TestAPI()
        for (time, labels) in [
            (1000, [("job", "x"), ("__name__", "a")]), (2000, [("__name__", "a"), ("empty", ""), ("job", "x")]),
            (3000, [("__name__", "a"), ("job", "x")]),
        ] as [(Int64, [(String, String)])] {
            #expect(await send(test, Protobuf.request([Protobuf.series(labels, [(time, 1)])])).status == 204)
        }
        #expect(await test.get("/api/v1/series", "match[]=a") == #"{"status":"success","data":[{"__name__":"a","job":"x"}]}"#)
        #expect(await test.get("/api/v1/query", "query=count_over_time(a[1m])&time=3").contains(#""3""#))
    }

    @Test("labels of every length and kind, and labels behind the samples, are the series they say")
    func unusual() async {
        let test = TestAPI()
        for length in [1, 2, 5, 100, 115, 116, 117, 118, 119, 120, 121, 126, 127, 128, 129, 300, 20_000] {
            let value = String(repeating: "v", count: length)
            for labels in [[("__name__", "a"), ("l", value)], [("__name__", value)], [("__name__", "a"), ("n" + value, "x"), ("z", "y")]] {
                #expect(await send(test, Protobuf.request([Protobuf.series(labels, [(1000, 1)])])).status == 204)
                let sorted = labels.sorted { $0.0 < $1.0 }.map { (name: $0.0, value: $0.1) }
                let matchers = sorted.map { Matcher.equal($0.name, $0.value) }
                let set = try? test.database.select(matchers, from: .min, through: .max)
                #expect(set?.count == 1 && set?.labels(at: 0) == Labels(sorted), "\(length)")
            }
        }
        var behind = Protobuf()
        behind.bytes = Protobuf.series([("__name__", "b")], [(1000, 1)])
        behind.bytes += Protobuf.series([("z", "1"), ("a", "2")], [(2000, 2)])
        #expect(await send(test, Protobuf.request([behind.bytes])).status == 204)
        #expect(await test.get("/api/v1/series", "match[]=b") == #"{"status":"success","data":[{"__name__":"b","a":"2","z":"1"}]}"#)
        #expect(await test.get("/api/v1/query", "query=count_over_time(b[1m])&time=3").contains(#""2""#))
    }

    @Test("a bad series is 400, and the good ones are stored")
    func partial() async {
        let test = TestAPI()
        let bad: [([UInt8], String)] = [
            (Protobuf.series([("job", "x")], [(1000, 1)]), "invalid labels"),
            (Protobuf.series([("__name__", "a"), ("x", "1"), ("x", "2")], [(1000, 1)]), "invalid labels"),
            (Protobuf.series([("__name__", "a"), ("", "2")], [(1000, 1)]), "invalid labels"),
            (Protobuf.series([("__name__", "a")], [(2000, 1), (1000, 1)]), "out of order sample (1 of"),
            (Protobuf.series([("__name__", "b")], [(2000, 1), (2000, 2)]), "duplicate sample for timestamp (1 of"),
            (Protobuf.series([("__name__", "c")], [(1 << 50, 1)]), "too far in the future"),
            (
                Protobuf.series([("__name__", "d")], [(1000, 1)]) { $0.message(4, Protobuf.histogram { $0.varint(1, 5) }) },
                "1 invalid histograms, the first is of {__name__=\"d\"}: 0 observations found in buckets, but the Count field is 5"
            ),
        ]
        for (index, (series, text)) in bad.enumerated() {
            let time = Int64(1000 + index)
            let answer = await send(test, Protobuf.request([series, Protobuf.series([("__name__", "good")], [(time, 1)])]))
            #expect(answer.status == 400 && answer.body.contains(text), "\(answer.body)")
        }
        #expect(await test.get("/api/v1/query", "query=count_over_time(good[1m])&time=3").contains("\"\(bad.count)\""))
    }

    /// An exemplar message for field 3 of a series.
    private func exemplar(_ labels: [(String, String)], _ value: Double, at time: Int64) -> (inout Protobuf) -> Void {
        { series in
            var exemplar = Protobuf()
            for (name, value) in labels {
                var label = Protobuf()
                label.text(1, name)
                label.text(2, value)
                exemplar.message(1, label.bytes)
            }
            exemplar.fixed(2, value.bitPattern)
            exemplar.varint(3, UInt64(bitPattern: time))
            series.message(3, exemplar.bytes)
        }
    }

    @Test("exemplars are stored for series that exist, and nothing about them is an error")
    func exemplars() async {
        let test = TestAPI(exemplars: 10)
        let a = [("__name__", "a"), ("le", "1")], unsorted = [("le", "1"), ("__name__", "b")]
        let request = Protobuf.request([
            Protobuf.series(a, [(1000, 1)], extra: exemplar([("trace_id", "x"), ("empty", "")], 0.5, at: 900)),
            // Sent apart from the samples, as Prometheus does.
            Protobuf.series(a, [], extra: exemplar([("trace_id", "y")], .infinity, at: 1900)),
            Protobuf.series(unsorted, [(1000, 1)], extra: exemplar([("trace_id", "z")], 2, at: 950)),
            Protobuf.series([("__name__", "unknown")], [], extra: exemplar([("trace_id", "n")], 2, at: 950)),
            Protobuf.series(a, [], extra: exemplar([("trace_id", "old")], 2, at: 5)),
            Protobuf.series(a, [], extra: exemplar([("t", String(repeating: "x", count: 200))], 2, at: 3000)),
            Protobuf.series(a, [], extra: exemplar([("t", "1"), ("t", "2")], 2, at: 3000)),
        ])
        #expect(await send(test, request).status == 204)
        #expect(await send(test, request).status == 204)
        #expect(
            await test.get("/api/v1/query_exemplars", "query=rate(a[5m])%2Bb")
                == #"{"status":"success","data":[{"seriesLabels":{"__name__":"a","le":"1"},"exemplars":[{"labels":{"trace_id":"x"},"value":"0.5","timestamp":0.9},{"labels":{"trace_id":"y"},"value":"+Inf","timestamp":1.9}]},{"seriesLabels":{"__name__":"b","le":"1"},"exemplars":[{"labels":{"trace_id":"z"},"value":"2","timestamp":0.95}]}]}"#
        )
        #expect(
            await test.get("/api/v1/query_exemplars", "query=a&start=1.9&end=1.9")
                == #"{"status":"success","data":[{"seriesLabels":{"__name__":"a","le":"1"},"exemplars":[{"labels":{"trace_id":"y"},"value":"+Inf","timestamp":1.9}]}]}"#
        )
        #expect(await test.get("/api/v1/series", "match[]=unknown") == #"{"status":"success","data":[]}"#)
        let off = TestAPI()
        #expect(await send(off, request).status == 204)
        #expect(await off.get("/api/v1/query_exemplars", "query=a") == #"{"status":"success","data":[]}"#)
        #expect(off.database.exemplarStatistics.count == 0)
    }

    @Test("bytes that are no UTF-8 make no label")
    func notUTF8() async {
        let test = TestAPI()
        var label = Protobuf()
        label.text(1, "__name__")
        label.message(2, [0xff, 0xfe])
        var series = Protobuf()
        series.message(1, label.bytes)
        series.message(2, [])
        #expect(await send(test, Protobuf.request([series.bytes])).status == 400)
    }

    @Test("other encodings are 415, which tells vmagent to fall back; rubbish is 400")
    func refused() async {
        let test = TestAPI()
        let message = Protobuf.request([])
        let cases: [(HTTPFields, Int, String)] = [
            (
                [.contentType: "application/x-protobuf", .contentEncoding: "zstd"], 415,
                "zstd encoding (compression) is not accepted by this server; only snappy is acceptable\n"
            ),
            (
                [.contentType: "application/json", .contentEncoding: "snappy"], 415,
                "expected application/x-protobuf as the first (media) part, got application/json content-type\n"
            ),
            (
                [.contentType: "application/x-protobuf;proto=io.prometheus.write.v2.Request", .contentEncoding: "snappy"], 415,
                "io.prometheus.write.v2.Request protobuf message is not accepted by this server; only accepts prometheus.WriteRequest\n"
            ),
            ([.contentType: "application/x-protobuf; proto=prometheus.WriteRequest", .contentEncoding: "snappy"], 204, ""),
            ([.contentEncoding: "snappy"], 204, ""),
        ]
        for (headers, status, body) in cases {
            let answer = await send(test, message, headers: headers)
            #expect(answer.status == status && answer.body == body)
        }
        #expect(await test.ask(.post, "/api/v1/write", headers: headers, body: "x").body == "snappy: corrupt input\n")
        let large: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]
        #expect(await test.ask(.post, "/api/v1/write", headers: headers, bytes: large).body == "snappy: decoded block is too large\n")
        #expect(await TestAPI(remoteWrite: false).ask(.post, "/api/v1/write", headers: headers, bytes: []).status == 404)
    }

    @Test("a message cut at any byte, or damaged at random, is an answer and never a crash")
    func damaged() async {
        let test = TestAPI()
        let whole = Protobuf.request([
            Protobuf.series([("__name__", "a"), ("job", "xyz")], [(1000, 1), (2000, 2)]) { series in
                series.message(3, [8, 1])
                series.fixed(9, 1)
                series.varint(10, .max)
            }
        ])
        for count in 0..<whole.count { _ = await send(test, Array(whole[..<count])) }
        var random = SeededRandom(seed: TestSeed.seeds(1)[0])
        for _ in 0..<TestSeed.cases(2000) {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let answer = await send(test, bytes)
            #expect(answer.status == 204 || answer.status == 400)
        }
    }
}
