import Support
import TSDB
import Testing

@testable import Scraper

@Suite("From page to storage")
struct ScrapeIngestTests {
    /// One target and its storage; each call is one scrape.
    final class Bench {
        let storage = RecordingStorage()
        var worker: ScrapeWorker
        var time: Int64 = 0

        init(_ edit: (inout ScrapeConfig) -> Void = { _ in }) {
            var config = ScrapeConfig(jobName: "j", interval: .seconds(10), timeout: .seconds(5))
            edit(&config)
            guard case .active(let target) = Target.make(["__address__": "h"], groupLabels: [:], config: config) else {
                preconditionFailure("no target")
            }
            worker = ScrapeWorker(target: target, config: config, storage: storage)
        }

        @discardableResult
        func scrape(_ page: String, type: String = "text/plain") -> ScrapeWorker.Report {
            answer(.success(ScrapeResponse(contentType: type, body: Array(page.utf8))))
        }

        @discardableResult
        func answer(_ answer: Result<ScrapeResponse, ScrapeError>) -> ScrapeWorker.Report {
            time += 10
            return worker.process(answer, at: Timestamp(milliseconds: time), now: Timestamp(milliseconds: time)) { 0.25 }
        }

        /// Samples of a series with the target's labels.
        func samples(_ name: String, _ labels: KeyValuePairs<String, String> = [:]) -> String {
            let own = [("__name__", name), ("instance", "h"), ("job", "j")].map { (name: $0.0, value: $0.1) }
            return storage.samples(Labels(own + labels.map { (name: $0.key, value: $0.value) }))
        }
    }

    @Test("exemplars go where their sample goes, when storage takes them")
    func exemplars() {
        let page = """
            # TYPE a histogram
            a_bucket{le="1"} 1 # {trace_id="x"} 0.5 0.25
            a_bucket{le="+Inf"} 2 # {span="s",trace_id="y"} 7
            # TYPE b counter
            b_total 3 0.005 # {} 1
            c_total 1
            # EOF

            """
        let type = "application/openmetrics-text; version=1.0.0"
        let off = Bench()
        off.scrape(page, type: type)
        #expect(off.storage.exemplars == [])
        let bench = Bench()
        bench.storage.takeExemplars()
        bench.scrape(page, type: type)
        let first = [
            "a_bucket {trace_id=\"x\"} 0.5@250!", "a_bucket {span=\"s\", trace_id=\"y\"} 7.0@10", "b_total {} 1.0@5",
        ]
        #expect(bench.storage.exemplars == first)
        // The same page again comes by another way: series that are known.
        bench.scrape(page, type: type)
        #expect(Array(bench.storage.exemplars.dropFirst(3)) == [first[0], "a_bucket {span=\"s\", trace_id=\"y\"} 7.0@20", first[2]])
    }

    @Test("a refused page leaves no exemplars; late ones are counted")
    func refusedExemplars() {
        let bench = Bench()
        bench.storage.takeExemplars()
        let type = "application/openmetrics-text; version=1.0.0"
        bench.scrape("a_total 1 # {t=\"x\"} 1\nb{ 2\n# EOF\n", type: type)
        #expect(bench.storage.exemplars == [])
        let report = bench.scrape("a_total 1 # {late=\"x\"} 1\nb_total 1 # {t=\"x\"} 1\n# EOF\n", type: type)
        #expect(report.outcome.outOfOrderExemplars == 1 && bench.storage.exemplars.count == 2)
    }

    @Test("samples get the target's labels and the scrape's time; report series tell how it went")
    func simple() {
        let bench = Bench()
        bench.scrape("a 1\nb{c=\"d\"} 2\n")
        bench.scrape("a 3\nb{c=\"d\"} 4\n")
        #expect(bench.samples("a") == "1.0@10 3.0@20")
        #expect(bench.samples("b", ["c": "d"]) == "2.0@10 4.0@20")
        #expect(bench.samples("up") == "1.0@10 1.0@20")
        #expect(bench.samples("scrape_duration_seconds") == "0.25@10 0.25@20")
        #expect(bench.samples("scrape_samples_scraped") == "2.0@10 2.0@20")
        #expect(bench.samples("scrape_samples_post_metric_relabeling") == "2.0@10 2.0@20")
        #expect(bench.samples("scrape_series_added") == "2.0@10 0.0@20")
        #expect(bench.storage.batches == 2)
    }

    @Test("labels are looked at once per series, not once per scrape")
    func cached() {
        let bench = Bench()
        bench.scrape("a 1\nb 2\n")
        let lookups = bench.storage.lookups
        for _ in 0..<5 { bench.scrape("a 1\nb 2\n") }
        bench.scrape("b 2\na 1\n")
        #expect(bench.storage.lookups == lookups)
    }

    @Test("what disappears is marked stale once, and goes on when it is back")
    func stale() {
        let bench = Bench()
        bench.scrape("a 1\nb 1\nc 1\n")
        bench.scrape("a 2\nc 2\n")
        bench.scrape("a 3\nc 3\n")
        bench.scrape("a 4\nb 4\nc 4\n")
        #expect(bench.samples("a") == "1.0@10 2.0@20 3.0@30 4.0@40")
        #expect(bench.samples("b") == "1.0@10 stale@20 4.0@40")
        #expect(bench.samples("c") == "1.0@10 2.0@20 3.0@30 4.0@40")
    }

    @Test(
        "a failed scrape marks everything stale, and up is 0",
        arguments: [
            (.failure(.timeout("http://h/metrics")), "Get \"http://h/metrics\": context deadline exceeded"),
            (
                .success(ScrapeResponse(status: 503, reason: "Service Unavailable", contentType: "", body: [])),
                "server returned HTTP status 503 Service Unavailable"
            ),
            (
                .success(ScrapeResponse(contentType: "text/plain", body: Array("a 2\nb\n".utf8))),
                "expected value after metric, got \"\\n\" (\"INVALID\") while parsing: \"b\\n\""
            ),
            (
                .success(ScrapeResponse(contentType: "", body: [97])),
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target"
            ),
            (
                .success(ScrapeResponse(contentType: "text/plain", body: Array("a 2\n{\"\"} 1\n".utf8))),
                "invalid metric name or label names: {__name__=\"\"}"
            ),
        ] as [(Result<ScrapeResponse, ScrapeError>, String)])
    func failures(answer: Result<ScrapeResponse, ScrapeError>, message: String) {
        let bench = Bench()
        bench.scrape("a 1\nb 1\n")
        #expect(bench.answer(answer).error?.message == message)
        bench.answer(answer)
        bench.scrape("a 4\nb 4\n")
        #expect(bench.samples("a") == "1.0@10 stale@20 4.0@40")
        #expect(bench.samples("b") == "1.0@10 stale@20 4.0@40")
        #expect(bench.samples("up") == "1.0@10 0.0@20 0.0@30 1.0@40")
    }

    @Test("an empty page is a good one")
    func empty() {
        let bench = Bench()
        bench.scrape("a 1\n")
        #expect(bench.scrape("", type: "").error == nil)
        #expect(bench.samples("a") == "1.0@10 stale@20")
        #expect(bench.samples("up") == "1.0@10 1.0@20")
    }

    @Test("a clash renames the scraped label, or keeps it with honor_labels")
    func honorLabels() {
        let page = "a{job=\"x\",exported_job=\"y\",instance=\"\"} 1\n"
        let bench = Bench()
        bench.scrape(page)
        #expect(bench.storage.series.contains(["__name__": "a", "job": "j", "instance": "h", "exported_job": "y", "exported_exported_job": "x"]))
        let honest = Bench { $0.honorLabels = true }
        honest.scrape(page)
        #expect(honest.storage.series.contains(["__name__": "a", "job": "x", "exported_job": "y", "instance": "h"]))
    }

    @Test("metric relabeling drops and rewrites series; dropped ones are remembered")
    func metricRelabeling() throws {
        var drop = try RelabelConfig(regex: "b.*")
        drop.sourceLabels = ["__name__"]
        drop.action = .drop
        var rename = try RelabelConfig(regex: "a")
        rename.sourceLabels = ["__name__"]
        rename.targetLabel = "__name__"
        rename.replacement = "renamed"
        let bench = Bench { $0.metricRelabelConfigs = [drop, rename] }
        bench.scrape("a 1\nb1 1\nb2 1\n")
        bench.scrape("a 2\nb1 2\nb2 2\n")
        #expect(bench.samples("renamed") == "1.0@10 2.0@20")
        #expect(bench.samples("b1") == "")
        #expect(bench.samples("scrape_samples_scraped") == "3.0@10 3.0@20")
        #expect(bench.samples("scrape_samples_post_metric_relabeling") == "1.0@10 1.0@20")
    }

    @Test("timestamps of the target are honoured, and then disappearance is not marked")
    func timestamps() {
        let bench = Bench()
        bench.scrape("a 1 5\nb 1\n")
        bench.scrape("b 1\n")
        #expect(bench.samples("a") == "1.0@5")
        let strict = Bench { $0.honorTimestamps = false }
        strict.scrape("a 1 5\n")
        strict.scrape("b 1\n")
        #expect(strict.samples("a") == "1.0@10 stale@20")
        let tracking = Bench { $0.trackTimestampsStaleness = true }
        tracking.scrape("a 1 5\n")
        tracking.scrape("b 1\n")
        #expect(tracking.samples("a") == "1.0@5 stale@20")
    }

    @Test("duplicates, old and far-ahead samples are counted, the rest is kept")
    func badPositions() {
        let bench = Bench()
        #expect(bench.scrape("a 1\na 2\nb 1\n").outcome.duplicates == 1)
        #expect(bench.samples("a") == "1.0@10")
        let old = bench.scrape("a 1 3\nb 2\n")
        #expect(old.outcome.outOfOrder == 1 && old.error == nil)
        let ahead = bench.scrape("b 3\nc 1 99999999999\n")
        #expect(ahead.outcome.outOfBounds == 1 && ahead.error == nil)
        #expect(bench.samples("b") == "1.0@10 2.0@20 3.0@30")
        #expect(bench.samples("scrape_samples_scraped") == "3.0@10 2.0@20 2.0@30")
    }

    @Test("limits fail the scrape and name themselves")
    func limits() {
        func message(_ page: String, _ edit: (inout ScrapeLimits) -> Void) -> String? {
            Bench { edit(&$0.limits) }.scrape(page).error?.message
        }
        #expect(message("a 1\nb 2\nc 3\n") { $0.samples = 2 } == "sample limit exceeded")
        #expect(message("a 1\nb 2\n") { $0.samples = 2 } == nil)
        #expect(message("a{b=\"c\"} 1\n") { $0.labels = 3 } == "label_limit exceeded (metric: a, number of labels: 4, limit: 3)")
        #expect(
            message("a{bcdefghij=\"c\"} 1\n") { $0.labelNameLength = 8 }
                == "label_name_length_limit exceeded (metric: a, label name: bcdefghij, length: 9, limit: 8)")
        #expect(
            message("a{b=\"cdefg\"} 1\n") { $0.labelValueLength = 4 }
                == "label_value_length_limit exceeded (metric: a, label name: b, value: \"cdefg\", length: 5, limit: 4)")
        #expect(message("a{b=\"1\",b=\"2\"} 1\n") { _ in } == "label name \"b\" is not unique: invalid sample")
    }

    @Test("over the sample limit nothing of the page is stored, and the whole page is still counted")
    func sampleLimit() {
        let bench = Bench { $0.limits.samples = 2 }
        bench.scrape("a 1\nb 1\n")
        bench.scrape("a 2\nb 2\nc 2\nd 2\n")
        #expect(bench.samples("a") == "1.0@10 stale@20")
        #expect(bench.samples("scrape_samples_scraped") == "2.0@10 4.0@20")
        #expect(bench.samples("scrape_samples_post_metric_relabeling") == "2.0@10 4.0@20")
    }

    @Test("series that storage has dropped meanwhile are made again, without losing a sample")
    func droppedSeries() {
        let bench = Bench()
        bench.scrape("a 1\nb 1\n")
        bench.storage.dropSeries()
        bench.scrape("a 2\nb 2\n")
        bench.scrape("a 3\nb 3\n")
        #expect(bench.samples("a") == "1.0@10 2.0@20 3.0@30")
        #expect(bench.samples("b") == "1.0@10 2.0@20 3.0@30")
        #expect(bench.samples("up") == "1.0@10 1.0@30" || bench.samples("up") == "1.0@10 1.0@20 1.0@30")
    }

    @Test("when storage takes no more series, known ones go on, and it is said")
    func seriesLimit() {
        let bench = Bench()
        bench.scrape("a 1\n")
        bench.storage.limitSeries(to: 6)
        let report = bench.scrape("a 2\nb 2\nc 2\n")
        #expect(report.error == nil && report.outcome.refusedSeries == 2)
        #expect(report.outcome.refusal == "series limit of the test reached")
        #expect(bench.samples("a") == "1.0@10 2.0@20")
    }

    @Test("a storage error is reported, and the next scrape goes on")
    func storageError() {
        let bench = Bench()
        bench.scrape("a 1\n")
        bench.storage.fail(TSDBError(.io, "disk full"))
        #expect(bench.scrape("a 2\n").storageError == "disk full")
        bench.storage.fail(nil)
        bench.scrape("a 3\n")
        #expect(bench.samples("a") == "1.0@10 3.0@30")
    }

    @Test("extra metrics tell timeout, limit and body size, −1 for a body that was too large")
    func extraMetrics() {
        let bench = Bench {
            $0.extraScrapeMetrics = true; $0.limits.samples = 7
        }
        bench.scrape("a 1\n")
        bench.answer(.failure(.bodySizeLimit))
        #expect(bench.samples("scrape_timeout_seconds") == "5.0@10 5.0@20")
        #expect(bench.samples("scrape_sample_limit") == "7.0@10 7.0@20")
        #expect(bench.samples("scrape_body_size_bytes") == "4.0@10 -1.0@20")
    }

    @Test("metadata follows the page, and a family lives ten scrapes longer than its lines")
    func metadata() {
        let bench = Bench()
        let page = "# HELP a Text\\n2.\n# TYPE a counter\na 1\n"
        #expect(bench.scrape(page).metadata == [MetricMetadata(family: "a", type: .counter, help: "Text\n2.", unit: "")])
        #expect(bench.scrape(page).metadata == nil)
        #expect(bench.scrape("# TYPE b gauge\nb 1\n" + page).metadata?.map(\.family) == ["a", "b"])
        for _ in 0..<10 { #expect(bench.scrape(page).metadata == nil) }
        #expect(bench.scrape(page).metadata?.map(\.family) == ["a"])
        let unit = "# TYPE c_seconds gauge\n# UNIT c_seconds seconds\nc_seconds 1\n# EOF\n"
        #expect(
            bench.scrape(unit, type: "application/openmetrics-text").metadata?.last
                == MetricMetadata(family: "c_seconds", type: .gauge, help: "", unit: "seconds"))
    }

    @Test("the end of a target marks its series and its report stale")
    func end() {
        let bench = Bench()
        bench.scrape("a 1\n")
        bench.worker.end(at: Timestamp(milliseconds: 20))
        #expect(bench.samples("a") == "1.0@10 stale@20")
        #expect(bench.samples("up") == "1.0@10 stale@20")
        #expect(bench.samples("scrape_series_added") == "1.0@10 stale@20")
    }

    @Test("whatever pages do, storage holds what a plain reading of them says")
    func law() {
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(200) {
            let bench = Bench()
            var model: [String: [RecordingStorage.Sample]] = [:]
            var live: Set<String> = []
            for round in 1...12 {
                let (page, shown) = randomPage(&random, round: round)
                bench.scrape(page)
                let time = Int64(round * 10)
                if let shown {
                    for (name, value) in shown { model[name, default: []].append(.init(time: time, value: value)) }
                    for name in live.subtracting(shown.keys) { model[name, default: []].append(.init(time: time, value: StaleMarker.value)) }
                    live = Set(shown.keys)
                } else {
                    for name in live { model[name, default: []].append(.init(time: time, value: StaleMarker.value)) }
                    live = []
                }
            }
            for (name, samples) in model {
                let wanted = samples.map(\.description).joined(separator: " ")
                #expect(bench.samples("m", ["n": name]) == wanted, "seed \(seed), series \(name)")
            }
        }
    }

    /// A page over a small set of series, in changing order; `nil` for what it shows when it is broken.
    private func randomPage(_ random: inout SeededRandom, round: Int) -> (String, [String: Double]?) {
        var names = (0..<8).map { "s\($0)" }
        switch random.next() % 4 {
        case 0: break
        case 1: names.shuffle(using: &random)
        case 2: names.removeLast(Int(random.next() % 4))
        default: names.insert("x\(random.next() % 3)", at: Int(random.next() % 8))
        }
        var page = "# TYPE m gauge\n", shown: [String: Double] = [:]
        for name in names {
            let value = Double(random.next() % 100) + Double(round) / 10
            // The same series may be spelt in two ways.
            page += random.next() % 6 == 0 ? "m{n=\"\(name)\",} \(value)\n" : "m{n=\"\(name)\"} \(value)\n"
            shown[name] = value
        }
        if random.next() % 8 == 0 { return (page + "broken\n", nil) }
        if random.next() % 10 == 0 { return ("", [:]) }
        return (page, shown)
    }
}
