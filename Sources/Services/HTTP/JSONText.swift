import NIOCore
import Numbers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// JSON on its way out, written by hand into one growing block of bytes.
///
/// No tree of values, no encoder: an answer of a million points is a million times “copy the time, print the number”. The
/// block is handed on as a `ByteBuffer` when it is full or finished.
///
/// Invariant: `used <= capacity`; every write makes sure of its room first.
public struct JSONText: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    @usableFromInline var used = 0

    /// Bytes written since the last `take`.
    @inlinable public var count: Int { used }

    public init(capacity: Int = 1024) {
        self.capacity = max(64, capacity)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// The bytes so far, as a buffer; the text is empty afterwards.
    public mutating func take() -> ByteBuffer {
        let buffer = ByteBuffer(bytes: UnsafeRawBufferPointer(start: base, count: used))
        used = 0
        return buffer
    }

    /// The same in the memory of a buffer that was taken before, where nobody holds on to that any more.
    package mutating func take(reusing buffer: inout ByteBuffer) -> ByteBuffer {
        buffer.clear(minimumCapacity: used)
        buffer.writeBytes(UnsafeRawBufferPointer(start: base, count: used))
        used = 0
        return buffer
    }

    public mutating func removeAll() { used = 0 }

    /// Copies the bytes so far to `destination`, which has room for them.
    package func copy(to destination: UnsafeMutablePointer<UInt8>) { memcpy(destination, base, used) }

    @inlinable @inline(__always)
    package mutating func ensure(_ additional: Int) {
        if capacity &- used < additional { grow(additional) }
    }

    @usableFromInline mutating func grow(_ additional: Int) {
        let wanted = max(capacity * 2, used + additional)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        larger.update(from: base, count: used)
        base.deallocate()
        base = larger
        capacity = wanted
    }

    @inlinable @inline(__always)
    public mutating func append(byte: UInt8) {
        ensure(1)
        base[used] = byte
        used &+= 1
    }

    public mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        ensure(bytes.count)
        memcpy(base + used, source, bytes.count)
        used &+= bytes.count
    }

    public mutating func append(_ number: Int64) {
        ensure(24)
        used &+= NumberText.write(number, to: base + used)
    }

    public mutating func append(_ number: Int) { append(Int64(number)) }

    public mutating func append(_ flag: Bool) { append(flag ? "true" : "false" as StaticString) }

    /// A number as JSON has it, shortest digits; there is no NaN in JSON, so it becomes `null`.
    public mutating func append(_ number: Double) {
        guard number.isFinite else { return append("null" as StaticString) }
        ensure(NumberText.maximumLength)
        used &+= NumberText.write(number, to: base + used, style: .plain)
    }

    /// A sample value: a string, because JSON has no NaN and no infinity.
    @inlinable @inline(__always)
    public mutating func appendSampleValue(_ value: Double, style: NumberText.Style = .plain) {
        ensure(NumberText.maximumLength &+ 2)
        base[used] = UInt8(ascii: "\"")
        let length = NumberText.write(value, to: base + used + 1, style: style)
        base[used &+ length &+ 1] = UInt8(ascii: "\"")
        used &+= length &+ 2
    }

    /// Lets `body` write up to `room` bytes itself, from the place it is given; it returns where it ended.
    @inlinable @inline(__always)
    package mutating func write(
        atMost room: Int, _ body: (UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>
    ) {
        ensure(room)
        used = body(base + used) - base
    }

    /// Changes a byte that stands there already.
    @inlinable @inline(__always)
    package mutating func replace(at index: Int, by byte: UInt8) {
        precondition(index >= 0 && index < used)
        base[index] = byte
    }

    /// Seconds with up to three decimals: `1435781451.781`, `1435781460`.
    public mutating func appendTime(milliseconds: Int64) {
        ensure(32)
        var whole = milliseconds / 1000
        var rest = milliseconds % 1000
        if milliseconds < 0 {
            append(byte: UInt8(ascii: "-"))
            whole = -whole
            rest = -rest
        }
        append(whole)
        guard rest != 0 else { return }
        append(byte: UInt8(ascii: "."))
        append(byte: UInt8(ascii: "0") + UInt8(rest / 100))
        if rest % 100 != 0 {
            append(byte: UInt8(ascii: "0") + UInt8(rest / 10 % 10))
            if rest % 10 != 0 { append(byte: UInt8(ascii: "0") + UInt8(rest % 10)) }
        }
    }

    public mutating func appendQuoted(_ text: String) {
        var text = text
        text.withUTF8 { appendQuoted(UnsafeRawBufferPointer($0)) }
    }

    /// A string with what JSON wants escaped. The bytes are UTF-8.
    public mutating func appendQuoted(_ bytes: UnsafeRawBufferPointer) {
        ensure(bytes.count * 6 + 10)
        base[used] = UInt8(ascii: "\"")
        used &+= 1
        var index = 0
        // Eight bytes at a time as long as there is nothing to escape among them, which is nearly always.
        while index &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if Self.needsEscape(word) { break }
            UnsafeMutableRawPointer(base + used).storeBytes(of: word, as: UInt64.self)
            used &+= 8
            index &+= 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            index &+= 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                base[used] = UInt8(ascii: "\\")
                base[used &+ 1] = byte
                used &+= 2
            case 0..<0x20:
                appendControl(byte)
            default:
                base[used] = byte
                used &+= 1
            }
        }
        base[used] = UInt8(ascii: "\"")
        used &+= 1
    }

    /// Whether any of eight bytes is a quote, a backslash or below 0x20.
    /// Source: H. S. Warren, “Hacker's Delight”, §6-1: a byte of `x` is zero where `(x − 01…) & ~x` has its top bit.
    @inline(__always)
    private static func needsEscape(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101, tops: UInt64 = 0x8080_8080_8080_8080
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let low = (word &- ones &* 0x20) & ~word
        return (low | (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes) & tops != 0
    }

    private mutating func appendControl(_ byte: UInt8) {
        switch byte {
        case 0x0a: append("\\n" as StaticString)
        case 0x0d: append("\\r" as StaticString)
        case 0x09: append("\\t" as StaticString)
        default:
            append("\\u00" as StaticString)
            append(byte: Self.hexadecimal(byte >> 4))
            append(byte: Self.hexadecimal(byte & 15))
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}
