/// Puts the head back together from the log: series where they were, chunks of the checkpoint as they are, then batch by batch.
struct HeadReplay: WALVisitor {
    let head: Head
    /// Samples whose series the log does not know (its record was damaged).
    private(set) var orphanCount = 0
    /// Deletions found in a log that another server wrote; they are not carried out here.
    private(set) var ignoredTombstones = 0
    private(set) var exemplars: ExemplarRing
    private let window: Int64

    init(_ head: Head, _ exemplars: ExemplarRing = ExemplarRing(), window: Duration = .zero) {
        self.head = head
        self.exemplars = exemplars
        self.window = window.milliseconds
    }

    mutating func series(_ reference: SeriesRef, labels: UnsafeRawBufferPointer) throws(TSDBError) {
        try head.restoreSeries(reference, labels)
    }

    mutating func samples(_ samples: WALSamples) throws(TSDBError) { orphanCount += head.replay(samples) }

    mutating func tombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) throws(TSDBError) {
        ignoredTombstones += 1
    }

    /// Exemplars whose series is lost, or that are not wanted any more, are left behind.
    mutating func exemplar(_ reference: SeriesRef, _ exemplar: Exemplar) throws(TSDBError) {
        guard exemplars.capacity > 0, let labels = head.labels(of: [reference])[0] else { return }
        _ = exemplars.append(exemplar, of: reference, labels: labels, window: window)
    }

    mutating func chunks(_ bytes: UnsafeRawBufferPointer) throws(TSDBError) {
        try HeadCheckpoint.read(bytes, into: head)
    }
}

extension Head {
    /// Appends samples that were judged before they were logged. Returns how many name no series.
    func replay(_ samples: WALSamples) -> Int {
        store.withLock { store in
            var orphans = 0
            var low = store.minTime, high = store.maxTime
            for index in 0..<samples.count {
                let reference = samples.references[index]
                guard let place = store.find(reference) else {
                    orphans &+= 1
                    continue
                }
                let time = samples.timestamps[index], value = samples.values[index].bitPattern
                if time > place.pointee.newest {
                    store.append(place, time, value)
                } else if time < place.pointee.newest {
                    _ = store.insertLate(place, reference.slot, time, value)
                }
                low = min(low, time)
                high = max(high, time)
            }
            store.minTime = low
            store.maxTime = high
            return orphans
        }
    }
}
