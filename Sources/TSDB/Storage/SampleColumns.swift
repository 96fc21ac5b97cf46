import Histograms

/// Samples of one series as two columns: times and values, side by side, reused from series to series. Where some are native histograms, a
/// third stands beside them (`histograms`), and their place in `values` has the sum, so that a stale marker is one in any column.
///
/// Columns are what crosses the seam between storage and query: chunks are decoded into them whole, and kernels run
/// over plain pointers. Eight spare slots stand behind the last one, so that a decoder may write in strides.
public struct SampleColumns: ~Copyable {
    /// Milliseconds since the epoch, strictly ascending.
    public private(set) var timestamps: UnsafeMutablePointer<Int64>
    /// Values; staleness is the NaN with the bits of `StaleMarker`.
    public private(set) var values: UnsafeMutablePointer<Double>
    /// Samples in the columns.
    public private(set) var count = 0
    /// Empty where all samples are floats, as nearly everywhere.
    public private(set) var histograms = HistogramRows()
    private var capacity: Int
    private static let spare = 8

    public init(capacity: Int = 512) {
        self.capacity = capacity
        timestamps = .allocate(capacity: capacity + Self.spare)
        values = .allocate(capacity: capacity + Self.spare)
    }

    deinit {
        timestamps.deallocate()
        values.deallocate()
    }

    public mutating func removeAll() {
        count = 0
        // Asks by itself: rows may be left of samples that were all trimmed away.
        histograms.removeAll()
    }

    /// Forgets all samples from index `newCount` on.
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "truncating \(count) samples to \(newCount)")
        count = newCount
        histograms.truncate(to: newCount)
    }

    /// Makes room for `additional` more samples. Pointers taken before are no longer valid.
    public mutating func reserve(_ additional: Int) {
        let needed = count + additional
        guard needed > capacity else { return }
        let grown = max(needed, capacity * 2)
        let newTimestamps = UnsafeMutablePointer<Int64>.allocate(capacity: grown + Self.spare)
        let newValues = UnsafeMutablePointer<Double>.allocate(capacity: grown + Self.spare)
        newTimestamps.update(from: timestamps, count: count)
        newValues.update(from: values, count: count)
        timestamps.deallocate()
        values.deallocate()
        timestamps = newTimestamps
        values = newValues
        capacity = grown
    }

    public mutating func append(_ timestamp: Int64, _ value: Double) {
        if count == capacity { reserve(1) }
        timestamps[count] = timestamp
        values[count] = value
        count &+= 1
    }

    /// A sample that is a histogram, which must be valid.
    public mutating func append(_ timestamp: Int64, _ histogram: FloatHistogram) {
        histograms.append(sample: count, histogram)
        append(timestamp, histogram.sum)
    }

    /// A sample that is a histogram of the layout begun last; see `HistogramRows.append`.
    @inline(__always)
    public mutating func append(
        _ timestamp: Int64, layout: Int32, hint: CounterResetHint, count observations: Double, zeroCount: Double, sum: Double,
        fill: (UnsafeMutableBufferPointer<Double>) -> Void
    ) {
        histograms.append(
            sample: count, layout: layout, hint: hint, count: observations, zeroCount: zeroCount, sum: sum, fill: fill)
        append(timestamp, sum)
    }

    /// See `HistogramRows.begin`.
    public mutating func begin(_ layout: HistogramRows.Layout) -> Int32 { histograms.begin(layout) }

    /// Takes in `additional` samples that a decoder has written behind the last one, after a `reserve`.
    public mutating func commit(_ additional: Int) {
        precondition(additional >= 0 && count + additional <= capacity, "committed \(additional) samples beyond capacity")
        count &+= additional
    }

    /// Keeps the samples with `from <= t <= through` of those at or behind `start`; for decoders of whole chunks.
    public mutating func trim(from: Int64, through: Int64, start: Int) {
        var low = start
        while low < count && timestamps[low] < from { low &+= 1 }
        var high = count
        while high > low && timestamps[high &- 1] > through { high &-= 1 }
        if low > start && high > low {
            (timestamps + start).update(from: timestamps + low, count: high &- low)
            (values + start).update(from: values + low, count: high &- low)
            histograms.move(from: low, count: high &- low, to: start)
        }
        count = start &+ (high &- low)
        histograms.truncate(to: count)
    }

    /// Closes the gaps that stale markers leave.
    public mutating func dropStaleMarkers() {
        let total = count, values = values
        // Counted without a way out of the loop, which becomes vector code; there hardly ever are any.
        var stale = 0
        for index in 0..<total { stale &+= StaleMarker.isStale(values[index]) ? 1 : 0 }
        guard stale > 0 else { return }
        var kept = 0
        for index in 0..<total where !StaleMarker.isStale(values[index]) {
            timestamps[kept] = timestamps[index]
            values[kept] = values[index]
            histograms.move(from: index, count: 1, to: kept)
            kept &+= 1
        }
        truncate(to: kept)
    }
}

/// The NaN that says “this series has ended here” (Prometheus' staleness marker).
public enum StaleMarker {
    public static let bits: UInt64 = 0x7ff0_0000_0000_0002
    public static let value = Double(bitPattern: bits)

    /// Compares bits: a stale marker is a signalling NaN, and arithmetic would quieten it.
    @inlinable @inline(__always)
    public static func isStale(_ value: Double) -> Bool { value.bitPattern == bits }
}

/// The NaN that Prometheus stores for “not a number” read from outside.
public enum NormalNaN {
    public static let bits: UInt64 = 0x7ff8_0000_0000_0001
    public static let value = Double(bitPattern: bits)
}
