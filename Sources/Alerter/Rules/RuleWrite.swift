import Histograms
import TSDB

/// From a rule's samples to storage, with a stale marker for each series that the rule no longer gives.
extension RuleState {
    /// Writes `samples` at `time` as one batch. Returns what storage did not take, as text; throws where it took nothing.
    mutating func write(
        _ samples: [RuleSample], at time: Timestamp, to storage: any Appendable
    ) throws(TSDBError) -> String? {
        var batch = SampleBatch(), slots: [Int] = []
        var problem: String?
        func add(_ sample: RuleSample) {
            do throws(TSDBError) {
                batch.append(sample, as: try reference(for: sample.slot, storage), at: time)
                slots.append(sample.slot)
            } catch {
                problem = error.message
            }
        }
        for sample in samples { add(sample) }
        let gone = series.gone
        let sampleCount = slots.count
        // A float ends a series of histograms, too.
        for slot in gone { add(RuleSample(slot: slot, value: StaleMarker.value)) }
        var isStored = Set(slots.prefix(sampleCount))
        if !batch.isEmpty {
            let report = try storage.append(batch)
            var lost: [RuleSample] = []
            for index in slots.indices {
                switch report[index] {
                case .stored, .repeated: continue
                case .unknownSeries: lost.append(batch.ruleSample(index, slot: slots[index]))
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
            batch.append(sample, as: reference, at: time)
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

extension SampleBatch {
    fileprivate mutating func append(_ sample: RuleSample, as reference: SeriesRef, at time: Timestamp) {
        if let histogram = sample.histogram {
            append(reference, at: time, histogram: .float(histogram))
        } else {
            append(reference, at: time, value: sample.value)
        }
    }

    fileprivate func ruleSample(_ index: Int, slot: Int) -> RuleSample {
        RuleSample(slot: slot, value: values[index], histogram: histograms[index]?.asFloat)
    }
}

/// Ends series that no rule gives any more.
enum StaleSeries {
    /// A stale marker at `time` for each of `labels`.
    static func end(_ labels: [Labels], at time: Timestamp, in storage: any Appendable) throws(TSDBError) {
        if labels.isEmpty { return }
        var batch = SampleBatch()
        for one in labels { batch.append(try storage.reference(for: one), at: time, value: StaleMarker.value) }
        _ = try storage.append(batch)
    }

    /// Whether the series has samples behind `time`: then another rule gives it by now, and a marker, which storage may take late, would
    /// tear it.
    static func goesOn(_ labels: Labels, after time: Timestamp, in storage: any Queryable) throws(TSDBError) -> Bool {
        let from = time + .milliseconds(1)
        let set = try storage.select(labels.pairs.map { .equal($0.name, $0.value) }, from: from, through: .max)
        var columns = SampleColumns(capacity: 16)
        for index in 0..<set.count where set.labels(at: index) == labels {
            try set.decode(index, from: from.milliseconds, through: .max, into: &columns)
        }
        return columns.count > 0
    }
}
