import HTTPServer
import Support
import TSDB
import Testing

@testable import WebAPI

@Suite("Parameters are read as Go and Prometheus read them")
struct ParameterTests {
    @Test("pairs are decoded, repeated names kept, broken pairs left out")
    func pairs() {
        let parameters = Parameters("a=1&b=x%20y+z&match[]=p&match[]=q&c&bad=%zz&d=%&=e&%61%62=ok")
        #expect(parameters["a"] == "1" && parameters["b"] == "x y z" && parameters["c"] == "" && parameters["ab"] == "ok")
        #expect(parameters.all("match[]") == ["p", "q"])
        #expect(parameters.all("bad") == [] && parameters.all("d") == [])
    }

    @Test(
        "times are seconds with a fraction or RFC 3339",
        arguments: [
            ("0", 0), ("1.5", 1500), ("1435781430.781", 1_435_781_430_781), ("-5.5", -5500), ("1e3", 1_000_000),
            ("2026-11-22T18:00:00.1234Z", 1_795_370_400_123), ("2026-11-22T18:00:00+02:00", 1_795_363_200_000),
            ("0.0004", 0), ("0.0006", 1),
        ] as [(String, Int64)])
    func times(_ text: String, _ milliseconds: Int64) {
        #expect(Parameters.parseTime(text)?.milliseconds == milliseconds)
    }

    @Test(
        "durations are seconds or Prometheus durations",
        arguments: [("5m", 300_000), ("15", 15_000), ("0.5", 500), ("1h30m", 5_400_000), ("0.0001", 1)] as [(String, Int64)])
    func durations(_ text: String, _ milliseconds: Int64) throws {
        #expect(try Parameters.parseDuration(text).get() == .milliseconds(milliseconds))
    }

    @Test("random bytes in a query string never trap")
    func random() {
        var random = SeededRandom(seed: TestSeed.seeds(1)[0])
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                Array("%&=+;a0f[]\u{0}".utf8 + [0xff, 0xc3]).randomElement(using: &random) ?? 0
            }
            let parameters = Parameters(String(decoding: bytes, as: UTF8.self))
            _ = parameters["a"]
            _ = try? parameters.limit()
        }
    }

    @Test(
        "escaped label names",
        arguments: [
            ("job", "job"), ("U__a_2e_b", "a.b"), ("U__a__b", "a_b"), ("U__", ""), ("U__a_zz_", "U__a_zz_"), ("U__a_2e", "U__a_2e"),
            ("U___d800_", "U___d800_"), ("U__x_1F600_", "x😀"),
        ])
    func escapedNames(_ text: String, _ name: String) { #expect(EscapedName.unescape(text) == name) }
}

@Suite("JSON text")
struct JSONTextTests {
    private func text(_ body: (inout JSONText) -> Void) -> String {
        var json = JSONText()
        body(&json)
        return String(buffer: json.take())
    }

    @Test(
        "times have up to three decimals and no trailing zeros",
        arguments: [
            (0, "0"), (1, "0.001"), (10, "0.01"), (1500, "1.5"), (-5500, "-5.5"), (-1, "-0.001"), (1_435_781_430_781, "1435781430.781"),
            (Int64.min, "-9223372036854775.808"), (Int64.max, "9223372036854775.807"),
        ] as [(Int64, String)])
    func times(_ milliseconds: Int64, _ expected: String) { #expect(text { $0.appendTime(milliseconds: milliseconds) } == expected) }

    @Test("what JSON wants escaped is escaped")
    func quoting() {
        #expect(text { $0.appendQuoted("a\"b\\c\n\r\t\u{1}\u{1f}ü😀/") } == #""a\"b\\c\n\r\t\u0001\u001fü😀/""#)
        #expect(text { $0.appendQuoted(String(repeating: "\u{0}", count: 500)) }.utf8.count == 3002)
    }

    @Test(
        "sample values are strings in Go's form",
        arguments: [
            (1.0, "\"1\""), (.nan, "\"NaN\""), (.infinity, "\"+Inf\""), (-.infinity, "\"-Inf\""), (1e21, "\"1e+21\""),
            (1e20, "\"100000000000000000000\""), (1e-7, "\"1e-07\""), (0.1, "\"0.1\""), (-0.0, "\"-0\""),
        ])
    func values(_ value: Double, _ expected: String) { #expect(text { $0.appendSampleValue(value) } == expected) }
}
