import Histograms
import TSDB

/// `sum_over_time` and `avg_over_time` of native histograms: compensated sums, one for each bucket, for the count and for the sum.
///
///     h₁   3  5  2 │ 10   42
///     h₂   4  5  2 │ 11   50          rows of one layout are added as they lie in storage's columns
///     Σ    7 10  4 │ 21   92
///
/// As with floats an average is a sum divided at the end, and a running mean only where the sum leaves the range of doubles.
extension WindowSums {
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        var scan = NativeScan(isCounter: false)
        var sums = RowSums()
        var visited = 0
        for step in 0..<plan.windows.count {
            let low = plan.low[step], high = plan.high[step]
            scan.advance(to: high, samples)
            guard high > low else { continue }
            visited &+= high &- low
            switch scan.kind(low) {
            case .mixed: notes.insert(.mixed)
            case .floats:
                let values = samples.values + low, count = high &- low
                column.set(
                    step,
                    isAverage ? AverageOverTime.value(values, count: count) : SumOverTime.value(values, count: count))
            case .histograms:
                visited &+= 64 &* (high &- low)
                if let histogram = total(samples, scan, low, high, &sums, &notes) { column.set(step, histogram) }
            }
            if visited > Scratch.workBetweenChecks {
                visited = 0
                try context.check()
            }
        }
    }

    private func total(
        _ samples: NativeSamples, _ scan: NativeScan, _ low: Int, _ high: Int, _ sums: inout RowSums,
        _ notes: inout WindowNotes
    ) -> FloatHistogram? {
        if high &- low == 1 { return samples.histogram(low) }
        if scan.lastChange <= low, let total = sums.total(samples, low, high, isAverage: isAverage) {
            noteCollision(samples, low, high, &notes)
            return total
        }
        do {
            var reconciled = false
            let total =
                try isAverage
                ? Self.average(samples, low, high, &reconciled) : Self.sum(samples, low, high, &reconciled)
            noteCollision(samples, low, high, &notes)
            if reconciled { notes.insert(.boundsInAggregation) }
            return total
        } catch {
            notes.insert(.mixedSchemas)
            return nil
        }
    }

    private func noteCollision(_ samples: NativeSamples, _ low: Int, _ high: Int, _ notes: inout WindowNotes) {
        var hasReset = false, hasNone = false
        for index in low..<high {
            let hint = samples.hint(index)
            hasReset = hasReset || hint == .reset
            hasNone = hasNone || hint == .notReset
        }
        if hasReset && hasNone { notes.insert(.resetCollision) }
    }

    private static func sum(
        _ samples: NativeSamples, _ low: Int, _ high: Int, _ reconciled: inout Bool
    ) throws(HistogramError) -> FloatHistogram {
        var sum = samples.histogram(low)
        var compensation: FloatHistogram?
        for index in (low &+ 1)..<high {
            let notes = try sum.add(samples.histogram(index), compensation: &compensation)
            reconciled = reconciled || notes.boundsReconciled
        }
        if let compensation {
            let notes = try sum.add(compensation)
            reconciled = reconciled || notes.boundsReconciled
        }
        return sum
    }

    private static func average(
        _ samples: NativeSamples, _ low: Int, _ high: Int, _ reconciled: inout Bool
    ) throws(HistogramError) -> FloatHistogram {
        var mean = samples.histogram(low)
        var compensation: FloatHistogram?
        // `mean` and `compensation` are those of the sum until it would overflow.
        var isMean = false
        for index in (low &+ 1)..<high {
            let n = Double(index &- low &+ 1)
            if !isMean {
                var sum = mean, sumCompensation = compensation
                let notes = try sum.add(samples.histogram(index), compensation: &sumCompensation)
                reconciled = reconciled || notes.boundsReconciled
                if !sum.hasOverflow {
                    mean = sum
                    compensation = sumCompensation
                    continue
                }
                isMean = true
                mean.divide(by: n - 1)
                compensation?.divide(by: n - 1)
            }
            let weight = (n - 1) / n
            compensation?.multiply(by: weight)
            mean.multiply(by: weight)
            var part = samples.histogram(index)
            part.divide(by: n)
            let notes = try mean.add(part, compensation: &compensation)
            reconciled = reconciled || notes.boundsReconciled
        }
        if !isMean {
            mean.divide(by: Double(high &- low))
            compensation?.divide(by: Double(high &- low))
        }
        if let compensation { try mean.add(compensation) }
        return mean
    }
}

/// The compensated sums of rows of one layout. Its buffers are used again from window to window.
private struct RowSums {
    private var sums: [Double] = []
    private var compensations: [Double] = []

    /// `nil`: an average whose sum is not finite.
    mutating func total(_ samples: NativeSamples, _ low: Int, _ high: Int, isAverage: Bool) -> FloatHistogram? {
        let first = samples.rows[samples.row(of: low)]
        let layout = samples.layouts[Int(first.layout)]
        let size = layout.bucketCount
        var count = CompensatedSum(first.count), zero = CompensatedSum(first.zeroCount), sum = CompensatedSum(first.sum)
        var hint = first.hint
        sums.removeAll(keepingCapacity: true)
        sums.append(contentsOf: samples.buckets[first.bucketStart..<(first.bucketStart &+ size)])
        compensations.removeAll(keepingCapacity: true)
        compensations.append(contentsOf: repeatElement(0, count: size))
        for index in (low &+ 1)..<high {
            let row = samples.rows[samples.row(of: index)]
            count.add(row.count)
            zero.add(row.zeroCount)
            sum.add(row.sum)
            hint = hint.combined(with: row.hint)
            add(samples.buckets, from: row.bucketStart, size)
        }
        let n = isAverage ? Double(high &- low) : 1
        if isAverage {
            // A sum that left the range of doubles at any time is not finite now.
            guard count.sum.isFinite, zero.sum.isFinite, sum.sum.isFinite, sums.allSatisfy(\.isFinite) else { return nil }
        }
        func total(_ range: Range<Int>) -> [Double] { range.map { sums[$0] / n + compensations[$0] / n } }
        return FloatHistogram(
            hint: hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold,
            zeroCount: zero.sum / n + zero.compensation / n, count: count.sum / n + count.compensation / n,
            sum: sum.sum / n + sum.compensation / n, positiveSpans: layout.positiveSpans,
            negativeSpans: layout.negativeSpans, positiveBuckets: total(0..<layout.positiveCount),
            negativeBuckets: total(layout.positiveCount..<size), customBounds: layout.customBounds)
    }

    private mutating func add(_ buckets: [Double], from start: Int, _ size: Int) {
        buckets.withUnsafeBufferPointer { all in
            sums.withUnsafeMutableBufferPointer { sums in
                compensations.withUnsafeMutableBufferPointer { compensations in
                    for bucket in 0..<size {
                        var sum = CompensatedSum(sums[bucket], compensation: compensations[bucket])
                        sum.add(all[start &+ bucket])
                        sums[bucket] = sum.sum
                        compensations[bucket] = sum.compensation
                    }
                }
            }
        }
    }
}

extension CounterResetHint {
    /// That of a sum.
    fileprivate func combined(with other: CounterResetHint) -> CounterResetHint {
        if self == other { return self }
        return self == .gauge || other == .gauge ? .gauge : .unknown
    }
}
