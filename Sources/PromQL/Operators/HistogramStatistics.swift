import Histograms
import TSDB

/// Native histograms without their buckets: count, sum, and whether a counter was reset, which is found out while the buckets are there.
///
///     samples       h₀        h₁        h₂ (less than h₁)     h₃
///     hint        unknown   unknown     unknown             not reset      as stored
///               → unknown   not reset   reset               not reset
///
/// A sample is compared with the one read before it. Where windows leave samples out between them, nothing was read before.
/// Source: promql/histogram_stats_iterator.go, over storage/memoized_iterator.go and storage/buffer.go.
struct HistogramStatistics {
    private let windows: WindowGrid
    /// Hints of the samples, by number; those of floats mean nothing.
    private var hints: [CounterResetHint]

    init(_ windows: WindowGrid, of samples: borrowing SampleColumns, isRange: Bool = false) {
        self.windows = windows
        let rows = samples.histograms
        let leaps = Self.leaps(windows, samples.timestamps, count: samples.count, isRange: isRange)
        var nextLeap = 0, previous = -1
        hints = Array(repeating: .unknown, count: samples.count)
        for index in 0..<samples.count {
            if nextLeap < leaps.count, leaps[nextLeap] == index {
                previous = -1
                nextLeap += 1
            }
            let row = rows.row(of: index)
            guard row >= 0 else { continue }
            hints[index] = rows.rows[row].hint
            if StaleMarker.isStale(rows.rows[row].sum) { continue }
            if hints[index] == .unknown, previous >= 0 {
                hints[index] = rows.histogram(row: row).detectsReset(since: rows.histogram(row: previous)) ? .reset : .notReset
            }
            previous = row
        }
    }

    /// Samples that the reader came to by leaping over others, or over time in which it wanted none; ascending.
    private static func leaps(
        _ windows: WindowGrid, _ times: UnsafePointer<Int64>, count: Int, isRange: Bool
    ) -> [Int] {
        var leaps: [Int] = [], position = 0
        for step in 0..<windows.count where position < count {
            let end = windows.end(step)
            let length = isRange && step > 0 ? min(windows.length, windows.stride) : windows.length
            let from = end &- length
            if from > times[position] {
                while position < count, times[position] < from { position += 1 }
                leaps.append(position)
            }
            while position < count, times[position] < end { position += 1 }
        }
        return leaps
    }

    /// Sample `index` without its buckets; `nil` for a float.
    func histogram(_ index: Int, of samples: borrowing SampleColumns) -> FloatHistogram? {
        let row = samples.histograms.row(of: index)
        guard row >= 0 else { return nil }
        let whole = samples.histograms.rows[row]
        let schema = samples.histograms.layouts[Int(whole.layout)].schema
        return FloatHistogram(hint: hints[index], schema: schema, count: whole.count, sum: whole.sum)
    }

    /// All samples, histograms without their buckets.
    func reduced(_ samples: borrowing SampleColumns) -> SampleColumns {
        var result = SampleColumns(capacity: samples.count)
        for index in 0..<samples.count {
            if let histogram = histogram(index, of: samples) {
                result.append(samples.timestamps[index], histogram)
            } else {
                result.append(samples.timestamps[index], samples.values[index])
            }
            result.setStart(samples.start(ofSample: index), ofSample: index)
        }
        return result
    }
}
