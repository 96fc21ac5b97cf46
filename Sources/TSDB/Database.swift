import Synchronization

/// The front door of storage: takes samples in (`Appendable`), gives series out (`Queryable`), keeps time and space bounded.
public final class Database: Appendable, Queryable {
    let head: Head
    let clock: any WallClock
    private let settings: Mutex<DatabaseOptions>
    private let counters = Mutex(Counters())
    /// Whoever appends holds this: the log sees batches in the order in which the head does.
    private let writer = Guarded(WriterState())

    private struct WriterState: ~Copyable {
        var stored = StoredColumns()
    }

    private struct Counters {
        var seriesCreated = 0
        var seriesRemoved = 0
        var appended = 0
        var refused: [AppendVerdict: Int] = [:]
        var lowerBound = Int64.min
    }

    init(options: DatabaseOptions, clock: any WallClock) {
        head = Head(options: HeadOptions())
        self.clock = clock
        settings = Mutex(options)
    }

    /// A database without a disk (`--storage.tsdb.path=:memory:`).
    public static func inMemory(options: DatabaseOptions = DatabaseOptions(), clock: any WallClock) -> Database {
        Database(options: options, clock: clock)
    }

    /// Takes over changed settings (a configuration reload).
    public func apply(_ options: DatabaseOptions) { settings.withLock { $0 = options } }

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
        try head.reference(for: packed) { _, _ throws(TSDBError) in
            counters.withLock { $0.seriesCreated += 1 }
        }
    }

    public func append(_ batch: borrowing SampleBatch) throws(TSDBError) -> AppendReport {
        let bounds = appendBounds()
        let report = writer.withLock { writer in
            head.append(batch, bounds: bounds, stored: &writer.stored, isLogged: false)
        }
        count(report)
        return report
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

    public func labelNames(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> [String] {
        try head.labelNames(matchers, from: from.milliseconds, through: through.milliseconds)
    }

    public func labelValues(
        _ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> [String] {
        try head.labelValues(name, matchers, from: from.milliseconds, through: through.milliseconds)
    }

    // MARK: Upkeep

    /// Does what is due; called about once a second by whoever runs the process.
    public func tick() throws(TSDBError) {
        truncate()
    }

    /// Drops what is older than the retention, counted back from the newest sample.
    private func truncate() {
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

    public init() {}

    /// How far ahead of the clock a sample may lie, on every path. Upstream's bound for scrapes.
    public static let futureLimit = Duration.minutes(10)
}
