import Support
import Testing

@testable import BlackboxExporter

@Suite("Messages of DNS")
struct DNSMessageTests {
    /// www.example.com A 10.0.0.1 and its SOA, the names written once and pointed to.
    static let answer: [UInt8] =
        [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 1, 0, 0]
        + [3] + Array("www".utf8) + [7] + Array("example".utf8) + [3] + Array("com".utf8) + [0, 0, 1, 0, 1]
        + [0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, 10, 0, 0, 1]
        + [0xc0, 16, 0, 6, 0, 1, 0, 0, 0, 60, 0, 30, 2, 110, 115, 0xc0, 16, 2, 104, 109, 0xc0, 16]
        + [0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]

    @Test("an answer is read with its records as lines of a zone file")
    func reads() throws {
        let message = try DNSMessage(Self.answer)
        #expect(message.id == 0x1234 && message.isResponse && message.code == 0)
        #expect(message.answers.map(\.line) == ["www.example.com.\t3600\tIN\tA\t10.0.0.1"])
        #expect(message.authority.map(\.line) == ["example.com.\t60\tIN\tSOA\tns.example.com. hm.example.com. 9 1 2 3 4"])
        #expect(message.authority.first?.serial == 9)
    }

    @Test("a message cut anywhere is an error and nothing worse")
    func cut() {
        for length in 0..<Self.answer.count {
            #expect(throws: DNSReader.Failure.self) { try DNSMessage(Array(Self.answer.prefix(length))) }
        }
    }

    @Test("names that point in circles, or forwards, end")
    func circles() {
        let head: [UInt8] = [0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for name: [UInt8] in [[0xc0, 12], [0xc0, 14, 0xc0, 12], [1, 97, 0xc0, 12], [0xc0, 0x20] + Array(repeating: 0, count: 40)] {
            #expect(throws: DNSReader.Failure.self) { try DNSMessage(head + name + [0, 1, 0, 1]) }
        }
    }

    @Test("random bytes never trap", arguments: TestSeed.seeds(2))
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(10_000) {
            var bytes = Self.answer
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...10, using: &random))
            _ = try? DNSMessage(bytes)
        }
    }

    @Test("a question is the name's labels with their lengths")
    func question() throws {
        let query = try #require(DNSMessage.query(id: 1, name: "a.bc", type: 1, class: 1, wantsRecursion: true))
        #expect(query == [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 2, 98, 99, 0, 0, 1, 0, 1])
        #expect(DNSName.encode("a.bc.") == DNSName.encode("a.bc"))
        #expect(DNSName.encode(".") == [0] && DNSName.encode("") == [0])
        #expect(DNSName.encode("a..b") == nil && DNSName.encode(String(repeating: "x", count: 64)) == nil)
        #expect(DNSName.encode(#"a\.b\032c"#) == [5, 97, 46, 98, 32, 99, 0])
    }

    @Test("record checks fail for the reasons the module names")
    func checks() throws {
        var check = DNSSettings.RecordCheck()
        check.failsIfNotMatches = [try SearchPattern("127")]
        #expect(DNSProbe.problem([], check) != nil)
        #expect(DNSProbe.problem(["a\t1\tIN\tA\t127.0.0.1"], check) == nil)
        #expect(DNSProbe.problem(["a\t1\tIN\tA\t127.0.0.1", "b"], check) != nil)
        check = DNSSettings.RecordCheck()
        check.failsIfNoneMatches = [try SearchPattern("127")]
        #expect(DNSProbe.problem(["127", "b"], check) == nil)
        #expect(DNSProbe.problem(["b"], check) != nil)
        check = DNSSettings.RecordCheck()
        check.failsIfMatches = [try SearchPattern("^b$")]
        #expect(DNSProbe.problem(["ab"], check) == nil)
        #expect(DNSProbe.problem(["a", "b"], check) != nil)
    }
}
