/// Gorilla compression of (timestamp, value) pairs: delta-of-delta timestamps, XOR-ed values.
///
///     count u16 │ t₀ varint │ v₀ 64 bit │ Δt uvarint │ v xor │ ΔΔt prefix code │ v xor │ …
///
///     ΔΔt   0                        → 0
///           14, 17, 20 or 64 bits    → 10, 110, 1110, 1111 and the bits
///     v xor 0                        → 0
///           inside the last window   → 10 and the window's bits
///           else                     → 11, 5 bits leading zeros, 6 bits length (64 as 0), the bits
///
/// Byte-compatible with Prometheus' chunk encoding 1. In the head this is the form of the chunk that is still open: it
/// only grows at its end, and `XORAppender` is all the state that growing needs.
/// Source: Pelkonen et al., “Gorilla: A Fast, Scalable, In-Memory Time Series Database”, VLDB 2015, §4.1.
///
/// Invariant: timestamps inside one chunk are strictly increasing.
public enum XORChunk {
    /// Bytes in front of the bit stream: the number of samples, big endian.
    public static let headerSize = 2
    /// Most bytes that one sample can take (4 + 64 bits of time, 13 + 64 bits of value; the first: 10 + 8 bytes).
    static let maximumSampleSize = 19
    /// Bytes from the current one on that writing a sample may touch: the sample and a last 8-byte store.
    static let appendReach = maximumSampleSize + 1 + 8
    /// Samples that the header can count.
    static let maximumCount = Int(UInt16.max)

    static func writeHeader(_ count: UInt16, to chunk: UnsafeMutableRawPointer) {
        chunk.storeBytes(of: count.bigEndian, as: UInt16.self)
    }
}

/// The state of a chunk that is being written: 40 plain bytes, kept per series.
struct XORAppender {
    /// Bits used, the header included.
    var bitCount: UInt32 = 0
    var count: UInt16 = 0
    /// Window of the last explicitly coded difference; 0xff: none yet.
    var leading: UInt8 = 0xff
    var trailing: UInt8 = 0
    /// The chunk's last, unfinished byte.
    var partial: UInt8 = 0
    var timestamp: Int64 = 0
    var delta: Int64 = 0
    var value: UInt64 = 0

    var byteCount: Int { (Int(bitCount) &+ 7) >> 3 }

    /// Appends a sample behind the others. `buffer` is where byte 0 of the chunk lies, or would lie: only the bytes from the current
    /// one on are touched, `XORChunk.appendReach` of them. The timestamp is greater than the last one, and `count` is below
    /// `XORChunk.maximumCount`. The header's place is left free (`XORChunk.writeHeader`).
    @inline(__always)
    mutating func append(_ t: Int64, _ v: UInt64, to buffer: UnsafeMutableRawPointer) {
        var writer = BitWriter(buffer, at: Int(bitCount), kept: partial)
        if count > 1 {
            let newDelta = t &- timestamp
            let change = newDelta &- delta
            if change == 0 {
                writer.write(0, 1)
            } else if change >= -8191 && change <= 8192 {
                writer.write(0b10 << 14 | UInt64(bitPattern: change) & 0x3fff, 16)
            } else if change >= -65535 && change <= 65536 {
                writer.write(0b110 << 17 | UInt64(bitPattern: change) & 0x1_ffff, 20)
            } else if change >= -524_287 && change <= 524_288 {
                writer.write(0b1110 << 20 | UInt64(bitPattern: change) & 0xf_ffff, 24)
            } else {
                writer.write(0b1111, 4)
                writer.writeWide(UInt64(bitPattern: change), 64)
            }
            delta = newDelta
            writeValue(v, &writer)
        } else if count == 1 {
            delta = t &- timestamp
            writer.writeVarint(UInt64(bitPattern: delta))
            writeValue(v, &writer)
        } else {
            writer.bit = XORChunk.headerSize &* 8
            writer.writeVarint(zigzag(t))
            writer.writeWide(v, 64)
        }
        timestamp = t
        value = v
        count &+= 1
        bitCount = UInt32(truncatingIfNeeded: writer.bit)
        partial = writer.kept
    }

    /// Where a reader can begin with the next sample, knowing nothing of those before.
    var restart: XORRestart {
        XORRestart(
            timestamp: timestamp, delta: delta, value: value, bit: bitCount, count: count, leading: leading, trailing: trailing)
    }

    @inline(__always)
    private mutating func writeValue(_ v: UInt64, _ writer: inout BitWriter) {
        let difference = v ^ value
        if difference == 0 {
            writer.write(0, 1)
            return
        }
        let newLeading = UInt8(truncatingIfNeeded: min(difference.leadingZeroBitCount, 31))
        let newTrailing = UInt8(truncatingIfNeeded: difference.trailingZeroBitCount)
        if leading != 0xff && newLeading >= leading && newTrailing >= trailing {
            let width = 64 &- Int(leading) &- Int(trailing)
            if width <= 54 {
                let bits = difference >> UInt64(truncatingIfNeeded: trailing)
                writer.write(0b10 << UInt64(truncatingIfNeeded: width) | bits, width &+ 2)
            } else {
                writer.write(0b10, 2)
                writer.writeWide(difference >> UInt64(truncatingIfNeeded: trailing), width)
            }
        } else {
            leading = newLeading
            trailing = newTrailing
            let width = 64 &- Int(newLeading) &- Int(newTrailing)
            writer.write(0b11 << 11 | UInt64(newLeading) << 6 | UInt64(truncatingIfNeeded: width & 63), 13)
            writer.writeWide(difference >> UInt64(truncatingIfNeeded: newTrailing), width)
        }
    }
}

/// What a reader has to know to begin in the middle of a chunk: its state behind sample `count`, 32 plain bytes.
///
///     t₀ v₀ │ Δt xor │ ΔΔt xor │ ΔΔt xor │ ΔΔt xor │ …
///                                        ▲ bit; timestamp, delta, value and window as they are here
struct XORRestart: BitwiseCopyable, Equatable {
    /// Of the last sample before the place.
    var timestamp: Int64
    var delta: Int64
    var value: UInt64
    /// Place of the next sample, counted from the chunk's first bit.
    var bit: UInt32
    /// Samples before the place, one at least.
    var count: UInt16
    /// Window of the last explicitly coded difference; 0xff: none yet.
    var leading: UInt8
    var trailing: UInt8
}
