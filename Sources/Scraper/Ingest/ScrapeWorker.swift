import TSDB

/// Does the work of one target's scrapes: page in, one batch out to storage, report series included.
///
/// The report series are upstream's: `up`, `scrape_duration_seconds`, `scrape_samples_scraped`,
/// `scrape_samples_post_metric_relabeling`, `scrape_series_added`, and with `extra_scrape_metrics` the timeout, the
/// sample limit and the body's size.
///
/// Used by one task at a time: by its loop while that runs, then by the successor that inherits it, or by the farewell
/// that writes the last stale markers. That makes `@unchecked Sendable` true.
package final class ScrapeWorker: @unchecked Sendable {
    /// What one scrape came to.
    package struct Report: Sendable {
        package var error: ScrapeError?
        var outcome = PageOutcome()
        var duration: Double
        /// The page's metadata, where it changed.
        var metadata: [MetricMetadata]?
        /// Storage refused the batch.
        package var storageError: String?
    }

    private static let reportNames = [
        "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
        "scrape_series_added", "scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes",
    ]

    let target: Target
    let config: ScrapeConfig
    private let storage: any Appendable
    private var ingest: ScrapeIngest
    private var batch = SampleBatch()
    private var reportReferences: [SeriesRef?]
    /// When the next scrape would be; the farewell waits for it.
    var nextDeadline: Int64 = 0
    var hasScraped = false

    package init(target: Target, config: ScrapeConfig, storage: any Appendable) {
        self.target = target
        self.config = config
        self.storage = storage
        ingest = ScrapeIngest(target: target, config: config, storage: storage)
        reportReferences = Array(repeating: nil, count: config.extraScrapeMetrics ? 8 : 5)
    }

    /// Whether a loop with another config may go on with what this one knows: the same target, mapped and limited alike.
    func canContinue(_ target: Target, _ config: ScrapeConfig) -> Bool {
        var mine = self.config
        // These change how pages are fetched and judged, not what the series in the cache are.
        mine.interval = config.interval
        mine.timeout = config.timeout
        mine.parameters = config.parameters
        mine.enableCompression = config.enableCompression
        mine.protocols = config.protocols
        mine.limits.targets = config.limits.targets
        mine.limits.keptDroppedTargets = config.limits.keptDroppedTargets
        mine.http = config.http
        mine.staticConfigs = config.staticConfigs
        mine.relabelConfigs = config.relabelConfigs
        return mine == config && target.labels == self.target.labels
    }

    /// Stores what `answer` brought; `time` is the scrape's timestamp, `elapsed` seconds since its start.
    package func process(
        _ answer: Result<ScrapeResponse, ScrapeError>, at time: Timestamp, now: Timestamp, elapsed: () -> Double
    ) -> Report {
        batch.removeAll()
        hasScraped = true
        var report = Report(duration: 0)
        var bodySize = 0.0
        var format = PageFormat.text
        var body: [UInt8] = []
        do throws(ScrapeError) {
            let response = try answer.get()
            guard response.status == 200 else { throw .status(response) }
            body = response.body
            bodySize = Double(body.count)
            if !body.isEmpty {
                format = try ContentType.format(of: response.contentType, fallback: config.fallbackProtocol)
            }
            try body.withUnsafeBufferPointer { page throws(ScrapeError) in
                try ingest.ingest(
                    UnsafeRawBufferPointer(page), format: format, at: time, now: now, into: &batch,
                    partial: &report.outcome)
            }
            if ingest.metadata.hasChanged { report.metadata = ingest.metadata.snapshot }
        } catch {
            report.error = error
            if error.code == .bodySizeLimit { bodySize = -1 }
            // A refused page has marked already; a missing one has not. Marking twice does nothing.
            ingest.markAllStale(at: time, into: &batch)
        }
        report.duration = elapsed()
        addReport(
            [
                report.error == nil ? 1 : 0, report.duration, Double(report.outcome.scraped),
                Double(report.outcome.kept), Double(report.outcome.seriesAdded), target.timeout.seconds,
                Double(config.limits.samples), bodySize,
            ], at: time)
        do throws(TSDBError) {
            if let starts = ingest.starts, !starts.zeros.isEmpty { try store(starts.zeros) }
            let verdicts = try storage.append(batch)
            forgetUnknownReports(verdicts)
            if ingest.settle(verdicts, of: batch, outcome: &report.outcome) {
                batch.removeAll()
                try? body.withUnsafeBufferPointer { page throws(ScrapeError) in
                    try ingest.ingestUnresolved(UnsafeRawBufferPointer(page), format: format, into: &batch)
                }
                if !batch.isEmpty { _ = try storage.append(batch) }
            }
            if report.error == nil, !ingest.exemplars.isEmpty {
                let verdicts = try storage.append(exemplars: ingest.exemplars)
                report.outcome.outOfOrderExemplars = lateExemplars(verdicts)
            }
        } catch { report.storageError = error.message }
        return report
    }

    /// Marks everything stale, report series included: the target is gone.
    func end(at time: Timestamp) {
        batch.removeAll()
        ingest.markAllStale(at: time, into: &batch)
        addReport(Array(repeating: StaleMarker.value, count: 8), at: time)
        // Nobody is left to hear of an error; a target that came back makes these markers out of order, rightly.
        _ = try? storage.append(batch)
    }

    /// Zeros where series began to count. Most are known already, and late; that is no fault of the page.
    private func store(_ zeros: [StartTimes.Zero]) throws(TSDBError) {
        var batch = SampleBatch()
        batch.takesLateSamples = false
        for zero in zeros {
            let time = Timestamp(milliseconds: zero.time)
            if let histogram = zero.histogram {
                batch.append(zero.reference, at: time, histogram: histogram)
            } else {
                batch.append(zero.reference, at: time, value: 0)
            }
        }
        _ = try storage.append(batch)
    }

    /// Exemplars out of order, where all of a sample are: a native histogram shows some again and again, beside new ones.
    private func lateExemplars(_ verdicts: [ExemplarVerdict]) -> Int {
        let exemplars = ingest.exemplars
        var total = 0, start = 0
        while start < min(verdicts.count, exemplars.count) {
            var end = start, late = 0
            while end < min(verdicts.count, exemplars.count), exemplars[end].reference == exemplars[start].reference {
                if verdicts[end] == .outOfOrder { late += 1 }
                end += 1
            }
            if late == end - start { total += late }
            start = end
        }
        return total
    }

    private func addReport(_ values: [Double], at time: Timestamp) {
        for index in reportReferences.indices {
            if reportReferences[index] == nil {
                var labels = LabelsBuilder(target.labels)
                labels.set(MetricName.label, to: Self.reportNames[index])
                // A storage that takes no more series takes no report either; the batch's error says so.
                reportReferences[index] = try? storage.reference(for: labels.labels())
            }
            if let reference = reportReferences[index] { batch.append(reference, at: time, value: values[index]) }
        }
    }

    private func forgetUnknownReports(_ report: AppendReport) {
        if report.verdicts.isEmpty { return }
        for (index, verdict) in report.verdicts.enumerated() where verdict == .unknownSeries {
            guard index < batch.count, let place = reportReferences.firstIndex(of: batch.references[index]) else { continue }
            reportReferences[place] = nil
        }
    }
}

extension ScrapeError {
    fileprivate static func status(_ response: ScrapeResponse) -> ScrapeError {
        let words = response.reason.isEmpty ? "\(response.status)" : "\(response.status) \(response.reason)"
        return ScrapeError(.status, "server returned HTTP status \(words)")
    }
}
