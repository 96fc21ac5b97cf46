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
    /// When the count of each sample began, milliseconds since the epoch, 0 where that is not known; a fourth column, filled where it was asked for
    /// (`readsStarts`). May be shorter than the others: what is behind its end is not known. Empty for a series without any.
    public private(set) var starts: [Int64] = []
    /// Whether who decodes into these columns is to fill `starts`. Said with each `removeAll`.
    public private(set) var readsStarts = false
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

    public mutating func removeAll(readingStarts: Bool = false) {
        count = 0
        readsStarts = readingStarts
        if !starts.isEmpty { starts.removeAll(keepingCapacity: true) }
        // Asks by itself: rows may be left of samples that were all trimmed away.
        histograms.removeAll()
    }

    /// Forgets all samples from index `newCount` on.
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "truncating \(count) samples to \(newCount)")
        count = newCount
        histograms.truncate(to: newCount)
        truncateStarts()
    }

    /// Says when the count of sample `index` began.
    public mutating func setStart(_ start: Int64, ofSample index: Int) {
        precondition(index >= 0 && index < count, "start of sample \(index) of \(count)")
        if start == 0 && index >= starts.count { return }
        while starts.count <= index { starts.append(0) }
        starts[index] = start
    }

    /// When the count of sample `index` began; 0: not known.
    @inlinable
    public func start(ofSample index: Int) -> Int64 { index < starts.count ? starts[index] : 0 }

    /// Gives the samples at or behind `first` the starts that `runs` have for their times.
    mutating func setStarts(from first: Int, _ runs: StartRuns) {
        var run = -1
        for index in first..<count {
            let time = timestamps[index]
            while run &+ 1 < runs.count, runs[run &+ 1].time <= time { run &+= 1 }
            if run >= 0 { setStart(runs[run].start, ofSample: index) }
        }
    }

    private mutating func moveStarts(from: Int, count: Int, to: Int) {
        guard !starts.isEmpty, from != to else { return }
        for offset in 0..<count where to &+ offset < starts.count { starts[to &+ offset] = start(ofSample: from &+ offset) }
    }

    private mutating func truncateStarts() {
        if starts.count > count { starts.removeLast(starts.count &- count) }
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

    /// Samples `range` of other columns, with all that stands beside them.
    public mutating func append(_ range: Range<Int>, of other: borrowing SampleColumns) {
        precondition(range.lowerBound >= 0 && range.upperBound <= other.count, "samples \(range) of \(other.count)")
        reserve(range.count)
        let first = count
        (timestamps + first).update(from: other.timestamps + range.lowerBound, count: range.count)
        (values + first).update(from: other.values + range.lowerBound, count: range.count)
        commit(range.count)
        if !other.histograms.isEmpty {
            for index in range {
                let row = other.histograms.row(of: index)
                if row >= 0 { histograms.append(sample: first &+ index &- range.lowerBound, row: row, of: other.histograms) }
            }
        }
        if readsStarts && !other.starts.isEmpty {
            for index in range { setStart(other.start(ofSample: index), ofSample: first &+ index &- range.lowerBound) }
        }
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
            moveStarts(from: low, count: high &- low, to: start)
        }
        count = start &+ (high &- low)
        histograms.truncate(to: count)
        truncateStarts()
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
            moveStarts(from: index, count: 1, to: kept)
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
