import Support
import Testing

@testable import SupervisorHost

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("Answers of HTTP servers")
struct PlainHTTPTests {
    private func read(_ text: String, isEnd: Bool = false) throws -> PlainHTTP.Answer? {
        try PlainHTTP.answer(Array(text.utf8), isEnd: isEnd)
    }

    @Test(
        "a body has a length, comes in chunks, or goes to the end; cut anywhere, it is not taken for whole",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        ])
    func bodies(text: String) throws {
        let expected = PlainHTTP.Answer(status: 200, body: Array("hello".utf8))
        #expect(try read(text) == expected)
        // A last chunk is known as one by its line.
        let bytes = Array(text.utf8), whole = bytes.count - (text.hasSuffix("0\r\n\r\n") ? 3 : 0)
        for count in 0..<whole { #expect(try PlainHTTP.answer(Array(bytes[..<count]), isEnd: true) == nil) }
    }

    @Test("without a length the end of the connection is the end of the body")
    func toTheEnd() throws {
        let text = "HTTP/1.0 503 Not now\r\nA: b\r\n\r\nwhy"
        #expect(try read(text) == nil)
        #expect(try read(text, isEnd: true) == .init(status: 503, body: Array("why".utf8)))
    }

    @Test(
        "what is no HTTP is refused",
        arguments: ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 99999 x\r\n\r\n", "\r\n\r\n"])
    func nonsense(text: String) { #expect(throws: HostError.self) { try read(text) } }

    @Test("hostile lengths are no traps")
    func hostile() throws {
        #expect(try read("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx", isEnd: true) == nil)
        #expect(
            try read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nx", isEnd: true) == nil)
        #expect(try read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx", isEnd: true) == nil)
    }
}

@Suite("Logs")
struct LogFileTests {
    private let folder = TemporaryDirectory("supervisor")

    @Test("the last lines, whole; more comes behind an offset")
    func tail() {
        let log = LogFile(folder("a.log"))
        for number in 1...5 { log.append("line \(number)") }
        #expect(LogFile.tail(log.path, lines: 2) == "line 4\nline 5\n")
        #expect(LogFile.tail(log.path, lines: 100) == "line 1\nline 2\nline 3\nline 4\nline 5\n")
        #expect(LogFile.tail(log.path, lines: 0) == "")
        var offset = LogFile.size(log.path)
        #expect(LogFile.more(log.path, after: &offset).isEmpty)
        log.append("line 6")
        #expect(String(decoding: LogFile.more(log.path, after: &offset), as: UTF8.self) == "line 6\n")
        #expect(LogFile.tail(folder("none"), lines: 3) == "")
    }

    @Test("a full file makes room, and two older ones are kept")
    func rotation() {
        let log = LogFile(folder("a.log"))
        let block = [UInt8](repeating: UInt8(ascii: "x"), count: LogFile.maximumBytes)
        for _ in 0..<4 { block.withUnsafeBytes { log.append($0) } }
        log.append("new")
        #expect(StateDirectory.entries(of: folder.path) == ["a.log", "a.log.1", "a.log.2"])
        #expect(LogFile.size(log.path) == 4)
    }
}

@Suite("The state directory")
struct StateDirectoryTests {
    private let folder = TemporaryDirectory("supervisor")

    @Test("small files are written whole, 0600; random secrets are 32 digits and never the same")
    func files() throws {
        let path = folder("secret")
        try StateDirectory.write(path, "one")
        try StateDirectory.write(path, "two")
        #expect(StateDirectory.read(path).map { String(decoding: $0, as: UTF8.self) } == "two")
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let secrets = Set((0..<100).map { _ in LocalMachine.randomSecret() })
        #expect(secrets.count == 100)
        #expect(secrets.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }

    @Test("a socket's path is never longer than a socket's path can be")
    func socket() {
        #expect(StateDirectory(besides: "/home/me/minprom").socket == "/home/me/minprom/.minprom/supervisor.sock")
        let deep = StateDirectory(besides: "/" + String(repeating: "deep/", count: 40))
        #expect(deep.socket.utf8.count < 100)
        #expect(deep.socket != StateDirectory(besides: "/" + String(repeating: "deep/", count: 41)).socket)
    }
}

@Suite("Ports of this machine")
struct LocalPortTests {
    @Test("a port that is given is free, one that no port can be is not")
    func ports() throws {
        let port = try #require(LocalMachine.anyFreePort())
        #expect(LocalMachine.isFree(port: port))
        #expect(!LocalMachine.isFree(port: 70_000))
    }
}
