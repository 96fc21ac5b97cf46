/// Reading characters: escapes, bracketed classes and named sets.
extension Parser {
    var peek: UInt8? { position < text.count ? text[position] : nil }

    func startsWith(_ prefix: String) -> Bool { text[position...].starts(with: prefix.utf8) }

    func isAlphanumeric(_ scalar: UInt32) -> Bool {
        (0x30...0x39).contains(scalar) || (0x41...0x5A).contains(scalar) || (0x61...0x7A).contains(scalar)
    }

    func error(_ code: PatternError.Code, _ range: Range<Int>) -> PatternError {
        let clamped = range.clamped(to: 0..<text.count)
        return PatternError(
            code: code, expression: String(decoding: text[clamped], as: UTF8.self), range: clamped)
    }

    /// Takes one code point. The text came from a `String`, so it is valid UTF-8. At the end: 0, and nothing is taken.
    mutating func nextScalar() -> UInt32 {
        text.withUnsafeBytes { position < $0.count ? UTF8Decoder.next($0, &position) : 0 }
    }

    /// Takes a class escape such as `\d`, if one stands here.
    mutating func perlClass() -> ScalarSet? {
        guard peek == UInt8(ascii: "\\"), position + 1 < text.count else { return nil }
        let letter = text[position + 1]
        guard let set = NamedClasses.perl(letter) else { return nil }
        position += 2
        return oriented(set, negated: letter < UInt8(ascii: "a"))
    }

    /// Takes `\pN`, `\p{Greek}`, `\P{Greek}` or `\p{^Greek}`, if one stands here.
    mutating func unicodeClass() throws(PatternError) -> ScalarSet? {
        guard startsWith("\\p") || startsWith("\\P") else { return nil }
        let start = position
        var negated = text[position + 1] == UInt8(ascii: "P")
        position += 2
        var name: ArraySlice<UInt8>
        if peek == UInt8(ascii: "{") {
            guard let end = text[position...].firstIndex(of: UInt8(ascii: "}")) else {
                throw error(.invalidClassRange, start..<text.count)
            }
            name = text[(position + 1)..<end]
            position = end + 1
        } else {
            let nameStart = position
            _ = nextScalar()
            name = text[nameStart..<position]
        }
        if name.first == UInt8(ascii: "^") {
            negated.toggle()
            name.removeFirst()
        }
        guard let set = NamedClasses.unicode(String(decoding: name, as: UTF8.self)) else {
            throw error(.invalidClassRange, start..<position)
        }
        return oriented(set, negated: negated)
    }

    /// Takes `[:alpha:]` or `[:^alpha:]` inside a class, if one stands here.
    private mutating func posixClass() throws(PatternError) -> ScalarSet? {
        guard startsWith("[:") else { return nil }
        let start = position
        var end = position + 2
        while end + 1 < text.count, !(text[end] == UInt8(ascii: ":") && text[end + 1] == UInt8(ascii: "]")) { end += 1 }
        guard end + 1 < text.count else { return nil }
        var name = text[(start + 2)..<end]
        let negated = name.first == UInt8(ascii: "^")
        if negated { name.removeFirst() }
        guard let set = NamedClasses.posix[String(decoding: name, as: UTF8.self)] else {
            throw error(.invalidClassRange, start..<end + 2)
        }
        position = end + 2
        return oriented(set, negated: negated)
    }

    /// Folding comes before negation: `(?i)\W` does not hold the Kelvin sign, which folds to `k`.
    private func oriented(_ set: ScalarSet, negated: Bool) -> ScalarSet {
        let folded = flags.contains(.foldCase) ? CaseFolding.folded(set) : set
        return negated ? folded.inverted : folded
    }

    /// Takes `[…]`.
    mutating func characterClass() throws(PatternError) -> ScalarSet {
        let start = position
        position += 1
        let negated = peek == UInt8(ascii: "^")
        if negated { position += 1 }
        var ranges: [ClosedRange<UInt32>] = []
        var plain: [ClosedRange<UInt32>] = []
        var first = true
        while first || peek != UInt8(ascii: "]") {  // a ] right after the bracket is an ordinary character
            first = false
            if let set = try namedClassInBrackets() {
                ranges += set.ranges
                // A class is one set: keep the work list short, or `[\pL\pL…]` would grow without bound.
                if ranges.count > 2 * Self.maximumRanges { ranges = ScalarSet(ranges).ranges }
                continue
            }
            let rangeStart = position
            let low = try classScalar(classStart: start)
            var high = low
            if peek == UInt8(ascii: "-"), position + 1 < text.count, text[position + 1] != UInt8(ascii: "]") {
                position += 1
                high = try classScalar(classStart: start)
                guard low <= high else { throw error(.invalidClassRange, rangeStart..<position) }
            }
            plain.append(low...high)
        }
        position += 1
        let written = ScalarSet(plain)
        let set = ScalarSet(ranges + (flags.contains(.foldCase) ? CaseFolding.folded(written) : written).ranges)
        return negated ? set.inverted : set
    }

    private mutating func namedClassInBrackets() throws(PatternError) -> ScalarSet? {
        if let set = try posixClass() { return set }
        if let set = try unicodeClass() { return set }
        return perlClass()
    }

    private mutating func classScalar(classStart: Int) throws(PatternError) -> UInt32 {
        guard let byte = peek else { throw error(.missingBracket, classStart..<text.count) }
        return byte == UInt8(ascii: "\\") ? try escapedScalar() : nextScalar()
    }

    /// Takes an escaped character: punctuation, `\n`, `\x41`, `\x{1F600}`, `\101`.
    mutating func escapedScalar() throws(PatternError) -> UInt32 {
        let start = position
        position += 1
        guard peek != nil else { throw error(.trailingBackslash, text.count..<text.count) }
        let scalar = nextScalar()
        switch scalar {
        case 0x61: return 0x07  // a
        case 0x66: return 0x0C  // f
        case 0x6E: return 0x0A  // n
        case 0x72: return 0x0D  // r
        case 0x74: return 0x09  // t
        case 0x76: return 0x0B  // v
        case 0x30...0x37:
            // One digit but 0 would be a reference back, which linear time cannot have.
            if scalar != 0x30, octalDigit == nil { break }
            var value = scalar - 0x30
            for _ in 0..<2 {
                guard let digit = octalDigit else { break }
                value = value * 8 + digit
                position += 1
            }
            return value
        case 0x78:  // x
            if let value = hexadecimal() { return value }
        default:
            if scalar < 0x80, !isAlphanumeric(scalar) { return scalar }
        }
        throw error(.invalidEscape, start..<position)
    }

    private var octalDigit: UInt32? {
        guard let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte) else { return nil }
        return UInt32(byte - UInt8(ascii: "0"))
    }

    /// `41` or `{1F600}`; on failure what was looked at has been taken, for the message.
    private mutating func hexadecimal() -> UInt32? {
        guard peek != nil else { return nil }
        let first = nextScalar()
        guard first == 0x7B else {
            guard peek != nil else { return nil }
            let second = nextScalar()
            guard let high = hexDigit(first), let low = hexDigit(second) else { return nil }
            return high * 16 + low
        }
        var value: UInt32 = 0
        var digits = 0
        while peek != nil {
            let scalar = nextScalar()
            if scalar == 0x7D { return digits > 0 ? value : nil }
            guard let digit = hexDigit(scalar) else { return nil }
            value = value * 16 + digit
            digits += 1
            if value > ScalarSet.maximum { return nil }
        }
        return nil
    }

    private func hexDigit(_ scalar: UInt32) -> UInt32? {
        switch scalar {
        case 0x30...0x39: scalar - 0x30
        case 0x61...0x66: scalar - 0x61 + 10
        case 0x41...0x46: scalar - 0x41 + 10
        default: nil
        }
    }
}
