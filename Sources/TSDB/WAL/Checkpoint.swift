/// A checkpoint: what is still needed of the segments up to N, so that they can be deleted.
///
///     checkpoint.00000006.tmp/00000000   written, synchronized
///     checkpoint.00000006/               renamed: from now on it counts
///     00000000 … 00000006, checkpoint.00000003   removed
///
/// A crash before the rename leaves the segments and a `.tmp` that the next start removes; one behind it leaves files
/// that the next start removes. Directory layout and names are Prometheus'.
enum Checkpoint {
    /// Removes the segments and checkpoints that the newest checkpoint replaces.
    static func removeReplaced(_ directory: String, _ files: any FileStore) throws(TSDBError) {
        let names = try files.list(directory)
        guard let newest = names.compactMap({ WALFormat.checkpointIndex($0) }).max() else { return }
        for name in names {
            let isReplaced = WALFormat.segmentIndex(name).map { $0 <= newest } ?? WALFormat.checkpointIndex(name).map { $0 < newest }
            if isReplaced == true { try files.remove(directory + "/" + name) }
        }
    }
}

/// Takes a checkpoint's content in; many calls make one record.
public struct CheckpointWriter: ~Copyable {
    private var log: WALLog
    private var queue: WALQueue
    private let compression: WALCompression
    /// Series collected for one record.
    private var series: [(reference: SeriesRef, labels: Labels)] = []
    private var seriesBytes = 0
    private static let recordSize = 64 << 10
    private static let flushSize = 1 << 20

    init(_ directory: String, _ files: any FileStore, options: WALOptions, index: Int) {
        compression = options.compression
        log = WALLog(directory, files, segment: 0, compression: options.compression, segmentSize: options.segmentSize)
        queue = WALQueue(epoch: UInt64(index), compression: options.compression)
    }

    /// Whether `chunks` may be used. Not where Prometheus must be able to read the log: there chunks go as samples.
    public var takesChunks: Bool { compression == .lz4 }

    public mutating func series(_ reference: SeriesRef, labels: Labels) throws(TSDBError) {
        series.append((reference, labels))
        seriesBytes += labels.packed.count + 8
        if seriesBytes >= Self.recordSize { try closeSeries() }
    }

    /// Series must have been given before.
    public mutating func samples(
        references: UnsafePointer<SeriesRef>, timestamps: UnsafePointer<Int64>, values: UnsafePointer<Double>, count: Int
    ) throws(TSDBError) {
        try closeSeries()
        if count > 0 { try queue.appendSamples(references, timestamps, values, count: count) }
        try flushIfFull()
    }

    /// Series must have been given before.
    public mutating func histograms(_ histograms: [WALHistogram]) throws(TSDBError) {
        try closeSeries()
        if !histograms.isEmpty { queue.appendHistograms(histograms) }
        try flushIfFull()
    }

    /// Series must have been given before.
    mutating func starts(_ rows: [WALStart]) throws(TSDBError) {
        try closeSeries()
        if !rows.isEmpty { queue.appendStarts(rows) }
        try flushIfFull()
    }

    public mutating func tombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) throws(TSDBError) {
        try closeSeries()
        queue.appendTombstone(reference, from: from, through: through)
        try flushIfFull()
    }

    /// One record of bytes that only the head understands, up to 16 MiB; comes back in `WALVisitor.chunks`.
    public mutating func chunks(_ bytes: UnsafeRawBufferPointer) throws(TSDBError) {
        precondition(takesChunks, "chunks in a log that Prometheus must be able to read")
        precondition(bytes.count <= 16 << 20, "\(bytes.count) bytes in one record of chunks")
        try closeSeries()
        queue.appendChunks(bytes)
        try flushIfFull()
    }

    /// Exemplars of series that were given before.
    mutating func exemplars(_ exemplars: [SeriesExemplar]) throws(TSDBError) {
        try closeSeries()
        if !exemplars.isEmpty { queue.appendExemplars(exemplars) }
        try flushIfFull()
    }

    /// A record of another kind, first byte and all (metadata).
    public mutating func record(_ bytes: UnsafeRawBufferPointer) throws(TSDBError) {
        try closeSeries()
        queue.append(bytes)
        try flushIfFull()
    }

    private mutating func closeSeries() throws(TSDBError) {
        guard !series.isEmpty else { return }
        queue.appendSeries(series)
        series.removeAll(keepingCapacity: true)
        seriesBytes = 0
        try flushIfFull()
    }

    private mutating func flushIfFull() throws(TSDBError) {
        if queue.waiting.bytes.count >= Self.flushSize { try flush() }
    }

    private mutating func flush() throws(TSDBError) {
        _ = queue.take(into: &log.backlog)
        try log.write()
    }

    /// Everything is durable when this returns.
    mutating func finish() throws(TSDBError) {
        try closeSeries()
        try flush()
        for (_, file) in log.retired {
            try file.synchronize()
            file.close()
        }
        log.retired.removeAll()
        try log.current?.synchronize()
        log.current?.close()
    }
}

extension WAL {
    /// Writes a checkpoint that replaces everything up to `segment` (what `cutSegment` returned), then deletes that.
    ///
    /// `content` gives what of it is still needed: series first, then chunks or samples. Samples that stand in later
    /// segments as well may be among them: the reader's `samples` sees them twice. When it throws, or the disk does,
    /// nothing has changed; what is left behind is removed at the next attempt or start.
    public func checkpoint(
        through segment: Int, _ content: (inout CheckpointWriter) throws(TSDBError) -> Void
    ) throws(TSDBError) {
        let path = directory + "/" + WALFormat.checkpointName(segment)
        let unfinished = path + ".tmp"
        try files.remove(unfinished)
        try files.createDirectory(unfinished)
        var writer = CheckpointWriter(unfinished, files, options: options, index: segment)
        do throws(TSDBError) {
            try content(&writer)
            try writer.finish()
        } catch {
            try? files.remove(unfinished)
            throw error
        }
        try files.synchronizeDirectory(unfinished)
        try files.rename(unfinished, to: path)
        try files.synchronizeDirectory(directory)
        try Checkpoint.removeReplaced(directory, files)
    }

    /// The newest checkpoint's number, and how many bytes log and checkpoint have on disk.
    public func size() throws(TSDBError) -> Int {
        var size = 0
        for name in try files.list(directory) {
            let path = directory + "/" + name
            let inside = (try? files.list(path))?.map { path + "/" + $0 } ?? [path]
            for file in inside { size += (try? files.openForReading(file).size) ?? 0 }
        }
        return size
    }
}
