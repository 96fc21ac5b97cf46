import Synchronization

/// The front door of storage: takes samples in (`Appendable`), gives series out (`Queryable`), keeps time and space bounded.
///
///     append ─▶ Head, under one lock ─▶ WAL, queued in the same order ─▶ flush ─▶ acknowledged
///
/// `DatabaseOpening` brings it up from disk, `DatabaseUpkeep` is what happens by the clock.
public final class Database: Appendable, Queryable {
    let head: Head
    let clock: any WallClock
    /// The log; `nil` in memory.
    let wal: WAL?
    /// Held for as long as the directory is ours.
    let directoryLock: (any FileLock)?
    /// What the start found in the log.
    public let replay: WALReplayReport

    let settings: Mutex<DatabaseOptions>
    let counters = Mutex(Counters())
    /// Whoever appends holds this: the log sees batches in the order in which the head does.
    let writer = Guarded(StoredColumns())
    let upkeep = Mutex(UpkeepState())
    let exemplars: Mutex<ExemplarRing>

    struct Counters {
        var seriesCreated = 0
        var seriesRemoved = 0
        var appended = 0
        var refused: [AppendVerdict: Int] = [:]
        var lowerBound = Int64.min
    }

    init(
        _ head: Head, options: DatabaseOptions, clock: any WallClock, wal: WAL? = nil,
        directoryLock: (any FileLock)? = nil, replay: WALReplayReport = WALReplayReport(),
        exemplars: ExemplarRing? = nil
    ) {
        self.head = head
        self.clock = clock
        self.wal = wal
        self.directoryLock = directoryLock
        self.replay = replay
        settings = Mutex(options)
        self.exemplars = Mutex(exemplars ?? ExemplarRing(capacity: options.maxExemplars))
    }

    /// A database without a disk (`--storage.tsdb.path=:memory:`).
    public static func inMemory(options: DatabaseOptions = DatabaseOptions(), clock: any WallClock) -> Database {
        Database(Head(options: options.head), options: options, clock: clock)
    }

    /// Takes over changed settings (a configuration reload).
    public func apply(_ options: DatabaseOptions) {
        settings.withLock { $0 = options }
        exemplars.withLock { $0.resize(options.maxExemplars) }
    }

    // MARK: Appendable

    public func reference(for labels: Labels) throws(TSDBError) -> SeriesRef {
        var failure: TSDBError?
        var result = SeriesRef(rawValue: 0)
        labels.packed.withUnsafeBytes { packed in
            do throws(TSDBError) { result = try reference(forPacked: packed) } catch { failure = error }
        }
        if let failure { throw failure }
        return result
    }

    /// The series with these labels, made if need be; `packed` as in `Labels.packed`, which the caller vouches for.
    public func reference(forPacked packed: UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef {
        try head.reference(for: packed) { reference, packed throws(TSDBError) in
            if let wal { try wal.append(series: [(reference, Labels(uncheckedPacked: Array(packed)))]) }
            counters.withLock { $0.seriesCreated += 1 }
        }
    }

    /// The series with these labels, if there is one.
    public func existingReference(forPacked packed: UnsafeRawBufferPointer) -> SeriesRef? { head.find(packed) }

    public func append(_ batch: borrowing SampleBatch) throws(TSDBError) -> AppendReport {
        let bounds = appendBounds()
        guard let wal else {
            let report = writer.withLock { stored in head.append(batch, bounds: bounds, news: &stored.starts) }
            count(report)
            return report
        }
        // Asked before anything is stored: what the head has, the log must be able to take.
        guard wal.hasRoom else {
            throw TSDBError(.limit, "\(wal.options.queueLimit) bytes wait for the log in \(wal.directory): the disk does not take them")
        }
        let (report, position) = try writer.withLock { stored throws(TSDBError) in
            let report = head.append(batch, bounds: bounds, news: &stored.starts)
            return (report, try log(batch, report, &stored, wal))
        }
        count(report)
        // Outside of the lock: others append while this one waits, and one write serves all that wait.
        if let position { try wal.flush(through: position) }
        return report
    }

    private func log(
        _ batch: borrowing SampleBatch, _ report: AppendReport, _ stored: inout StoredColumns, _ wal: WAL
    ) throws(TSDBError) -> WALPosition? {
        guard report.storedCount > 0 else { return nil }
        if !stored.starts.isEmpty { try wal.append(starts: stored.starts) }
        if report.storedCount == batch.count && batch.histograms.isEmpty {
            return try wal.append(
                references: batch.references, timestamps: batch.timestamps, values: batch.values, count: batch.count)
        }
        stored.take(report, of: batch)
        if !stored.histograms.isEmpty {
            // Before the floats: a stale marker among them comes behind its series' histograms.
            let position = try wal.append(histograms: stored.histograms)
            if stored.references.isEmpty { return position }
        }
        return try wal.append(
            references: stored.references, timestamps: stored.timestamps, values: stored.values,
            count: stored.references.count)
    }

    private func appendBounds() -> AppendBounds {
        let window = settings.withLock { $0.outOfOrderWindow.milliseconds }
        return AppendBounds(
            minValidTime: counters.withLock { $0.lowerBound },
            maxTime: (clock.now() + DatabaseOptions.futureLimit).milliseconds, outOfOrderWindow: window)
    }

    private func count(_ report: AppendReport) {
        counters.withLock { counters in
            counters.appended += report.storedCount
            for verdict in report.verdicts where verdict != .stored && verdict != .repeated {
                counters.refused[verdict, default: 0] += 1
            }
        }
    }

    // MARK: Queryable

    public func select(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> any SeriesSet {
        try head.select(matchers, from: from.milliseconds, through: through.milliseconds)
    }

    public func select(
        _ matchers: [Matcher], from: Timestamp, through: Timestamp, stop: StopCheck
    ) throws(TSDBError) -> any SeriesSet {
        try head.select(matchers, from: from.milliseconds, through: through.milliseconds, stop: stop)
    }

    public func labelNames(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> [String] {
        try head.labelNames(matchers, from: from.milliseconds, through: through.milliseconds)
    }

    public func labelValues(
        _ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> [String] {
        try head.labelValues(name, matchers, from: from.milliseconds, through: through.milliseconds)
    }

    /// Counts of refused samples since the start, by verdict.
    public var refusedCounts: [AppendVerdict: Int] { counters.withLock { $0.refused } }

    public var statistics: HeadStatistics {
        var result = HeadStatistics()
        head.index.withLock { index in
            result.seriesCount = index.all.count
            result.symbolCount = index.symbols.count
            result.labelPairCount = index.postings.count
            result.labelArenaBytes = index.arena.reservedBytes + index.symbols.slotBytes + index.tableBytes
        }
        head.store.withLock { store in
            result.chunkCount = store.chunkCount
            result.sampleCount = store.sampleCount
            result.closedChunkBytes = store.closedBytes
            result.chunkArenaBytes = store.arena.reservedBytes
            result.minTime = Timestamp(milliseconds: store.minTime)
            result.maxTime = Timestamp(milliseconds: store.maxTime)
        }
        counters.withLock { counters in
            result.seriesCreated = counters.seriesCreated
            result.seriesRemoved = counters.seriesRemoved
            result.samplesAppended = counters.appended
        }
        return result
    }
}

/// What a database is told by flags and the configuration file.
public struct DatabaseOptions: Sendable {
    /// Samples older than this, counted back from the newest one, are dropped; zero: never.
    public var retention = Duration.hours(24)
    /// `storage.tsdb.out_of_order_time_window`.
    public var outOfOrderWindow = Duration.zero
    /// `storage.exemplars.max_exemplars`: exemplars kept in memory, all series together; 0: none are stored.
    public var maxExemplars = 0
    /// Keep when series began to count (feature `st-storage`). Read once, when the database is made; a log's start times are left behind where
    /// it is off.
    public var storesStarts = false
    public var wal = WALOptions()

    public init() {}

    var head: HeadOptions {
        var head = HeadOptions()
        head.storesStarts = storesStarts
        return head
    }

    /// How far ahead of the clock a sample may lie, on every path. Upstream's bound for scrapes.
    public static let futureLimit = Duration.minutes(10)
}
