import Exposition
import TSDB

/// What storage said to the samples of a page, and a second walk for series that it had dropped.
extension ScrapeIngest {
    /// Counts what storage did not take of the page. Returns whether some samples named series that storage has
    /// dropped meanwhile: `ingestUnresolved` brings those.
    mutating func settle(
        _ report: AppendReport, of batch: borrowing SampleBatch, outcome: inout PageOutcome
    ) -> Bool {
        if report.verdicts.isEmpty { return false }
        var unknown: Set<SeriesRef> = []
        for index in 0..<min(sampleCount, report.verdicts.count) {
            switch report.verdicts[index] {
            case .stored, .repeated: break
            case .outOfOrder: outcome.outOfOrder += 1
            case .duplicate: outcome.duplicates += 1
            case .tooOld, .outOfBounds, .tooFarAhead: outcome.outOfBounds += 1
            case .unknownSeries: unknown.insert(batch.references[index])
            }
        }
        for index in newSamples where index < report.verdicts.count {
            if ![.stored, .repeated].contains(report.verdicts[index]) { outcome.seriesAdded -= 1 }
        }
        if unknown.isEmpty { return false }
        for index in cache.entries.indices where unknown.contains(cache.entries[index].reference) {
            cache.entries[index].kind = .unresolved
        }
        return true
    }

    /// Walks the page again for the series that storage had dropped, asks for new references, and puts their samples
    /// into `batch`. Rare: after an administrator's deletion, or when a series was rejected for hours.
    mutating func ingestUnresolved(
        _ page: UnsafeRawBufferPointer, format: PageFormat, into batch: inout SampleBatch
    ) throws(ScrapeError) {
        switch format {
        case .text: try rewalk(TextFormat(page), page, &batch)
        case .openMetrics: try rewalk(OpenMetricsFormat(page), page, &batch)
        case .protobuf: try rewalk(ProtobufFormat(page, options: config.histograms.protobufOptions), page, &batch)
        }
    }

    private mutating func rewalk<Parser: ExpositionParser>(
        _ start: Parser, _ page: UnsafeRawBufferPointer, _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        var parser = start
        cache.beginPass()
        defer { cache.abandonPass() }
        while true {
            let kind: ExpositionEntry?
            do { kind = try parser.next() } catch { throw ScrapeError(.format, error.message) }
            guard let kind else { return }
            guard kind == .series || kind == .histogram else { continue }
            histogram = parser.histogram
            defer { histogram = nil }
            // Converted histograms are no lines of the page: the next scrape brings them.
            try parser.withSource(page) { source throws(ScrapeError) in try retake(parser.entry, source, &batch) }
        }
    }

    private mutating func retake(
        _ entry: ExpositionEntryParts, _ source: UnsafeRawBufferPointer, _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        let text = UnsafeRawBufferPointer(rebasing: source[entry.series.clamped(to: 0..<source.count)])
        guard let index = cache.find(text, near: cache.oldCount), cache.entries[index].kind == .unresolved else { return }
        try resolve(index, entry, source)
        guard cache.entries[index].kind == .tracked else { return }
        let timestamp = config.honorTimestamps ? entry.timestamp : nil
        try append(
            cache.entries[index].reference, at: timestamp.map { Timestamp(milliseconds: $0) } ?? time, entry.value, to: &batch)
    }
}
