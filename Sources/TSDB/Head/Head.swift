import Synchronization

/// The newest samples of all series, in memory.
///
///     labels ─▶ LabelIndex ─▶ slot ─▶ SeriesStore ─▶ closed chunks, open chunk
///
/// Two locks, always taken in this order: the index (who is who) and the store (samples). Both are held for short: a batch
/// of a thousand samples keeps the store for some 30 µs; a query takes both once, to resolve its series and note how much of each
/// there is, and decodes later without a lock. What it noted stays readable until it is done (`ReadEpochs`).
final class Head: Sendable {
    let index = Guarded(LabelIndex())
    let store = Guarded(SeriesStore())
    let options: HeadOptions

    init(options: HeadOptions) { self.options = options }

    /// The series with these labels, if there is one.
    func find(_ packed: UnsafeRawBufferPointer) -> SeriesRef? {
        let hash = Hash64.hash(packed)
        return index.withLock { $0.find(packed, hash: hash) }
    }

    /// The series with these labels, made if need be. `onCreate` runs under the index's lock before anyone else can learn the
    /// reference (the log records the series there).
    func reference(
        for packed: UnsafeRawBufferPointer, onCreate: (SeriesRef, UnsafeRawBufferPointer) throws(TSDBError) -> Void
    ) throws(TSDBError) -> SeriesRef {
        let hash = Hash64.hash(packed)
        return try index.withLock { index throws(TSDBError) in
            if let known = index.find(packed, hash: hash) { return known }
            let made = try index.insert(packed, hash: hash)
            store.withLock { $0.prepare(made) }
            do throws(TSDBError) {
                try onCreate(made, packed)
            } catch {
                // Not logged, so it must not be there.
                store.withLock { $0.drop(made.slot) }
                index.remove([made.slot])
                throw error
            }
            return made
        }
    }
}

/// What the head needs to know of the configuration.
struct HeadOptions: Sendable {
    /// The span of a block; half of it is how far behind the newest sample an in-order sample may lie. Upstream's default.
    var blockRange = Duration.hours(2)
    /// Keep when series began to count.
    var storesStarts = false
}

/// Counters and sizes of the head, for `/metrics` and the status pages.
public struct HeadStatistics: Sendable {
    public var seriesCount = 0
    public var seriesCreated = 0
    public var seriesRemoved = 0
    public var samplesAppended = 0
    public var chunkCount = 0
    public var sampleCount = 0
    public var symbolCount = 0
    public var labelPairCount = 0
    /// `.max` and `.min` where there is no sample.
    public var minTime = Timestamp.max
    public var maxTime = Timestamp.min
    /// Bytes of closed chunks.
    public var closedChunkBytes = 0
    /// Bytes taken from the system for chunks and for labels.
    public var chunkArenaBytes = 0
    public var labelArenaBytes = 0
}
