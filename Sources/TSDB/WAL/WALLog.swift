import Snappy

/// The back half of the writer: compresses and frames records and writes them, one call per commit.
///
/// What could not be written stays: records in the backlog, framed bytes in the page writer. The next attempt first cuts
/// off what a failed write left behind, so the file never holds half a record with another one after it.
struct WALLog: ~Copyable {
    private let directory: String
    private let files: any FileStore
    private let compression: WALCompression
    private let segmentSize: Int

    private(set) var segment: Int
    private var file: (any WritableFile)?
    private var page = WALPageWriter()
    /// Bytes of the file that are whole records.
    private var soundSize = 0
    var backlog = WALBacklog()
    private var compressed: [UInt8] = []

    /// Files to be synchronized and closed: segments that are finished.
    var retired: [(segment: Int, file: any WritableFile)] = []
    /// A segment was created and its directory entry is not durable yet.
    var isDirectoryDirty = false
    /// The segment that the last cut finished.
    private(set) var lastCutSegment: Int?

    private(set) var writtenBytes = 0
    private(set) var writeCount = 0
    private(set) var failureCount = 0

    /// Begins segment `segment` when the first record comes.
    init(_ directory: String, _ files: any FileStore, segment: Int, compression: WALCompression, segmentSize: Int) {
        self.directory = directory
        self.files = files
        self.segment = segment
        self.compression = compression
        self.segmentSize = segmentSize
    }

    var path: String { directory + "/" + WALFormat.segmentName(segment) }

    /// Bytes held back because they could not be written yet.
    var heldBytes: Int { backlog.bytes.count - backlog.takenBytes + page.bytes.count }

    /// The file being written, to be synchronized.
    var current: (any WritableFile)? { file }

    /// Writes the whole backlog, or throws and keeps what is not written.
    mutating func write() throws(TSDBError) {
        do throws(TSDBError) {
            try openSegment()
            while !backlog.isEmpty {
                switch backlog.entries[backlog.takenEntries] {
                case .cut:
                    try flush()
                    lastCutSegment = segment
                    try nextSegment()
                case .record(let count):
                    try frame(backlog.takenBytes..<(backlog.takenBytes + count))
                    backlog.takenBytes += count
                }
                backlog.takenEntries += 1
            }
            try flush()
        } catch {
            failureCount += 1
            throw error
        }
    }

    /// Compresses and frames one record of the backlog.
    private mutating func frame(_ range: Range<Int>) throws(TSDBError) {
        let (isCompressed, bits) = compress(range)
        let count = isCompressed ? compressed.count : range.count
        if !page.fits(count, segmentSize: segmentSize) {
            try flush()
            try nextSegment()
        }
        if isCompressed {
            compressed.withUnsafeBytes { page.append($0, compression: bits) }
        } else {
            backlog.bytes.withUnsafeBytes { page.append(UnsafeRawBufferPointer(rebasing: $0[range]), compression: .none) }
        }
    }

    /// Puts the record into `compressed` where that makes it smaller.
    private mutating func compress(_ range: Range<Int>) -> (Bool, WALFormat.RecordCompression) {
        compressed.removeAll(keepingCapacity: true)
        return backlog.bytes.withUnsafeBytes { bytes in
            let record = UnsafeRawBufferPointer(rebasing: bytes[range])
            guard let type = record.first else { return (false, .none) }
            switch compression {
            case .none: return (false, .none)
            case .snappy:
                // Prometheus' kinds; ours have a way of their own.
                guard !WALRecordType.isOurs(type) else { return (false, .none) }
                Snappy.compress(record, into: &compressed)
                return compressed.count < record.count ? (true, .snappy) : (false, .none)
            case .lz4:
                // Ours only; Prometheus' kinds stay readable for it.
                guard WALRecordType.isOurs(type), record.count > 64, record[1] == WALBodyForm.plain else { return (false, .none) }
                let body = UnsafeRawBufferPointer(rebasing: record.dropFirst(2))
                compressed.append(type)
                compressed.append(WALBodyForm.lz4)
                compressed.appendVarint(UInt64(body.count))
                return (LZ4.compress(body, shorterThan: body.count - compressed.count, to: &compressed), .none)
            }
        }
    }

    /// One write for everything framed.
    private mutating func flush() throws(TSDBError) {
        guard let file, !page.bytes.isEmpty else { return }
        if file.size != soundSize { try file.truncate(to: soundSize) }
        var failure: TSDBError?
        page.bytes.withUnsafeBytes { bytes in
            do throws(TSDBError) { try file.append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        writeCount += 1
        writtenBytes += page.bytes.count
        soundSize += page.bytes.count
        page.removeWritten()
    }

    // MARK: Segments

    private mutating func openSegment() throws(TSDBError) {
        guard file == nil else { return }
        let opened = try files.openForAppending(path)
        // Left by an attempt that failed: nothing in it was ever acknowledged.
        if opened.size > 0 { try opened.truncate(to: 0) }
        file = opened
        soundSize = 0
        page = WALPageWriter()
        isDirectoryDirty = true
    }

    /// Finishes the segment, framed bytes flushed before, and opens the next one.
    private mutating func nextSegment() throws(TSDBError) {
        page.padPage()
        try flush()
        if let file { retired.append((segment, file)) }
        file = nil
        segment += 1
        try openSegment()
    }

    /// Replaces the current file by one at the same path (see `WAL.rewrite`).
    mutating func replaceCurrent(with opened: any WritableFile) { file = opened }
}
