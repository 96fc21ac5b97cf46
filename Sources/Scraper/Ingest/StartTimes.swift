import Exposition
import Histograms
import TSDB

/// When the series of a page began to count, and what is stored of it: by a feature each, start times beside the samples, or zeros among them.
///
///     scrape at 12:00:30                    requests_total 7    began at 12:00:10
///     st-storage                            7 at 12:00:30, which began at 12:00:10
///     created-timestamp-zero-ingestion      0 at 12:00:10, 7 at 12:00:30         so increase() sees all seven
///
/// Storage refuses a zero that is older than what the series has already, rightly; each is tried once per series.
struct StartTimes {
    struct Zero {
        var reference: SeriesRef
        var time: Int64
        var histogram: HistogramSample?
        /// The place of the sample in the batch.
        var place: Int
    }

    private let storesZeros: Bool
    private let storesStarts: Bool
    /// Starts of samples that are in the batch, by their place there.
    private var found: [(place: Int, start: Int64)] = []

    /// Storage takes nothing older than half a block before its newest sample, which on the usual block of two hours is this.
    static let maximumAge = Duration.hours(1)

    /// Those of the current page.
    private(set) var zeros: [Zero] = []
    /// The newest start time tried of each series.
    private var tried: [SeriesRef: Int64] = [:]

    // OpenMetrics: the line with the start time comes behind the samples.
    private var lines = CreatedLines()
    private var waiting: [(group: [UInt8], zero: Zero)] = []
    /// The group that got its start time last; what follows of it has the same.
    private var current: (group: [UInt8], start: Int64)?

    /// `nil` where neither is wanted.
    init?(_ config: ScrapeConfig) {
        guard config.storesStartZeros || config.storesStarts else { return nil }
        storesZeros = config.storesStartZeros
        storesStarts = config.storesStarts
    }

    mutating func beginPass(seriesCount: Int) {
        found.removeAll(keepingCapacity: true)
        zeros.removeAll(keepingCapacity: true)
        if tried.count > 2 * seriesCount + 64 { tried.removeAll() }
        lines = CreatedLines()
        waiting.removeAll()
        current = nil
    }

    /// The page was refused.
    mutating func abandonPass() {
        zeros.removeAll()
        found.removeAll()
        tried.removeAll()
    }

    /// Tells the batch what was found.
    func mark(_ batch: inout SampleBatch) {
        for (place, start) in found where place < batch.count { batch.setStart(Timestamp(milliseconds: start), ofSample: place) }
    }

    /// A sample at `time` of a series that began to count at `start`, and its place in the batch.
    mutating func note(_ reference: SeriesRef, start: Int64, at time: Int64, histogram: HistogramSample?, place: Int) {
        if storesStarts { found.append((place, start)) }
        guard storesZeros, start < time, time &- start <= Self.maximumAge.milliseconds, start != 0, tried[reference] != start else { return }
        tried[reference] = start
        zeros.append(Zero(reference: reference, time: start, histogram: histogram?.atStart, place: place))
    }

    // MARK: OpenMetrics

    /// An entry that is no sample.
    mutating func noteLine(_ kind: ExpositionEntry, _ entry: ExpositionEntryParts) {
        if kind == .type { lines.noteType(entry) }
        waiting.removeAll(keepingCapacity: true)
        current = nil
    }

    /// The start time, where the sample is a line that says it, and is no sample.
    mutating func take(_ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer) -> Int64? {
        guard let start = lines.start(entry, of: source) else { return nil }
        let group = lines.group(entry, of: source, isLine: true)
        current = nil
        for item in waiting where item.group == group {
            current = (group, start)
            note(item.zero.reference, start: start, at: item.zero.time, histogram: nil, place: item.zero.place)
        }
        waiting.removeAll(keepingCapacity: true)
        return start
    }

    /// The batch's newest sample, whose start time may follow.
    mutating func wait(_ batch: borrowing SampleBatch, _ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer) {
        guard lines.areExpected, let reference = batch.references.last, let time = batch.timestamps.last else { return }
        let place = batch.count - 1
        let group = lines.group(entry, of: source, isLine: false)
        if let current, current.group == group {
            note(reference, start: current.start, at: time, histogram: nil, place: place)
        } else {
            waiting.append((group, Zero(reference: reference, time: time, place: place)))
        }
    }
}
