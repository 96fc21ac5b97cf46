import Histograms

/// Samples of one series that arrived behind newer ones, kept sorted beside the chunks and merged in when read.
///
/// Only where `storage.tsdb.out_of_order_time_window` allows it. A value with value semantics: a query keeps the state it began with.
struct OutOfOrderSamples: Sendable {
    private(set) var timestamps: [Int64] = []
    /// Of histograms: the sum.
    private(set) var values: [UInt64] = []
    /// Those that are histograms, by their time.
    private(set) var histograms: [Int64: HistogramFields] = [:]

    /// Puts a sample in its place. `.duplicate` where its time is taken by another value.
    mutating func insert(_ time: Int64, _ value: UInt64, _ histogram: HistogramFields? = nil) -> AppendVerdict {
        let low = place(of: time)
        if low < timestamps.count && timestamps[low] == time {
            switch (histograms[time], histogram) {
            case (nil, nil): return values[low] == value ? .repeated : .duplicate
            case (let there?, let new?): return there.isEqual(new) ? .repeated : .duplicate
            case (nil, _?), (_?, nil): return .duplicate
            }
        }
        timestamps.insert(time, at: low)
        values.insert(value, at: low)
        if let histogram { histograms[time] = histogram }
        return .stored
    }

    /// Whether there is any with `from <= t <= through`.
    func isIn(_ from: Int64, _ through: Int64) -> Bool {
        let first = place(of: from)
        return first < timestamps.count && timestamps[first] <= through
    }

    /// The first sample at or behind `time`.
    private func place(of time: Int64) -> Int {
        var low = 0, high = timestamps.count
        while low < high {
            let middle = (low + high) / 2
            if timestamps[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether there is a sample at `time`.
    func contains(_ time: Int64) -> Bool {
        let place = place(of: time)
        return place < timestamps.count && timestamps[place] == time
    }

    /// Drops what is older than `time`; whether nothing is left.
    mutating func truncate(before time: Int64) -> Bool {
        let gone = timestamps.firstIndex { $0 >= time } ?? timestamps.count
        if !histograms.isEmpty {
            for time in timestamps[..<gone] { histograms[time] = nil }
        }
        timestamps.removeFirst(gone)
        values.removeFirst(gone)
        return timestamps.isEmpty
    }

    /// Merges the samples with `from <= t <= through` into those of `columns` from `start` on. Where both have a time, the
    /// in-order sample stays.
    func merge(into columns: inout SampleColumns, start: Int, from: Int64, through: Int64) {
        let first = timestamps.firstIndex { $0 >= from } ?? timestamps.count
        var extra = 0
        while first + extra < timestamps.count && timestamps[first + extra] <= through { extra += 1 }
        guard extra > 0 else { return }
        let existing = columns.count - start
        let hasHistograms = !histograms.isEmpty || !columns.histograms.isEmpty
        var mergedTimes: [Int64] = [], mergedValues: [Double] = []
        var mergedHistograms: [FloatHistogram?] = []
        mergedTimes.reserveCapacity(existing + extra)
        mergedValues.reserveCapacity(existing + extra)
        var i = 0, j = 0
        // Nothing is known of resets between an in-order sample and a late one.
        var wasLate: Bool?
        func note(_ histogram: FloatHistogram?, isLate: Bool) {
            guard hasHistograms else { return }
            var histogram = histogram
            if wasLate != nil, wasLate != isLate || isLate, let hint = histogram?.hint, hint != .gauge { histogram?.hint = .unknown }
            mergedHistograms.append(histogram)
            wasLate = isLate
        }
        while i < existing || j < extra {
            let takesOld = j == extra || (i < existing && columns.timestamps[start + i] <= timestamps[first + j])
            if takesOld {
                if j < extra && columns.timestamps[start + i] == timestamps[first + j] { j += 1 }
                mergedTimes.append(columns.timestamps[start + i])
                mergedValues.append(columns.values[start + i])
                note(columns.histograms.histogram(sample: start + i), isLate: false)
                i += 1
            } else {
                let time = timestamps[first + j]
                mergedTimes.append(time)
                mergedValues.append(Double(bitPattern: values[first + j]))
                note(histograms[time].map { $0.sample(hint: $0.hint == .gauge ? .gauge : .unknown).asFloat }, isLate: true)
                j += 1
            }
        }
        columns.truncate(to: start)
        columns.reserve(mergedTimes.count)
        for index in 0..<mergedTimes.count {
            if hasHistograms, let histogram = mergedHistograms[index] {
                columns.append(mergedTimes[index], histogram)
            } else {
                columns.append(mergedTimes[index], mergedValues[index])
            }
        }
    }
}
