/// The bytes of a chunk that is still growing: a chain of small segments, the newest first.
///
///     ┌ before ┬ 88 bytes of the chunk ┬ room to run over ┐ ◀─ ┌ before ┬ 88 bytes … ┐ ◀─ last
///     └ 8 B    ┴───────────────────────┴ 32 B ────────────┘
///                                       later: restart        for the first sample that begins in the next segment
///
/// All series of a target start together and would outgrow buffer after buffer together; a chain never moves, never copies what
/// it holds, and wastes half a segment on average. A sample may run over the end of a segment: its last bytes then begin the
/// next one. Once it is full, the room to run over is free and holds what a reader needs to begin with the next segment:
/// queries that want the last five minutes need not decode half an hour, nor touch its memory, since the chain begins at its newest end.
///
/// Written under the store's lock. Who noted `last`, `lastStart` and the chunk's size under it may read without: bits, links and
/// restarts never change once they are there, and a retired segment outlasts its readers' epochs.
struct OpenChunk: BitwiseCopyable {
    static let payload = 88
    static let segmentSize = 8 + payload + 32
    private static let header = 8

    /// Where the content of a segment lies in it. `BitReader.spare` bytes behind it are readable.
    static func content(_ segment: UnsafeMutableRawPointer) -> UnsafeRawPointer { UnsafeRawPointer(segment + header) }

    private(set) var last: UnsafeMutableRawPointer?
    /// Offset in the chunk of the last segment's first byte.
    private(set) var lastStart: UInt32 = 0

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
        last = segment
        lastStart = 0
    }

    private mutating func extend(_ appender: XORAppender, _ arena: inout Arena) {
        guard let full = last else { return }
        let segment = arena.allocate(OpenChunk.segmentSize)
        segment.storeBytes(of: full, as: UnsafeMutableRawPointer?.self)
        let over = Int(appender.bitCount) >> 3 &+ 1 &- Int(lastStart) &- OpenChunk.payload
        (segment + OpenChunk.header).copyMemory(
            from: full + OpenChunk.header + OpenChunk.payload, byteCount: over)
        full.storeBytes(of: appender.restart, toByteOffset: OpenChunk.header &+ OpenChunk.payload, as: XORRestart.self)
        last = segment
        lastStart &+= UInt32(OpenChunk.payload)
    }

    /// Copies the bytes from `offset`, where a segment begins, to the end of a chunk of `size` bytes whose segment `last` begins at
    /// `lastStart`.
    static func copy(
        _ last: UnsafeMutableRawPointer, _ lastStart: Int, from offset: Int = 0, _ size: Int, to target: UnsafeMutableRawPointer
    ) {
        var segment: UnsafeMutableRawPointer? = last
        var start = lastStart
        while let current = segment, start >= offset {
            (target + (start &- offset)).copyMemory(from: content(current), byteCount: min(size &- start, payload))
            segment = current.load(as: UnsafeMutableRawPointer?.self)
            start &-= payload
        }
    }

    /// Where reading can begin when only samples at or behind `time` are wanted: the last segment before which all are older. `restart`
    /// is `nil` at the chunk's beginning.
    @inline(__always)
    static func begin(
        _ last: UnsafeMutableRawPointer, _ lastStart: Int, at time: Int64
    ) -> (segment: UnsafeMutableRawPointer, offset: Int, restart: XORRestart?) {
        var segment = last
        var offset = lastStart
        while offset > 0, let before = segment.load(as: UnsafeMutableRawPointer?.self) {
            let restart = before.load(fromByteOffset: header &+ payload, as: XORRestart.self)
            if restart.timestamp < time { return (segment, offset, restart) }
            segment = before
            offset &-= payload
        }
        return (segment, offset, nil)
    }

    /// Asks for the memory in which reading the newest samples begins; `prefetchRestart` needs that this has come.
    @inline(__always)
    static func prefetchLast(_ last: UnsafeMutableRawPointer) {
        prefetch(last)
        prefetch(last + 64)
    }

    /// Asks for the segment before the last one: its restart, and its content where the last one has only just begun.
    @inline(__always)
    static func prefetchRestart(_ last: UnsafeMutableRawPointer) {
        guard let before = last.load(as: UnsafeMutableRawPointer?.self) else { return }
        prefetch(before)
        // Blocks begin at multiples of 16, lines at multiples of 64: the restart may lie in two.
        prefetch(before + header + payload)
        prefetch(before + segmentSize - 1)
    }

    /// Gives the segments back and starts afresh.
    mutating func retire(_ epochs: inout ReadEpochs, _ arena: inout Arena) {
        var segment = last
        while let current = segment {
            // Read before retiring: without readers the block is free at once.
            segment = current.load(as: UnsafeMutableRawPointer?.self)
            epochs.retire(current, OpenChunk.segmentSize, to: &arena)
        }
        self = OpenChunk()
    }
}
