import HTTPServer
import HTTPTypes
import Histograms
import NIOCore
import PromQL
import Snappy
import Support
import TSDB
import Testing

@testable import WebAPI

@Suite("Remote read")
struct RemoteReadTests {
    /// A frame of a streamed answer.
    private struct Frame: Equatable {
        struct Chunk: Equatable {
            var from: Int64
            var through: Int64
            var type: UInt64
            /// What its header counts.
            var count: Int
        }
        var labels: [String]
        var chunks: [Chunk] = []
        var query: UInt64 = 0
    }

    private static func query(_ matchers: [(UInt64, String, String)], _ from: Int64, _ through: Int64) -> [UInt8] {
        var query = Protobuf()
        query.varint(1, UInt64(bitPattern: from))
        query.varint(2, UInt64(bitPattern: through))
        for (kind, name, value) in matchers {
            var matcher = Protobuf()
            if kind != 0 { matcher.varint(1, kind) }
            matcher.text(2, name)
            matcher.text(3, value)
            query.message(3, matcher.bytes)
        }
        query.message(4, [0x08, 0x01])
        return query.bytes
    }

    private static func request(_ queries: [[UInt8]], accepts: [UInt8]) -> [UInt8] {
        var request = Protobuf()
        for query in queries { request.message(1, query) }
        if !accepts.isEmpty { request.message(2, accepts) }
        return request.bytes
    }

    private static func ask(_ test: TestAPI, _ request: [UInt8]) async -> (status: Int, type: String, encoding: String, body: [UInt8]) {
        let reply = await test.api.answer(
            APIRequest(
                .post, "/api/v1/read", headers: [.contentType: "application/x-protobuf", .contentEncoding: "snappy"],
                body: ByteBuffer(bytes: request.withUnsafeBytes { Snappy.compress($0) })))
        return (reply.status.code, reply.contentType, reply.headers[.contentEncoding] ?? "", reply.wholeBody)
    }

    private static func frames(_ body: [UInt8]) throws -> [Frame] {
        try body.withUnsafeBytes { body in
            var frames: [Frame] = []
            var position = 0
            while position < body.count {
                var head = ProtobufReader(body, at: position)
                let length = Int(try head.varint())
                let start = head.position + 4
                try #require(start + length <= body.count)
                let message = UnsafeRawBufferPointer(rebasing: body[start..<(start + length)])
                let checksum = body[head.position..<start].reduce(0) { $0 << 8 | UInt32($1) }
                #expect(checksum == crc32c(0, message.baseAddress, message.count))
                frames.append(try frame(message))
                position = start + length
            }
            return frames
        }
    }

    private static func frame(_ message: UnsafeRawBufferPointer) throws -> Frame {
        var frame = Frame(labels: [])
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            guard field.number == 1 else {
                frame.query = try reader.varint()
                continue
            }
            var series = ProtobufReader(try reader.lengthDelimited())
            while let field = try series.nextField() {
                var part = ProtobufReader(try series.lengthDelimited())
                if field.number == 1 {
                    var texts: [String] = []
                    while try part.nextField() != nil { texts.append(String(decoding: try part.lengthDelimited(), as: UTF8.self)) }
                    frame.labels.append(texts.joined(separator: "="))
                    continue
                }
                var numbers: [UInt64] = []
                var data = UnsafeRawBufferPointer(start: nil, count: 0)
                while let field = try part.nextField() {
                    if field.wireType == 2 { data = try part.lengthDelimited() } else { numbers.append(try part.varint()) }
                }
                try #require(numbers.count == 3 && data.count > 2)
                frame.chunks.append(
                    Frame.Chunk(
                        from: Int64(bitPattern: numbers[0]), through: Int64(bitPattern: numbers[1]), type: numbers[2],
                        count: Int(data[0]) << 8 | Int(data[1])))
            }
        }
        return frame
    }

    /// `a`, `b` of floats, `h` of histograms, ten seconds apart.
    private static func loaded() async throws -> TestAPI {
        let test = TestAPI()
        try test.load(["__name__": "b", "job": "x"], (0..<300).map(Double.init))
        try test.load(["__name__": "a", "job": "y"], [1, 2, 3])
        try test.load(["__name__": "a", "job": "x"], [1, 2, StaleMarker.value])
        let request = Protobuf.request([
            Protobuf.series("h", (0..<130).map(StoredHistogramTests.growing)), Protobuf.series("i", [RemoteHistogramTests.integer]),
        ])
        let answer = await test.ask(
            .post, "/api/v1/write", headers: [.contentType: "application/x-protobuf", .contentEncoding: "snappy"],
            bytes: request.withUnsafeBytes { Snappy.compress($0) })
        #expect(answer.status == 204)
        return test
    }

    @Test("streamed: a frame per series, sorted by labels, chunks whole, of Prometheus' encodings")
    func streamed() async throws {
        let test = try await Self.loaded()
        let answer = await Self.ask(
            test,
            Self.request(
                [Self.query([(2, "__name__", "a|b|h|i")], 500_000, 1_000_000), Self.query([(1, "job", "y")], 0, 20_000)], accepts: [9, 1, 0]))
        #expect(answer.status == 200 && answer.encoding == "")
        #expect(answer.type == "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse")
        let frames = try Self.frames(answer.body)
        #expect(
            frames.map(\.labels) == [
                ["__name__=b", "job=x"], ["__name__=h"],
                ["__name__=a", "job=x"], ["__name__=b", "job=x"], ["__name__=h"], ["__name__=i"],
            ])
        #expect(frames.map(\.query) == [0, 0, 1, 1, 1, 1])
        let floats = try #require(frames.first), histograms = frames[1]
        #expect(floats.chunks.allSatisfy { $0.type == 1 && $0.through >= 500_000 && $0.from <= 1_000_000 })
        #expect(zip(floats.chunks, floats.chunks.dropFirst()).allSatisfy { $0.through + 10_000 == $1.from })
        #expect(
            floats.chunks.reduce(0) { $0 + $1.count } == Int((floats.chunks[floats.chunks.count - 1].through - floats.chunks[0].from) / 10_000) + 1)
        #expect(histograms.chunks.allSatisfy { $0.type == 3 } && histograms.chunks.map(\.through) == [1_190_000])
        #expect(frames.last?.chunks == [Frame.Chunk(from: 5000, through: 5000, type: 2, count: 1)])
    }

    @Test("series leave with the external labels, which are not asked of storage")
    func externalLabels() async throws {
        let test = try await Self.loaded()
        test.status.use(ServerParts(database: test.database, engine: Engine(), externalLabels: ["job": "none", "region": "eu"]))
        func labels(_ matchers: [(UInt64, String, String)]) async throws -> [[String]] {
            let answer = await Self.ask(test, Self.request([Self.query(matchers, 0, 20_000)], accepts: [1]))
            return try Self.frames(answer.body).map(\.labels)
        }
        #expect(
            try await labels([(0, "region", "eu"), (0, "__name__", "a")]) == [
                ["__name__=a", "job=x", "region=eu"], ["__name__=a", "job=y", "region=eu"],
            ])
        #expect(try await labels([(0, "__name__", "i")]) == [["__name__=i", "job=none", "region=eu"]])
        #expect(try await labels([(0, "region", "us"), (0, "__name__", "a")]) == [])
        #expect(try await labels([(0, "job", "none"), (2, "__name__", "a|i")]) == [["__name__=i", "job=none", "region=eu"]])
    }

    @Test("a series larger than a frame goes on in the next one")
    func largeSeries() async throws {
        let test = TestAPI()
        let series = try test.database.reference(for: ["__name__": "large"])
        var random = SeededRandom(seed: 1)
        var batch = SampleBatch()
        for time in 0..<200_000 {
            batch.append(series, at: Timestamp(milliseconds: Int64(time) * 5), value: Double.random(in: 0...1, using: &random))
        }
        _ = try test.database.append(batch)
        let frames = try Self.frames(await Self.ask(test, Self.request([Self.query([(0, "__name__", "large")], 0, 1_000_000)], accepts: [1])).body)
        #expect(frames.count > 1 && frames.allSatisfy { $0.labels == ["__name__=large"] })
        #expect(frames.flatMap(\.chunks).reduce(0) { $0 + $1.count } == 200_000)
    }

    @Test("samples: what one server reads, another can be written", arguments: [[], [0], [0, 1]] as [[UInt8]])
    func samples(accepts: [UInt8]) async throws {
        let test = try await Self.loaded()
        let answer = await Self.ask(test, Self.request([Self.query([(3, "__name__", "none")], 0, 1_290_000)], accepts: accepts))
        #expect(answer.status == 200 && answer.type == "application/x-protobuf" && answer.encoding == "snappy")
        var message: [UInt8] = []
        try answer.body.withUnsafeBytes { try Snappy.decompress($0, limit: 1 << 20, into: &message) }
        let result: [UInt8] = try message.withUnsafeBytes { bytes in
            var reader = ProtobufReader(bytes)
            let field = try #require(try reader.nextField())
            #expect(field.number == 1 && field.wireType == 2)
            let result = Array(try reader.lengthDelimited())
            #expect(reader.isAtEnd)
            return result
        }
        let other = TestAPI()
        let written = await other.ask(
            .post, "/api/v1/write", headers: [.contentType: "application/x-protobuf", .contentEncoding: "snappy"],
            bytes: result.withUnsafeBytes { Snappy.compress($0) })
        #expect(written.status == 204, "\(written.body)")
        for query in ["a", "b", "h", "i", "rate(h[5m])", "a[20m]", "h[2m]", "histogram_quantile(0.5, h)"] {
            let form = "time=1290&query=" + query.replacing("[", with: "%5B").replacing("]", with: "%5D")
            #expect(await other.get("/api/v1/query", form) == (await test.get("/api/v1/query", form)), "\(query)")
        }
    }

    @Test("what cannot be answered is 400 with the reason")
    func refusals() async throws {
        let test = try await Self.loaded()
        let queries = [Self.query([(0, "__name__", "a")], 0, 1)]
        var text = await Self.ask(test, Self.request(queries, accepts: [7, 8]))
        #expect(
            text.status == 400
                && String(decoding: text.body, as: UTF8.self).hasPrefix("server does not support any of the requested response types: [7 8]"))
        text = await Self.ask(test, Self.request([Self.query([(2, "a", "(")], 0, 1)], accepts: [1]))
        #expect(text.status == 400 && text.body.count > 5)
        text = await Self.ask(test, Self.request([Self.query([(4, "a", "b")], 0, 1)], accepts: [1]))
        #expect(text.status == 400)
        text = await Self.ask(test, Self.request(Array(repeating: queries[0], count: ReadRequest.queryLimit + 1), accepts: [1]))
        #expect(text.status == 400)
        let plain = await test.ask(.post, "/api/v1/read", bytes: Self.request(queries, accepts: [1]))
        #expect(plain.status == 400 && plain.body == "snappy: corrupt input\n")
        #expect(await test.ask(.get, "/api/v1/read").status == 405)
    }

    @Test("whatever a damaged request holds, it is answered", arguments: TestSeed.seeds(1))
    func damaged(seed: UInt64) async throws {
        let test = try await Self.loaded()
        let whole = Self.request([Self.query([(2, "__name__", "a|h"), (1, "job", "y")], 0, 1_290_000), Self.query([], -1, .max)], accepts: [1, 0])
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(400) {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let answer = await Self.ask(test, bytes)
            #expect([200, 400].contains(answer.status), "\(answer.status) \(String(decoding: answer.body.prefix(200), as: UTF8.self))")
        }
    }
}
