import Histograms
import TSDB

/// `rate`, `increase` and `delta` of native histograms: the last histogram of the window minus the first, bucket by bucket, stretched to the
/// window's edges as a float is (`Rate`); the count stands for the value where the stretch must not go below zero.
///
///     window        (   h₁    h₂  ↓  h₃    h₄  ]         ↓ reset: the counter began again at zero
///     result            (h₄ − h₁) + h₂                   what was there before the reset was lost, so it is added
///
/// A reset right behind h₁ makes h₁ nothing that counts: then its buckets need not fit those of the others.
/// Where nothing began again and all are of one kind, as nearly always, rows are subtracted as they lie in storage's columns (`RowDifference`).
///
/// Source: upstream's histogramRate; its notes, and which of them a failure forgets, are the same.
extension Rate {
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        if isCounter && !samples.starts.isEmpty { return try run(started: samples, plan, into: &column, &notes, scratch, context) }
        let geometry = plan.rateGeometry
        var scan = NativeScan(isCounter: isCounter)
        var difference = RowDifference()
        var visited = 0
        for step in 0..<plan.windows.count {
            let low = plan.low[step], high = plan.high[step]
            scan.advance(to: high, samples)
            guard high &- low >= 2 else { continue }
            visited &+= high &- low
            switch scan.kind(low) {
            case .mixed: notes.insert(.mixed)
            case .floats:
                let increase = floatIncrease(samples.values, low, high)
                column.set(step, increase * factor(geometry, step, first: samples.values[low], increase: increase))
            case .histograms:
                if scan.lastReset <= low && scan.lastUnlike <= low && difference.prepare(low, high &- 1, samples) {
                    noteKind(samples, scan, low, high, &notes)
                    let first = samples.rows[samples.row(of: low)].count
                    let last = samples.rows[samples.row(of: high &- 1)].count
                    let factor = factor(geometry, step, first: first, increase: last - first)
                    difference.set(step, of: &column, from: low, to: high &- 1, samples, .times(factor))
                } else if var histogram = histogramIncrease(samples, scan, low, high, &notes) {
                    visited &+= 64 &* (high &- low)
                    let factor = factor(
                        geometry, step, first: samples.rows[samples.row(of: low)].count, increase: histogram.count)
                    histogram.multiply(by: factor)
                    column.set(step, histogram)
                }
            }
            if visited > Scratch.workBetweenChecks {
                visited = 0
                try context.check()
            }
        }
    }

    /// How an increase is stretched: see `Rate.counter`.
    @inline(__always)
    func factor(_ geometry: RateGeometry, _ step: Int, first: Double, increase: Double) -> Double {
        if isCounter && increase > 0 && first >= 0 {
            let toZero = geometry.measured[step] * (first / increase)
            if toZero < geometry.toStart[step] { return geometry.factor(step, toStart: toZero, isPerSecond) }
        }
        return isPerSecond ? geometry.perSecond[step] : geometry.factor[step]
    }

    /// Of a window of floats in a series that has histograms elsewhere.
    private func floatIncrease(_ values: UnsafePointer<Double>, _ low: Int, _ high: Int) -> Double {
        var increase = values[high &- 1] - values[low]
        guard isCounter else { return increase }
        for index in (low &+ 1)..<high where values[index] < values[index &- 1] { increase += values[index &- 1] }
        return increase
    }

    /// Whether the window's histograms are of the kind that the function is for.
    @inline(__always)
    private func noteKind(
        _ samples: NativeSamples, _ scan: NativeScan, _ low: Int, _ high: Int, _ notes: inout WindowNotes
    ) {
        if isCounter {
            if scan.lastGauge >= low { notes.insert(.notCounter) }
        } else if samples.hint(low) != .gauge || samples.hint(high &- 1) != .gauge {
            notes.insert(.notGauge)
        }
    }

    /// The general case: resets, schemas and bounds that change. Not stretched yet. `nil`, and a note: they do not go together.
    func histogramIncrease(
        _ samples: NativeSamples, _ scan: NativeScan, _ low: Int, _ high: Int, _ notes: inout WindowNotes
    ) -> FloatHistogram? {
        var first = samples.histogram(low)
        var result = samples.histogram(high &- 1)
        // Upstream forgets the notes gathered so far where it finds a mixture inside, but not where it finds it at the ends.
        var own: WindowNotes = []
        if isCounter && (first.hint == .gauge || result.hint == .gauge) { own.insert(.notCounter) }
        let resets = scan.resets(in: low, high)
        if resets.first == low &+ 1 {
            let second = samples.layout(low &+ 1)
            first = FloatHistogram(schema: second.schema, customBounds: second.customBounds)
        }
        guard result.hasCustomBounds == first.hasCustomBounds else {
            notes.formUnion(own.union(.mixedSchemas))
            return nil
        }
        var schema = min(first.schema, result.schema)
        if isCounter {
            for index in (low &+ 1)..<(high &- 1) {
                let layout = samples.layout(index)
                guard layout.hasCustomBounds == first.hasCustomBounds else {
                    notes.insert(.mixedSchemas)
                    return nil
                }
                if samples.hint(index) == .gauge { own.insert(.notCounter) }
                schema = min(schema, layout.schema)
            }
        }
        if schema < result.schema { result.reduceResolution(to: schema) }
        guard result.subtract(first, &own) else {
            notes.insert(.mixedSchemas)
            return nil
        }
        if isCounter {
            for index in resets where index > low &+ 1 || samples.hint(index) == .reset || samples.starts.beganAgain(index) {
                // At the second sample it is `first`, emptied above: only its bounds may matter.
                guard result.add(index > low &+ 1 ? samples.histogram(index &- 1) : first, &own) else {
                    notes.insert(.mixedSchemas)
                    return nil
                }
            }
        } else if samples.hint(low) != .gauge || samples.hint(high &- 1) != .gauge {
            own.insert(.notGauge)
        }
        notes.formUnion(own)
        result.hint = .gauge
        result.compact()
        return result
    }
}
