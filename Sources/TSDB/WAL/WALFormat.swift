/// Names and numbers of the write-ahead log on disk. `docs/format/wal.md` draws every byte.
///
///     wal/00000007            segment: pages of 32 KiB
///     wal/00000008            the segment being written
///     wal/checkpoint.00000006 directory: what of segments …6 is still needed, in segments of its own
///
/// Directory, segment, page and fragment layout are Prometheus' own (tsdb/docs/format/wal.md).
public enum WALFormat {
    /// A segment is cut into pages; a reader that lost its way finds it again at the next one.
    static let pageSize = 32 * 1024
    /// type u8 │ length u16 │ CRC-32C u32, big-endian.
    static let headerSize = 7
    /// Prometheus' default segment size.
    public static let defaultSegmentSize = 128 << 20
    /// No record is larger, decompressed. Bounds what a damaged length can make us allocate.
    static let recordLimit = 256 << 20

    /// What a fragment is of its record: the low three bits of the type byte.
    enum FragmentKind: UInt8 {
        /// Not a fragment: the rest of the page is zeros.
        case pageEnd = 0
        case full = 1
        case first = 2
        case middle = 3
        case last = 4
    }

    /// How the record that a fragment belongs to is compressed: bits 3 and 4 of the type byte.
    enum RecordCompression: UInt8 {
        case none = 0
        case snappy = 8
        /// Prometheus can write it; we do not read it, and say so.
        case zstd = 16
    }

    /// `00000042`
    static func segmentName(_ index: Int) -> String { padded(index) }

    /// `checkpoint.00000042`: replaces segments up to 42.
    static func checkpointName(_ index: Int) -> String { "checkpoint." + padded(index) }

    /// The number of a segment's name, `nil` for other files.
    static func segmentIndex(_ name: String) -> Int? {
        guard !name.isEmpty, name.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(name)
    }

    /// The number of a finished checkpoint's name, `nil` for other files (unfinished ones end in `.tmp`).
    static func checkpointIndex(_ name: String) -> Int? {
        name.hasPrefix("checkpoint.") ? segmentIndex(String(name.dropFirst("checkpoint.".count))) : nil
    }

    private static func padded(_ index: Int) -> String {
        let digits = String(index)
        return String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
    }
}

/// What the log's records look like, the flag `--storage.tsdb.wal-compression-type`.
public enum WALCompression: String, Sendable, CaseIterable {
    /// Prometheus' records as they are.
    case none
    /// Prometheus' records, each under snappy.
    case snappy
    /// Our own compact records under LZ4, a sixth of the size; Prometheus cannot read them.
    case lz4
}

/// A place in the log that could not be read. What it held is lost; what stands around it is not.
public struct WALDamage: Equatable, Sendable, CustomStringConvertible {
    /// Path of the segment.
    public var segment: String
    /// Byte offset in the segment at which the damaged record begins.
    public var offset: Int
    public var reason: String

    public init(segment: String, offset: Int, reason: String) {
        self.segment = segment
        self.offset = offset
        self.reason = reason
    }

    public var description: String { "\(segment) at byte \(offset): \(reason)" }
}
