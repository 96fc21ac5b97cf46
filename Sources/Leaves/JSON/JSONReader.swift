import Numbers

/// Reads JSON value by value, in place, as the caller asks for it.
///
///     {"status":"success","data":[1,2]}
///     beginObject ─ nextKey "status" ─ string ─ nextKey "data" ─ beginArray ─ nextElement ─ number ─ … ─ nextKey nil
///
/// No tree is built: a large answer costs what the caller keeps of it (`JSONValue` is the tree, for small documents).
/// Source: RFC 8259. Lone surrogates become U+FFFD, as in Go; bytes that are not UTF-8 are an error.
///
/// Invariants: `position <= bytes.count`; `depth <= maximumDepth <= 64`, so that no input makes us recurse without
/// bound.
public struct JSONReader {
    /// What the next value is, by its first byte.
    public enum Kind: Equatable, Sendable { case object, array, string, number, bool, null }

    private let bytes: UnsafeRawBufferPointer
    /// Offset of the next byte.
    public private(set) var position = 0
    private let maximumDepth: Int
    private var depth = 0
    /// One bit per open object or array: whether it has had a member yet.
    private var hasMembers: UInt64 = 0

    /// `bytes` must live as long as the reader is used. `maximumDepth` is at most 64.
    public init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int = 64) {
        self.bytes = bytes
        self.maximumDepth = min(max(maximumDepth, 1), 64)
    }

    // MARK: Structure

    public mutating func beginObject() throws(JSONError) { try open(UInt8(ascii: "{"), "an object") }
    public mutating func beginArray() throws(JSONError) { try open(UInt8(ascii: "["), "an array") }

    /// The next member's name; its value comes next. `nil`, once, behind the last member.
    public mutating func nextKey() throws(JSONError) -> String? {
        guard try nextMember(UInt8(ascii: "}")) else { return nil }
        skipSpace()
        let key = try string()
        try take(UInt8(ascii: ":"), "a colon")
        return key
    }

    /// Whether another element follows; `false`, once, behind the last.
    public mutating func nextElement() throws(JSONError) -> Bool { try nextMember(UInt8(ascii: "]")) }

    /// Nothing but white space may follow the document.
    public mutating func finish() throws(JSONError) {
        skipSpace()
        guard position == bytes.count else { throw error("something follows the end") }
    }

    // MARK: Values

    /// The kind of the next value.
    public mutating func kind() throws(JSONError) -> Kind {
        skipSpace()
        guard let first = peek else { throw error("the end instead of a value") }
        switch first {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw error("no value starts here")
        }
    }

    public mutating func bool() throws(JSONError) -> Bool {
        if try kind() == .bool {
            if takeWord("true") { return true }
            if takeWord("false") { return false }
        }
        throw error("not true or false")
    }

    public mutating func null() throws(JSONError) {
        guard try kind() == .null, takeWord("null") else { throw error("not null") }
    }

    /// The nearest double; a number larger than doubles are is an error.
    public mutating func number() throws(JSONError) -> Double {
        skipSpace()
        let start = position
        if peek == UInt8(ascii: "-") { position &+= 1 }
        let integer = takeDigits()
        guard integer > 0, integer == 1 || bytes[position &- integer] != UInt8(ascii: "0") else {
            throw error("not a number")
        }
        if peek == UInt8(ascii: ".") {
            position &+= 1
            guard takeDigits() > 0 else { throw error("digits are missing behind the point") }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position &+= 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position &+= 1 }
            guard takeDigits() > 0 else { throw error("digits are missing in the exponent") }
        }
        guard let value = NumberText.parse(UnsafeRawBufferPointer(rebasing: bytes[start..<position])) else {
            throw error("not a number")
        }
        return value
    }

    public mutating func string() throws(JSONError) -> String {
        let (content, isPlain) = try stringContent()
        let raw = UnsafeRawBufferPointer(rebasing: bytes[content])
        guard !isPlain else { return try text(raw, at: content.lowerBound) }
        return try text(try unescaped(content).withUnsafeBytes { Array($0) }, at: content.lowerBound)
    }

    /// Calls `body` with the bytes of a string; its escapes, if any, are resolved.
    public mutating func withString<R>(_ body: (UnsafeRawBufferPointer) -> R) throws(JSONError) -> R {
        let (content, isPlain) = try stringContent()
        if isPlain { return body(UnsafeRawBufferPointer(rebasing: bytes[content])) }
        return try unescaped(content).withUnsafeBytes { body($0) }
    }

    /// Steps over one value of any kind; its range in the input.
    @discardableResult
    public mutating func skip() throws(JSONError) -> Range<Int> {
        let kind = try kind()
        let start = position
        switch kind {
        case .object:
            try beginObject()
            while try nextKey() != nil { try skip() }
        case .array:
            try beginArray()
            while try nextElement() { try skip() }
        case .string: _ = try stringContent()
        case .number: _ = try number()
        case .bool: _ = try bool()
        case .null: try null()
        }
        return start..<position
    }

    /// What the bytes of a range are as text.
    public func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    public func error(_ message: StaticString) -> JSONError { JSONError(message: message, offset: position) }

    // MARK: Bytes

    @inline(__always)
    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    @inline(__always)
    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position &+= 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8, _ what: StaticString) throws(JSONError) {
        skipSpace()
        guard peek == byte else { throw JSONError(message: "expected \(what)", offset: position) }
        position &+= 1
    }

    private mutating func open(_ byte: UInt8, _ what: StaticString) throws(JSONError) {
        try take(byte, what)
        guard depth < maximumDepth else { throw error("nested too deeply") }
        hasMembers &= ~(1 << UInt64(depth))
        depth &+= 1
    }

    private mutating func nextMember(_ closing: UInt8) throws(JSONError) -> Bool {
        guard depth > 0 else { throw error("nothing is open") }
        skipSpace()
        let bit: UInt64 = 1 << UInt64(depth &- 1)
        if peek == closing {
            position &+= 1
            depth &-= 1
            return false
        }
        if hasMembers & bit != 0 { try take(UInt8(ascii: ","), "a comma or the end") }
        hasMembers |= bit
        return true
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count &- position >= count else { return false }
        for i in 0..<count where bytes[position &+ i] != word.utf8Start[i] { return false }
        position &+= count
        return true
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position &+= 1 }
        return position &- start
    }
}

// MARK: - Strings

extension JSONReader {
    /// The range between the quotes, and whether it is free of escapes. Control characters are refused.
    private mutating func stringContent() throws(JSONError) -> (Range<Int>, isPlain: Bool) {
        try take(UInt8(ascii: "\""), "a string")
        let start = position
        var isPlain = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position &+= 1
                return (start..<(position &- 1), isPlain)
            }
            guard byte >= 0x20 else { throw error("a control character in a string") }
            if byte == UInt8(ascii: "\\") {
                isPlain = false
                position &+= 1
            }
            position &+= 1
        }
        position = bytes.count
        throw error("the end inside a string")
    }

    private func text(_ raw: some Sequence<UInt8>, at offset: Int) throws(JSONError) -> String {
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw JSONError(message: "a string that is not UTF-8", offset: offset)
        }
        return text
    }

    private func unescaped(_ range: Range<Int>) throws(JSONError) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        var at = range.lowerBound
        while at < range.upperBound {
            let byte = bytes[at]
            at &+= 1
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                continue
            }
            // A backslash is never the last byte: the scan for the closing quote steps over what follows it.
            guard at < range.upperBound else { throw JSONError(message: "an unfinished escape", offset: at) }
            let escape = bytes[at]
            at &+= 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(escape)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0c)
            case UInt8(ascii: "n"): out.append(0x0a)
            case UInt8(ascii: "r"): out.append(0x0d)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "u"): out.append(contentsOf: String(try scalar(&at, range.upperBound)).utf8)
            default: throw JSONError(message: "an unknown escape", offset: at &- 1)
            }
        }
        return out
    }

    /// `XXXX`, or `XXXX\uXXXX` for a pair of surrogates.
    private func scalar(_ at: inout Int, _ end: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal(&at, end)
        if let scalar = Unicode.Scalar(first) { return scalar }
        if (0xd800..<0xdc00).contains(first), end &- at >= 6, bytes[at] == UInt8(ascii: "\\"),
            bytes[at &+ 1] == UInt8(ascii: "u")
        {
            var next = at &+ 2
            let second = try hexadecimal(&next, end)
            if (0xdc00..<0xe000).contains(second) {
                at = next
                return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)) ?? "\u{fffd}"
            }
        }
        return "\u{fffd}"
    }

    private func hexadecimal(_ at: inout Int, _ end: Int) throws(JSONError) -> UInt32 {
        guard end &- at >= 4 else { throw JSONError(message: "four digits must follow \\u", offset: at) }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[at]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- UInt8(ascii: "A") &+ 10
            default: throw JSONError(message: "four digits must follow \\u", offset: at)
            }
            value = value << 4 | UInt32(digit)
            at &+= 1
        }
        return value
    }
}

/// Text that is not JSON, or not the JSON that was expected.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String
    /// Byte offset into the document.
    public var offset: Int

    init(message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    init(message: StaticString, offset: Int) { self.init(message: "\(message)", offset: offset) }

    public var description: String { "\(message) (at byte \(offset))" }
}
