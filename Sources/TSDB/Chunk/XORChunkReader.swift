extension XORChunk {
    /// Appends all samples of a chunk to `columns`.
    ///
    /// `bytes` is the chunk with its header; `BitReader.spare` bytes behind it must be readable (their content does not
    /// matter). `limit` stops early, for a reader that may see only the first samples of a chunk still growing.
    /// Throws `.corruption` where the bits end before the samples do.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, limit: Int = .max, into columns: inout SampleColumns
    ) throws(TSDBError) {
        guard bytes.count >= headerSize, let base = bytes.baseAddress else {
            throw TSDBError(.corruption, "chunk of \(bytes.count) bytes has no header")
        }
        let total = min(Int(UInt16(bigEndian: base.loadUnaligned(as: UInt16.self))), limit)
        guard total > 0 else { return }
        columns.reserve(total)
        let bits = bytes.count &* 8

        var reader = BitReader(base + headerSize)
        guard let first = reader.takeVarint() else {
            throw TSDBError(.corruption, "first timestamp of a chunk does not end", offset: headerSize)
        }
        let timestamp = unzigzag(first)
        guard reader.consumed(from: base) <= bits else { throw truncated(0, of: total, bytes.count) }
        let value = reader.takeWide(64)
        guard reader.consumed(from: base) <= bits else { throw truncated(0, of: total, bytes.count) }
        columns.append(timestamp, Double(bitPattern: value))
        let start = XORRestart(
            timestamp: timestamp, delta: 0, value: value, bit: 0, count: 1, leading: 0xff, trailing: 0)
        try decode(&reader, behind: start, total: total, base, bits, into: &columns)
    }

    /// Appends the samples behind `restart` of a chunk of `total` samples. `bytes` is the rest of the chunk from its byte
    /// `offset` on, at or before the one that `restart` begins in; spare bytes as above.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, from offset: Int, restart: XORRestart, total: Int, into columns: inout SampleColumns
    ) throws(TSDBError) {
        let bit = Int(restart.bit) &- offset &* 8
        guard let base = bytes.baseAddress, bit >= 0, bit <= bytes.count &* 8, restart.count > 0 else {
            throw TSDBError(.corruption, "chunk from byte \(offset) on does not hold bit \(restart.bit)")
        }
        columns.reserve(max(0, total &- Int(restart.count)))
        var reader = BitReader(base, at: bit)
        try decode(&reader, behind: restart, total: total, base, bytes.count &* 8, into: &columns)
    }

    /// Decodes samples `start.count` ..< `total`; the columns have room for them.
    @inline(__always)
    private static func decode(
        _ reader: inout BitReader, behind start: XORRestart, total: Int, _ base: UnsafeRawPointer, _ bits: Int,
        into columns: inout SampleColumns
    ) throws(TSDBError) {
        var reader = reader
        var timestamp = start.timestamp, delta = start.delta, value = start.value
        var leading = 0, width = 0, trailing = Int(start.trailing)
        if start.leading != 0xff {
            leading = Int(start.leading)
            width = 64 &- leading &- trailing
        }
        var index = Int(start.count)
        let count = max(0, total &- index)
        let timestamps = columns.timestamps + columns.count - index
        let values = columns.values + columns.count - index
        while index < total {
            if index == 1 {
                guard let raw = reader.takeVarint() else {
                    throw TSDBError(.corruption, "second timestamp of a chunk does not end")
                }
                delta = Int64(bitPattern: raw)
                reader.refill()
            } else {
                reader.refill()
                if reader.register >> 63 == 0 {
                    _ = reader.take(1)
                } else {
                    let ones = min((~reader.register).leadingZeroBitCount, 4)
                    if ones < 4 {
                        _ = reader.take(ones &+ 1)
                        let size = ones == 1 ? 14 : ones == 2 ? 17 : 20
                        delta = delta &+ signed(reader.take(size), size)
                    } else {
                        _ = reader.take(4)
                        delta = delta &+ Int64(bitPattern: reader.takeWide(64))
                    }
                    reader.refill()
                }
            }
            timestamp = timestamp &+ delta
            // At least 32 bits are valid here: enough for every prefix of a value.
            if reader.register >> 63 == 0 {
                _ = reader.take(1)
            } else {
                let isExplicit = reader.register >> 62 == 0b11
                _ = reader.take(2)
                if isExplicit {
                    leading = Int(truncatingIfNeeded: reader.take(5))
                    width = Int(truncatingIfNeeded: reader.take(6))
                    if width == 0 { width = 64 }
                    trailing = 64 &- leading &- width
                    guard trailing >= 0 else {
                        throw TSDBError(.corruption, "value window of \(leading) + \(width) bits in sample \(index)")
                    }
                } else if width == 0 {
                    throw TSDBError(.corruption, "sample \(index) uses a value window before one was set")
                }
                value ^= reader.takeWide(width) << UInt64(truncatingIfNeeded: trailing)
            }
            guard reader.consumed(from: base) <= bits else { throw truncated(index, of: total, bits / 8) }
            timestamps[index] = timestamp
            values[index] = Double(bitPattern: value)
            index &+= 1
        }
        columns.commit(count)
    }

    /// Two's complement of `size` bits in upstream's range −(2ⁿ⁻¹ − 1) … 2ⁿ⁻¹.
    @inline(__always)
    private static func signed(_ bits: UInt64, _ size: Int) -> Int64 {
        let half = UInt64(1) << UInt64(truncatingIfNeeded: size &- 1)
        return bits > half ? Int64(bitPattern: bits) &- Int64(bitPattern: half << 1) : Int64(bitPattern: bits)
    }

    private static func truncated(_ index: Int, of total: Int, _ size: Int) -> TSDBError {
        TSDBError(.corruption, "chunk of \(size) bytes ends inside sample \(index) of \(total)", offset: size)
    }
}
