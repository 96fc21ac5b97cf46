import ConfigurationFile
import Loopback
import NIOSSL
import Testing

@testable import BlackboxExporter

@Suite("Parts of probes")
struct PartsTests {
    @Test("a ping's checksum makes the sum of all words zero")
    func echo() throws {
        let message = EchoMessage(isVersion6: false, identifier: 7, sequence: 9, data: Array("odd".utf8))
        #expect(EchoMessage.checksum(message.bytes) == 0)
        #expect(EchoMessage(message.bytes, isVersion6: false) == message)
        #expect(EchoMessage([0, 1, 0, 0, 0, 0, 0, 0], isVersion6: false) == nil)
        #expect(EchoMessage([], isVersion6: true) == nil)
    }

    @Test("the timeout is the module's or what the scrape leaves, whichever is less")
    func timeouts() {
        #expect(BlackboxExporter.timeout(scrape: 0, module: 0, offset: 0.5) == 119.5)
        #expect(BlackboxExporter.timeout(scrape: 10, module: 0, offset: 0.5) == 9.5)
        #expect(BlackboxExporter.timeout(scrape: 10, module: 5, offset: 0.5) == 5)
        #expect(BlackboxExporter.timeout(scrape: 3, module: 5, offset: 0.5) == 2.5)
        #expect(BlackboxExporter.timeout(scrape: 0.3, module: 5, offset: 0.5) == 5)
    }

    @Test(
        "dates of headers come in three forms",
        arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func dates(_ text: String) { #expect(HTTPDate.seconds(text) == 784_111_777) }

    @Test("what is no date is none", arguments: ["", "yesterday", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "a b c d e f"])
    func noDates(_ text: String) { #expect(HTTPDate.seconds(text) == nil) }

    @Test("lengths are Go's: -1 where nobody knows, and of no body what HEAD was told")
    func lengths() throws {
        func answer(_ head: String) throws -> HTTPAnswer { try HTTPAnswer(Array(head.utf8)) }
        let known = try answer("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n")
        #expect(known.framing(of: "GET") == .length(7) && known.contentLength(of: "GET") == 7)
        #expect(known.framing(of: "HEAD") == .none && known.contentLength(of: "HEAD") == 7)
        let chunked = try answer("HTTP/1.1 200 OK\nContent-Length: 7\nTransfer-Encoding: Chunked\n")
        #expect(chunked.framing(of: "GET") == .chunked && chunked.contentLength(of: "GET") == -1)
        let open = try answer("HTTP/1.0 200\n")
        #expect(open.framing(of: "GET") == .untilClosed && open.contentLength(of: "GET") == -1 && open.versionNumber == 1)
        #expect(try answer("HTTP/1.1 204 No Content\n").contentLength(of: "GET") == 0)
        for broken in ["", "HTTP/1.1", "HTTP/1.1 99 x", "SSH-2.0", "HTTP/1.1 200 OK\nno colon\n", "HTTP/1.1 abc x"] {
            #expect(throws: ProbeFailure.self) { try answer(broken) }
        }
        for broken in ["", "+1", "-1", "g", "fffffffffffffffff"] {
            #expect(throws: ProbeFailure.self) { try HTTPAnswerReader.chunkSize(Array(broken.utf8)) }
        }
        #expect(try HTTPAnswerReader.chunkSize(Array("1F; x=y".utf8)) == 31)
    }

    @Test("a cookie goes back to its host and path, and a secure one not in the open")
    func cookies() {
        var jar = CookieJar()
        jar.take(["a=1; Path=/x", "b=2; Secure", "=no", "c"], from: "Api", path: "/y/z")
        #expect(jar.header(for: "api", path: "/x/y", isSecure: false) == "a=1")
        #expect(jar.header(for: "api", path: "/xy", isSecure: false) == nil)
        #expect(jar.header(for: "api", path: "/y/q", isSecure: true) == "b=2")
        #expect(jar.header(for: "other", path: "/x", isSecure: true) == nil)
    }

    @Test("an expression is looked for anywhere, its dots stop at line ends and its anchors are the text's")
    func search() throws {
        #expect(try SearchPattern("b.d").matches("abcde"))
        #expect(try !SearchPattern("b.d").matches("ab\nde"))
        #expect(try SearchPattern("^a").matches("ab") && !SearchPattern("^b").matches("ab"))
        #expect(try SearchPattern("a|x").matches("bxb"))
        #expect(throws: (any Error).self) { try SearchPattern("a)|(b") }
        #expect(try SearchPattern(#"^220 (\w+)"#).captures(in: "220 mail ready")?.expand(template: "EHLO $1") == "EHLO mail")
    }

    @Test("history keeps the last, and of those before the failures")
    func history() {
        let history = ProbeHistory(limit: 2)
        for number in 0..<6 { history.add(module: "m", target: "\(number)", report: "", succeeded: number % 2 == 0) }
        #expect(history.entries.map(\.id) == [1, 3, 4, 5])
        #expect(history[3]?.target == "3" && history[2] == nil)
        #expect(history.entry(target: "5", module: "x") == nil && history.entry(target: "5", module: "")?.id == 5)
    }

    @Test("a certificate's names are read as Go writes them")
    func certificate() throws {
        let certificate = try #require(try NIOSSLCertificate.fromPEMBytes(Array(TestCertificate.certificate.utf8)).first)
        let names = try #require(Certificate(certificate))
        #expect(names.subject == "CN=localhost" && names.issuer == "CN=localhost" && names.isSelfIssued)
        let der = try certificate.toDERBytes()
        for length in 0..<der.count { _ = Certificate(Array(der.prefix(length))) }
    }

    @Test("the cipher suite is read from the first record of a server")
    func serverHello() {
        var hello: [UInt8] = [22, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3] + [UInt8](repeating: 7, count: 32) + [2, 9, 9, 0x13, 0x02]
        #expect(ServerHelloReader.suite(in: hello) == 0x1302)
        hello.removeLast()
        #expect(ServerHelloReader.suite(in: hello) == nil)
        #expect(CipherSuite.name(0x1302) == "TLS_AES_256_GCM_SHA384" && CipherSuite.name(0xab) == "0x00AB")
    }
}
