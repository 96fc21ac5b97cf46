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
        try decode(bytes, total: total, since: .min, into: &columns)
    }

    /// Appends those of the first `total` samples of a chunk that lie at or behind `time`. The header is passed over.
    private static func decode(
        _ bytes: UnsafeRawBufferPointer, total: Int, since time: Int64, into columns: inout SampleColumns
    ) throws(TSDBError) {
        guard let base = bytes.baseAddress, total > 0 else { return }
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
        if timestamp >= time { columns.append(timestamp, Double(bitPattern: value)) }
        let start = XORRestart(
            timestamp: timestamp, delta: 0, value: value, bit: 0, count: 1, leading: 0xff, trailing: 0)
        try decode(reader, behind: start, total: total, since: time, base, bits, into: &columns)
    }

    /// Appends the samples behind `restart` of a chunk of `total` samples, all of them where it is `nil`, as far as they lie at or
    /// behind `time`. `bytes` is the rest of the chunk from its byte `offset` on, at or before the one that `restart` begins in;
    /// spare bytes as above.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, from offset: Int, restart: XORRestart?, total: Int, since time: Int64 = .min,
        into columns: inout SampleColumns
    ) throws(TSDBError) {
        guard let restart else { return try decode(bytes, total: total, since: time, into: &columns) }
        let bit = Int(restart.bit) &- offset &* 8
        guard let base = bytes.baseAddress, bit >= 0, bit <= bytes.count &* 8, restart.count > 0 else {
            throw TSDBError(.corruption, "chunk from byte \(offset) on does not hold bit \(restart.bit)")
        }
        columns.reserve(max(0, total &- Int(restart.count)))
        try decode(
            BitReader(base, at: bit), behind: restart, total: total, since: time, base, bytes.count &* 8, into: &columns)
    }

    /// Decodes samples `start.count` ..< `total`; the columns have room for them. One that is older than `time` is written, too, and
    /// the next one over it: cheaper than asking.
    ///
    /// Nearly all samples come as far apart as the two before, with the same value or one whose difference fits the last window:
    /// then one refill covers the sample. The others take the long way.
    private static func decode(
        _ reader: BitReader, behind start: XORRestart, total: Int, since time: Int64, _ base: UnsafeRawPointer,
        _ bits: Int, into columns: inout SampleColumns
    ) throws(TSDBError) {
        var reader = reader
        var timestamp = start.timestamp, delta = start.delta, value = start.value
        var window = Window(start)
        var index = Int(start.count)
        let timestamps = columns.timestamps + columns.count
        let values = columns.values + columns.count
        var count = 0
        if index == 1 && index < total {
            var longReader = reader
            guard let raw = longReader.takeVarint() else {
                throw TSDBError(.corruption, "second timestamp of a chunk does not end")
            }
            delta = Int64(bitPattern: raw)
            timestamp = timestamp &+ delta
            longReader.refill()
            var longWindow = window
            value ^= try difference(&longReader, &longWindow, 1)
            window = longWindow
            reader = longReader
            guard reader.consumed(from: base) <= bits else { throw truncated(1, of: total, bits / 8) }
            timestamps[0] = timestamp
            values[0] = Double(bitPattern: value)
            count = timestamp >= time ? 1 : 0
            index = 2
        }
        while index < total {
            reader.refill()
            let next = reader.register
            if next >> 61 == 0b010 && window.isNarrow {
                let bits = (next << 3) &>> UInt64(truncatingIfNeeded: 64 &- window.width)
                value ^= bits &<< UInt64(truncatingIfNeeded: window.trailing)
                reader.skip(3 &+ window.width)
            } else if next >> 62 == 0 {
                reader.skip(2)
            } else {
                // On copies: what is lent to a function lives in memory, and the loop's own must stay in registers.
                var longReader = reader, longWindow = window
                delta = delta &+ change(&longReader)
                value ^= try difference(&longReader, &longWindow, index)
                reader = longReader
                window = longWindow
            }
            timestamp = timestamp &+ delta
            guard reader.consumed(from: base) <= bits else { throw truncated(index, of: total, bits / 8) }
            timestamps[count] = timestamp
            values[count] = Double(bitPattern: value)
            count &+= timestamp >= time ? 1 : 0
            index &+= 1
        }
        columns.commit(count)
    }

    /// Where in a word the bits of a difference stand.
    private struct Window {
        var leading = 0
        /// 0: none was set yet.
        var width = 0
        var trailing = 0

        init(_ start: XORRestart) {
            guard start.leading != 0xff else { return }
            leading = Int(start.leading)
            trailing = Int(start.trailing)
            width = 64 &- leading &- trailing
        }

        /// A difference inside it fits, with all codes in front of it, into what one refill brings.
        var isNarrow: Bool { width > 0 && width <= 53 }
    }

    /// ΔΔt. Leaves at least 32 bits in the register.
    @inline(__always)
    private static func change(_ reader: inout BitReader) -> Int64 {
        if reader.register >> 63 == 0 {
            reader.skip(1)
            return 0
        }
        let ones = min((~reader.register).leadingZeroBitCount, 4)
        let change: Int64
        if ones < 4 {
            reader.skip(ones &+ 1)
            let size = ones == 1 ? 14 : ones == 2 ? 17 : 20
            change = signed(reader.take(size), size)
        } else {
            reader.skip(4)
            change = Int64(bitPattern: reader.takeWide(64))
        }
        reader.refill()
        return change
    }

    /// What the value is to be XOR-ed with. At least 32 bits are valid: enough for every prefix.
    @inline(__always)
    private static func difference(
        _ reader: inout BitReader, _ window: inout Window, _ index: Int
    ) throws(TSDBError) -> UInt64 {
        if reader.register >> 63 == 0 {
            reader.skip(1)
            return 0
        }
        let isExplicit = reader.register >> 62 == 0b11
        reader.skip(2)
        if isExplicit {
            window.leading = Int(truncatingIfNeeded: reader.take(5))
            window.width = Int(truncatingIfNeeded: reader.take(6))
            if window.width == 0 { window.width = 64 }
            window.trailing = 64 &- window.leading &- window.width
            guard window.trailing >= 0 else {
                throw TSDBError(
                    .corruption, "value window of \(window.leading) + \(window.width) bits in sample \(index)")
            }
        } else if window.width == 0 {
            throw TSDBError(.corruption, "sample \(index) uses a value window before one was set")
        }
        return reader.takeWide(window.width) << UInt64(truncatingIfNeeded: window.trailing)
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
