/// A change of when a series began to count, as it goes into the log and comes out of it.
public struct WALStart: Equatable, Sendable {
    public let reference: SeriesRef
    /// Of the sample, milliseconds since the epoch.
    public let time: Int64
    /// Milliseconds since the epoch; 0: not known.
    public let start: Int64
    /// Of that sample alone, which came late; otherwise of those behind it, too.
    public let isAlone: Bool

    public init(_ reference: SeriesRef, _ time: Int64, start: Int64, isAlone: Bool = false) {
        self.reference = reference
        self.time = time
        self.start = start
        self.isAlone = isAlone
    }
}

/// Our record of start times: what changed with a batch, in front of it; in a checkpoint all there are.
///
///     slot varint │ generation varint │ Δtime zigzag │ flags u8 │ [time − start zigzag]
///
///     flags    1 of this sample alone · 2 the start is known, and follows
///
/// `docs/format/wal.md` draws the bytes. In front of the batch, since a log that ends between the two then has a start without a sample, which
/// nobody sees, and not a sample with another's start.
enum WALStartRecord {
    private static let isAlone: UInt8 = 1
    private static let isKnown: UInt8 = 2

    /// Appends the body of a record.
    static func encode(_ rows: [WALStart], to output: inout [UInt8]) {
        var time: Int64 = 0
        for row in rows {
            output.appendVarint(UInt64(row.reference.slot))
            output.appendVarint(UInt64(row.reference.generation))
            output.appendVarint(ValueTag.zigzag(row.time &- time))
            time = row.time
            output.append((row.isAlone ? isAlone : 0) | (row.start != 0 ? isKnown : 0))
            if row.start != 0 { output.appendVarint(ValueTag.zigzag(row.time &- row.start)) }
        }
    }

    /// Reads a body. Throws `.corruption` where it is none.
    static func decode(_ body: UnsafeRawBufferPointer) throws(TSDBError) -> [WALStart] {
        var cursor = ByteCursor(body)
        var rows: [WALStart] = []
        var time: Int64 = 0
        while cursor.remaining > 0 {
            let slot = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
            let generation = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
            time = time &+ (try cursor.takeSignedVarint())
            let flags = try cursor.takeByte()
            guard flags & ~(isAlone | isKnown) == 0 else {
                throw TSDBError(.corruption, "start time with unknown flags \(flags)", offset: cursor.position)
            }
            let start = flags & isKnown != 0 ? time &- (try cursor.takeSignedVarint()) : 0
            rows.append(
                WALStart(SeriesRef(slot: slot, generation: generation), time, start: start, isAlone: flags & isAlone != 0))
        }
        return rows
    }
}
