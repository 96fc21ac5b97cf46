/// Cuts records into fragments that never cross a page: the writing half of the log's framing.
///
///     │ page 0                        │ page 1                        │
///     ├────────┬────────┬─────────────┼─────────────┬───────┬─────────┤
///     │ full   │ full   │ first       │ last        │ full  │ zeros   │
///     └────────┴────────┴─────────────┴─────────────┴───────┴─────────┘
///
/// Framed bytes are collected until the caller writes them with one call; the position in the segment tells where the
/// pages end. Fewer than seven bytes at the end of a page are zeros.
/// Source: Prometheus tsdb/docs/format/wal.md, after LevelDB's log format.
struct WALPageWriter {
    /// Framed bytes that are not in the file yet.
    private(set) var bytes: [UInt8] = []
    /// Offset in the segment behind the last framed byte.
    private(set) var position: Int

    /// Continues a segment at `position`.
    init(position: Int = 0) { self.position = position }

    /// Whether a record of `count` bytes still goes into a segment of `segmentSize`. An empty segment takes any record:
    /// records never cross segments, so a huge one gets a segment of its own size.
    func fits(_ count: Int, segmentSize: Int) -> Bool {
        if position == 0 { return true }
        let inPage = position % WALFormat.pageSize
        let pagesBehind = max(0, segmentSize / WALFormat.pageSize - position / WALFormat.pageSize - 1)
        let here =
            position / WALFormat.pageSize < segmentSize / WALFormat.pageSize
            ? max(0, WALFormat.pageSize - inPage - WALFormat.headerSize) : 0
        return count <= here + pagesBehind * (WALFormat.pageSize - WALFormat.headerSize)
    }

    /// Frames one record. An empty record is one empty fragment.
    mutating func append(_ record: UnsafeRawBufferPointer, compression: WALFormat.RecordCompression = .none) {
        var rest = record
        var isFirst = true
        repeat {
            let room = WALFormat.pageSize - position % WALFormat.pageSize - WALFormat.headerSize
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(room))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(room))
            let kind: WALFormat.FragmentKind =
                switch (isFirst, rest.isEmpty) {
                case (true, true): .full
                case (true, false): .first
                case (false, false): .middle
                case (false, true): .last
                }
            appendFragment(kind.rawValue | compression.rawValue, part)
            isFirst = false
        } while !rest.isEmpty
    }

    private mutating func appendFragment(_ type: UInt8, _ data: UnsafeRawBufferPointer) {
        let crc = crc32c(0, data.baseAddress, data.count)
        bytes.append(type)
        bytes.append(UInt8(truncatingIfNeeded: data.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: data.count))
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: crc >> shift)) }
        bytes.append(contentsOf: data)
        position += WALFormat.headerSize + data.count
        let left = WALFormat.pageSize - position % WALFormat.pageSize
        if left < WALFormat.headerSize {
            for _ in 0..<left { bytes.append(0) }
            position += left
        }
    }

    /// Fills the page with zeros, as at the end of a segment.
    mutating func padPage() {
        let used = position % WALFormat.pageSize
        guard used > 0 else { return }
        bytes.append(contentsOf: repeatElement(0, count: WALFormat.pageSize - used))
        position += WALFormat.pageSize - used
    }

    /// Forgets the framed bytes once they are in the file.
    mutating func removeWritten() { bytes.removeAll(keepingCapacity: true) }
}
