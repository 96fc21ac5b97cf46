/// Puts the head back together from the log: series where they were, chunks of the checkpoint as they are, then batch by batch.
struct HeadReplay: WALVisitor {
    let head: Head
    /// Samples whose series the log does not know (its record was damaged).
    private(set) var orphanCount = 0
    /// Deletions found in a log that another server wrote; they are not carried out here.
    private(set) var deletionCount = 0
    /// Series of a log whose numbers are no places of ours, and where they are instead.
    private(set) var adopted: AdoptedSeries?
    private(set) var exemplars: ExemplarRing
    private let window: Int64

    init(_ head: Head, _ exemplars: ExemplarRing = ExemplarRing(), window: Duration = .zero) {
        self.head = head
        self.exemplars = exemplars
        self.window = window.milliseconds
    }

    mutating func series(_ reference: SeriesRef, labels: UnsafeRawBufferPointer) throws(TSDBError) {
        let placeCount = head.index.withLock { $0.identities.count }
        if adopted == nil {
            if Int(reference.slot) < placeCount + LabelIndex.largestGap {
                return try head.restoreSeries(reference, labels)
            }
            adopted = AdoptedSeries(placeCount: placeCount)
        }
        adopted?.places[reference] = try head.adoptSeries(labels)
    }

    mutating func samples(_ samples: WALSamples) throws(TSDBError) { orphanCount += head.replay(samples, adopted) }

    mutating func histograms(_ samples: [WALHistogram]) throws(TSDBError) { orphanCount += head.replay(samples, adopted) }

    mutating func starts(_ rows: [WALStart]) throws(TSDBError) { head.replay(rows, adopted) }

    mutating func tombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) throws(TSDBError) {
        deletionCount += 1
    }

    /// Exemplars whose series is lost, or that are not wanted any more, are left behind.
    mutating func exemplar(_ reference: SeriesRef, _ exemplar: Exemplar) throws(TSDBError) {
        guard exemplars.capacity > 0, let reference = adopted == nil ? reference : adopted?.place(of: reference),
            let labels = head.labels(of: [reference])[0]
        else { return }
        _ = exemplars.append(exemplar, of: reference, labels: labels, window: window)
    }

    mutating func chunks(_ bytes: UnsafeRawBufferPointer) throws(TSDBError) {
        try HeadCheckpoint.read(bytes, into: head)
    }
}

/// Series of another server's log under numbers of ours.
///
/// Our numbers are places, one behind the other. Prometheus counts all series it has ever seen: a server that has run for months
/// begins anywhere. From the first number that is too far to be a place on, series get the next free place, and the log's
/// numbers are looked up. Such a log is replaced by a checkpoint before anything is added to it, for its numbers and ours would mix.
///
/// Source of the numbers: `lastSeriesID` in upstream's `tsdb/head.go`.
struct AdoptedSeries {
    /// Places when the first far number was met: what lies before them is where the log says.
    let placeCount: Int
    var places: [SeriesRef: SeriesRef] = [:]

    /// Where the series is that the log calls `reference`.
    func place(of reference: SeriesRef) -> SeriesRef? {
        places[reference] ?? (Int(reference.slot) < placeCount ? reference : nil)
    }
}

extension Head {
    /// The series with these labels, at a new place where there is none.
    func adoptSeries(_ packed: UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef {
        let hash = Hash64.hash(packed)
        return try index.withLock { index throws(TSDBError) in
            if let known = index.find(packed, hash: hash) { return known }
            // Behind all others, never in a gap: a number in a gap may be one of the log's.
            // The generation as `insert` gives it to a new place: no series has reference 0.
            let slot = UInt32(truncatingIfNeeded: index.identities.count)
            let next = SeriesRef(slot: slot, generation: slot == 0 ? 2 : 0)
            let reference = try index.insert(packed, hash: hash, at: next)
            store.withLock { $0.prepare(reference) }
            return reference
        }
    }

    /// Appends samples that were judged before they were logged. Returns how many name no series.
    func replay(_ samples: WALSamples, _ adopted: AdoptedSeries? = nil) -> Int {
        store.withLock { store in
            var orphans = 0
            var low = store.minTime, high = store.maxTime
            for index in 0..<samples.count {
                let logged = samples.references[index]
                guard let reference = adopted == nil ? logged : adopted?.place(of: logged), let place = store.find(reference)
                else {
                    orphans &+= 1
                    continue
                }
                let time = samples.timestamps[index], value = samples.values[index].bitPattern
                if time > place.pointee.newest {
                    store.append(place, reference.slot, time, value)
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

    /// Start times, where they are wanted; those of series that are lost are, too.
    func replay(_ rows: [WALStart], _ adopted: AdoptedSeries? = nil) {
        guard options.storesStarts else { return }
        store.withLock { store in
            for row in rows {
                guard let reference = adopted == nil ? row.reference : adopted?.place(of: row.reference),
                    store.find(reference) != nil
                else { continue }
                _ = store.starts.note(reference.slot, row.time, row.start, isAlone: row.isAlone)
            }
        }
    }

    /// The same for histograms; one whose parts do not agree counts as lost.
    func replay(_ samples: [WALHistogram], _ adopted: AdoptedSeries? = nil) -> Int {
        store.withLock { store in
            var orphans = 0
            for logged in samples {
                guard let reference = adopted == nil ? logged.reference : adopted?.place(of: logged.reference),
                    let place = store.find(reference), let fields = HistogramFields(logged.sample)
                else {
                    orphans &+= 1
                    continue
                }
                let time = logged.timestamp
                if time > place.pointee.newest {
                    store.append(place, reference.slot, time, fields)
                } else if time < place.pointee.newest {
                    _ = store.insertLate(place, reference.slot, time, fields.sum, fields)
                }
                store.minTime = min(store.minTime, time)
                store.maxTime = max(store.maxTime, time)
            }
            return orphans
        }
    }
}
