import Exposition
import Histograms
import Support
import Testing

@testable import SelfMetrics

/// What a page says, read back by the parser of its format.
private struct ReadPage {
    /// `name{label="value",…}` → value.
    var samples: [String: Double] = [:]
    var types: [String: String] = [:]
    var helps: [String: String] = [:]
    var histograms: [String: IntegerHistogram] = [:]

    init<Parser: ExpositionParser>(_ page: [UInt8], _ make: (UnsafeRawBufferPointer) -> Parser) throws {
        try page.withUnsafeBytes { bytes in
            var parser = make(bytes)
            var labels = SeriesLabels()
            while let kind = try parser.next() {
                let entry = parser.entry
                func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
                switch kind {
                case .type: types[text(entry.name)] = entry.type.rawValue
                case .help: helps[text(entry.name)] = text(entry.text)
                case .unit, .comment: break
                case .series, .histogram:
                    var packed: [UInt8] = []
                    try parser.withSource(bytes) { try labels.pack(entry, of: $0, into: &packed) }
                    let series = String(decoding: packed, as: UTF8.self)
                    if kind == .series { samples[series] = entry.value }
                    if case .integer(let histogram) = parser.histogram { histograms[series] = histogram }
                }
            }
        }
    }

    static func text(_ page: [UInt8]) throws -> ReadPage { try ReadPage(page) { TextFormat($0) } }

    static func protobuf(_ page: [UInt8], native: Bool) throws -> ReadPage {
        var options = ProtobufFormat.Options()
        options.readsNativeHistograms = native
        return try ReadPage(page) { ProtobufFormat($0, options: options) }
    }
}

@Suite("Metrics pages")
struct MetricsPageTests {
    /// A registry with instruments of all kinds.
    private static func registry(_ random: inout SeededRandom) -> MetricsRegistry {
        let registry = MetricsRegistry()
        let requests = Labelled<Counter> { Counter() }
        let durations = Labelled<Histogram> { Histogram(bounds: [0.1, 1, 2.5, 10], isNative: true) }
        let plain = Histogram(bounds: [1, 100])
        let summary = Summary()
        for _ in 0..<200 {
            let route = ["/a", "/b\"c\\", "/ü\n"].randomElement(using: &random) ?? ""
            requests[route].increment(by: Int.random(in: 1...5, using: &random))
            let value = Double.random(in: 0...20, using: &random)
            durations[route].observe(value)
            plain.observe(value)
            summary.observe(value)
        }
        registry.add { page in
            page.family("x_requests_total", .counter, "Requests, \\ and\nlines.")
            for (route, counter) in requests.all { page.sample("x_requests_total", [("code", "200"), ("route", route)], counter.value) }
            page.family("x_duration_seconds", .histogram, "Durations.")
            for (route, histogram) in durations.all { histogram.write("x_duration_seconds", [("route", route)], to: &page) }
            page.single("x_up", .gauge, "", -1.5)
        }
        registry.add { page in
            page.family("x_size", .histogram, "Sizes.")
            plain.write("x_size", to: &page)
            page.family("x_nothing", .counter, "No samples.")
            page.family("x_wait_seconds", .summary, "Waits.")
            summary.write("x_wait_seconds", [("slice", "all")], to: &page)
            page.single("x_large", .untyped, "Large.", 1e18)
            page.single("x_infinite", .gauge, "Infinite.", .infinity)
        }
        return registry
    }

    @Test("protobuf says what text says: samples, types, help", arguments: TestSeed.seeds(3))
    func alike(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let registry = Self.registry(&random)
        let text = try ReadPage.text(registry.page()), protobuf = try ReadPage.protobuf(registry.page(.protobuf), native: false)
        #expect(protobuf.samples == text.samples)
        #expect(protobuf.samples.count == 3 + 3 * 7 + 1 + 5 + 5 + 2)
        var types = text.types
        types["x_nothing"] = nil
        #expect(protobuf.types == types)
        #expect(protobuf.helps["x_requests_total"] == "Requests, \\ and\nlines.")
        #expect(protobuf.histograms.isEmpty)
    }

    @Test("a native histogram has every observation in its bucket; others stay classic", arguments: TestSeed.seeds(3))
    func native(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let histogram = Histogram(bounds: [1], isNative: true),
            observed =
                (0..<300).map { _ in
                    [0, 1, -2, 1e-40].randomElement(using: &random) ?? Double.random(in: 0...50, using: &random)
                } + (0..<300).map { _ in Double.random(in: 0...50, using: &random) }
        for value in observed { histogram.observe(value) }
        let registry = MetricsRegistry()
        registry.add { page in
            page.family("h", .histogram, "")
            histogram.write("h", [("a", "b")], to: &page)
            page.family("c", .histogram, "")
            Histogram(bounds: [1]).write("c", to: &page)
        }
        let page = try ReadPage.protobuf(registry.page(.protobuf), native: true)
        #expect(page.samples.keys.allSatisfy { !$0.contains("\u{1}h") } && page.histograms.count == 1 && page.samples.count == 4)
        let stored = try #require(page.histograms.first?.value)
        try stored.validate()
        var expected: [Int: Int] = [:], negative: [Int: Int] = [:], zeros = 0
        for value in observed {
            if value.magnitude <= 0x1p-128 {
                zeros += 1
            } else {
                let bucket = FloatHistogram.bucketIndex(of: value.magnitude, schema: stored.schema)
                if value > 0 { expected[bucket, default: 0] += 1 } else { negative[bucket, default: 0] += 1 }
            }
        }
        let asFloat = FloatHistogram(stored)
        #expect(Self.buckets(asFloat.positiveSpans, asFloat.positiveBuckets) == expected)
        #expect(Self.buckets(asFloat.negativeSpans, asFloat.negativeBuckets) == negative)
        #expect(stored.zeroCount == UInt64(zeros) && stored.count == UInt64(observed.count) && stored.schema <= 3)
        #expect(abs(stored.sum - observed.reduce(0, +)) < 1e-6)
    }

    private static func buckets(_ spans: [BucketSpan], _ counts: [Double]) -> [Int: Int] {
        var result: [Int: Int] = [:]
        var index = 0, place = 0
        for span in spans {
            index += Int(span.offset)
            for _ in 0..<span.length {
                if counts[place] != 0 { result[index] = Int(counts[place]) }
                index += 1
                place += 1
            }
        }
        return result
    }

    @Test("buckets are bounded: many magnitudes make the schema coarser, and none is lost", arguments: TestSeed.seeds(3))
    func bounded(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var buckets = NativeBuckets()
        for _ in 0..<3000 {
            buckets.observe(Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random)))
            let count = buckets.positive.count + buckets.negative.count
            #expect(count <= NativeBuckets.limit || buckets.schema == -4 && count <= 150)
        }
        buckets = NativeBuckets()
        for exponent in -500..<500 { buckets.observe(0x1.8p0 * .init(sign: .plus, exponent: exponent, significand: 1)) }
        #expect(buckets.schema == -3 && buckets.positive.values.reduce(0, +) + buckets.zeroCount == 1000)
        for value in [Double.infinity, -.infinity, .nan, 0, -0.0] { buckets.observe(value) }
        #expect(buckets.positive.values.reduce(0, +) + buckets.negative.values.reduce(0, +) + buckets.zeroCount == 1004)
    }

    @Test("a native histogram without observations says so by an empty span")
    func emptyNative() throws {
        let registry = MetricsRegistry()
        registry.add { page in
            page.family("h", .histogram, "")
            Histogram(bounds: [], isNative: true).write("h", to: &page)
        }
        let page = try ReadPage.protobuf(registry.page(.protobuf), native: true)
        #expect(page.samples.isEmpty && page.histograms.count == 1 && page.histograms.first?.value.count == 0)
    }

    @Test(
        "what a scraper accepts decides: protobuf where it is named in full and liked best",
        arguments: [
            (nil, PageFormat.text), ("", .text), ("*/*", .text), ("text/html, text/plain;q=0.9, */*;q=0.1", .text),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
                    + "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1", .protobuf
            ),
            (
                "text/plain;version=0.0.4;q=0.6,application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5",
                .text
            ),
            ("application/vnd.google.protobuf; proto=\"io.prometheus.client.MetricFamily\"; encoding=delimited", .protobuf),
            ("application/vnd.google.protobuf", .text), ("application/vnd.google.protobuf;proto=x;encoding=delimited", .text),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", .text),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0", .text),
            (";;=,,q=;,application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=x", .text),
        ] as [(String?, PageFormat)])
    func negotiation(accepted: String?, format: PageFormat) { #expect(PageFormat(accepted: accepted) == format) }
}
