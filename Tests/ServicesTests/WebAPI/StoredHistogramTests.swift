import HTTPTypes
import Snappy
import Support
import TSDB
import Testing

@testable import WebAPI

/// From a request to an answer, through storage and engine.
@Suite("Native histograms that were written are given back")
struct StoredHistogramTests {
    private func send(_ test: TestAPI, _ message: [UInt8]) async -> (status: Int, body: String) {
        let body = message.withUnsafeBytes { Snappy.compress($0) }
        let answer = await test.ask(
            .post, "/api/v1/write", headers: [.contentType: "application/x-protobuf", .contentEncoding: "snappy"], bytes: body)
        return (answer.status, answer.body)
    }

    /// A float histogram that grows by ten observations in (1, 2] each ten seconds.
    static func growing(_ step: Int) -> [UInt8] {
        Protobuf.histogram { histogram in
            histogram.double(2, Double(10 * step + 1))
            histogram.double(3, Double(15 * step))
            histogram.double(7, 1)
            histogram.spans(11, [(1, 1)])
            histogram.doubles(13, [Double(10 * step)])
            histogram.varint(15, UInt64(step) * 10_000)
        }
    }

    @Test("a vector, a matrix, a rate of them, and a stale marker")
    func roundTrip() async {
        let test = TestAPI()
        let request = Protobuf.request([Protobuf.series("h", (0...6).map(Self.growing)), Protobuf.series("i", [RemoteHistogramTests.integer])])
        #expect(await send(test, request) == (204, ""))
        let integer = await test.get("/api/v1/query", "query=i&time=6")
        #expect(
            integer
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"i"},"histogram":[6,{"count":"13","sum":"18.5","buckets":[[1,"-1","-0.9170040432046711","1"],[3,"-0.001","0.001","2"],[0,"0.7711054127039704","0.8408964152537144","3"],[0,"0.8408964152537144","0.9170040432046711","5"],[0,"1","1.0905077326652577","2"]]}]}]}}"#
        )
        #expect(
            await test.get("/api/v1/query_range", "query=h&start=50&end=60&step=10")
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"h"},"histograms":[[50,{"count":"51","sum":"75","buckets":[[3,"-0","0","1"],[0,"1","2","50"]]}],[60,{"count":"61","sum":"90","buckets":[[3,"-0","0","1"],[0,"1","2","60"]]}]]}]}}"#
        )
        #expect(
            await test.get("/api/v1/query", "query=rate(h[40s])&time=60")
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[60,{"count":"1","sum":"1.5","buckets":[[0,"1","2","1"]]}]}]}}"#
        )
        let stale = Protobuf.histogram { histogram in
            histogram.fixed(3, StaleMarker.bits)
            histogram.varint(15, 65_000)
        }
        #expect(await send(test, Protobuf.request([Protobuf.series("h", [stale])])).status == 204)
        #expect(await test.get("/api/v1/query", "query=h&time=66") == #"{"status":"success","data":{"resultType":"vector","result":[]}}"#)
    }

    @Test("a refused one leaves the rest of its request stored; one that comes late is told")
    func partial() async {
        let test = TestAPI()
        let wrong = Protobuf.histogram { $0.varint(1, 5) }
        let answer = await send(
            test,
            Protobuf.request([Protobuf.series("h", [Self.growing(1), wrong, Self.growing(2), Self.growing(1)]), Protobuf.series("w", [wrong])]))
        #expect(answer.status == 400)
        #expect(answer.body.hasPrefix("out of order sample (1 of 3); 2 invalid histograms, the first is of {__name__=\"h\"}: 0 observations found"))
        #expect(await test.get("/api/v1/query", "query=histogram_count(h)&time=20").contains(#""21""#))
        #expect(await test.get("/api/v1/series", "match[]=w") == #"{"status":"success","data":[]}"#)
    }

    @Test("whatever a damaged request holds, it and the questions after it are answered", arguments: TestSeed.seeds(1))
    func damaged(seed: UInt64) async {
        let test = TestAPI()
        let whole = Protobuf.request([
            Protobuf.series("h", [Self.growing(1), Self.growing(2)]), Protobuf.series("h", [RemoteHistogramTests.integer]),
            Protobuf.series("h", [RemoteHistogramTests.custom, RemoteHistogramTests.float]),
        ])
        var random = SeededRandom(seed: seed)
        for round in 0..<TestSeed.cases(600) {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let answer = await send(test, bytes)
            #expect(answer.status == 204 || answer.status == 400)
            guard round % 10 == 0 else { continue }
            for query in [
                "{__name__=~\".+\"}", "rate({__name__=~\"h.*\"}[1m])", "histogram_quantile(0.9, sum({__name__=~\"h.*\"}))", "{__name__=~\".+\"}[1m]",
            ] {
                let form = query.replacing("{", with: "%7B").replacing("}", with: "%7D").replacing("\"", with: "%22").replacing("+", with: "%2B")
                let answer = await test.ask(.get, "/api/v1/query", "query=\(form)&time=20")
                // Damaged names may be alike without their metric's.
                #expect(answer.status == 200 || answer.status == 422 && answer.body.contains("same labelset"), "\(answer.body.prefix(300))")
            }
        }
    }
}
