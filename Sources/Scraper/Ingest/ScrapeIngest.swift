import Exposition
import Histograms
import TSDB

/// Turns pages of one target into batches: parse, find the series, apply the limits, mark what disappeared.
///
/// A plain machine: bytes and times go in, samples for one batch come out. One bad line refuses the whole page, as
/// upstream does; then what was there before is marked stale.
///
///     ScrapeIngest           a page from begin to end
///     ScrapeIngestLines      its samples, one line or a run of them at a time: the hot path
///     ScrapeIngestContext    what belongs together: exemplars, start times, the lines of one classic histogram
///     ScrapeIngestVerdicts   what storage said, and series it had dropped
struct ScrapeIngest {
    /// How far ahead of the clock a target's own timestamps may be.
    static let maximumLead = Duration.minutes(10)

    let labels: SampleLabels
    let config: ScrapeConfig
    let storage: any Appendable
    private(set) var metadata = ScrapeMetadata()
    var cache = ScrapeCache()
    var seriesLabels = SeriesLabels()
    var packed: [UInt8] = []

    // The current page.
    var outcome = PageOutcome()
    var time = Timestamp(milliseconds: 0)
    var latest: Int64 = 0
    var sampleLimit = 0
    var limited = 0
    var bucketLimited = 0
    let intake: HistogramIntake
    /// The value of the sample at hand, where it is a native histogram.
    var histogram: HistogramSample?
    /// Gathers classic histograms, where they are to be converted.
    var collector: ClassicCollector?
    /// When series began to count, where a feature wants it: the zeros are to be stored before the batch.
    var starts: StartTimes?
    /// Places in the batch of samples that were the first of their series.
    var newSamples: [Int] = []
    /// Samples of the page in the batch; stale markers stand behind them.
    private(set) var sampleCount = 0
    /// Exemplars of the page, where storage takes them.
    var exemplars: [SeriesExemplar] = []
    var takesExemplars = false

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
            cache.forEachGone { batch.append($0, at: time, value: StaleMarker.value) }
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
            batch.append(entry.reference, at: time, value: StaleMarker.value)
        }
    }

    /// Number of series known from the last good page.
    var seriesCount: Int { cache.entries.count }

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
}
