/// Reads one segment: pages → fragments → records, and finds its way back after damage.
///
/// A fragment is believed when its CRC holds. Where one does not, the record it belongs to is lost and reading goes on
///
/// 1. behind the length for which the CRC comes true, if a sound fragment (or the page's end) stands there: the length was
///    damaged, not the data;
/// 2. else behind the claimed length, under the same condition: the data was damaged, not the length;
/// 3. else at the next page, which always begins with a fragment.
///
/// A fragment is never searched for inside data: a label value may hold the bytes of one.
struct WALSegmentReader: ~Copyable {
    enum Frame {
        /// A whole record. The bytes live until the next call.
        case record(UnsafeRawBufferPointer, WALFormat.RecordCompression, offset: Int)
        /// A record that begins (or is first missed) at `offset` is lost. `isTorn`: the file ends inside it.
        case damage(offset: Int, reason: String, isTorn: Bool)
    }

    private let file: any ReadableFile
    private let size: Int
    /// Some pages of the file, read at once.
    private let window: UnsafeMutableRawPointer
    private var windowStart = 0
    private var windowEnd = 0
    private static let windowSize = 32 * WALFormat.pageSize

    /// Offset of the next fragment.
    private var position = 0
    /// Behind the last whole record; what follows it at the end of the last segment is a torn tail.
    private(set) var endOfLastRecord = 0
    /// After the end: something that is neither a record nor zeros stands behind the last whole record.
    private(set) var hasUnreadableTail = false
    /// The fragments so far of a record that began at `assemblyStart`.
    private var assembly: [UInt8] = []
    private var assemblyStart: Int?
    private var assemblyCompression = WALFormat.RecordCompression.none
    /// After damage: middle and last fragments belong to a record already reported.
    private var isSkipping = false

    init(_ file: any ReadableFile) {
        self.file = file
        size = file.size
        window = .allocate(byteCount: Self.windowSize, alignment: 64)
    }

    deinit { window.deallocate() }

    /// Bytes read so far, for the progress of a replay.
    var offset: Int { position }

    /// The next record or damage in file order; `nil` at the end of the segment. Throws what the file system throws.
    mutating func next() throws(TSDBError) -> Frame? {
        while position < size {
            let pageStart = position / WALFormat.pageSize * WALFormat.pageSize
            let pageEnd = min(pageStart + WALFormat.pageSize, size)
            try load(pageStart, pageEnd)
            let start = position
            let type = byte(start)
            if type == 0 && isZero(from: start, to: pageEnd) {
                position = pageStart + WALFormat.pageSize
                continue
            }
            if pageEnd - start < WALFormat.headerSize {
                position = pageStart + WALFormat.pageSize
                return lost(at: start, "page does not end in zeros", isTorn: pageEnd == size && pageEnd % WALFormat.pageSize != 0)
            }
            let length = Int(byte(start + 1)) << 8 | Int(byte(start + 2))
            let dataStart = start + WALFormat.headerSize
            if length > pageEnd - dataStart {
                // Torn only if it would have fitted into a whole page.
                let isTorn = pageEnd == size && length <= pageStart + WALFormat.pageSize - dataStart
                resynchronise(after: start, pageStart, pageEnd, claimed: nil)
                return lost(
                    at: start, isTorn ? "file ends inside a record" : "fragment of \(length) bytes crosses its page",
                    isTorn: isTorn && position >= size)
            }
            let data = UnsafeRawBufferPointer(start: window + (dataStart - windowStart), count: length)
            guard storedChecksum(start) == crc32c(0, data.baseAddress, length) else {
                resynchronise(after: start, pageStart, pageEnd, claimed: length)
                return lost(at: start, "checksum does not match", isTorn: false)
            }
            position = dataStart + length
            guard type & 0xe0 == 0, let kind = WALFormat.FragmentKind(rawValue: type & 7), kind != .pageEnd,
                let compression = WALFormat.RecordCompression(rawValue: type & 0x18)
            else { return lost(at: start, "unknown fragment type \(type)", isTorn: false) }

            switch kind {
            case .pageEnd: continue  // excluded above
            case .full, .first:
                isSkipping = false
                if let begun = assemblyStart {
                    // The record before was never finished. Report it, then read this fragment again.
                    assemblyStart = nil
                    position = start
                    hasUnreadableTail = true
                    return .damage(offset: begun, reason: "record without its end", isTorn: false)
                }
                if kind == .full {
                    found()
                    return .record(data, compression, offset: start)
                }
                assemblyStart = start
                assemblyCompression = compression
                assembly.removeAll(keepingCapacity: true)
                assembly.append(contentsOf: data)
            case .middle, .last:
                guard let begun = assemblyStart else {
                    if isSkipping { continue }
                    return lost(at: start, "record without its beginning", isTorn: false)
                }
                guard compression == assemblyCompression else {
                    return lost(at: begun, "fragments disagree about compression", isTorn: false)
                }
                assembly.append(contentsOf: data)
                if kind == .last {
                    assemblyStart = nil
                    found()
                    let whole = assembly.withUnsafeBytes { $0 }  // `assembly` is not touched until the next call
                    return .record(whole, compression, offset: begun)
                }
            }
        }
        if let begun = assemblyStart {
            assemblyStart = nil
            hasUnreadableTail = true
            return .damage(offset: begun, reason: "file ends inside a record", isTorn: true)
        }
        return nil
    }

    private mutating func found() {
        endOfLastRecord = position
        hasUnreadableTail = false
    }

    /// Drops the record being read; the damage counts from where it began.
    private mutating func lost(at offset: Int, _ reason: String, isTorn: Bool) -> Frame {
        let begun = assemblyStart ?? offset
        assemblyStart = nil
        isSkipping = true
        hasUnreadableTail = true
        return .damage(offset: begun, reason: reason, isTorn: isTorn)
    }

    // MARK: Finding the way back

    private mutating func resynchronise(after start: Int, _ pageStart: Int, _ pageEnd: Int, claimed: Int?) {
        let dataStart = start + WALFormat.headerSize
        let wanted = storedChecksum(start)
        var crc: UInt32 = 0
        for end in dataStart..<pageEnd {
            crc = crc32c(crc, window + (end - windowStart), 1)
            if crc == wanted && isSound(at: end + 1, pageEnd) {
                position = end + 1
                return
            }
        }
        if let claimed, isSound(at: dataStart + claimed, pageEnd) {
            position = dataStart + claimed
        } else {
            position = pageStart + WALFormat.pageSize
        }
    }

    /// A sound fragment, or nothing but the page's end.
    private func isSound(at start: Int, _ pageEnd: Int) -> Bool {
        if isZero(from: start, to: pageEnd) { return true }
        guard pageEnd - start > WALFormat.headerSize else { return false }
        let length = Int(byte(start + 1)) << 8 | Int(byte(start + 2))
        let dataStart = start + WALFormat.headerSize
        guard byte(start) & 0xe0 == 0, (1...4).contains(byte(start) & 7), length > 0, length <= pageEnd - dataStart
        else { return false }
        return storedChecksum(start) == crc32c(0, window + (dataStart - windowStart), length)
    }

    // MARK: The window. Offsets are the file's; callers stay inside the loaded page.

    private mutating func load(_ pageStart: Int, _ pageEnd: Int) throws(TSDBError) {
        if pageStart >= windowStart && pageEnd <= windowEnd { return }
        windowStart = pageStart
        let wanted = min(Self.windowSize, size - pageStart)
        let got = try file.read(into: UnsafeMutableRawBufferPointer(start: window, count: wanted), at: pageStart)
        windowEnd = pageStart + got
        guard windowEnd >= pageEnd else {
            throw TSDBError(.io, "the file became shorter while it was read", offset: windowEnd)
        }
    }

    @inline(__always)
    private func byte(_ offset: Int) -> UInt8 { window.load(fromByteOffset: offset &- windowStart, as: UInt8.self) }

    private func storedChecksum(_ start: Int) -> UInt32 {
        UInt32(bigEndian: window.loadUnaligned(fromByteOffset: start + 3 - windowStart, as: UInt32.self))
    }

    private func isZero(from start: Int, to end: Int) -> Bool {
        var offset = start
        while offset < end {
            if byte(offset) != 0 { return false }
            offset &+= 1
        }
        return true
    }
}
