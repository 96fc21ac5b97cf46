import Numbers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The page a parser reads, with the byte that upstream imagines behind it: the text format adds a line break.
///
/// Invariant: every index is safe; past the end there are zeros.
struct ExpositionBytes {
    let base: UnsafePointer<UInt8>
    /// Real bytes.
    let count: Int
    /// Real bytes and the imagined line break.
    let limit: Int

    init(_ page: UnsafeRawBufferPointer, addsLinebreak: Bool) {
        // An empty buffer may have no address; nothing is ever read through this one.
        base = page.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        count = page.count
        limit = page.count + (addsLinebreak ? 1 : 0)
    }

    @inline(__always)
    subscript(index: Int) -> UInt8 {
        if index < count { return base[index] }
        return index < limit ? UInt8(ascii: "\n") : 0
    }

    /// The real bytes of a range.
    @inline(__always)
    func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        let lower = Swift.min(range.lowerBound, count), upper = Swift.min(range.upperBound, count)
        return UnsafeRawBufferPointer(start: base + lower, count: upper - lower)
    }

    /// The bytes in double quotes as Go's `%q`, the imagined line break included.
    func quoted(_ range: Range<Int>) -> String {
        QuotedText.go(range.clamped(to: 0..<Swift.max(limit, 0)).map { self[$0] })
    }

    /// The index of the first `byte` at or after `index`; `limit` where there is none.
    func first(_ byte: UInt8, from index: Int) -> Int {
        if index < count, let found = memchr(base + index, Int32(byte), count - index) {
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
        return byte == UInt8(ascii: "\n") && index <= count && limit > count ? count : limit
    }

    /// Whether a range is valid UTF-8.
    func isUTF8(_ range: Range<Int>) -> Bool { UTF8Check.isValid(slice(range)) }

    /// `[a-zA-Z_]`, and `:` where `colon` says so.
    @inline(__always)
    static func startsName(_ byte: UInt8, colon: Bool) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || colon && byte == UInt8(ascii: ":")
    }

    /// The end of the name that starts at `index`, which holds its first byte.
    @inline(__always)
    func nameEnd(from index: Int, colon: Bool) -> Int {
        // One bit per ASCII character that may stand in a name: digits and the colon, then letters and the underscore.
        let low: UInt64 = colon ? 0x07ff_0000_0000_0000 : 0x03ff_0000_0000_0000
        let high: UInt64 = 0x07ff_fffe_87ff_fffe
        var index = index &+ 1
        while index < count {
            let byte = base[index]
            let bits = byte < 64 ? low : high
            guard byte < 128, bits >> UInt64(byte & 63) & 1 != 0 else { break }
            index &+= 1
        }
        return index
    }

    /// The end of the quoted text whose opening quote is at `index`: `"(\\.|[^\\"])*"`.
    ///
    /// Returns the index behind the closing quote, or where it went wrong. Upstream's lexer steps over NUL
    /// bytes inside label values and stops at them elsewhere.
    @inline(__always)
    func quotedEnd(from index: Int, allowsLinebreak: Bool, skipsNUL: Bool) -> (end: Int, isComplete: Bool) {
        var index = step(index, skipsNUL)
        while true {
            index = plainEnd(from: index)
            switch self[index] {
            case UInt8(ascii: "\""): return (step(index, skipsNUL), true)
            case UInt8(ascii: "\\"):
                index = step(index, skipsNUL)
                if self[index] == UInt8(ascii: "\n") || self[index] == 0 { return (index, false) }
            case UInt8(ascii: "\n") where !allowsLinebreak: return (index, false)
            case 0: return (index, false)
            default: break
            }
            index = step(index, skipsNUL)
        }
    }

    /// Jumps over eight bytes at a time that are neither quote, backslash, line break nor NUL.
    @inline(__always)
    private func plainEnd(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
            let special =
                zeroBytes(word) | zeroBytes(word ^ 0x2222_2222_2222_2222) | zeroBytes(word ^ 0x5c5c_5c5c_5c5c_5c5c)
                | zeroBytes(word ^ 0x0a0a_0a0a_0a0a_0a0a)
            if special != 0 { return index &+ UInt64(littleEndian: special).trailingZeroBitCount >> 3 }
            index &+= 8
        }
        return index
    }

    /// The top bit of the lowest byte that is zero (bits above it may be wrong).
    @inline(__always)
    private func zeroBytes(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }

    @inline(__always)
    func step(_ index: Int, _ skipsNUL: Bool) -> Int {
        var next = index &+ 1
        if skipsNUL { while next < count, base[next] == 0 { next &+= 1 } }
        return next
    }
}

/// Valid UTF-8 by Unicode's table 3-7: shortest forms, no surrogates, nothing above U+10FFFF.
public enum UTF8Check {
    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        let count = bytes.count
        // Eight ASCII bytes at a time; almost all text ends here.
        while count &- index >= 8 {
            if bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { break }
            index &+= 8
        }
        while index < count {
            let first = bytes[index]
            index += 1
            if first < 0x80 { continue }
            let following: Int
            var lowest: UInt8 = 0x80, highest: UInt8 = 0xbf
            switch first {
            case 0xc2...0xdf: following = 1
            case 0xe0: (following, lowest) = (2, 0xa0)
            case 0xed: (following, highest) = (2, 0x9f)
            case 0xe1...0xef: following = 2
            case 0xf0: (following, lowest) = (3, 0x90)
            case 0xf4: (following, highest) = (3, 0x8f)
            case 0xf1...0xf3: following = 3
            default: return false
            }
            guard count - index >= following, bytes[index] >= lowest, bytes[index] <= highest else { return false }
            for offset in 1..<Swift.max(following, 1) where bytes[index + offset] & 0xc0 != 0x80 { return false }
            index += following
        }
        return true
    }
}

@inline(__always)
func sameBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool { memcmp(a, b, count) == 0 }
