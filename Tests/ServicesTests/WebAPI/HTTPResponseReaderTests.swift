import Support
import Testing

@testable import WebAPI

@Suite("Reading an HTTP answer")
struct HTTPResponseReaderTests {
    private enum Outcome: Equatable {
        case answer(status: Int, reason: String, type: String, body: String, isReusable: Bool)
        case failure(HTTPResponseReader.Failure)
        case incomplete
    }

    /// Reads `pieces`, then the connection ends.
    private func read(_ pieces: [ArraySlice<UInt8>], limit: Int = 1000) -> Outcome {
        var reader = HTTPResponseReader(limit: limit)
        do {
            var isComplete = false
            for piece in pieces {
                let isDone = try piece.withUnsafeBytes { try reader.read($0) }
                isComplete = isComplete || isDone
            }
            guard isComplete || reader.end() else { return .incomplete }
            let answer = reader.answer
            return .answer(
                status: answer.status, reason: answer.reason, type: answer.contentType,
                body: String(decoding: answer.body, as: UTF8.self), isReusable: answer.isReusable)
        } catch let failure as HTTPResponseReader.Failure {
            return .failure(failure)
        } catch {
            Issue.record(error)
            return .incomplete
        }
    }

    private func read(_ text: String, limit: Int = 1000) -> Outcome { read([Array(text.utf8)[...]], limit: limit) }

    private static let good: [(String, String, Bool)] = [
        ("HTTP/1.1 200 OK\r\nContent-Type: t\r\nContent-Length: 5\r\n\r\nup 1\n", "up 1\n", true),
        ("HTTP/1.1 200 OK\nCONTENT-TYPE:t\ncontent-length:  5 \n\nup 1\n", "up 1\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Type: t\r\n\r\nup 1\n", "up 1\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Type: t\r\nContent-Length: 5\r\n\r\nup 1\n", "up 1\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Type: t\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nup 1\n", "up 1\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Type: t\r\nConnection: x, close\r\nContent-Length: 5\r\n\r\nup 1\n", "up 1\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Type: t\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nup \r\n02\r\n1\n\r\n0\r\nA: b\r\n\r\n", "up 1\n", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: t\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", "0123456789",
            false
        ),
        ("HTTP/1.1 200 OK\r\nContent-Type: t\r\nContent-Length: 0\r\n\r\n", "", true),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: t\r\nContent-Length: 1\r\n\r\nx", "x", true),
    ]

    @Test("an answer is the same however it is cut, at every place and into single bytes", arguments: 0..<good.count)
    func cuts(_ index: Int) {
        let (text, body, isReusable) = Self.good[index]
        let wanted = Outcome.answer(status: 200, reason: "OK", type: "t", body: body, isReusable: isReusable)
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count { #expect(read([bytes[..<cut], bytes[cut...]]) == wanted, "cut at \(cut)") }
        #expect(read(bytes.indices.map { bytes[$0...$0] }) == wanted)
    }

    @Test("an answer that ends early is incomplete, at whichever byte")
    func early() {
        for (text, _, _) in Self.good where !text.hasSuffix("\r\n\r\nup 1\n") || text.contains("Length") {
            let bytes = Array(text.utf8)
            for count in 0..<bytes.count { #expect(read([bytes[..<count]]) == .incomplete, "\(count) bytes of \(text)") }
        }
    }

    @Test(
        "what is not HTTP is told, and what only looks like it",
        arguments: [
            "hello\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "HTTP/1.1 200 OK\r\nA : x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999999\r\n\r\n", "HTTP/1.1 101 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        ])
    func malformed(_ text: String) { #expect(read(text) == .failure(.notHTTP)) }

    @Test("bodies are bounded by the declared and by the real size; heads, chunk lines and trailers by 64 KiB")
    func bounds() {
        let long = String(repeating: "x", count: 1001)
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n" + long,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n3e8\r\n",
        ] { #expect(read(text) == .failure(.bodyTooLarge)) }
        let huge = String(repeating: "y", count: HTTPResponseReader.headLimit + 1)
        let lines = String(repeating: "a: b\r\n", count: HTTPResponseReader.headLimit / 5 + 1)
        for text in [
            "HTTP/1.1 200 OK\r\nA: " + huge, "HTTP/1.1 200 OK\r\nA: " + huge + "\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + huge,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + lines,
        ] {
            #expect(read(text) == .failure(.notHTTP))
            let bytes = Array(text.utf8)
            #expect(read(stride(from: 0, to: bytes.count, by: 1000).map { bytes[$0..<min($0 + 1000, bytes.count)] }) == .failure(.notHTTP))
        }
    }

    @Test("random damage never crashes and never breaks the bound")
    func damage() {
        var random = SeededRandom(seed: TestSeed.seeds(1)[0])
        for _ in 0..<20_000 {
            var bytes = Array(Self.good[Int(random.next() % UInt64(Self.good.count))].0.utf8)
            for _ in 0..<(1 + random.next() % 4) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            let cut = Int(random.next() % UInt64(bytes.count))
            if case .answer(_, _, _, let body, _) = read([bytes[..<cut], bytes[cut...]], limit: 8) {
                #expect(body.unicodeScalars.count <= 8)
            }
        }
    }
}
