/// Samples of one series that arrived behind newer ones, kept sorted beside the chunks and merged in when read.
///
/// Only where `storage.tsdb.out_of_order_time_window` allows it. A value with value semantics: a query keeps the state it began with.
struct OutOfOrderSamples: Sendable {
    private(set) var timestamps: [Int64] = []
    private(set) var values: [UInt64] = []

    /// Puts a sample in its place. `.duplicate` where its time is taken by another value.
    mutating func insert(_ time: Int64, _ value: UInt64) -> AppendVerdict {
        var low = 0, high = timestamps.count
        while low < high {
            let middle = (low + high) / 2
            if timestamps[middle] < time { low = middle + 1 } else { high = middle }
        }
        if low < timestamps.count && timestamps[low] == time { return values[low] == value ? .repeated : .duplicate }
        timestamps.insert(time, at: low)
        values.insert(value, at: low)
        return .stored
    }

    /// Drops what is older than `time`; whether nothing is left.
    mutating func truncate(before time: Int64) -> Bool {
        let gone = timestamps.firstIndex { $0 >= time } ?? timestamps.count
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
        var mergedTimes: [Int64] = [], mergedValues: [Double] = []
        mergedTimes.reserveCapacity(existing + extra)
        mergedValues.reserveCapacity(existing + extra)
        var i = 0, j = 0
        while i < existing || j < extra {
            let takesOld = j == extra || (i < existing && columns.timestamps[start + i] <= timestamps[first + j])
            if takesOld {
                if j < extra && columns.timestamps[start + i] == timestamps[first + j] { j += 1 }
                mergedTimes.append(columns.timestamps[start + i])
                mergedValues.append(columns.values[start + i])
                i += 1
            } else {
                mergedTimes.append(timestamps[first + j])
                mergedValues.append(Double(bitPattern: values[first + j]))
                j += 1
            }
        }
        columns.truncate(to: start)
        columns.reserve(mergedTimes.count)
        for index in 0..<mergedTimes.count { columns.append(mergedTimes[index], mergedValues[index]) }
    }
}
