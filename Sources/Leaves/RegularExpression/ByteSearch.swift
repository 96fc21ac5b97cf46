#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Comparing and finding bytes.
enum ByteSearch {
    /// Whether the first `count` bytes of both agree; both must have that many.
    @inline(__always)
    static func isEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, count: Int) -> Bool {
        guard count > 0, let a = a.baseAddress, let b = b.baseAddress else { return count == 0 }
        return memcmp(a, b, count) == 0
    }

    /// Where `needle` first begins at or after `start`, or nil.
    ///
    /// Looks for the first byte and compares there: quick on label values. Against texts made to be slow (`aaaa…` in `aaaa…`) the number of
    /// comparisons is limited, and then Knuth, Morris and Pratt take over, which are linear.
    static func first(_ needle: [UInt8], in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let lead = needle.first else { return start <= text.count ? start : nil }
        guard let base = text.baseAddress else { return nil }
        var position = start
        var budget = 16 + text.count / 16
        while position <= text.count - needle.count {
            guard let found = memchr(base + position, CInt(lead), text.count - needle.count - position + 1) else {
                return nil
            }
            position = UnsafeRawPointer(found) - base
            let isHere = needle.withUnsafeBytes { memcmp(base + position, $0.baseAddress ?? base, needle.count) == 0 }
            if isHere { return position }
            position += 1
            budget -= 1
            if budget == 0, needle.count > 8 { return knuthMorrisPratt(needle, in: text, from: position) }
        }
        return nil
    }

    /// Source: Knuth, Morris, Pratt, “Fast Pattern Matching in Strings”, SIAM J. Comput. 1977.
    private static func knuthMorrisPratt(_ needle: [UInt8], in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var border = [Int](repeating: 0, count: needle.count)  // longest border of each prefix
        var length = 0
        for index in needle.indices.dropFirst() {
            while length > 0, needle[index] != needle[length] { length = border[length - 1] }
            if needle[index] == needle[length] { length += 1 }
            border[index] = length
        }
        var matched = 0
        for index in min(start, text.count)..<text.count {
            while matched > 0, text[index] != needle[matched] { matched = border[matched - 1] }
            if text[index] == needle[matched] { matched += 1 }
            if matched == needle.count { return index + 1 - matched }
        }
        return nil
    }
}
