/// The bytes of a chunk that is still growing: a chain of small segments.
///
///     ┌ next ┬ 88 bytes of the chunk ┬ room to run over ┐ ─▶ ┌ next ┬ 88 bytes … ┐
///     └ 8 B  ┴───────────────────────┴ 32 B ────────────┘
///                                     later: restart        for the first sample that begins in the next segment
///
/// All series of a target start together and would outgrow buffer after buffer together; a chain never moves, never copies what
/// it holds, and wastes half a segment on average. A sample may run over the end of a segment: its last bytes then begin the
/// next one. Once it is full, the room to run over is free and holds what a reader needs to begin with the next segment:
/// queries that want the last five minutes need not decode half an hour. Guarded by the store's lock; readers copy the bytes out.
struct OpenChunk: BitwiseCopyable {
    static let payload = 88
    static let segmentSize = 8 + payload + 32
    private static let header = 8

    var first: UnsafeMutableRawPointer?
    private var last: UnsafeMutableRawPointer?
    /// Offset in the chunk of the last segment's first byte.
    private var lastStart: UInt32 = 0

    init() {}

    /// Appends a sample; the rules are `XORAppender.append`'s.
    @inline(__always)
    mutating func append(_ time: Int64, _ value: UInt64, _ appender: inout XORAppender, arena: inout Arena) {
        if last == nil { begin(&arena) }
        guard let segment = last else { return }
        appender.append(time, value, to: segment + (OpenChunk.header &- Int(lastStart)))
        if Int(appender.bitCount) >> 3 &- Int(lastStart) >= OpenChunk.payload { extend(appender, &arena) }
    }

    private mutating func begin(_ arena: inout Arena) {
        let segment = arena.allocate(OpenChunk.segmentSize)
        segment.storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
        first = segment
        last = segment
        lastStart = 0
    }

    private mutating func extend(_ appender: XORAppender, _ arena: inout Arena) {
        guard let full = last else { return }
        let segment = arena.allocate(OpenChunk.segmentSize)
        segment.storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
        let over = Int(appender.bitCount) >> 3 &+ 1 &- Int(lastStart) &- OpenChunk.payload
        (segment + OpenChunk.header).copyMemory(
            from: full + OpenChunk.header + OpenChunk.payload, byteCount: over)
        full.storeBytes(of: appender.restart, toByteOffset: OpenChunk.header &+ OpenChunk.payload, as: XORRestart.self)
        full.storeBytes(of: segment, as: UnsafeMutableRawPointer?.self)
        last = segment
        lastStart &+= UInt32(OpenChunk.payload)
    }

    /// Copies the first `size` bytes of the chunk that begins with segment `first` to `target`.
    static func copy(_ first: UnsafeMutableRawPointer, _ size: Int, to target: UnsafeMutableRawPointer) {
        var segment: UnsafeMutableRawPointer? = first
        var done = 0
        while done < size, let current = segment {
            let part = min(size &- done, payload)
            (target + done).copyMemory(from: current + header, byteCount: part)
            done &+= part
            segment = current.load(as: UnsafeMutableRawPointer?.self)
        }
    }

    /// Where reading can begin when only samples at or behind `time` are wanted: the last segment before which all are older.
    /// `size` bounds the chunk as for `copy`.
    static func begin(
        _ first: UnsafeMutableRawPointer, _ size: Int, at time: Int64
    ) -> (segment: UnsafeMutableRawPointer, offset: Int, restart: XORRestart)? {
        var found: (segment: UnsafeMutableRawPointer, offset: Int, restart: XORRestart)?
        var segment = first
        var offset = 0
        // More than a payload left: the segment was full when the size was noted, so its restart is written.
        while size &- offset > payload, let next = segment.load(as: UnsafeMutableRawPointer?.self) {
            let restart = segment.load(fromByteOffset: header &+ payload, as: XORRestart.self)
            if restart.timestamp >= time { break }
            offset &+= payload
            segment = next
            found = (segment, offset, restart)
        }
        return found
    }

    /// Gives the segments back and starts afresh.
    mutating func retire(_ epochs: inout ReadEpochs, _ arena: inout Arena) {
        var segment = first
        while let current = segment {
            // Read before retiring: without readers the block is free at once.
            segment = current.load(as: UnsafeMutableRawPointer?.self)
            epochs.retire(current, OpenChunk.segmentSize, to: &arena)
        }
        self = OpenChunk()
    }
}
