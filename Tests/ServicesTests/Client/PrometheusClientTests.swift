import Loopback
import NIOCore
import PrometheusClient
import Support
import TSDB
import Testing

@testable import WebAPI

@Suite("The client of the HTTP API, against our own server", .timeLimit(.minutes(2)), .serialized)
struct PrometheusClientTests {
    private func withClient(
        _ test: TestAPI, limits: PrometheusClient.Limits = .init(),
        _ body: @Sendable @escaping (PrometheusClient) async throws -> Void
    ) async throws {
        try await serving(test.api) { port in
            let client = try PrometheusClient("127.0.0.1:\(port)", limits: limits)
            do { try await body(client) } catch { Issue.record(error) }
            await client.shutdown()
        }
    }

    private let a = Labels(["__name__": "a", "job": "x y&z\"é"])

    @Test("what is written is what instant and range queries give back")
    func roundTrip() async throws {
        try await withClient(TestAPI()) { client in
            var request = WriteRequest()
            request.add(
                a,
                [
                    (time: Timestamp(milliseconds: 990_000), value: 0.1),
                    (Timestamp(milliseconds: 1_000_001), -.infinity),
                ])
            request.add(Labels(["__name__": "b"]), at: Timestamp(milliseconds: 990_000), .nan)
            #expect(request.seriesCount == 2 && request.sampleCount == 3)
            try await client.write(request)

            let now = try await client.query("{__name__=~\"a|b\"}", at: Timestamp(milliseconds: 1_000_001))
            guard case .success(.vector(let elements)) = now.outcome else { throw ClientError(.malformed, "\(now)") }
            #expect(now.status == 200 && elements.count == 2)
            #expect(elements.first { $0.labels == a }?.value == .float(-.infinity))
            #expect(elements.allSatisfy { $0.time.milliseconds == 1_000_001 })

            let range = try await client.queryRange(
                "a", from: Timestamp(milliseconds: 990_000), to: Timestamp(milliseconds: 1_010_000), step: .seconds(5))
            guard case .success(.matrix(let series)) = range.outcome else { throw ClientError(.malformed, "\(range)") }
            #expect(series.count == 1 && series.first?.values == [0.1, 0.1, 0.1, -.infinity, -.infinity])
            #expect(series.first?.times.map(\.milliseconds) == [990_000, 995_000, 1_000_000, 1_005_000, 1_010_000])
        }
    }

    @Test("scalars, strings, warnings and infos arrive")
    func kinds() async throws {
        let test = TestAPI()
        try test.load(Labels(["__name__": "gauge"]), [1, 2, 3])
        try await withClient(test) { client in
            let at = Timestamp(milliseconds: 20_000)
            let scalar = try await client.query("1.5", at: at), string = try await client.query("\"é\"", at: at)
            #expect(scalar.outcome == .success(.scalar(time: at, 1.5)))
            #expect(string.outcome == .success(.string(time: at, "é")))
            let rate = try await client.query("rate(gauge[1m])", at: at)
            #expect(rate.infos.first?.contains("might not be a counter") == true)
            let quantile = try await client.query("quantile(2, gauge)", at: at)
            #expect(quantile.warnings.first?.contains("between 0 and 1") == true)
        }
    }

    @Test("an error of the server is an answer with its type and text")
    func serverErrors() async throws {
        try await withClient(TestAPI()) { client in
            let answer = try await client.query("sum(")
            guard case .failure(let type, let text) = answer.outcome else { throw ClientError(.malformed, "\(answer)") }
            #expect(answer.status == 400 && type == "bad_data" && text.contains("parse error"))
            let healthy = try await client.get("/-/healthy")
            #expect(healthy.status == 200 && healthy.text.hasSuffix("Healthy.\n"))
            let labels = try await client.get("/api/v1/labels", [("match[]", "up{")])
            #expect(labels.status == 400)
        }
    }

    @Test("an answer over the limit, a page that is no API and a closed port are errors")
    func clientErrors() async throws {
        var small = PrometheusClient.Limits()
        small.answer = 50
        try await withClient(TestAPI(), limits: small) { client in
            #expect(await Self.code { _ = try await client.query("1") } == .tooLarge)
        }
        try await withClient(TestAPI()) { client in
            let page = try await client.get("/-/healthy")
            #expect(await Self.code { _ = try QueryAnswer(decoding: page) } == .malformed)
            let missing = try await client.get("/nowhere")
            #expect(await Self.code { _ = try QueryAnswer(decoding: missing) } == .refused)
        }
        let nobody = try PrometheusClient("http://127.0.0.1:1")
        #expect(await Self.code { _ = try await nobody.query("1") } == .connection)
        await nobody.shutdown()
    }

    @Test(
        "addresses that are none are refused",
        arguments: ["", "http://", "ftp://x", "http://a b", "http:///x", "x?y", ":9090"])
    func addresses(address: String) async {
        #expect(await Self.code { _ = try PrometheusClient(address) } == .address)
    }

    /// The code of the error that `body` throws.
    private static func code(_ body: () async throws -> Void) async -> ClientError.Code? {
        do { try await body() } catch { return (error as? ClientError)?.code }
        return nil
    }

    @Test("a damaged answer is read or refused, never worse", arguments: TestSeed.seeds(2))
    func damaged(seed: UInt64) {
        let answers = [
            #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1.5,"2"],[16,"NaN"]],"histograms":[[1,{"count":"1","sum":"+Inf","buckets":[[3,"-1e-128","1e-128","2"],[0,"1","2","3"]]}]]}]},"warnings":["w"],"infos":[]}"#,
            #"{"data":{"result":[{"metric":{"a":"b"},"value":[1.5,"+Inf"]}],"resultType":"vector"},"status":"success"}"#,
            #"{"status":"error","errorType":"bad_data","error":"no \u00e9"}"#,
            #"{"status":"success","data":{"resultType":"scalar","result":[1e9,"2"]}}"#,
        ]
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(5_000) {
            var bytes = Array((answers.randomElement(using: &random) ?? "").utf8)
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                default: bytes.insert(Array("[]{}\",:\\09e".utf8).randomElement(using: &random) ?? 0, at: at)
                }
            }
            _ = try? QueryAnswer(decoding: ClientAnswer(status: 200, body: ByteBuffer(bytes: bytes)))
        }
    }
}
