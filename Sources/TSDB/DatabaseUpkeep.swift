/// What happens by the clock: the log is made durable, old samples go, the log is replaced by a checkpoint when it has grown.
struct UpkeepState {
    /// Bytes written to the log when the last checkpoint began, and how large that one was.
    var writtenAtCheckpoint = 0
    var checkpointSize = 0
    var checkpointCount = 0
    var checkpointFailureCount = 0
}

extension Database {
    /// A log is not replaced before it has grown by this: some ten million samples, read in a second.
    static let smallestCheckpoint = 16 << 20

    /// Does what is due; called about once a second by whoever runs the process, from one thread.
    public func tick() throws(TSDBError) {
        truncate()
        guard let wal else { return }
        try wal.synchronizeIfDue(clock.now())
        // By a quarter of the last checkpoint: reading a log costs thirty times what reading a checkpoint of the same size does, and writing
        // checkpoints costs four times the log.
        let isDue = upkeep.withLock { state in
            wal.statistics.writtenBytes - state.writtenAtCheckpoint
                > max(Self.smallestCheckpoint, state.checkpointSize / 4)
        }
        if isDue { try checkpoint() }
    }

    /// Drops what is older than the retention, counted back from the newest sample.
    func truncate() {
        let retention = settings.withLock { $0.retention.milliseconds }
        guard retention > 0 else { return }
        let newest = head.store.withLock { $0.maxTime }
        guard newest != .min else { return }
        let bound = newest.clampedSubtracting(retention)
        // Chunks span minutes to hours: looking at every series each second would find nothing.
        let due = counters.withLock { counters -> Bool in
            guard bound >= counters.lowerBound.clampedAdding(max(1, retention / 48)) else { return false }
            counters.lowerBound = bound
            return true
        }
        guard due else { return }
        let removed = head.truncate(before: bound)
        counters.withLock { $0.seriesRemoved += removed }
    }

    /// Writes the head as a checkpoint and deletes the log before it.
    public func checkpoint() throws(TSDBError) {
        guard let wal else { return }
        // Under the writer's lock, so that the cut in the log and the picture of the head are of the same moment.
        let (segment, capture, exemplars) = try writer.withLock { _ throws(TSDBError) in
            (try wal.cutSegment(), head.captureAll(), self.exemplars.withLock { $0 })
        }
        let before = wal.statistics.writtenBytes
        do throws(TSDBError) {
            var size = 0
            try wal.checkpoint(through: segment) { writer throws(TSDBError) in
                if writer.takesChunks {
                    try head.writeCheckpoint(capture) { record throws(TSDBError) in
                        size += record.count
                        var failure: TSDBError?
                        record.withUnsafeBytes { bytes in
                            do throws(TSDBError) { try writer.chunks(bytes) } catch { failure = error }
                        }
                        if let failure { throw failure }
                    }
                    for entry in capture.entries {
                        guard let late = capture.set.late(ofSlot: entry.captured.slot) else { continue }
                        try writer.samples(SeriesRef(rawValue: entry.reference), late)
                    }
                } else {
                    size = try writeSamples(capture, to: &writer)
                }
                try writer.starts(capture)
                try writer.exemplars(exemplars)
            }
            upkeep.withLock { state in
                state.checkpointSize = size
                state.checkpointCount += 1
                state.writtenAtCheckpoint = before
            }
        } catch {
            upkeep.withLock { state in
                state.checkpointFailureCount += 1
                // Not again with the next tick: the log has to grow first.
                state.writtenAtCheckpoint = before
            }
            throw error
        }
    }

    /// A checkpoint that Prometheus can read: series, then their samples.
    private func writeSamples(
        _ capture: (set: HeadSeriesSet, entries: [HeadCheckpoint.Entry]), to writer: inout CheckpointWriter
    ) throws(TSDBError) -> Int {
        var size = 0
        for (position, entry) in capture.entries.enumerated() {
            let labels = capture.set.labels(at: position)
            size += labels.packed.count
            try writer.series(SeriesRef(rawValue: entry.reference), labels: labels)
        }
        var columns = SampleColumns()
        for (position, entry) in capture.entries.enumerated() {
            let reference = SeriesRef(rawValue: entry.reference)
            columns.removeAll()
            try capture.set.decode(position, from: .min, through: .max, into: &columns)
            if !columns.histograms.isEmpty {
                // Column by column would make floats of the integers.
                size += try writer.samples(reference, of: capture.set, position, entry)
                continue
            }
            var first = 0
            while first < columns.count {
                let count = min(columns.count - first, 4096)
                size += count * 10
                try writer.samples(
                    references: [SeriesRef](repeating: reference, count: count),
                    timestamps: columns.timestamps + first, values: columns.values + first, count: count)
                first += count
            }
        }
        return size
    }

    /// Writes and synchronizes what is left, and gives the directory free. The database is not used afterwards.
    public func close() throws(TSDBError) {
        defer { directoryLock?.release() }
        try wal?.close()
    }
}

extension CheckpointWriter {
    /// All exemplars, a thousand to a record.
    fileprivate mutating func exemplars(_ ring: ExemplarRing) throws(TSDBError) {
        var all: [SeriesExemplar] = []
        all.reserveCapacity(ring.count)
        ring.forEachByArrival { reference, _, exemplar in all.append(SeriesExemplar(reference, exemplar)) }
        for first in stride(from: 0, to: all.count, by: 1_000) {
            try exemplars(Array(all[first..<min(first + 1_000, all.count)]))
        }
    }

    /// All start times, a few thousand to a record.
    fileprivate mutating func starts(_ capture: (set: HeadSeriesSet, entries: [HeadCheckpoint.Entry])) throws(TSDBError) {
        var rows: [WALStart] = []
        for entry in capture.entries {
            guard let runs = capture.set.starts(ofSlot: entry.captured.slot) else { continue }
            for index in 0..<runs.count {
                rows.append(WALStart(SeriesRef(rawValue: entry.reference), runs[index].time, start: runs[index].start))
                guard rows.count >= 4096 else { continue }
                try starts(rows)
                rows.removeAll(keepingCapacity: true)
            }
        }
        try starts(rows)
    }

    /// All samples of a series that has histograms, in the kinds in which they are stored.
    fileprivate mutating func samples(
        _ reference: SeriesRef, of set: HeadSeriesSet, _ position: Int, _ entry: HeadCheckpoint.Entry
    ) throws(TSDBError) -> Int {
        var columns = SampleColumns()
        var size = 0
        func histograms(_ cursor: inout HistogramCursor) throws(TSDBError) -> [WALHistogram] {
            var samples: [WALHistogram] = []
            while try cursor.next() {
                let fields = cursor.fields
                samples.append(WALHistogram(reference, cursor.timestamp, fields.sample(hint: fields.hint)))
            }
            return samples
        }
        if let closed = entry.captured.closed {
            for index in 0..<Int(entry.captured.closedCount) {
                let chunk = closed[index]
                size += Int(chunk.size)
                if chunk.encoding == .decimalBlock {
                    columns.removeAll()
                    try chunk.decode(into: &columns)
                    try samples(columns, of: reference)
                } else {
                    var cursor = try HistogramCursor(chunk.buffer, isFloat: chunk.encoding == .floatHistogram)
                    try self.histograms(try histograms(&cursor))
                }
            }
        }
        if let open = set.openHistograms(ofSlot: entry.captured.slot) {
            var samples: [WALHistogram] = []
            try open.withCursor { cursor throws(TSDBError) in samples = try histograms(&cursor) }
            size += open.size
            try self.histograms(samples)
        } else if entry.captured.openCount > 0 {
            columns.removeAll()
            try set.decodeOpen(position, into: &columns)
            try samples(columns, of: reference)
        }
        if let late = set.late(ofSlot: entry.captured.slot) { try samples(reference, late) }
        return size
    }

    private mutating func samples(_ columns: borrowing SampleColumns, of reference: SeriesRef) throws(TSDBError) {
        try samples(
            references: [SeriesRef](repeating: reference, count: columns.count), timestamps: columns.timestamps,
            values: columns.values, count: columns.count)
    }

    /// Late samples of one series.
    fileprivate mutating func samples(_ reference: SeriesRef, _ late: OutOfOrderSamples) throws(TSDBError) {
        if late.histograms.isEmpty {
            return try samples(reference, late.timestamps, late.values.map { Double(bitPattern: $0) })
        }
        let floats = late.timestamps.indices.filter { late.histograms[late.timestamps[$0]] == nil }
        try samples(
            reference, floats.map { late.timestamps[$0] }, floats.map { Double(bitPattern: late.values[$0]) })
        try histograms(
            late.timestamps.compactMap { time in
                late.histograms[time].map { WALHistogram(reference, time, $0.sample(hint: $0.hint)) }
            })
    }

    /// Samples of one series, a few thousand to a record.
    fileprivate mutating func samples(_ reference: SeriesRef, _ timestamps: [Int64], _ values: [Double]) throws(TSDBError) {
        var first = 0
        while first < timestamps.count {
            let end = min(first + 4096, timestamps.count)
            try samples(
                references: [SeriesRef](repeating: reference, count: end - first),
                timestamps: Array(timestamps[first..<end]), values: Array(values[first..<end]), count: end - first)
            first = end
        }
    }
}
