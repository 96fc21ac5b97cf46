import Exposition
import Histograms
import Numbers
import Support
import Testing

@Suite("Protobuf pages")
struct ProtobufFormatTests {
    private static let counter: UInt64 = 0, gauge: UInt64 = 1, summary: UInt64 = 2, untyped: UInt64 = 3, histogram: UInt64 = 4
    private static let gaugeHistogram: UInt64 = 5

    @Test("a family reads as lines of text would: help, unit, type, a series per metric")
    func simple() throws {
        let page =
            MetricFamilyWriter.family(
                "requests_bytes_total", type: Self.counter, help: "a \\n b", unit: "bytes",
                {
                    $0.label("code", "2\\n"); $0.message(3) { $0.double(1, 7) }
                },
                {
                    $0.label("code", ""); $0.message(3) { $0.double(1, 1.5) }; $0.unsigned(6, 1234)
                })
            + MetricFamilyWriter.family("empty", type: Self.gauge)
            + MetricFamilyWriter.family("g", type: Self.gauge, { $0.message(2) { $0.double(1, .nan) } })
            + MetricFamilyWriter.family("u", type: Self.untyped, { $0.message(5) { $0.double(1, -1) } }, { _ in })
        #expect(
            try lines(page) == [
                "help requests_bytes_total a \\n b", "unit requests_bytes_total bytes", "type requests_bytes_total counter",
                "__name__=requests_bytes_total code=2\\n 7", "__name__=requests_bytes_total 1.5 @1234", "help g ", "type g gauge",
                "__name__=g NaN", "help u ", "type u unknown", "__name__=u -1", "__name__=u 0",
            ])
    }

    @Test("summaries and classic histograms fall apart into series; bounds are spelled as OpenMetrics spells them")
    func parts() throws {
        let page =
            MetricFamilyWriter.family(
                "s", type: Self.summary,
                { metric in
                    metric.message(4) { summary in
                        summary.unsigned(1, 3)
                        summary.double(2, 4.5)
                        for (quantile, value) in [(0.5, 1.0), (1.0, 2.0)] {
                            summary.message(3) {
                                $0.double(1, quantile); $0.double(2, value)
                            }
                        }
                    }
                }, { $0.message(4) { _ in } })
            + MetricFamilyWriter.family(
                "h", type: Self.histogram,
                { metric in
                    metric.label("a", "b")
                    metric.message(7) {
                        $0.unsigned(1, 9); $0.double(2, 5); $0.bucket(1, 2); $0.bucket(1e6, 8)
                    }
                },
                {
                    $0.message(7) {
                        $0.unsigned(1, 1); $0.bucket(.infinity, 1)
                    }
                })
        #expect(
            try lines(page).filter { $0.hasPrefix("__") } == [
                "__name__=s_count 3", "__name__=s_sum 4.5", "__name__=s quantile=0.5 1", "__name__=s quantile=1.0 2",
                "__name__=s_count 0", "__name__=s_sum 0", "__name__=h_count a=b 9", "__name__=h_sum a=b 5",
                "__name__=h_bucket a=b le=1.0 2", "__name__=h_bucket a=b le=1e+06 8", "__name__=h_bucket a=b le=+Inf 9",
                "__name__=h_count 1", "__name__=h_sum 0", "__name__=h_bucket le=+Inf 1",
            ])
    }

    /// `h` with native and classic parts; an exemplar of its own with a time, one without.
    private func native(type: UInt64 = histogram, isFloat: Bool = false, exemplars: Bool = true) -> [UInt8] {
        MetricFamilyWriter.family(
            "h", type: type,
            { metric in
                metric.message(7) { histogram in
                    if isFloat { histogram.double(4, 7.5) } else { histogram.unsigned(1, 7) }
                    histogram.double(2, 10)
                    histogram.bucket(1, 3, trace: "classic", at: 5)
                    histogram.bucket(2, 7)
                    histogram.signed(5, 0)
                    histogram.double(6, 0.5)
                    if isFloat { histogram.double(8, 1.5) } else { histogram.unsigned(7, 1) }
                    histogram.span(12, 0, 2)
                    histogram.span(12, 1, 1)
                    if isFloat {
                        for count in [1.0, 2, 3] { histogram.double(14, count) }
                    } else {
                        histogram.signed(13, 1)
                        histogram.packed(13, [1, 1])
                    }
                    if exemplars {
                        histogram.message(16) { $0.exemplar("late", 2, at: 9) }
                        histogram.message(16) { $0.exemplar("timeless", 3, at: nil) }
                        histogram.message(16) { $0.exemplar("early", 1, at: 8) }
                    }
                }
            })
    }

    @Test("a native histogram is one sample, integer or float, gauge or not; its exemplars have a time")
    func nativeHistograms() throws {
        let integer = "{count:7, sum:10, [-0.5,0.5]:1, (0.5,1]:1, (1,2]:2, (4,8]:3}"
        #expect(try lines(native()) == ["help h ", "type h histogram", "__name__=h integer \(integer) late@9000 early@8000"])
        #expect(try lines(native(exemplars: false)).last == "__name__=h integer \(integer) classic@5000")
        let float = "{count:7.5, sum:10, [-0.5,0.5]:1.5, (0.5,1]:1, (1,2]:2, (4,8]:3}"
        #expect(
            try lines(native(type: Self.gaugeHistogram, isFloat: true, exemplars: false)) == [
                "help h ", "type h gaugehistogram", "__name__=h gauge float \(float) classic@5000",
            ])
    }

    @Test("the classic parts of a native histogram come on demand, or instead of it")
    func classicParts() throws {
        let classic = [
            "__name__=h_count 7", "__name__=h_sum 10", "__name__=h_bucket le=1.0 3 classic@5000", "__name__=h_bucket le=2.0 7",
            "__name__=h_bucket le=+Inf 7",
        ]
        var options = ProtobufFormat.Options()
        options.keepsClassicHistograms = true
        #expect(try Array(lines(native(), options).dropFirst(3)) == classic)
        options = ProtobufFormat.Options()
        options.readsNativeHistograms = false
        #expect(try Array(lines(native(), options).dropFirst(2)) == classic)
    }

    @Test("a histogram without observations is native where a span or the zero bucket's width says so")
    func emptyNative() throws {
        let page = MetricFamilyWriter.family(
            "h", type: Self.histogram, { $0.message(7) { $0.span(12, 0, 0) } }, { $0.message(7) { $0.double(6, 0.1) } }, { $0.message(7) { _ in } })
        #expect(
            try lines(page).dropFirst(2).map { String($0.prefix(18)) } == [
                "__name__=h integer", "__name__=h integer", "__name__=h_count 0", "__name__=h_sum 0", "__name__=h_bucket ",
            ])
    }

    @Test("start times come with counters, summaries and histograms")
    func starts() throws {
        let page =
            MetricFamilyWriter.family(
                "c", type: Self.counter,
                {
                    $0.message(3) {
                        $0.double(1, 1);
                        $0.message(3) {
                            $0.unsigned(1, 5); $0.unsigned(2, 7_999_999)
                        }
                    }
                })
            + MetricFamilyWriter.family("s", type: Self.summary, { $0.message(4) { $0.message(4) { $0.unsigned(1, 6) } } })
            + MetricFamilyWriter.family(
                "h", type: Self.histogram,
                {
                    $0.message(7) {
                        $0.span(12, 0, 0); $0.message(15) { $0.unsigned(1, 7) }
                    }
                })
            + MetricFamilyWriter.family("g", type: Self.gauge, { $0.message(2) { $0.double(1, 1) } })
        try page.withUnsafeBytes { bytes in
            var parser = ProtobufFormat(bytes)
            var starts: [Int64?] = []
            while let kind = try parser.next() { if kind == .series || kind == .histogram { starts.append(parser.entry.start) } }
            #expect(starts == [5007, 6000, 6000, 7000, nil])
        }
    }

    @Test(
        "what is wrong is said in upstream's words",
        arguments: [
            ([0x80], "clientpb: invalid varint encountered"),
            ([0x05, 0x0a], "clientpb: insufficient length of buffer, expected at least 6 bytes, got 2 bytes"),
            ([0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x00], "clientpb: invalid varint encountered"),
            ([0x02, 0x0a, 0x05], "unexpected EOF"),
            ([0x02, 0x08, 0x05], "proto: wrong wireType = 0 for field Name"),
            ([0x01, 0x0c], "proto: MetricFamily: wiretype end group for non-group"),
            ([0x02, 0x02, 0x00], "proto: MetricFamily: illegal tag 0 (wire type 2)"),
            ([0x02, 0x37, 0x00], "proto: illegal wireType 7"),
            ([0x0b, 0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], "proto: integer overflow"),
            ([0x0b, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "proto: negative length found during unmarshaling"),
            ([0x02, 0x22, 0x00], "invalid metric name: "),
            ([0x07, 0x0a, 0x01, 0x61, 0x18, 0x09, 0x22, 0x00], "unknown metric type for metric \"a\": 9"),
            ([0x08, 0x0a, 0x01, 0x61, 0x12, 0x01, 0xff, 0x22, 0x00], "invalid help for metric \"a\": \u{fffd}"),
        ] as [([UInt8], String)])
    func errors(_ page: [UInt8], _ message: String) {
        #expect(throws: (any Error).self) { try lines(page) }
        #expect(failure(page) == message)
    }

    @Test("spans that do not fit their buckets, a unit that is no suffix, labels that are no text: refused")
    func refused() {
        let spans = MetricFamilyWriter.family(
            "h", type: Self.histogram,
            {
                $0.message(7) {
                    $0.span(12, 0, 2); $0.signed(13, 1)
                }
            })
        #expect(failure(spans) == "histogram \"h\": positive side: spans require 2 buckets, have 1")
        let huge = MetricFamilyWriter.family("h", type: Self.histogram, { $0.message(7) { for _ in 0..<4 { $0.span(9, 0, .max) } } })
        #expect(failure(huge) == "histogram \"h\": negative side: spans require 17179869180 buckets, have 0")
        let unit = MetricFamilyWriter.family("a_total", type: Self.counter, unit: "x", { _ in })
        #expect(failure(unit) == "unit \"x\" not a suffix of counter \"a_total\"")
        let label = MetricFamilyWriter.family(
            "a", type: Self.gauge,
            {
                $0.message(1) {
                    $0.text(1, "x"); $0.raw(2, [0xff])
                }
            })
        #expect(failure(label) == "invalid label value: \u{fffd}")
        let many = MetricFamilyWriter.family("h", type: Self.histogram, { $0.message(7) { $0.packed(13, Array(repeating: 0, count: 140_000)) } })
        #expect(failure(many) == "proto: Histogram: more than 131072 values in field PositiveDelta")
    }

    @Test("a long name before a million series is refused, not written out")
    func expansion() {
        var family = MetricFamilyWriter()
        family.text(1, String(repeating: "n", count: 100_000))
        for _ in 0..<100_000 { family.message(4) { _ in } }
        var page = MetricFamilyWriter()
        page.varint(UInt64(family.bytes.count))
        #expect(failure(page.bytes + family.bytes) == "series need more than 64 times the bytes of the page")
    }

    @Test("groups and unknown fields are stepped over")
    func unknownFields() throws {
        var family = MetricFamilyWriter()
        family.text(1, "a")
        family.unsigned(9, 5)
        family.double(10, 1)
        family.varint(11 << 3 | 5)
        for _ in 0..<4 { family.varint(0) }
        family.varint(12 << 3 | 3)
        family.varint(13 << 3 | 3)
        family.text(2, "inside")
        family.varint(13 << 3 | 4)
        family.varint(12 << 3 | 4)
        family.message(4) { $0.message(3) { $0.double(1, 5) } }
        var page = MetricFamilyWriter()
        page.varint(UInt64(family.bytes.count))
        #expect(try lines(page.bytes + family.bytes).last == "__name__=a 5")
    }

    @Test("damaged pages are refused or read, and never trap")
    func damage() {
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        let shared = ["common", "own"].flatMap { SharedData.files("exposition/" + $0) }.filter { $0.name.hasSuffix(".bin") }
        let pages = shared.compactMap { SharedData.read($0.path) }.filter { $0.count < 4000 } + [native(), native(isFloat: true)]
        for _ in 0..<TestSeed.cases(20_000) {
            var page = pages[Int(random.next() % UInt64(pages.count))]
            for _ in 0..<1 + random.next() % 4 where !page.isEmpty {
                let index = Int(random.next() % UInt64(page.count))
                switch random.next() % 4 {
                case 0: page[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: page.remove(at: index)
                case 2: page.removeLast(page.count - index)
                default: page.insert(0xff, at: index)
                }
            }
            _ = try? lines(page)
        }
    }

    // MARK: Pages as text

    private func failure(_ page: [UInt8]) -> String? {
        do {
            _ = try lines(page)
            return nil
        } catch let error as ExpositionError { return error.message } catch { return "\(error)" }
    }

    private func lines(_ page: [UInt8], _ options: ProtobufFormat.Options = .init()) throws -> [String] {
        try page.withUnsafeBytes { bytes in
            var parser = ProtobufFormat(bytes, options: options)
            var labels = SeriesLabels(), result: [String] = []
            while let kind = try parser.next() {
                let entry = parser.entry
                func text(_ range: Range<Int>) -> String { String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self) }
                switch kind {
                case .help: result.append("help \(text(entry.name)) \(text(entry.text))")
                case .unit: result.append("unit \(text(entry.name)) \(text(entry.text))")
                case .type: result.append("type \(text(entry.name)) \(entry.type.rawValue)")
                case .comment: result.append("comment")
                case .series, .histogram:
                    var packed: [UInt8] = []
                    try parser.withSource(bytes) { try labels.pack(entry, of: $0, into: &packed) }
                    var line = unpack(packed).map { "\($0.0)=\($0.1)" }.joined(separator: " ") + " " + value(entry, parser.histogram)
                    while let exemplar = parser.entry.exemplar {
                        var packed: [UInt8] = []
                        _ = labels.packExemplar(parser.entry, of: bytes, into: &packed)
                        line += " " + unpack(packed).map(\.1).joined() + (exemplar.timestamp.map { "@\($0)" } ?? "")
                        if !parser.nextExemplar() { break }
                    }
                    result.append(line)
                }
            }
            return result
        }
    }

    private func value(_ entry: ExpositionEntryParts, _ histogram: HistogramSample?) -> String {
        let time = entry.timestamp.map { " @\($0)" } ?? ""
        switch histogram {
        case nil: return NumberText.string(entry.value, style: .plain) + time
        case .integer(let histogram): return (histogram.hint == .gauge ? "gauge " : "") + "integer \(shown(FloatHistogram(histogram)))" + time
        case .float(let histogram): return (histogram.hint == .gauge ? "gauge " : "") + "float \(shown(histogram))" + time
        }
    }

    /// Random damage makes histograms that are not valid, and nothing may be done with those.
    private func shown(_ histogram: FloatHistogram) -> String {
        do { try histogram.validate() } catch { return "invalid" }
        return histogram.description
    }
}
