import Numbers

/// `quantile_over_time`: the window is kept sorted while it slides.
///
///     window sorted    1  2  4  7  9        4 goes out, 3 comes in: two searches and two moves of a few bytes,
///     next             1  2  3  7  9        where sorting again would cost n log n
///
/// Where most of a window is new, it is sorted afresh.
struct QuantileOverTime: WindowKernel {
    /// φ per step.
    let phi: ScalarColumn
    /// Where the note about a φ outside 0…1 points.
    let place: Range<Int>

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        var sorted = SortedWindow(capacity: samples.count)
        var before = 0..<0
        var visited = 0
        for step in 0..<plan.windows.count {
            let window = plan.low[step]..<plan.high[step]
            sorted.slide(samples.values, from: before, to: window)
            before = window
            visited &+= window.count
            if visited > Scratch.workBetweenChecks {
                visited = 0
                try context.check()
            }
            guard !window.isEmpty else { continue }
            QuantileNote.check(phi.values[step], at: place, context)
            column.set(step, Quantile.ofSorted(sorted.values, phi.values[step]))
        }
    }
}

/// The values of a window, NaN first, then ascending.
struct SortedWindow: ~Copyable {
    private let storage: UnsafeMutablePointer<Double>
    private var count = 0

    init(capacity: Int) { storage = .allocate(capacity: max(1, capacity)) }

    deinit { storage.deallocate() }

    var values: UnsafeMutableBufferPointer<Double> { UnsafeMutableBufferPointer(start: storage, count: count) }

    /// Follows a window from one index range of `samples` to the next, both ends moving forward or staying.
    mutating func slide(_ samples: UnsafePointer<Double>, from old: Range<Int>, to new: Range<Int>) {
        let moved = (new.lowerBound - old.lowerBound) + (new.upperBound - old.upperBound)
        if moved * 8 > new.count || new.lowerBound >= old.upperBound {
            count = new.count
            storage.update(from: samples + new.lowerBound, count: count)
            var values = values
            values.sort { Quantile.precedes($0, $1) }
            return
        }
        for index in old.lowerBound..<new.lowerBound { remove(samples[index]) }
        for index in old.upperBound..<new.upperBound { insert(samples[index]) }
    }

    /// The first position whose value does not come before `value`.
    private func position(of value: Double) -> Int {
        var low = 0, high = count
        while low < high {
            let middle = (low &+ high) >> 1
            if Quantile.precedes(storage[middle], value) { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    private mutating func remove(_ value: Double) {
        let index = position(of: value)
        precondition(index < count, "value \(value) is not in the window")
        (storage + index).update(from: storage + index + 1, count: count - index - 1)
        count -= 1
    }

    private mutating func insert(_ value: Double) {
        let index = position(of: value)
        (storage + index + 1).update(from: storage + index, count: count - index)
        storage[index] = value
        count += 1
    }
}

/// `mad_over_time`: the median of the distances from the median. A NaN makes all NaN.
struct MedianAbsoluteDeviation: WindowFunction {
    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { buffer in
            for index in 0..<count {
                if values[index].isNaN { return .nan }
                buffer[index] = values[index]
            }
            let window = UnsafeMutableBufferPointer(rebasing: buffer[0..<count])
            let median = Quantile.of(window, 0.5)
            for index in 0..<count { window[index] = (window[index] - median).magnitude }
            return Quantile.of(window, 0.5)
        }
    }
}

/// The warning about a φ that is no quantile.
enum QuantileNote {
    @inline(__always)
    static func check(_ phi: Double, at place: Range<Int>, _ context: QueryContext) {
        if !(phi >= 0 && phi <= 1) { warn(phi, at: place, context) }
    }

    private static func warn(_ phi: Double, at place: Range<Int>, _ context: QueryContext) {
        context.annotate(
            .warning, "quantile value should be between 0 and 1, got \(Numbers.NumberText.string(phi, style: .general))",
            at: place)
    }
}
