import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Turns the labels of a protobuf time series into the packed form of `Labels`, by moving bytes.
///
///     protobuf   0a L │ 0a n name… │ 12 m value… ║ 0a L │ 0a n name… │ 12 m value… ║ 12 … samples
///     packed              n name…       m value… ║          n name…       m value…
///
/// A label loses three bytes and keeps the rest, lengths included, as long as they fit one byte. So the usual series costs
/// two copies, one comparison and one look for non-ASCII bytes per label. Anything unusual is left to the plain way.
///
/// Invariant: `count <= capacity`; the packed form is never longer than the message it comes from.
struct PackedLabelsBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity = 512
    private var count = 0
    /// One of the labels is `__name__`.
    private(set) var hasMetricName = false

    init() { base = .allocate(byteCount: capacity, alignment: 16) }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Empties the buffer and makes `room` bytes.
    mutating func removeAll(room: Int) {
        count = 0
        hasMetricName = false
        guard room > capacity else { return }
        base.deallocate()
        capacity = room * 2
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    /// Appends the labels at the beginning of a time series message, for which room was made. The offset behind them, or `nil` where one of them is
    /// not sorted, empty, longer than 127 bytes, not ASCII, or written in an order of fields of its own.
    mutating func appendPlainLabels(of series: UnsafeRawBufferPointer) -> Int? {
        guard let source = series.baseAddress else { return nil }
        precondition(series.count <= capacity, "no room for \(series.count) bytes of labels")
        let end = series.count
        var at = 0, out = 0
        var nameSeen = false
        var previous = UnsafeRawBufferPointer(start: nil, count: 0)
        while end &- at > 6, source.load(fromByteOffset: at, as: UInt8.self) == 0x0a {
            let length = Int(source.load(fromByteOffset: at &+ 1, as: UInt8.self))
            let labelEnd = at &+ 2 &+ length
            // Two keys, two lengths, a name and a value of at least a byte.
            guard length >= 6, length < 0x80, labelEnd <= end,
                source.load(fromByteOffset: at &+ 2, as: UInt8.self) == 0x0a
            else { return nil }
            let nameLength = Int(source.load(fromByteOffset: at &+ 3, as: UInt8.self))
            let nameEnd = at &+ 4 &+ nameLength
            guard nameLength > 0, nameEnd &+ 2 < labelEnd,
                source.load(fromByteOffset: nameEnd, as: UInt8.self) == 0x12
            else { return nil }
            let valueLength = Int(source.load(fromByteOffset: nameEnd &+ 1, as: UInt8.self))
            guard nameEnd &+ 2 &+ valueLength == labelEnd else { return nil }
            let name = UnsafeRawBufferPointer(start: source + (at &+ 4), count: nameLength)
            guard isBefore(previous, name), UnsafeRawBufferPointer(start: name.baseAddress, count: length &- 2).isASCII
            else { return nil }
            if nameLength == 8, source.loadUnaligned(fromByteOffset: at &+ 4, as: UInt64.self) == Self.metricName {
                nameSeen = true
            }
            memcpy(base + out, source + (at &+ 3), nameLength &+ 1)
            memcpy(base + (out &+ nameLength &+ 1), source + (nameEnd &+ 1), valueLength &+ 1)
            out &+= nameLength &+ valueLength &+ 2
            previous = name
            at = labelEnd
        }
        count = out
        hasMetricName = nameSeen
        return at
    }

    /// Appends one label; room was made.
    mutating func append(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        for part in [name, value] {
            precondition(count + part.count + 10 <= capacity, "no room for \(part.count) bytes of a label")
            var rest = UInt64(part.count)
            while rest >= 0x80 {
                base.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
                rest >>= 7
                count += 1
            }
            base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
            count += 1
            if let source = part.baseAddress { memcpy(base + count, source, part.count) }
            count += part.count
        }
        if name.count == 8, name.loadUnaligned(as: UInt64.self) == Self.metricName { hasMetricName = true }
    }

    /// Strictly ascending; most names differ in their first byte.
    @inline(__always)
    private func isBefore(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard let first = a.first, let second = b.first else { return true }
        return first == second ? a.order(against: b) < 0 : first < second
    }

    /// `__name__` as it lies in memory.
    private static let metricName = UInt64(littleEndian: 0x5f5f_656d_616e_5f5f)
}
