import Exposition
import Histograms
import TSDB

/// Zeros to be stored where series began to count, under the feature `created-timestamp-zero-ingestion`.
///
///     scrape at 12:00:30    requests_total 7    began at 12:00:10
///     stored                0 at 12:00:10, 7 at 12:00:30         so increase() sees all seven
///
/// Storage refuses a zero that is older than what the series has already, rightly; each start time is tried once per series.
struct StartTimes {
    struct Zero {
        var reference: SeriesRef
        var time: Int64
        var histogram: HistogramSample?
    }

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

    mutating func beginPass(seriesCount: Int) {
        zeros.removeAll(keepingCapacity: true)
        if tried.count > 2 * seriesCount + 64 { tried.removeAll() }
        lines = CreatedLines()
        waiting.removeAll()
        current = nil
    }

    /// The page was refused.
    mutating func abandonPass() {
        zeros.removeAll()
        tried.removeAll()
    }

    /// A sample at `time` of a series that began to count at `start`.
    mutating func note(_ reference: SeriesRef, start: Int64, at time: Int64, histogram: HistogramSample?) {
        guard start < time, time &- start <= Self.maximumAge.milliseconds, start != 0, tried[reference] != start else { return }
        tried[reference] = start
        zeros.append(Zero(reference: reference, time: start, histogram: histogram?.atStart))
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
            note(item.zero.reference, start: start, at: item.zero.time, histogram: nil)
        }
        waiting.removeAll(keepingCapacity: true)
        return start
    }

    /// A sample that was kept, whose start time may follow.
    mutating func wait(_ reference: SeriesRef, at time: Int64, _ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer) {
        guard lines.areExpected else { return }
        let group = lines.group(entry, of: source, isLine: false)
        if let current, current.group == group {
            note(reference, start: current.start, at: time, histogram: nil)
        } else {
            waiting.append((group, Zero(reference: reference, time: time)))
        }
    }
}
