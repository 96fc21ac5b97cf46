import Histograms
import Support
import TSDB
import Testing

@testable import Scraper

@Suite("Histograms from page to storage")
struct HistogramScrapeTests {
    private typealias Bench = ScrapeIngestTests.Bench

    private static let protobuf = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    private static let openMetrics = "application/openmetrics-text; version=1.0.0"

    private func bench(_ edit: (inout ScrapeConfig) -> Void = { _ in }) -> Bench {
        Bench { config in
            config.histograms.scrapesNative = true
            edit(&config)
        }
    }

    @discardableResult
    private func scrape(_ bench: Bench, _ page: [UInt8]) -> ScrapeWorker.Report {
        bench.answer(.success(ScrapeResponse(contentType: Self.protobuf, body: page)))
    }

    /// `name` with buckets of schema 3 from index 0 on.
    private func native(_ name: String, _ counts: [Int64], schema: Int64 = 3, count: UInt64? = nil, exemplars: [(String, UInt64)] = []) -> [UInt8] {
        MetricFamilyWriter.family(
            name, type: 4,
            { metric in
                metric.message(7) { histogram in
                    histogram.unsigned(1, count ?? UInt64(counts.reduce(0, +)))
                    histogram.double(2, 1)
                    histogram.signed(5, schema)
                    histogram.span(12, 0, UInt64(counts.count))
                    histogram.packed(13, zip(counts, [0] + counts).map { $0 - $1 })
                    histogram.bucket(1, 1)
                    for (trace, time) in exemplars { histogram.message(16) { $0.exemplar(trace, 1, at: time) } }
                }
            })
    }

    private func gauge(_ name: String, _ value: Double) -> [UInt8] {
        MetricFamilyWriter.family(name, type: 1, { $0.message(2) { $0.double(1, value) } })
    }

    @Test("a native histogram is stored as one sample beside floats, counted once, and known at the next scrape")
    func simple() {
        let bench = bench()
        scrape(bench, gauge("g", 5) + native("h", [1, 2]))
        let lookups = bench.storage.lookups
        scrape(bench, gauge("g", 6) + native("h", [2, 2]))
        #expect(bench.samples("g") == "5.0@10 6.0@20")
        #expect(bench.samples("h") == "{{schema:3 count:3 sum:1 buckets:[1 2]}}@10 {{schema:3 count:4 sum:1 buckets:[2 2]}}@20")
        #expect(bench.samples("scrape_samples_scraped") == "2.0@10 2.0@20")
        #expect(bench.samples("scrape_series_added") == "2.0@10 0.0@20")
        #expect(bench.storage.lookups == lookups && bench.samples("up") == "1.0@10 1.0@20")
    }

    @Test("what disappears is marked stale; a histogram that becomes a float goes on under its name")
    func stale() {
        let bench = bench()
        scrape(bench, native("h", [1]) + native("i", [1]))
        scrape(bench, native("i", [1]))
        scrape(bench, gauge("i", 3))
        bench.answer(.failure(.timeout("u")))
        #expect(bench.samples("h") == "{{schema:3 count:1 sum:1 buckets:[1]}}@10 stale@20")
        #expect(bench.samples("i").hasSuffix("@20 3.0@30 stale@40"))
    }

    @Test("a histogram whose series storage dropped is asked for again, at the same scrape")
    func dropped() {
        let bench = bench()
        scrape(bench, gauge("g", 5) + native("h", [1]))
        bench.storage.dropSeries()
        scrape(bench, gauge("g", 6) + native("h", [2]))
        #expect(bench.samples("g") == "5.0@10 6.0@20" && bench.samples("h").hasSuffix("{{schema:3 count:2 sum:1 buckets:[2]}}@20"))
        let converting = self.bench { $0.histograms.convertsClassic = true }
        converting.scrape(Self.page)
        converting.storage.dropSeries()
        for _ in 1...2 { converting.scrape(Self.page) }
        #expect(converting.samples("g") == "1.0@10 1.0@20 1.0@30")
        #expect(converting.samples("h", ["a": "b"]).hasSuffix("@10 \(Self.converted["b"] ?? "")@30"))
    }

    @Test("without native histograms the classic series of the page are taken")
    func classic() {
        let bench = bench { $0.histograms.scrapesNative = false }
        scrape(bench, native("h", [1, 2]))
        #expect(bench.samples("h") == "" && bench.samples("h_count") == "3.0@10" && bench.samples("h_bucket", ["le": "1.0"]) == "1.0@10")
        let both = self.bench { $0.histograms.keepsClassic = true }
        scrape(both, native("h", [1, 2]))
        #expect(both.samples("h") != "" && both.samples("h_bucket", ["le": "+Inf"]) == "3.0@10")
        #expect(both.samples("scrape_samples_scraped") == "5.0@10")
    }

    @Test("an invalid histogram refuses the page, in upstream's words")
    func invalid() {
        let bench = bench()
        let report = scrape(bench, native("h", [1, 2], count: 5))
        #expect(
            report.error?.message
                == "3 observations found in buckets, but the Count field is 5: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)"
        )
        #expect(bench.samples("h") == "" && bench.samples("up") == "0.0@10")
    }

    @Test("a histogram with too many buckets gets coarser, as far as it goes; then the page is refused")
    func bucketLimit() {
        let bench = bench { $0.limits.buckets = 2 }
        scrape(bench, native("h", [1, 1, 1, 1]))
        #expect(bench.samples("h") == "{{schema:1 count:4 sum:1 buckets:[1 3]}}@10")
        let counts = Array(repeating: Int64(1), count: 100)
        let report = scrape(bench, native("h", counts, schema: -4))
        #expect(report.error?.message == "histogram bucket limit exceeded" && bench.samples("up") == "1.0@10 0.0@20")
        let factor = self.bench { $0.limits.minimumBucketFactor = 2 }
        scrape(factor, native("h", [1, 1, 1, 1]))
        #expect(factor.samples("h") == "{{count:4 sum:1 buckets:[1 3]}}@10")
    }

    @Test("the finest schema for a factor between buckets")
    func factors() {
        let factors = [0, 1, 1.001, 1.002, 1.003, 1.1, 1.19, 2, 4, 65_536, 1e9, .infinity]
        #expect(factors.map(HistogramIntake.schema) == [8, 8, 8, 8, 7, 2, 1, 0, -1, -4, -4, -4])
    }

    @Test("sample_limit counts a histogram as one")
    func sampleLimit() {
        let bench = bench { $0.limits.samples = 2 }
        #expect(scrape(bench, native("h", [1, 2, 3]) + native("i", [1])).error == nil)
        #expect(scrape(bench, native("h", [1]) + native("i", [1]) + native("j", [1])).error?.message == "sample limit exceeded")
    }

    @Test("exemplars of a native histogram are stored by time; repeated ones beside new ones are no fault")
    func exemplars() {
        let bench = bench()
        bench.storage.takeExemplars()
        let report = scrape(bench, native("h", [1], exemplars: [("b", 2), ("a", 1)]))
        #expect(bench.storage.exemplars == ["h {trace_id=\"a\"} 1.0@1000!", "h {trace_id=\"b\"} 1.0@2000!"])
        #expect(report.outcome.outOfOrderExemplars == 0)
    }

    // MARK: Conversion

    private static let page = """
        # TYPE h histogram
        h_bucket{a="b",le="1"} 2
        h_bucket{a="b",le="+Inf"} 3
        h_sum{a="b"} 4
        h_count{a="b"} 3
        h_bucket{a="c",le="1"} 0
        h_bucket{a="c",le="+Inf"} 1.5
        h_sum{a="c"} 9
        h_count{a="c"} 1.5
        # TYPE g gauge
        g 1

        """
    private static let converted: [String: String] = [
        "b": "{{schema:-53 count:3 sum:4 custom_values:[1] buckets:[2 1]}}",
        "c": "f{{schema:-53 count:1.5 sum:9 custom_values:[1] offset:1 buckets:[1.5]}}",
    ]

    @Test("classic histograms are stored as native ones with custom bounds, instead of their series or beside them", arguments: [false, true])
    func conversion(keepsClassic: Bool) {
        let bench = bench {
            $0.histograms.convertsClassic = true
            $0.histograms.keepsClassic = keepsClassic
        }
        for _ in 1...3 { bench.scrape(Self.page) }
        for (label, expected) in Self.converted {
            #expect(bench.samples("h", ["a": label]) == [10, 20, 30].map { "\(expected)@\($0)" }.joined(separator: " "))
        }
        #expect(bench.samples("h_count", ["a": "b"]) == (keepsClassic ? "3.0@10 3.0@20 3.0@30" : ""))
        #expect(bench.samples("h_bucket", ["a": "b", "le": "1.0"]) == (keepsClassic ? "2.0@10 2.0@20 2.0@30" : ""))
        #expect(bench.samples("g") == "1.0@10 1.0@20 1.0@30")
        let count = keepsClassic ? "11.0" : "3.0"
        #expect(bench.samples("scrape_samples_scraped") == "\(count)@10 \(count)@20 \(count)@30")
        #expect(bench.samples("scrape_series_added") == "\(count)@10 0.0@20 0.0@30")
        bench.scrape("# TYPE g gauge\ng 1\n")
        #expect(bench.samples("h", ["a": "b"]).hasSuffix(" stale@40"))
    }

    @Test("what is not called a histogram, or is none, stays as it is or is lost, as upstream does")
    func noConversion() {
        let bench = bench { $0.histograms.convertsClassic = true }
        bench.scrape("h_count 1\nh_sum 2\n# TYPE s summary\ns_count 5\n# TYPE i histogram\ni_bucket{le=\"1\"} 5\ni_count 4\nx 1\n")
        #expect(bench.samples("h_count") == "1.0@10" && bench.samples("s_count") == "5.0@10" && bench.samples("x") == "1.0@10")
        #expect(bench.samples("i") == "" && bench.samples("i_count") == "" && bench.samples("up") == "1.0@10")
        #expect(bench.samples("scrape_samples_scraped") == "4.0@10")
    }

    @Test("OpenMetrics and protobuf convert as text does; exemplars with a time come along")
    func conversionOfOthers() {
        let bench = bench { $0.histograms.convertsClassic = true }
        bench.storage.takeExemplars()
        bench.scrape(
            "# TYPE h histogram\nh_bucket{le=\"1\"} 2 # {t=\"a\"} 0.5 9.5\nh_bucket{le=\"+Inf\"} 3 # {t=\"b\"} 2\nh_count 3\nh_sum 4\n# EOF\n",
            type: Self.openMetrics)
        let expected = "{{schema:-53 count:3 sum:4 custom_values:[1] buckets:[2 1]}}"
        #expect(bench.samples("h") == "\(expected)@10" && bench.storage.exemplars == ["h {t=\"a\"} 0.5@9500!"])
        let page = MetricFamilyWriter.family(
            "h", type: 4,
            {
                $0.message(7) {
                    $0.unsigned(1, 3); $0.double(2, 4); $0.bucket(1, 2)
                }
            })
        scrape(bench, page)
        scrape(bench, page)
        #expect(bench.samples("h") == [10, 20, 30].map { "\(expected)@\($0)" }.joined(separator: " "))
    }

    @Test("a native histogram's own classic series are not converted")
    func inhibited() {
        let bench = bench {
            $0.histograms.convertsClassic = true
            $0.histograms.keepsClassic = true
        }
        scrape(bench, native("h", [1, 2]))
        #expect(bench.samples("h") == "{{schema:3 count:3 sum:1 buckets:[1 2]}}@10")
        #expect(bench.samples("h_bucket", ["le": "1.0"]) == "1.0@10")
    }

    // MARK: Start times

    @Test("protobuf: a zero where a series began, once, and only where that is before the sample")
    func starts() {
        func page(_ value: Double, _ start: UInt64?) -> [UInt8] {
            MetricFamilyWriter.family(
                "c", type: 0,
                { metric in
                    metric.message(3) { counter in
                        counter.double(1, value)
                        if let start { counter.message(3) { $0.unsigned(2, start * 1_000_000) } }
                    }
                })
        }
        let bench = bench { $0.storesStartZeros = true }
        scrape(bench, page(3, 4))
        scrape(bench, page(5, 4))
        scrape(bench, page(2, 27))
        scrape(bench, page(7, 41))
        #expect(bench.samples("c") == "0.0@4 3.0@10 5.0@20 0.0@27 2.0@30 7.0@40")
        let off = self.bench()
        scrape(off, page(3, 4))
        #expect(off.samples("c") == "3.0@10")
    }

    /// A native histogram of one observation that has begun at 5 ms.
    private let startedHistogram = MetricFamilyWriter.family(
        "h", type: 4,
        {
            $0.message(7) { histogram in
                histogram.unsigned(1, 1)
                histogram.signed(5, 2)
                histogram.span(12, 0, 1)
                histogram.signed(13, 1)
                histogram.message(15) { $0.unsigned(2, 5_000_000) }
            }
        })

    @Test("a histogram's zero has its layout; a converted one's, too")
    func histogramStarts() {
        let page = startedHistogram
        let bench = bench { $0.storesStartZeros = true }
        scrape(bench, page)
        #expect(bench.samples("h") == "{{schema:2 counter_reset_hint:reset}}@5 {{schema:2 count:1 buckets:[1]}}@10")
        let converting = self.bench {
            $0.storesStartZeros = true
            $0.histograms.convertsClassic = true
        }
        converting.scrape("# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 0\nh_created 0.005\n# EOF\n", type: Self.openMetrics)
        #expect(
            converting.samples("h") == "{{schema:-53 counter_reset_hint:reset}}@5 {{schema:-53 count:1 buckets:[1]}}@10"
                || converting.samples("h").contains("@5 "), "\(converting.samples("h"))")
        #expect(converting.samples("h_created") == "")
    }

    @Test("OpenMetrics: _created lines are start times under the feature, series without it")
    func created() {
        let page = """
            # TYPE c counter
            c_total{a="1"} 5
            c_created{a="1"} 0.004
            c_total{a="2"} 6
            c_created{a="3"} 0.004
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_count 1
            h_created 0.003
            h_sum 2
            # TYPE g gauge
            g_created 7
            # EOF

            """
        let bench = bench { $0.storesStartZeros = true }
        for _ in 1...2 { bench.scrape(page, type: Self.openMetrics) }
        #expect(bench.samples("c_total", ["a": "1"]) == "0.0@4 5.0@10 5.0@20")
        #expect(bench.samples("c_total", ["a": "2"]) == "6.0@10 6.0@20")
        #expect(bench.samples("h_bucket", ["le": "1.0"]) == "0.0@3 1.0@10 1.0@20")
        #expect(bench.samples("h_sum") == "0.0@3 2.0@10 2.0@20")
        #expect(bench.samples("c_created", ["a": "1"]) == "" && bench.samples("g_created") == "7.0@10 7.0@20")
        #expect(bench.samples("scrape_samples_scraped") == "6.0@10 6.0@20")
        let off = self.bench()
        off.scrape(page, type: Self.openMetrics)
        #expect(off.samples("c_created", ["a": "1"]) == "0.004@10" && off.samples("c_total", ["a": "1"]) == "5.0@10")
    }

    @Test("start times go beside the samples under their feature, from protobuf and from _created lines, and with no zeros")
    func storedStarts() {
        let bench = bench { $0.storesStarts = true }
        func counter(_ start: UInt64) -> [UInt8] {
            MetricFamilyWriter.family(
                "c", type: 0,
                { metric in
                    metric.message(3) { counter in
                        counter.double(1, 3)
                        counter.message(3) { $0.unsigned(2, start * 1_000_000) }
                    }
                })
        }
        let histogram = startedHistogram
        scrape(bench, gauge("g", 1) + counter(4) + histogram)
        scrape(bench, gauge("g", 1) + counter(17) + histogram)
        scrape(bench, gauge("g", 1))
        #expect(bench.samples("c") == "3.0@10<4 3.0@20<17 stale@30" && bench.samples("g") == "1.0@10 1.0@20 1.0@30")
        #expect(bench.samples("h").hasPrefix("{{schema:2 count:1 buckets:[1]}}@10<5 {{schema:2 count:1 buckets:[1]}}@20<5 "))

        let text = self.bench { $0.storesStarts = true }
        let page = """
            # TYPE c counter
            c_total{a="1"} 5
            c_created{a="1"} 0.004
            c_total{a="2"} 6
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_count 1
            h_created 0.003
            h_sum 2
            # EOF

            """
        for _ in 1...2 { text.scrape(page, type: Self.openMetrics) }
        #expect(text.samples("c_total", ["a": "1"]) == "5.0@10<4 5.0@20<4" && text.samples("c_total", ["a": "2"]) == "6.0@10 6.0@20")
        #expect(text.samples("h_bucket", ["le": "1.0"]) == "1.0@10<3 1.0@20<3" && text.samples("h_sum") == "2.0@10<3 2.0@20<3")
        #expect(text.samples("c_created", ["a": "1"]) == "")
        // A refused page says nothing of the next one's samples.
        text.scrape("# TYPE c counter\nc_total 5\nc_created 0.004\nbad{\n# EOF\n", type: Self.openMetrics)
        text.scrape("# TYPE d counter\nd_total 5\n# EOF\n", type: Self.openMetrics)
        #expect(text.samples("d_total") == "5.0@40")
    }

    @Test("a refused page leaves no zeros; they come with the next good one")
    func refusedStarts() {
        let bench = bench { $0.storesStartZeros = true }
        bench.scrape("# TYPE c counter\nc_total 5\nc_created 0.004\nbad{\n# EOF\n", type: Self.openMetrics)
        #expect(bench.samples("c_total") == "")
        bench.scrape("# TYPE c counter\nc_total 5\nc_created 0.004\n# EOF\n", type: Self.openMetrics)
        #expect(bench.samples("c_total") == "0.0@4 5.0@20")
    }

    // MARK: Negotiation

    @Test("protobuf is asked for first where native histograms are scraped")
    func accept() {
        var config = ScrapeConfig(jobName: "j")
        config.protocols = ScrapeProtocol.protobufFirst
        #expect(
            Target.acceptHeader(config)
                == "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
        )
    }

    @Test("protobuf is recognised by its content type, or as the fallback")
    func contentType() throws {
        #expect(try ContentType.format(of: Self.protobuf, fallback: nil) == .protobuf)
        #expect(try ContentType.format(of: "", fallback: .prometheusProto) == .protobuf)
    }

    @Test("metadata of protobuf pages is literal")
    func metadata() {
        let bench = bench()
        let report = scrape(bench, MetricFamilyWriter.family("a_seconds", type: 1, help: "x\\ny", unit: "seconds", { _ in }))
        #expect(report.metadata == [MetricMetadata(family: "a_seconds", type: .gauge, help: "x\\ny", unit: "seconds")])
    }
}
