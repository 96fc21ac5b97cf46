#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reading doubles, with exactly the spellings Go's `strconv.ParseFloat` takes.
///
///     12  -1.5  .5  5.  1e-3  +Inf  infinity  nan  0x1p-2  1_000.5 (the last two only where `allowing` says so)
///
/// Up to 19 digits are gathered in an integer. When it is at most 2^53 and the power of ten at most 22, both are
/// exact doubles and one multiplication or division rounds correctly (Clinger, “How to read floating point numbers
/// accurately”, PLDI 1990): 6–9 ns. Everything else goes to the C library's `strtod`, correctly rounded too.
extension NumberText {
    /// Spellings that not every format takes.
    public struct Spellings: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// `0x1.8p3`: hexadecimal digits with a binary exponent, which Go demands.
        public static let hexadecimal = Spellings(rawValue: 1)
        /// `1_000`: underscores between digits.
        public static let underscores = Spellings(rawValue: 2)
        /// What `ParseFloat` takes. Exposition formats take neither.
        public static let go: Spellings = [.hexadecimal, .underscores]
    }

    /// The double that the whole of `bytes` spells, or `nil`; also `nil` where it is too large for a double, as Go's
    /// range error. Too small gives zero.
    @inlinable @inline(__always)
    public static func parse(_ bytes: UnsafeRawBufferPointer, allowing spellings: Spellings = []) -> Double? {
        if let value = parseShortDecimal(bytes) { return value }
        return parseAny(bytes, allowing: spellings)
    }

    /// The double that `text` spells, or `nil`.
    public static func parse(_ text: String, allowing spellings: Spellings = []) -> Double? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0), allowing: spellings) }
    }

    /// A number as PromQL writes it: first as Go's `ParseInt(text, 0)` (`0x1f`, `0b101`, `0o17` and `017` are
    /// integers in their bases), then as a float.
    public static func parseLiteral(_ text: String) -> Double? {
        parseGoInteger(text).map(Double.init) ?? parse(text, allowing: .go)
    }

    /// The integer that Go's `ParseInt(text, 0, 64)` reads, or `nil`.
    public static func parseGoInteger(_ text: String) -> Int64? {
        var bytes = Array(text.utf8)[...]
        let negative = bytes.first == UInt8(ascii: "-")
        if negative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
        if bytes.contains(UInt8(ascii: "_")) {
            guard bytes.withUnsafeBytes({ underscoresSeparateDigits($0) }) else { return nil }
            bytes.removeAll { $0 == UInt8(ascii: "_") }
        }
        var radix = 10
        if bytes.count > 1, bytes.first == UInt8(ascii: "0") {
            switch bytes[bytes.startIndex + 1] | 0x20 {
            case UInt8(ascii: "x"): radix = 16
            case UInt8(ascii: "b"): radix = 2
            case UInt8(ascii: "o"): radix = 8
            default: radix = 0
            }
            bytes = bytes.dropFirst(radix == 0 ? 1 : 2)
            if radix == 0 { radix = 8 }
        }
        guard let first = bytes.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-"),
            let magnitude = UInt64(String(decoding: bytes, as: UTF8.self), radix: radix)
        else { return nil }
        if negative { return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int64(exactly: magnitude)
    }

    /// The fast path over the whole of `bytes`; `nil` for everything that needs care.
    @inlinable @inline(__always)
    static func parseShortDecimal(_ bytes: UnsafeRawBufferPointer) -> Double? {
        guard let base = bytes.baseAddress else { return nil }
        var p = base.assumingMemoryBound(to: UInt8.self)
        let end = p + bytes.count
        guard let value = takeDecimal(from: &p, end: end), p == end else { return nil }
        return value
    }

    /// Reads sign, digits, point, digits, exponent as far as they go and moves `p` behind them. `nil` (with `p` anywhere)
    /// where there is no number, or one that needs the slow path: more than 19 digits, large exponents, names.
    @inlinable @inline(__always)
    public static func takeDecimal(from p: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> Double? {
        guard p < end else { return nil }
        let negative = p.pointee == UInt8(ascii: "-")
        if negative { p += 1 }

        var mantissa: UInt64 = 0
        let firstDigit = p
        while p < end, case let digit = p.pointee &- 48, digit < 10 {
            mantissa = mantissa &* 10 &+ UInt64(digit)
            p += 1
        }
        var digits = p - firstDigit
        var exponent = 0
        if p < end, p.pointee == UInt8(ascii: ".") {
            p += 1
            let firstDecimal = p
            while p < end, case let digit = p.pointee &- 48, digit < 10 {
                mantissa = mantissa &* 10 &+ UInt64(digit)
                p += 1
            }
            exponent = firstDecimal - p
            digits &-= exponent
        }
        // 19 digits cannot have wrapped the integer; leading zeros count, which only sends more to the slow path.
        guard digits > 0, digits <= 19 else { return nil }
        if p < end, p.pointee | 0x20 == UInt8(ascii: "e") {
            p += 1
            guard p < end else { return nil }
            let minus = p.pointee == UInt8(ascii: "-")
            if minus || p.pointee == UInt8(ascii: "+") { p += 1 }
            let firstExponentDigit = p
            var written = 0
            while p < end, case let digit = p.pointee &- 48, digit < 10, p - firstExponentDigit < 4 {
                written = written &* 10 &+ Int(digit)
                p += 1
            }
            guard p > firstExponentDigit else { return nil }
            exponent &+= minus ? -written : written
        }
        guard mantissa <= 1 << 53 else { return nil }
        var value = Double(mantissa)
        if exponent != 0 {
            guard exponent >= -22, exponent <= 22 else { return nil }
            if exponent < 0 { value /= powerOfTen(-exponent) } else { value *= powerOfTen(exponent) }
        }
        return negative ? -value : value
    }

    /// 10^exponent for 0…22: every partial product is a power of ten up to 10^22, which a double holds exactly.
    @inlinable @inline(__always)
    static func powerOfTen(_ exponent: Int) -> Double {
        var result = 1.0
        if exponent & 1 != 0 { result *= 1e1 }
        if exponent & 2 != 0 { result *= 1e2 }
        if exponent & 4 != 0 { result *= 1e4 }
        if exponent & 8 != 0 { result *= 1e8 }
        if exponent & 16 != 0 { result *= 1e16 }
        return result
    }

    @usableFromInline @inline(never)
    static func parseAny(_ bytes: UnsafeRawBufferPointer, allowing spellings: Spellings) -> Double? {
        guard let first = bytes.first else { return nil }
        let hasSign = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        let body = UnsafeRawBufferPointer(rebasing: bytes[(hasSign ? 1 : 0)...])
        if spells(body, "inf") || spells(body, "infinity") {
            return first == UInt8(ascii: "-") ? -.infinity : .infinity
        }
        // Go knows no signed NaN.
        if !hasSign, spells(body, "nan") { return .normalNaN }

        let isHexadecimal = body.count > 2 && body[0] == UInt8(ascii: "0") && body[1] | 0x20 == UInt8(ascii: "x")
        if isHexadecimal && !spellings.contains(.hexadecimal) { return nil }
        let hasUnderscore = body.contains(UInt8(ascii: "_"))
        if hasUnderscore {
            guard spellings.contains(.underscores), underscoresSeparateDigits(body) else { return nil }
        }
        // The grammar first: strtod alone takes more than Go (spaces, "nan(0x5)", "0x1") and stops where it likes.
        guard isNumber(body, hexadecimal: isHexadecimal) else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { text in
            var length = 0
            for byte in bytes where byte != UInt8(ascii: "_") {
                text[length] = CChar(bitPattern: byte)
                length += 1
            }
            text[length] = 0
            guard let start = text.baseAddress else { return nil }
            let value = strtod(start, nil)
            return value.isInfinite ? nil : value
        }
    }

    /// digits [. digits] [e [±] digits], or the hexadecimal form with a mandatory `p` exponent; at least one digit.
    private static func isNumber(_ body: UnsafeRawBufferPointer, hexadecimal: Bool) -> Bool {
        var index = hexadecimal ? 2 : 0
        var digits = 0, points = 0
        scan: while index < body.count {
            switch body[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "a")...UInt8(ascii: "f") where hexadecimal,
                UInt8(ascii: "A")...UInt8(ascii: "F") where hexadecimal:
                digits += 1
            case UInt8(ascii: "."):
                points += 1
                if points > 1 { return false }
            case UInt8(ascii: "_"): break
            default: break scan
            }
            index += 1
        }
        guard digits > 0 else { return false }
        if index == body.count { return !hexadecimal }
        guard body[index] | 0x20 == (hexadecimal ? UInt8(ascii: "p") : UInt8(ascii: "e")) else { return false }
        index += 1
        if index < body.count, body[index] == UInt8(ascii: "+") || body[index] == UInt8(ascii: "-") { index += 1 }
        guard index < body.count, body[index] &- 48 < 10 else { return false }
        return body[index...].allSatisfy { $0 &- 48 < 10 || $0 == UInt8(ascii: "_") }
    }

    /// Go's rule: an underscore stands between two digits, or between a base prefix and a digit.
    private static func underscoresSeparateDigits(_ body: UnsafeRawBufferPointer) -> Bool {
        enum Seen { case start, digit, underscore, other }
        var seen = Seen.start, index = 0, hexadecimal = false
        if body.count >= 2, body[0] == UInt8(ascii: "0") {
            let base = body[1] | 0x20
            if base == UInt8(ascii: "x") || base == UInt8(ascii: "b") || base == UInt8(ascii: "o") {
                hexadecimal = base == UInt8(ascii: "x")
                seen = .digit
                index = 2
            }
        }
        while index < body.count {
            let byte = body[index]
            let letter = byte | 0x20
            if byte &- 48 < 10 || hexadecimal && letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "f") {
                seen = .digit
            } else if byte == UInt8(ascii: "_") {
                guard seen == .digit else { return false }
                seen = .underscore
            } else {
                if seen == .underscore { return false }
                seen = .other
            }
            index += 1
        }
        return seen != .underscore
    }

    /// Whether `bytes` is `word` (lower case letters) in any case.
    private static func spells(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count where bytes[index] | 0x20 != word.utf8Start[index] { return false }
        return true
    }
}

extension Double {
    /// The NaN that Prometheus stores for "not a number", 0x7ff8000000000001 (Swift's own `.nan` ends in 0).
    public static var normalNaN: Double { Double(bitPattern: 0x7ff8_0000_0000_0001) }
}
