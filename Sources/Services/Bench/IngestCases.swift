import HTTPTypes
import NIOCore
import PrometheusClient
import Scraper
import SelfMetrics
import TSDB
import WebAPI

/// What it costs to take samples in, from the bytes as they come to the sample in the head, without a socket and a disk.
///
///     page of text ─▶ ScrapeWorker: lexer, cache of series, batch ─▶ Database
///     body ─▶ WebAPI: snappy, protobuf, labels ─▶ Database
///
/// All pages and bodies are made beforehand. A run is one round: a scrape of every instance. The first round makes the
/// series and is not counted.
struct IngestCases {
    let plan: BenchPlan

    private static let roundCount = 12
    private static let instanceLimit = 50
    /// Samples of one remote-write request, upstream's default.
    private static let requestSize = 2_000

    func rows() async throws -> [BenchRow] { [try scraping(), try await remoteWriting()] }

    private var shape: FleetShape {
        var shape = plan.shape
        shape.families = CaseGroup.ingest.families
        shape.seriesCount = min(shape.seriesCount, Self.instanceLimit * shape.seriesPerInstance)
        shape.scrapeCount = Self.roundCount
        return shape
    }

    /// All good scrapes: by round, then by instance.
    private func rounds(_ fleet: inout Fleet, _ body: (_ round: Int, _ instance: Int, _ values: [Double]) -> Void) {
        var values: [Double] = []
        for round in 0..<Self.roundCount {
            for instance in 0..<fleet.shape.instanceCount
            where fleet.nextScrape(ofInstance: instance, into: &values) && !StaleMarker.isStale(values[0]) {
                body(round, instance, values)
            }
        }
    }

    private func row(_ name: String, _ costs: [Cost], samples: Int) -> BenchRow {
        let samples = samples / max(1, costs.count)
        return BenchRow(
            group: .ingest, name: name, kind: "sample", units: samples, samples: samples,
            measurement: Measurement(costs))
    }
}

// MARK: Scraping

extension IngestCases {
    private func scraping() throws -> BenchRow {
        let database = Database.inMemory(clock: StillClock(time: plan.end))
        var fleet = Fleet(shape)
        var workers: [ScrapeWorker] = []
        var series: [[String]] = []
        for instance in 0..<shape.instanceCount {
            let labels = fleet.labels(ofInstance: instance)
            var config = ScrapeConfig(jobName: "api", interval: Duration(milliseconds: shape.interval))
            config.timeout = config.interval
            let address = labels.first?["instance"] ?? "localhost"
            guard case .active(let target) = Target.make(["__address__": address], groupLabels: [:], config: config)
            else {
                throw BenchError("\(address) is no target")
            }
            workers.append(ScrapeWorker(target: target, config: config, storage: database))
            series.append(labels.map(Self.text))
        }
        var pages: [[(instance: Int, body: [UInt8])]] = Array(repeating: [], count: Self.roundCount)
        var samples = 0
        rounds(&fleet) { round, instance, values in
            pages[round].append((instance, Array(Self.page(series[instance], values).utf8)))
            if round > 0 { samples += values.count }
        }
        var costs: [Cost] = []
        for round in 0..<Self.roundCount {
            let before = Cost.now()
            for page in pages[round] {
                let time = fleet.time(ofScrape: round, instance: page.instance)
                let answer = ScrapeResponse(contentType: "text/plain; version=0.0.4", body: page.body)
                let report = workers[page.instance].process(.success(answer), at: time, now: time) { 0 }
                if let error = report.error { throw BenchError("a page was refused: \(error)") }
            }
            if round > 0 { costs.append(Cost.now() - before) }
        }
        return row("scraped text", costs, samples: samples)
    }

    /// What a page shows of a series: all labels but those that the target brings.
    private static func text(_ labels: Labels) -> String {
        let shown = labels.pairs.filter { !["__name__", "job", "instance"].contains($0.name) }
        return (labels.metricName ?? "") + "{" + shown.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    }

    private static func page(_ series: [String], _ values: [Double]) -> String {
        var page = ""
        var metric = Substring()
        for (text, value) in zip(series, values) {
            let name = text.prefix { $0 != "{" }
            if name != metric {
                metric = name
                page += "# HELP \(name) Invented.\n# TYPE \(name) untyped\n"
            }
            // As Go's client prints numbers: integers without a fraction.
            let number = Int64(exactly: value).map { "\($0)" } ?? "\(value)"
            page += "\(text) \(number)\n"
        }
        return page
    }
}

// MARK: Remote write

extension IngestCases {
    private func remoteWriting() async throws -> BenchRow {
        let api = LocalAPI(Database.inMemory(clock: StillClock(time: plan.end)), time: plan.end)
        var fleet = Fleet(shape)
        let labels = (0..<shape.instanceCount).map { fleet.labels(ofInstance: $0) }
        let times = (0..<Self.roundCount).map { round in
            (0..<shape.instanceCount).map { fleet.time(ofScrape: round, instance: $0) }
        }
        var bodies: [[ByteBuffer]] = Array(repeating: [], count: Self.roundCount)
        var request = WriteRequest()
        var current = 0
        var samples = 0
        func finish() {
            if request.sampleCount > 0 { bodies[current].append(ByteBuffer(bytes: request.compressed())) }
            request.removeAll()
        }
        rounds(&fleet) { round, instance, values in
            if round != current {
                finish()
                current = round
            }
            for (labels, value) in zip(labels[instance], values) {
                request.add(labels, at: times[round][instance], value)
                if request.sampleCount >= Self.requestSize { finish() }
            }
            if round > 0 { samples += values.count }
        }
        finish()
        var costs: [Cost] = []
        for round in 0..<Self.roundCount {
            let before = Cost.now()
            for body in bodies[round] { try await api.write(body) }
            if round > 0 { costs.append(Cost.now() - before) }
        }
        return row("remote write", costs, samples: samples)
    }
}
