import TSDB

/// From a rule's samples to storage, with a stale marker for each series that the rule no longer gives.
extension RuleState {
    /// Writes `samples` at `time` as one batch. Returns what storage did not take, as text; throws where it took nothing.
    mutating func write(
        _ samples: [RuleSample], at time: Timestamp, to storage: any Appendable
    ) throws(TSDBError) -> String? {
        var batch = SampleBatch(), slots: [Int] = []
        var problem: String?
        func add(_ slot: Int, _ value: Double) {
            do throws(TSDBError) {
                let reference = try reference(for: slot, storage)
                batch.append(reference, at: time, value: value)
                slots.append(slot)
            } catch {
                problem = error.message
            }
        }
        for sample in samples { add(sample.slot, sample.value) }
        let gone = series.gone
        let sampleCount = slots.count
        for slot in gone { add(slot, StaleMarker.value) }
        var isStored = Set(slots.prefix(sampleCount))
        if !batch.isEmpty {
            let report = try storage.append(batch)
            var lost: [RuleSample] = []
            for index in slots.indices {
                switch report[index] {
                case .stored, .repeated: continue
                case .unknownSeries: lost.append(RuleSample(slot: slots[index], value: batch.values[index]))
                case .outOfOrder, .duplicate, .tooOld, .outOfBounds, .tooFarAhead: isStored.remove(slots[index])
                }
                // A marker may come late: another rule gives the series now.
                if index < sampleCount, report[index] != .unknownSeries { problem = Self.text(report[index]) }
            }
            try writeAgain(lost, at: time, to: storage)
        }
        series.finish { isStored.contains($0) }
        return problem
    }

    private mutating func reference(for slot: Int, _ storage: any Appendable) throws(TSDBError) -> SeriesRef {
        if let known = series.slots[slot].reference { return known }
        let reference = try storage.reference(for: series.slots[slot].labels)
        series.keep(reference, in: slot)
        return reference
    }

    /// Series that storage has dropped meanwhile are asked for again.
    private mutating func writeAgain(
        _ samples: [RuleSample], at time: Timestamp, to storage: any Appendable
    ) throws(TSDBError) {
        if samples.isEmpty { return }
        var batch = SampleBatch()
        for sample in samples where !StaleMarker.isStale(sample.value) {
            let reference = try storage.reference(for: series.slots[sample.slot].labels)
            series.keep(reference, in: sample.slot)
            batch.append(reference, at: time, value: sample.value)
        }
        if !batch.isEmpty { _ = try storage.append(batch) }
    }

    private static func text(_ verdict: AppendVerdict) -> String {
        switch verdict {
        case .stored, .repeated: ""
        case .outOfOrder: "out of order sample"
        case .duplicate: "duplicate sample for timestamp"
        case .tooOld: "too old sample"
        case .outOfBounds: "out of bounds"
        case .tooFarAhead: "out of bounds"
        case .unknownSeries: "unknown series"
        }
    }

    /// Metrics of the series it writes.
    var writtenMetrics: [String] {
        switch rule.kind {
        case .recording(let metric): [labels[MetricName.label] ?? metric]
        case .alerting: [AlertSeries.alerts, AlertSeries.forState]
        }
    }
}

/// Ends series that no rule gives any more.
enum StaleSeries {
    /// A stale marker at `time` for each of `labels`; those that have newer samples stay as they are.
    static func end(_ labels: [Labels], at time: Timestamp, in storage: any Appendable) throws(TSDBError) {
        if labels.isEmpty { return }
        var batch = SampleBatch()
        for one in labels { batch.append(try storage.reference(for: one), at: time, value: StaleMarker.value) }
        _ = try storage.append(batch)
    }
}
