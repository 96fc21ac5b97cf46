import Exposition
import Histograms
import TSDB

/// What a page came to, for the report series and the counters.
struct PageOutcome: Equatable, Sendable {
    /// Samples on the page (`scrape_samples_scraped`).
    var scraped = 0
    /// Left after metric relabeling (`scrape_samples_post_metric_relabeling`).
    var kept = 0
    /// New series (`scrape_series_added`).
    var seriesAdded = 0
    /// The same series twice on one page, or with another value at a time that is stored already.
    var duplicates = 0
    var outOfOrder = 0
    /// Too old, or more than ten minutes ahead.
    var outOfBounds = 0
    var outOfOrderExemplars = 0
    /// Storage takes no more series; the samples of known ones were kept.
    var refusedSeries = 0
    /// What storage said to the first refused series.
    var refusal: String?
}

/// Turns pages of one target into batches: parse, find the series, apply the limits, mark what disappeared.
///
/// A plain machine: bytes and times go in, samples for one batch come out. One bad line refuses the whole page, as
/// upstream does; then what was there before is marked stale.
struct ScrapeIngest {
    /// How far ahead of the clock a target's own timestamps may be.
    static let maximumLead = Duration.minutes(10)

    let labels: SampleLabels
    let config: ScrapeConfig
    let storage: any Appendable
    private(set) var metadata = ScrapeMetadata()
    private var cache = ScrapeCache()
    private var seriesLabels = SeriesLabels()
    private var packed: [UInt8] = []

    // The current page.
    private var outcome = PageOutcome()
    private var time = Timestamp(milliseconds: 0)
    private var latest: Int64 = 0
    private var sampleLimit = 0
    private var limited = 0
    private var bucketLimited = 0
    private let intake: HistogramIntake
    /// The value of the sample at hand, where it is a native histogram.
    private var histogram: HistogramSample?
    /// Gathers classic histograms, where they are to be converted.
    private var collector: ClassicCollector?
    /// When series began to count, where a feature wants it: the zeros are to be stored before the batch.
    private(set) var starts: StartTimes?
    /// Places in the batch of samples that were the first of their series.
    private var newSamples: [Int] = []
    /// Samples of the page in the batch; stale markers stand behind them.
    private(set) var sampleCount = 0
    /// Exemplars of the page, where storage takes them.
    private(set) var exemplars: [SeriesExemplar] = []
    private var takesExemplars = false

    init(target: Target, config: ScrapeConfig, storage: any Appendable) {
        self.config = config
        self.storage = storage
        intake = HistogramIntake(config.limits)
        collector = config.histograms.convertsClassic ? ClassicCollector() : nil
        starts = StartTimes(config)
        labels = SampleLabels(
            target: target.labels, honorLabels: config.honorLabels, relabelConfigs: config.metricRelabelConfigs,
            limits: config.limits, names: config.nameValidation)
    }

    /// Puts the page's samples and the stale markers of what disappeared into `batch`.
    ///
    /// `time` is given to samples without one of their own; `now` bounds those that have. On an error the batch holds
    /// the stale markers of everything the target showed before, and nothing else; `scraped` and `kept` of the page so
    /// far are in `partial`.
    mutating func ingest(
        _ page: UnsafeRawBufferPointer, format: PageFormat, at time: Timestamp, now: Timestamp,
        into batch: inout SampleBatch, partial: inout PageOutcome
    ) throws(ScrapeError) {
        sampleCount = 0
        exemplars.removeAll(keepingCapacity: true)
        takesExemplars = storage.takesExemplars
        if page.isEmpty {
            starts?.beginPass(seriesCount: 0)
            // An empty page is a good one; all that was there is gone.
            markAllStale(at: time, into: &batch)
            return
        }
        // Offsets into a page are kept in 32 bits.
        guard page.count <= Int(Int32.max) else { throw .bodySizeLimit }
        self.time = time
        latest = (now + Self.maximumLead).milliseconds
        outcome = PageOutcome()
        sampleLimit = config.limits.samples > 0 ? config.limits.samples : .max
        limited = 0
        bucketLimited = 0
        histogram = nil
        collector?.removeAll()
        starts?.beginPass(seriesCount: cache.entries.count)
        newSamples.removeAll(keepingCapacity: true)
        cache.beginPass()
        metadata.beginPass()
        defer { partial = outcome }
        do throws(ScrapeError) {
            let cursor =
                switch format {
                case .text: try walk(TextFormat(page), page, &batch)
                case .openMetrics: try walk(OpenMetricsFormat(page), page, &batch)
                case .protobuf: try walk(ProtobufFormat(page, options: config.histograms.protobufOptions), page, &batch)
                }
            if limited > 0 { throw ScrapeError(.limit, "sample limit exceeded") }
            if bucketLimited > 0 { throw ScrapeError(.limit, "histogram bucket limit exceeded") }
            sampleCount = batch.count
            starts?.mark(&batch)
            cache.forEachGone { batch.append($0, at: time, value: .staleMarker) }
            cache.finishPass(cursor: cursor)
            metadata.finishPass()
        } catch {
            cache.abandonPass()
            batch.removeAll()
            exemplars.removeAll()
            starts?.abandonPass()
            markAllStale(at: time, into: &batch)
            throw error
        }
    }

    /// Marks everything of the last good page as gone, once.
    mutating func markAllStale(at time: Timestamp, into batch: inout SampleBatch) {
        guard cache.isLive else { return }
        cache.isLive = false
        for entry in cache.entries where entry.kind == .tracked {
            batch.append(entry.reference, at: time, value: .staleMarker)
        }
    }

    // MARK: Lines

    /// Returns where the cursor ended.
    private mutating func walk<Parser: ExpositionParser>(
        _ start: Parser, _ page: UnsafeRawBufferPointer, _ batch: inout SampleBatch
    ) throws(ScrapeError) -> Int {
        var parser = start
        var cursor = 0
        let isPlain = collector == nil && starts == nil
        // Known lines are passed over unread, unless each has something to tell besides its sample.
        let takesRuns = (collector == nil || !config.histograms.keepsClassic) && !(starts != nil && Parser.self == OpenMetricsFormat.self)
        do {
            while true {
                if takesRuns { takeRun(&parser, &cursor, &batch) }
                guard let kind = try parser.next() else {
                    try finishClassic(&cursor, &batch)
                    return cursor
                }
                switch kind {
                case .type, .help, .unit:
                    metadata.observe(kind, parser.entry, of: page)
                    if !isPlain { try pass(kind, parser.entry, page, &cursor, &batch) }
                case .comment: if !isPlain { try pass(kind, parser.entry, page, &cursor, &batch) }
                case .series:
                    if isPlain {
                        try take(&parser, page, &cursor, &batch)
                    } else {
                        try takeWithContext(&parser, page, &cursor, &batch)
                    }
                case .histogram:
                    try finishClassic(&cursor, &batch)
                    if collector != nil { parser.withSource(page) { collector?.noteNative(parser.entry, of: $0) } }
                    histogram = parser.histogram
                    try take(&parser, page, &cursor, &batch)
                    histogram = nil
                }
            }
        } catch let error as ExpositionError {
            throw ScrapeError(.format, error.message)
        } catch let error as ScrapeError {
            throw error
        } catch {
            throw ScrapeError(.format, "\(error)")
        }
    }

    /// As many lines as are where they were last time. Stops at everything that needs thought: another series, a
    /// timestamp, a comment, the same series again, the sample limit.
    @inline(__always)
    private mutating func takeRun<Parser: ExpositionParser>(
        _ parser: inout Parser, _ cursor: inout Int, _ batch: inout SampleBatch
    ) {
        let start = cursor, pass = cache.pass, time = self.time, limit = sampleLimit
        var index = cursor, kept = 0
        cache.withOldEntries { entries, texts in
            while index < entries.count {
                let entry = entries[index]
                guard entry.kind != .unresolved, entry.seen != pass, batch.count < limit,
                    parser.takeSample(
                        of: UnsafeRawBufferPointer(start: texts + Int(entry.offset), count: Int(entry.length)))
                else { return }
                entries[index].seen = pass
                index &+= 1
                if entry.kind == .dropped { continue }
                kept &+= 1
                entries[index &- 1].kind = .tracked
                batch.append(entry.reference, at: time, value: parser.value)
            }
        }
        cursor = index
        outcome.scraped &+= index - start
        outcome.kept &+= kept
        cache.note(run: start..<index)
    }

    /// A sample with what belongs to it: exemplars, and its start time where it says so itself.
    private mutating func take<Parser: ExpositionParser>(
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

    /// A line that was not where it was last time.
    private mutating func takeSeries(
        _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer, _ cursor: inout Int, _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        let text = UnsafeRawBufferPointer(rebasing: page[entry.series.clamped(to: 0..<page.count)])
        let timestamp = config.honorTimestamps ? entry.timestamp : nil
        if let index = cache.find(text, near: cursor) {
            if cache.entries[index].kind == .unresolved { try resolve(index, entry, page) }
            let isFirst = cache.entries[index].seen != cache.pass
            if isFirst { cache.note(index, expected: cursor) }
            try takeKnown(index, entry.value, timestamp, &batch)
            if isFirst, index < cache.oldCount { cursor = index + 1 }
            return
        }
        outcome.scraped += 1
        guard let labels = try storedLabels(entry, page) else {
            cache.add(text, kind: .dropped, reference: SeriesRef(rawValue: 0), expected: cursor)
            return
        }
        outcome.kept += 1
        // Over the limit no series is made any more, the page is only counted to its end.
        if batch.count >= sampleLimit, !entry.value.isStaleMarker {
            limited += 1
            return
        }
        if isTooFarAhead(timestamp) {
            outcome.outOfBounds += 1
            return
        }
        let reference: SeriesRef
        do { reference = try storage.reference(for: labels) } catch {
            guard error.code == .limit else { throw ScrapeError(.storage, error.message) }
            outcome.refusedSeries += 1
            if outcome.refusal == nil { outcome.refusal = error.message }
            return
        }
        let place = batch.count
        try append(reference, at: timestamp.map { Timestamp(milliseconds: $0) } ?? time, entry.value, to: &batch)
        guard batch.count > place else { return }
        newSamples.append(place)
        let isTracked = timestamp == nil || config.trackTimestampsStaleness
        cache.add(text, kind: isTracked ? .tracked : .timestamped, reference: reference, expected: cursor)
        outcome.seriesAdded += 1
    }

    /// Notes the exemplar of the batch's newest sample. One that has no time of its own gets the sample's.
    private mutating func take(
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

    /// One more sample of a series in the cache.
    @inline(__always)
    private mutating func takeKnown(
        _ index: Int, _ value: Double, _ timestamp: Int64?, _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        outcome.scraped &+= 1
        let entry = cache.entries[index]
        if entry.kind == .dropped {
            cache.entries[index].seen = cache.pass
            return
        }
        outcome.kept &+= 1
        if entry.seen == cache.pass, timestamp == nil {
            outcome.duplicates += 1
            return
        }
        cache.entries[index].seen = cache.pass
        if batch.count >= sampleLimit, !value.isStaleMarker {
            limited += 1
            return
        }
        guard let timestamp else {
            cache.entries[index].kind = .tracked
            try append(entry.reference, at: time, value, to: &batch)
            return
        }
        cache.entries[index].kind = config.trackTimestampsStaleness ? .tracked : .timestamped
        if isTooFarAhead(timestamp) {
            outcome.outOfBounds += 1
        } else {
            try append(entry.reference, at: Timestamp(milliseconds: timestamp), value, to: &batch)
        }
    }

    /// Appends the sample at hand, unless it has too many buckets.
    @inline(__always)
    private mutating func append(
        _ reference: SeriesRef, at time: Timestamp, _ value: Double, to batch: inout SampleBatch
    ) throws(ScrapeError) {
        guard let histogram else {
            batch.append(reference, at: time, value: value)
            return
        }
        do { batch.append(reference, at: time, histogram: try intake.admit(histogram)) } catch {
            switch error {
            case .invalid(let reason): throw ScrapeError(.format, reason)
            case .tooManyBuckets: bucketLimited += 1
            }
        }
    }

    private func isTooFarAhead(_ timestamp: Int64?) -> Bool { timestamp.map { $0 > latest } ?? false }

    private mutating func storedLabels(
        _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer
    ) throws(ScrapeError) -> Labels? {
        packed.removeAll(keepingCapacity: true)
        do { try seriesLabels.pack(entry, of: page, into: &packed) } catch {
            switch error {
            case .duplicate(let name):
                throw ScrapeError(.format, "label name \"\(name)\" is not unique: invalid sample")
            case .invalidName(let shown):
                throw ScrapeError(.format, "invalid metric name or label names: \(shown)")
            }
        }
        return try labels.make(packed)
    }

    /// Asks storage again for a series it has dropped meanwhile.
    private mutating func resolve(
        _ index: Int, _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer
    ) throws(ScrapeError) {
        guard let labels = try storedLabels(entry, page) else {
            cache.entries[index].kind = .dropped
            return
        }
        do { cache.entries[index].reference = try storage.reference(for: labels) } catch {
            throw ScrapeError(.storage, error.message)
        }
        cache.entries[index].kind = .tracked
    }

    // MARK: Lines that belong together

    /// A series where classic histograms are gathered, or start times come in lines of their own.
    private mutating func takeWithContext<Parser: ExpositionParser>(
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
    private mutating func pass(
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
    private mutating func finishClassic(_ cursor: inout Int, _ batch: inout SampleBatch) throws(ScrapeError) {
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
    private mutating func noteStart(_ start: Int64, _ batch: borrowing SampleBatch) {
        guard starts != nil, let reference = batch.references.last, let time = batch.timestamps.last else { return }
        starts?.note(reference, start: start, at: time, histogram: histogram, place: batch.count - 1)
    }

    /// The exemplars of one histogram by time: storage takes them in order only.
    private mutating func sortExemplars(from first: Int) {
        guard exemplars.count - first > 1 else { return }
        exemplars[first...].sort { a, b in
            (a.exemplar.timestamp.milliseconds, a.exemplar.value) < (b.exemplar.timestamp.milliseconds, b.exemplar.value)
        }
    }

    // MARK: Verdicts

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

    /// Number of series known from the last good page.
    var seriesCount: Int { cache.entries.count }
}

/// Which parser a page needs.
enum PageFormat: Sendable {
    case text, openMetrics, protobuf
}

extension Double {
    /// The NaN that says "this series has ended here". Any arithmetic destroys it: compared by its bits.
    static var staleMarker: Double { Double(bitPattern: 0x7ff0_0000_0000_0002) }

    var isStaleMarker: Bool { bitPattern == 0x7ff0_0000_0000_0002 }
}
