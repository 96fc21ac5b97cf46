import Synchronization

/// How a log is written.
public struct WALOptions: Sendable {
    public var compression = WALCompression.lz4
    /// Bytes after which a segment is closed; rounded down to pages of 32 KiB, at least two.
    public var segmentSize = WALFormat.defaultSegmentSize
    /// Bytes that may wait for the file. Only a disk that stalls or fails lets them grow; reaching the bound is an error.
    public var queueLimit = 64 << 20
    /// What a power cut may cost at most.
    public var synchronizeInterval = Duration.seconds(1)

    public init() {}
}

/// How far a log has been appended to; later appends have greater positions.
public struct WALPosition: Comparable, Sendable {
    let number: UInt64
    public static func < (a: WALPosition, b: WALPosition) -> Bool { a.number < b.number }
}

/// What a log has done since it was opened.
public struct WALStatistics: Sendable {
    /// The segment being written.
    public var segment = 0
    /// Bytes and write calls.
    public var writtenBytes = 0
    public var writeCount = 0
    public var writeFailureCount = 0
    public var synchronizeCount = 0
    public var synchronizeFailureCount = 0
    /// Bytes that wait for the file.
    public var queuedBytes = 0
}

/// The write-ahead log: what was appended and flushed is there after the process has died.
///
///     append(…) ─▶ queue, encoded              microseconds, in memory
///     flush(through:) ─▶ one write(2) ─▶ file  survives kill -9; committers that come meanwhile share the next write
///     synchronize() ─▶ fdatasync               survives a power cut; by the clock, not per commit
///
/// Any thread may call anything. Three locks, always taken in this order: sync (fdatasync under way), log (the file),
/// queue (appending). Nobody waits for the disk to append, nobody waits for fdatasync to commit.
///
/// Records reach the file in the order of `append`, and each caller decides when its own must be there.
public final class WAL: Sendable {
    public let directory: String
    public let options: WALOptions
    let files: any FileStore

    private let queue: Mutex<WALQueue>
    private let log: Mutex<WALLog>
    private let sync = Mutex(SyncState())
    /// Position up to which everything is in the file, and up to which it is durable.
    private let written = Atomic<UInt64>(0)
    private let synchronized = Atomic<UInt64>(0)
    private let heldBytes = Atomic<Int>(0)

    private struct SyncState {
        var lastTime: Timestamp?
        var count = 0
        var failureCount = 0
        /// Segments whose fdatasync failed: the kernel may have dropped their pages and forgotten it.
        var unsound: [Int] = []
    }

    /// Replays the log in `directory` into `visitor`, cuts a torn tail off, and opens a new segment for writing.
    public static func open(
        _ directory: String, _ files: any FileStore, options: WALOptions = WALOptions(), visitor: inout some WALVisitor
    ) throws(TSDBError) -> (wal: WAL, report: WALReplayReport) {
        try files.createDirectory(directory)
        try removeLeftovers(directory, files)
        let report = try WALReader(directory, files).replay(&visitor)
        if let tail = report.tornTail {
            let file = try files.openForAppending(directory + "/" + WALFormat.segmentName(tail.segment))
            try file.truncate(to: tail.offset)
            try file.synchronize()
            file.close()
        }
        let next = max(report.segments.last ?? -1, report.checkpoint ?? -1) + 1
        return (WAL(directory, files, options, firstSegment: next), report)
    }

    private init(_ directory: String, _ files: any FileStore, _ options: WALOptions, firstSegment: Int) {
        var options = options
        options.segmentSize = max(2, options.segmentSize / WALFormat.pageSize) * WALFormat.pageSize
        self.directory = directory
        self.files = files
        self.options = options
        queue = Mutex(WALQueue(epoch: UInt64(firstSegment), compression: options.compression))
        log = Mutex(
            WALLog(
                directory, files, segment: firstSegment, compression: options.compression, segmentSize: options.segmentSize))
    }

    /// Unfinished checkpoints and rewrites of a process that died, and segments that a checkpoint has replaced.
    private static func removeLeftovers(_ directory: String, _ files: any FileStore) throws(TSDBError) {
        for name in try files.list(directory) where name.hasSuffix(".tmp") || name.hasSuffix(".rewrite") {
            try files.remove(directory + "/" + name)
        }
        try Checkpoint.removeReplaced(directory, files)
    }

    // MARK: Appending

    /// Whether the next batch will be taken. Asked before something is stored that must be logged.
    public var hasRoom: Bool {
        queue.withLock { $0.waiting.bytes.count } + heldBytes.load(ordering: .relaxed) < options.queueLimit / 2
    }

    /// Queues one batch: one record. Pointers are read before the call returns.
    /// Throws `.limit` when `queueLimit` is reached or a slot is beyond what the format takes; nothing is queued then.
    @discardableResult
    public func append(
        references: UnsafePointer<SeriesRef>, timestamps: UnsafePointer<Int64>, values: UnsafePointer<Double>, count: Int
    ) throws(TSDBError) -> WALPosition {
        try enqueue { queue throws(TSDBError) in
            if count > 0 { try queue.appendSamples(references, timestamps, values, count: count) }
        }
    }

    /// Queues a batch's histograms.
    @discardableResult
    public func append(histograms: [WALHistogram]) throws(TSDBError) -> WALPosition {
        try enqueue { queue throws(TSDBError) in
            if !histograms.isEmpty { queue.appendHistograms(histograms) }
        }
    }

    /// Queues start times that changed; must come before the batch that they came with.
    @discardableResult
    public func append(starts: [WALStart]) throws(TSDBError) -> WALPosition {
        try enqueue { queue throws(TSDBError) in
            if !starts.isEmpty { queue.appendStarts(starts) }
        }
    }

    /// Queues new series; must come before the first batch that names them.
    @discardableResult
    public func append(series: [(reference: SeriesRef, labels: Labels)]) throws(TSDBError) -> WALPosition {
        try enqueue { queue throws(TSDBError) in
            if !series.isEmpty { queue.appendSeries(series) }
        }
    }

    /// Queues “samples of `reference` with `from <= t <= through` are deleted”.
    @discardableResult
    public func appendTombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) throws(TSDBError) -> WALPosition {
        try enqueue { queue throws(TSDBError) in queue.appendTombstone(reference, from: from, through: through) }
    }

    /// Queues exemplars of series that came before: one record.
    @discardableResult
    public func append(exemplars: [SeriesExemplar]) throws(TSDBError) -> WALPosition {
        try enqueue { queue throws(TSDBError) in
            if !exemplars.isEmpty { queue.appendExemplars(exemplars) }
        }
    }

    /// Queues a record made elsewhere (metadata), first byte and all. Comes back in `WALVisitor.other`.
    @discardableResult
    public func append(record: [UInt8]) throws(TSDBError) -> WALPosition {
        precondition(record.first.map { $0 > WALRecordType.tombstones && $0 < 200 } ?? false, "a record of no kind of its own")
        return try enqueue { queue throws(TSDBError) in record.withUnsafeBytes { queue.append($0) } }
    }

    private func enqueue(_ body: (inout WALQueue) throws(TSDBError) -> Void) throws(TSDBError) -> WALPosition {
        var failure: TSDBError?
        let position = queue.withLock { queue in
            guard queue.waiting.bytes.count + heldBytes.load(ordering: .relaxed) < options.queueLimit else {
                failure = TSDBError(
                    .limit, "write-ahead log: \(options.queueLimit) bytes wait for the disk (queueLimit)")
                return queue.position
            }
            do throws(TSDBError) { try body(&queue) } catch { failure = error }
            return queue.position
        }
        if let failure { throw failure }
        return WALPosition(number: position)
    }

    // MARK: Committing

    /// Returns when everything up to `position` is in the file. One caller writes for all that wait.
    ///
    /// After a throw (`.io`) the records stay queued, and a later flush tries again; the caller must not acknowledge yet.
    public func flush(through position: WALPosition) throws(TSDBError) {
        if written.load(ordering: .acquiring) >= position.number { return }
        try withLog { log throws(TSDBError) in
            // Someone else may have written it while this caller waited for the lock.
            if written.load(ordering: .acquiring) >= position.number { return }
            try writeAll(&log)
        }
    }

    /// Everything appended so far.
    public func flush() throws(TSDBError) {
        try flush(through: WALPosition(number: queue.withLock { $0.position }))
    }

    private func writeAll(_ log: inout WALLog) throws(TSDBError) {
        let position = queue.withLock { $0.take(into: &log.backlog) }
        defer { heldBytes.store(log.heldBytes, ordering: .relaxed) }
        try log.write()
        written.store(position, ordering: .releasing)
    }

    private func withLog(_ body: (inout WALLog) throws(TSDBError) -> Void) throws(TSDBError) {
        var failure: TSDBError?
        log.withLock { log in
            do throws(TSDBError) { try body(&log) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    // MARK: Durability

    /// Synchronizes when something was written and the interval has passed; else returns at once. For a background tick.
    public func synchronizeIfDue(_ now: Timestamp) throws(TSDBError) {
        let isDue = sync.withLock { state in
            guard written.load(ordering: .acquiring) > synchronized.load(ordering: .acquiring) || !state.unsound.isEmpty
            else { return false }
            if let last = state.lastTime, now >= last, now - last < options.synchronizeInterval { return false }
            state.lastTime = now
            return true
        }
        if isDue { try synchronize() }
    }

    /// Flushes, and returns when everything is on the disk.
    ///
    /// After a failed fdatasync the kernel may drop what was not written and report nothing the next time. So the
    /// segment is copied to a new file, that is synchronized and takes the old one's place; until this works, every call
    /// throws.
    public func synchronize() throws(TSDBError) {
        try flush()
        var failure: TSDBError?
        sync.withLock { state in
            do throws(TSDBError) {
                try synchronize(&state)
                state.count += 1
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func synchronize(_ state: inout SyncState) throws(TSDBError) {
        var position: UInt64 = 0
        var due: [(segment: Int, file: any WritableFile, isCurrent: Bool)] = []
        var isDirectoryDirty = false
        log.withLock { log in
            position = written.load(ordering: .acquiring)
            due = log.retired.map { ($0.segment, $0.file, false) }
            if let current = log.current { due.append((log.segment, current, true)) }
            log.retired.removeAll()
            isDirectoryDirty = log.isDirectoryDirty
            log.isDirectoryDirty = false
        }
        for (segment, file, isCurrent) in due where !state.unsound.contains(segment) {
            do throws(TSDBError) { try file.synchronize() } catch {
                state.unsound.append(segment)
                state.failureCount += 1
            }
            // Still open where it failed: the last reference closes it.
            if !isCurrent { file.close() }
        }
        if isDirectoryDirty {
            do throws(TSDBError) { try files.synchronizeDirectory(directory) } catch {
                state.failureCount += 1
                log.withLock { $0.isDirectoryDirty = true }
                throw error
            }
        }
        while let segment = state.unsound.first {
            try rewrite(segment)
            state.unsound.removeFirst()
        }
        synchronized.store(position, ordering: .releasing)
    }

    /// Copies a segment whose pages cannot be trusted to reach the disk.
    private func rewrite(_ segment: Int) throws(TSDBError) {
        let path = directory + "/" + WALFormat.segmentName(segment)
        guard files.exists(path) else { return }  // a checkpoint has replaced it
        let copyPath = path + ".rewrite"
        try withLog { log throws(TSDBError) in
            let bytes = try files.readAll(path)
            try files.remove(copyPath)
            let copy = try files.openForAppending(copyPath)
            var failure: TSDBError?
            bytes.withUnsafeBytes { bytes in
                do throws(TSDBError) { try copy.append(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
            try copy.synchronize()
            try files.rename(copyPath, to: path)
            if log.segment == segment { log.replaceCurrent(with: copy) } else { copy.close() }
        }
        try files.synchronizeDirectory(directory)
    }

    // MARK: Segments

    /// Ends the segment being written. What is appended from now on stands in new segments and can be read without the
    /// old ones; a checkpoint of everything before may replace segments up to the returned one.
    public func cutSegment() throws(TSDBError) -> Int {
        let position = queue.withLock { queue in
            queue.cut()
            return WALPosition(number: queue.position)
        }
        try flush(through: position)
        return log.withLock { $0.lastCutSegment ?? 0 }
    }

    public var statistics: WALStatistics {
        var statistics = WALStatistics()
        log.withLock { log in
            statistics.segment = log.segment
            statistics.writtenBytes = log.writtenBytes
            statistics.writeCount = log.writeCount
            statistics.writeFailureCount = log.failureCount
            statistics.queuedBytes = log.heldBytes
        }
        statistics.queuedBytes += queue.withLock { $0.waiting.bytes.count }
        sync.withLock { state in
            statistics.synchronizeCount = state.count
            statistics.synchronizeFailureCount = state.failureCount
        }
        return statistics
    }

    /// Writes and synchronizes what is left. The log is not used afterwards.
    public func close() throws(TSDBError) { try synchronize() }
}
