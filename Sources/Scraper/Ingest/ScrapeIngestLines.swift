import Exposition
import TSDB

/// The samples of a page, line by line.
///
///     last time   a b c d e f            found by their bytes, in the order of last time: no labels are made
///     this time   a b c   e f G          runs `a b c` and `e f` at one comparison a line; G is asked of storage
///
/// The hot path: nothing here allocates for a line that was known.
extension ScrapeIngest {
    /// As many lines as are where they were last time. Stops at everything that needs thought: another series, a
    /// timestamp, a comment, the same series again, the sample limit.
    @inline(__always)
    mutating func takeRun<Parser: ExpositionParser>(
        _ parser: inout Parser, _ cursor: inout Int, _ batch: inout SampleBatch
    ) {
        let start = cursor, pass = cache.pass, time = self.time, limit = sampleLimit
        var index = cursor, kept = 0
        cache.withOldEntries { entries, texts in
            while index < entries.count {
                let entry = entries[index]
                guard entry.kind != .unresolved, entry.seen != pass, batch.count < limit,
                    parser.takeSample(
                        of: UnsafeRawBufferPointer(start: texts + Int(entry.offset), count: Int(entry.length)))
                else { return }
                entries[index].seen = pass
                index &+= 1
                if entry.kind == .dropped { continue }
                kept &+= 1
                entries[index &- 1].kind = .tracked
                batch.append(entry.reference, at: time, value: parser.value)
            }
        }
        cursor = index
        outcome.scraped &+= index - start
        outcome.kept &+= kept
        cache.note(run: start..<index)
    }

    /// A line that was not where it was last time.
    mutating func takeSeries(
        _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer, _ cursor: inout Int, _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        let text = UnsafeRawBufferPointer(rebasing: page[entry.series.clamped(to: 0..<page.count)])
        let timestamp = config.honorTimestamps ? entry.timestamp : nil
        if let index = cache.find(text, near: cursor) {
            if cache.entries[index].kind == .unresolved { try resolve(index, entry, page) }
            let isFirst = cache.entries[index].seen != cache.pass
            if isFirst { cache.note(index, expected: cursor) }
            try takeKnown(index, entry.value, timestamp, &batch)
            if isFirst, index < cache.oldCount { cursor = index + 1 }
            return
        }
        outcome.scraped += 1
        guard let labels = try storedLabels(entry, page) else {
            cache.add(text, kind: .dropped, reference: SeriesRef(rawValue: 0), expected: cursor)
            return
        }
        outcome.kept += 1
        // Over the limit no series is made any more, the page is only counted to its end.
        if batch.count >= sampleLimit, !StaleMarker.isStale(entry.value) {
            limited += 1
            return
        }
        if isTooFarAhead(timestamp) {
            outcome.outOfBounds += 1
            return
        }
        let reference: SeriesRef
        do { reference = try storage.reference(for: labels) } catch {
            guard error.code == .limit else { throw ScrapeError(.storage, error.message) }
            outcome.refusedSeries += 1
            if outcome.refusal == nil { outcome.refusal = error.message }
            return
        }
        let place = batch.count
        try append(reference, at: timestamp.map { Timestamp(milliseconds: $0) } ?? time, entry.value, to: &batch)
        guard batch.count > place else { return }
        newSamples.append(place)
        let isTracked = timestamp == nil || config.trackTimestampsStaleness
        cache.add(text, kind: isTracked ? .tracked : .timestamped, reference: reference, expected: cursor)
        outcome.seriesAdded += 1
    }

    /// One more sample of a series in the cache.
    @inline(__always)
    mutating func takeKnown(
        _ index: Int, _ value: Double, _ timestamp: Int64?, _ batch: inout SampleBatch
    ) throws(ScrapeError) {
        outcome.scraped &+= 1
        let entry = cache.entries[index]
        if entry.kind == .dropped {
            cache.entries[index].seen = cache.pass
            return
        }
        outcome.kept &+= 1
        if entry.seen == cache.pass, timestamp == nil {
            outcome.duplicates += 1
            return
        }
        cache.entries[index].seen = cache.pass
        if batch.count >= sampleLimit, !StaleMarker.isStale(value) {
            limited += 1
            return
        }
        guard let timestamp else {
            cache.entries[index].kind = .tracked
            try append(entry.reference, at: time, value, to: &batch)
            return
        }
        cache.entries[index].kind = config.trackTimestampsStaleness ? .tracked : .timestamped
        if isTooFarAhead(timestamp) {
            outcome.outOfBounds += 1
        } else {
            try append(entry.reference, at: Timestamp(milliseconds: timestamp), value, to: &batch)
        }
    }

    /// Appends the sample at hand, unless it has too many buckets.
    @inline(__always)
    mutating func append(
        _ reference: SeriesRef, at time: Timestamp, _ value: Double, to batch: inout SampleBatch
    ) throws(ScrapeError) {
        guard let histogram else {
            batch.append(reference, at: time, value: value)
            return
        }
        do { batch.append(reference, at: time, histogram: try intake.admit(histogram)) } catch {
            switch error {
            case .invalid(let reason): throw ScrapeError(.format, reason)
            case .tooManyBuckets: bucketLimited += 1
            }
        }
    }

    func isTooFarAhead(_ timestamp: Int64?) -> Bool { timestamp.map { $0 > latest } ?? false }

    mutating func storedLabels(
        _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer
    ) throws(ScrapeError) -> Labels? {
        packed.removeAll(keepingCapacity: true)
        do { try seriesLabels.pack(entry, of: page, into: &packed) } catch {
            switch error {
            case .duplicate(let name):
                throw ScrapeError(.format, "label name \"\(name)\" is not unique: invalid sample")
            case .invalidName(let shown):
                throw ScrapeError(.format, "invalid metric name or label names: \(shown)")
            }
        }
        return try labels.make(packed)
    }

    /// Asks storage again for a series it has dropped meanwhile.
    mutating func resolve(
        _ index: Int, _ entry: ExpositionEntryParts, _ page: UnsafeRawBufferPointer
    ) throws(ScrapeError) {
        guard let labels = try storedLabels(entry, page) else {
            cache.entries[index].kind = .dropped
            return
        }
        do { cache.entries[index].reference = try storage.reference(for: labels) } catch {
            throw ScrapeError(.storage, error.message)
        }
        cache.entries[index].kind = .tracked
    }
}
