import Exposition
import TSDB

/// What belongs to a sample, or belongs together.
///
///     a_total 5 # {trace="x"} 1          an exemplar behind its sample
///     a_created 1700000000               the start time of `a`, in a line of its own
///     h_bucket{le="1"} 3  h_sum  h_count lines of one classic histogram: together a native one with custom bounds
///
/// Lines pass `takeWithContext` only where one of the two features that look at neighbours is on.
extension ScrapeIngest {
    /// A sample with what belongs to it: exemplars, and its start time where it says so itself.
    mutating func take<Parser: ExpositionParser>(
        _ parser: inout Parser, _ page: UnsafeRawBufferPointer, _ cursor: inout Int, _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        let countBefore = batch.count
        try parser.withSource(page) { source throws(ScrapeError) in
            try takeSeries(parser.entry, source, &cursor, &batch)
        }
        guard batch.count > countBefore else { return }
        if let start = parser.entry.start { noteStart(start, batch) }
        guard takesExemplars else { return }
        let first = exemplars.count
        while let exemplar = parser.entry.exemplar {
            take(exemplar, parser.entry, page, batch)
            if !parser.nextExemplar() { break }
        }
        sortExemplars(from: first)
    }

    /// Notes the exemplar of the batch's newest sample. One that has no time of its own gets the sample's.
    mutating func take(
        _ exemplar: ExemplarParts, _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer,
        _ batch: borrowing SampleBatch
    ) {
        packed.removeAll(keepingCapacity: true)
        guard let reference = batch.references.last, let time = batch.timestamps.last,
            seriesLabels.packExemplar(entry, of: page, into: &packed)
        else { return }
        exemplars.append(
            SeriesExemplar(
                reference,
                Exemplar(
                    Labels(uncheckedPacked: packed), value: exemplar.value,
                    at: Timestamp(milliseconds: exemplar.timestamp ?? time),
                    hasOwnTimestamp: exemplar.timestamp != nil)))
    }

    /// The exemplars of one histogram by time: storage takes them in order only.
    mutating func sortExemplars(from first: Int) {
        guard exemplars.count - first > 1 else { return }
        exemplars[first...].sort { a, b in
            (a.exemplar.timestamp.milliseconds, a.exemplar.value) < (b.exemplar.timestamp.milliseconds, b.exemplar.value)
        }
    }

    /// A series where classic histograms are gathered, or start times come in lines of their own.
    mutating func takeWithContext<Parser: ExpositionParser>(
        _ parser: inout Parser, _ page: UnsafeRawBufferPointer, _ cursor: inout Int, _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        let readsLines = starts != nil && Parser.self == OpenMetricsFormat.self
        if readsLines {
            let isStart = parser.withSource(page) { source in
                guard let start = starts?.take(parser.entry, of: source) else { return false }
                collector?.noteStart(start, parser.entry, of: source)
                return true
            }
            if isStart { return }
        }
        if collector != nil {
            var verdict = parser.withSource(page) { collector?.take(parser.entry, of: $0) ?? .other }
            if verdict == .finishFirst {
                try finishClassic(&cursor, &batch)
                verdict = parser.withSource(page) { collector?.take(parser.entry, of: $0) ?? .other }
            }
            if verdict == .gathered {
                if let exemplar = parser.entry.exemplar, exemplar.timestamp != nil {
                    packed.removeAll(keepingCapacity: true)
                    if seriesLabels.packExemplar(parser.entry, of: page, into: &packed) {
                        collector?.note(exemplar, labels: packed)
                    }
                }
                if !config.histograms.keepsClassic { return }
            }
        }
        let countBefore = batch.count
        try take(&parser, page, &cursor, &batch)
        if readsLines, batch.count > countBefore { parser.withSource(page) { starts?.wait(batch, parser.entry, of: $0) } }
    }

    /// An entry that is no sample ends what belongs together.
    mutating func pass(
        _ kind: ExpositionEntry, _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer, _ cursor: inout Int,
        _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        if collector != nil {
            try finishClassic(&cursor, &batch)
            if kind == .type { collector?.noteType(entry, of: page) }
        }
        if starts != nil { starts?.noteLine(kind, entry) }
    }

    /// Takes the classic histogram that was gathered, if there is one, as a native histogram with custom bounds.
    mutating func finishClassic(_ cursor: inout Int, _ batch: inout SampleBatch) throws(ScrapeError) {
        guard var gathered = collector, gathered.isGathering else { return }
        // Two owners would copy what is gathered.
        collector = nil
        defer { collector = gathered }
        guard gathered.finish() else { return }
        histogram = gathered.histogram
        defer { histogram = nil }
        let countBefore = batch.count
        try gathered.withSource { source throws(ScrapeError) in
            try takeSeries(gathered.entry, source, &cursor, &batch)
        }
        guard batch.count > countBefore else { return }
        if let start = gathered.entry.start { noteStart(start, batch) }
        if takesExemplars, let reference = batch.references.last {
            let first = exemplars.count
            for item in gathered.exemplars {
                exemplars.append(
                    SeriesExemplar(
                        reference,
                        Exemplar(
                            Labels(uncheckedPacked: item.labels), value: item.parts.value,
                            at: Timestamp(milliseconds: item.parts.timestamp ?? 0), hasOwnTimestamp: true)))
            }
            sortExemplars(from: first)
        }
        gathered.clearExemplars()
    }

    /// Notes when the series of the batch's newest sample began to count.
    mutating func noteStart(_ start: Int64, _ batch: borrowing SampleBatch) {
        guard starts != nil, let reference = batch.references.last, let time = batch.timestamps.last else { return }
        starts?.note(reference, start: start, at: time, histogram: histogram, place: batch.count - 1)
    }
}
