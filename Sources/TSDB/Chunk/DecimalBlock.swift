/// The form of a closed chunk in the head: values as scaled integers where they are decimals, packed to equal widths.
///
///     kind u8 │ count varint │ t₀ zigzag │ Δt zigzag │ [time: min zigzag, width u8] │ value header │ [exceptions] │ times │ values
///
///     kind    bits 0–2 value mode · bit 3: times deviate from the grid t₀ + i·Δt · bit 4: exceptions follow
///     modes   0 constant      bits u64
///             1 offsets       exponent u8, shift u8, min zigzag, width u8        v = (min + pᵢ << shift) / 10ᵉ
///             2 deltas        exponent u8, shift u8, first zigzag, min zigzag, width u8   running sums of (min + pᵢ << shift)
///             3 raw offsets   min u64, width u8                                  bit pattern = min + pᵢ
///             4 raw deltas    first u64, min u64, width u8                       bit pattern = running sum
///     exceptions   n varint, then n × (index varint, bits u64): stale markers, NaN, ±Inf, −0, odd values
///     packed  fields of `width` bits, least significant first, 0…56 or 64; each run starts on a byte
///
/// Monitoring data are mostly counters of whole things and gauges with a few decimals: 1.2–1.7 bytes a sample where XOR
/// needs 2–7, and decoding is a load, a shift and a mask instead of a chain of dependent bit reads: 1–1.6 ns a
/// sample. Exact to the bit: a value is stored as decimal only if dividing gives back the same bits (division is
/// correctly rounded, multiplying with a reciprocal is not). Kept in memory and in checkpoints; blocks hold XOR.
///
/// Invariant: the same samples give the same bytes, and `decode ∘ encode` is the identity on bits.
public enum DecimalBlock {
    /// Bytes that must be readable behind a block.
    public static let spare = 16

    enum Mode: UInt8 {
        case constant = 0, offsets, deltas, rawOffsets, rawDeltas
    }

    static let deviatingTimes: UInt8 = 0x08
    static let withExceptions: UInt8 = 0x10

    /// 10⁰ … 10¹⁵, all exact as doubles.
    static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]

    /// Appends all samples of a block to `columns`.
    ///
    /// `spare` bytes behind `bytes` must be readable. Throws `.corruption` where lengths do not add up.
    public static func decode(_ bytes: UnsafeRawBufferPointer, into columns: inout SampleColumns) throws(TSDBError) {
        var cursor = ByteCursor(bytes)
        let kind = try cursor.takeByte()
        guard let mode = Mode(rawValue: kind & 0x07) else {
            throw TSDBError(.corruption, "decimal block of unknown mode \(kind & 7)", offset: 0)
        }
        let count = try cursor.takeCount(atMost: XORChunk.maximumCount)
        guard count > 0 else { return }
        let firstTime = unzigzag(try cursor.takeVarint())
        let interval = unzigzag(try cursor.takeVarint())
        var timeBase: Int64 = 0
        var timeWidth = 0
        if kind & deviatingTimes != 0 {
            timeBase = unzigzag(try cursor.takeVarint())
            timeWidth = try cursor.takeWidth()
        }

        var exponent = 0, shift: UInt64 = 0, width = 0
        var first: Int64 = 0, base: Int64 = 0
        switch mode {
        case .constant:
            first = Int64(bitPattern: try cursor.takeWord())
        case .offsets, .deltas:
            exponent = Int(try cursor.takeByte())
            shift = UInt64(try cursor.takeByte())
            guard exponent < powers.count && shift < 64 else {
                throw TSDBError(.corruption, "decimal block of exponent \(exponent), shift \(shift)")
            }
            if mode == .deltas { first = unzigzag(try cursor.takeVarint()) }
            base = unzigzag(try cursor.takeVarint())
            width = try cursor.takeWidth()
        case .rawOffsets, .rawDeltas:
            if mode == .rawDeltas { first = Int64(bitPattern: try cursor.takeWord()) }
            base = Int64(bitPattern: try cursor.takeWord())
            width = try cursor.takeWidth()
        }
        var exceptionCount = 0
        let exceptions: ByteCursor
        if kind & withExceptions != 0 {
            exceptionCount = try cursor.takeCount(atMost: count)
            exceptions = cursor
            for _ in 0..<exceptionCount {
                _ = try cursor.takeCount(atMost: count - 1)
                _ = try cursor.takeWord()
            }
        } else {
            exceptions = cursor
        }
        let times = try cursor.takePacked(count, width: timeWidth)
        let fields = try cursor.takePacked(mode == .deltas || mode == .rawDeltas ? count - 1 : count, width: width)

        columns.reserve(count)
        let timestamps = columns.timestamps + columns.count
        let values = columns.values + columns.count

        if timeWidth == 0 {
            var time = firstTime &+ timeBase
            for i in 0..<count {
                timestamps[i] = time
                time = time &+ interval
            }
        } else {
            var grid = firstTime &+ timeBase
            unpack(times, count, timeWidth) { i, bits in
                timestamps[i] = grid &+ Int64(bitPattern: bits)
                grid = grid &+ interval
            }
        }

        // Integers are made in place of the values, then divided in a loop of its own that vectorises.
        switch mode {
        case .constant:
            values.update(repeating: Double(bitPattern: UInt64(bitPattern: first)), count: count)
        case .offsets:
            let divisor = powers[exponent]
            unpack(fields, count, width) { i, bits in values[i] = Double(base &+ Int64(bitPattern: bits << shift)) }
            if exponent > 0 { for i in 0..<count { values[i] /= divisor } }
        case .deltas:
            let divisor = powers[exponent]
            var sum = first
            values[0] = Double(sum)
            unpack(fields, count &- 1, width) { i, bits in
                sum = sum &+ base &+ Int64(bitPattern: bits << shift)
                values[i &+ 1] = Double(sum)
            }
            if exponent > 0 { for i in 0..<count { values[i] /= divisor } }
        case .rawOffsets:
            unpack(fields, count, width) { i, bits in
                values[i] = Double(bitPattern: UInt64(bitPattern: base) &+ bits)
            }
        case .rawDeltas:
            var sum = first
            values[0] = Double(bitPattern: UInt64(bitPattern: sum))
            unpack(fields, count &- 1, width) { i, bits in
                sum = sum &+ base &+ Int64(bitPattern: bits)
                values[i &+ 1] = Double(bitPattern: UInt64(bitPattern: sum))
            }
        }
        if exceptionCount > 0 {
            var entries = exceptions
            for _ in 0..<exceptionCount {
                let index = try entries.takeCount(atMost: count - 1)
                values[index] = Double(bitPattern: try entries.takeWord())
            }
        }
        columns.commit(count)
    }

    /// Hands out `count` fields of `width` bits.
    @inline(__always)
    private static func unpack(
        _ start: UnsafeRawPointer, _ count: Int, _ width: Int, _ body: (_ index: Int, _ bits: UInt64) -> Void
    ) {
        if width == 64 {
            for i in 0..<count { body(i, start.loadUnaligned(fromByteOffset: i &* 8, as: UInt64.self)) }
            return
        }
        let mask: UInt64 = (1 << UInt64(truncatingIfNeeded: width)) &- 1
        var bit = 0
        for i in 0..<count {
            let word = (start + (bit >> 3)).loadUnaligned(as: UInt64.self)
            body(i, UInt64(littleEndian: word) >> UInt64(truncatingIfNeeded: bit & 7) & mask)
            bit &+= width
        }
    }
}
