import Exposition
import Numbers
import Support
import Testing

@Suite("Exposition formats")
struct ExpositionTests {
    @Test("a sample has series, value and timestamp")
    func sample() throws {
        let page = "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
        #expect(try lines(page) == ["http_requests_total{method=\"post\",code=\"200\"} 1027 @1395066363000"])
    }

    @Test("the last line needs no line break, and blanks may stand anywhere")
    func lenience() throws {
        #expect(try lines("a { b = \"c\" , } 1") == ["a { b = \"c\" , } 1"])
        #expect(try lines("a{b=\"c\"d=\"e\"}1\t2") == ["a{b=\"c\"d=\"e\"} 1 @2"])
    }

    @Test("metadata: names, texts, types")
    func metadata() throws {
        let page = "# HELP a Some \\\\ text\\n\n# TYPE a counter\n# TYPE \"b.c\" untyped\n# free comment\n#bare\n\na 1\n"
        #expect(try lines(page) == ["help a|Some \\\\ text\\n", "type a|counter", "type b.c|unknown", "comment", "comment", "a 1"])
    }

    @Test(
        "what is wrong is said in upstream's words",
        arguments: [
            ("{a} 1\n", "expected equal, got \"} \" (\"BCLOSE\") while parsing: \"{a} \""),
            ("{} 1\n", "metric name not set while parsing: \"{} 1\""),
            ("{\"a\",\"b\"} 1\n", "metric name already set while parsing: \"{\\\"a\\\",\\\"b\\\"}\""),
            ("a\n", "expected value after metric, got \"\\n\" (\"INVALID\") while parsing: \"a\\n\""),
            ("a{b=\"\u{0}\n", "expected label value, got \"\\\"\\x00\\n\\n\" (\"INVALID\") while parsing: \"a{b=\\\"\\x00\\n\\n\""),
            ("a 1e400\n", "strconv.ParseFloat: parsing \"1e400\": value out of range while parsing: \"a 1e400\""),
            ("a 0x1p3\n", "unsupported character in float while parsing: \"a 0x1p3\""),
            (
                "a 1 99999999999999999999\n",
                "strconv.ParseInt: parsing \"99999999999999999999\": value out of range while parsing: \"a 1 99999999999999999999\""
            ),
            ("a 1 -1\n", "expected timestamp or new record, got \"-\" (\"INVALID\") while parsing: \"a 1 -\""),
            ("# TYPE a bla\n", "invalid metric type \"bla\""),
        ])
    func errors(page: String, message: String) {
        #expect { try lines(page) } throws: { ($0 as? ExpositionError)?.message == message }
    }

    @Test("bytes that are not UTF-8 in a value refuse the page")
    func invalidUTF8() {
        #expect(throws: ExpositionError.self) { try lines(bytes: Array("a{b=\"".utf8) + [0xff] + Array("\"} 1\n".utf8)) }
    }

    @Test(
        "UTF-8 is valid as Unicode's table says",
        arguments: [
            ([0xc3, 0xa9], true), ([0xe2, 0x82, 0xac], true), ([0xf0, 0x9f, 0x98, 0x80], true), ([0xf4, 0x8f, 0xbf, 0xbf], true),
            ([0xc0, 0xaf], false), ([0xed, 0xa0, 0x80], false), ([0xf4, 0x90, 0x80, 0x80], false), ([0xc3], false),
            ([0xe2, 0x82], false), ([0x80], false), ([0xe0, 0x80, 0x80], false), ([0xf5, 0x80, 0x80, 0x80], false),
        ] as [([UInt8], Bool)])
    func utf8(bytes: [UInt8], isValid: Bool) {
        for padding in 0..<9 {
            let padded = Array(repeating: UInt8(ascii: "x"), count: padding) + bytes
            #expect(padded.withUnsafeBytes { UTF8Check.isValid($0) } == isValid)
        }
    }

    @Test("labels are sorted, unescaped and normal, and empty ones are gone")
    func labels() throws {
        let page = "# TYPE h histogram\nh{z=\"a\\\"b\\\\c\\nd\\x\",le=\"1\",e=\"\"} 1\n"
        #expect(try packed(page) == ["__name__=h le=1.0 z=a\"b\\c\nd\\x"])
        #expect(try packed("# TYPE s summary\ns{quantile=\"0x1p-1\"} 1\n") == ["__name__=s quantile=0.5"])
        #expect(try packed("{\"a.b\",\"c d\"=\"e\"} 1\n") == ["__name__=a.b c d=e"])
    }

    @Test("a name used twice is refused")
    func duplicates() {
        #expect(throws: SeriesLabels.Problem.duplicate(name: "b")) { try packed("a{b=\"1\",b=\"2\"} 1\n") }
        #expect(throws: SeriesLabels.Problem.duplicate(name: "__name__")) { try packed("a{__name__=\"2\"} 1\n") }
    }

    @Test("OpenMetrics demands its end and refuses what follows it")
    func openMetricsEnd() throws {
        #expect(try openMetrics("a 1\n# EOF\n") == ["a 1"])
        #expect(try openMetrics("a 1\n# EOF") == ["a 1"])
        #expect(throws: ExpositionError("data does not end with # EOF", offset: 4)) { try openMetrics("a 1\n") }
        #expect(throws: ExpositionError("unexpected data after # EOF", offset: 10)) { try openMetrics("a 1\n# EOF\n\n") }
    }

    @Test("OpenMetrics timestamps are seconds, exemplars are left behind")
    func openMetricsDetails() throws {
        let page = "# TYPE a counter\n# UNIT b_seconds seconds\na_total{x=\"#\"} 5 1.5 # {t=\"1\"} 0.67 1.1\na_created 1e300 1e300\n# EOF\n"
        #expect(
            try openMetrics(page) == [
                "type a|counter", "unit b_seconds|seconds", "a_total{x=\"#\"} 5 @1500", "a_created 1e+300 @\(Int64.min)",
            ])
    }

    @Test("a series seen before is taken in one step, and only then")
    func knownSeries() {
        let cases: [(page: String, text: String, value: Double?)] = [
            ("a{b=\"c\"} 12.5\nx 1\n", "a{b=\"c\"}", 12.5), ("a 1\n", "a", 1), ("a 1", "a", 1), ("a NaN\n", "a", .nan),
            ("a +Inf\n", "a", .infinity), ("a 1 5\n", "a", nil), ("a {b=\"c\"} 1\n", "a", nil), ("a  1\n", "a", nil),
            ("ab 1\n", "a", nil), ("a", "a", nil), ("a \n", "a", nil), ("a 1x\n", "a", nil), ("", "a", nil), ("a 1_0\n", "a", nil),
        ]
        for (page, text, value) in cases {
            let bytes = Array(page.utf8), known = Array(text.utf8)
            bytes.withUnsafeBytes { page in
                known.withUnsafeBytes { text in
                    var parser = TextFormat(page)
                    #expect(parser.takeSample(of: text) == (value != nil))
                    if let value { #expect(parser.entry.value == value || value.isNaN && parser.entry.value.isNaN) }
                }
            }
        }
    }

    @Test("taking known series in one step gives what parsing every line gives")
    func shortcutLaw() throws {
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(300) {
            let page = randomPage(&random)
            let plain = (try? lines(bytes: page)) ?? ["error"]
            #expect(shortcut(page) == plain, "seed \(seed): \(String(decoding: page, as: UTF8.self))")
        }
    }

    @Test("damaged pages never crash a parser")
    func damage() {
        var random = SeededRandom(seed: TestSeed.seeds(1)[0])
        for _ in 0..<TestSeed.cases(20_000) {
            var page = randomPage(&random)
            for _ in 0..<1 + random.next() % 4 where !page.isEmpty {
                let index = Int(random.next() % UInt64(page.count))
                switch random.next() % 3 {
                case 0: page[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: page.remove(at: index)
                default: page.insert(contentsOf: Array("{\"#\\\n\0, =".utf8).shuffled(using: &random).prefix(2), at: index)
                }
            }
            _ = try? lines(bytes: page)
            _ = try? openMetrics(String(decoding: page, as: UTF8.self) + "# EOF\n")
            _ = shortcut(page)
        }
    }

    private func randomPage(_ random: inout SeededRandom) -> [UInt8] {
        let pieces = [
            "a 1\n", "a{b=\"c\"} 2.5\n", "a {b=\"c\"} 3\n", "a{b=\"c\"} 4 5\n", "  a 1\n", "\n", "# x\n", "# HELP a text\n",
            "# TYPE a counter\n", "{\"a.b\",c=\"d\"} 1e3\n", "a{b=\"c\\\"d\"} NaN\n", "a\t1\n", "ab 1\n", "a{b=\"é\"} -Inf\n",
        ]
        var page: [UInt8] = []
        for _ in 0..<random.next() % 12 { page += Array(pieces[Int(random.next() % UInt64(pieces.count))].utf8) }
        if random.next() % 4 == 0, page.last == 10 { page.removeLast() }
        return page
    }

    /// Parses with every series of the page offered at every line.
    private func shortcut(_ page: [UInt8]) -> [String] {
        page.withUnsafeBytes { bytes in
            var seen: [[UInt8]] = []
            var parser = TextFormat(bytes)
            var result: [String] = []
            do {
                while true {
                    if seen.contains(where: { text in text.withUnsafeBytes { parser.takeSample(of: $0) } }) {
                        result.append(show(.series, parser.entry, bytes))
                        continue
                    }
                    guard let entry = try parser.next() else { return result }
                    result.append(show(entry, parser.entry, bytes))
                    if entry == .series { seen.append(Array(bytes[parser.entry.series])) }
                }
            } catch { return ["error"] }
        }
    }

    private func lines(_ page: String) throws -> [String] { try lines(bytes: Array(page.utf8)) }

    private func lines(bytes: [UInt8]) throws -> [String] { try walk(bytes, TextFormat.self) }

    private func openMetrics(_ page: String) throws -> [String] { try walk(Array(page.utf8), OpenMetricsFormat.self) }

    private func walk<Parser: ExpositionParser>(_ page: [UInt8], _: Parser.Type) throws -> [String] {
        try page.withUnsafeBytes { bytes in
            var parser = Parser(bytes)
            var result: [String] = []
            while let entry = try parser.next() { result.append(show(entry, parser.entry, bytes)) }
            return result
        }
    }

    private func show(_ kind: ExpositionEntry, _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer) -> String {
        func text(_ range: Range<Int>) -> String { String(decoding: page[range.clamped(to: 0..<page.count)], as: UTF8.self) }
        switch kind {
        case .series:
            return text(entry.series) + " " + NumberText.string(entry.value, style: .plain)
                + (entry.timestamp.map { " @\($0)" } ?? "")
        case .type: return "type \(text(entry.name))|\(entry.type.rawValue)"
        case .help: return "help \(text(entry.name))|\(text(entry.text))"
        case .unit: return "unit \(text(entry.name))|\(text(entry.text))"
        case .comment: return "comment"
        case .histogram: return "histogram"
        }
    }

    private func packed(_ page: String) throws -> [String] {
        let bytes = Array(page.utf8)
        return try bytes.withUnsafeBytes { bytes in
            var parser = TextFormat(bytes)
            var labels = SeriesLabels(), result: [String] = []
            while let entry = try parser.next() {
                guard entry == .series else { continue }
                var packed: [UInt8] = []
                try labels.pack(parser.entry, of: bytes, into: &packed)
                result.append(unpack(packed).map { "\($0.0)=\($0.1)" }.joined(separator: " "))
            }
            return result
        }
    }
}
