import Histograms
import Numbers
import TSDB

/// The notation of series in scripts and in tests of rules: `name{label="value"} 1 2 _ 3+1x5 stale`.
///
///     5 NaN -Inf   one sample          _    no sample       stale    a stale marker
///     5x3          5 5 5 5             _x3  none, 3 times   stalex1  two stale markers
///     1+2x3        1 3 5 7             {{…}}, {{…}}x3, {{…}}+{{…}}x3   native histograms (`HistogramNotation`)
public struct SeriesNotation {
    public struct Fault: Error, Equatable {
        public var message: String
    }

    /// A line `SERIES VALUES`.
    public struct Series: Sendable {
        public var labels: Labels
        public var values: [Item]

        public init(labels: Labels, values: [Item]) {
            self.labels = labels
            self.values = values
        }
    }

    /// One step.
    public enum Item: Sendable {
        case value(Double)
        /// A step without a sample.
        case gap
        /// A native histogram. Valid but for its counts, which may be negative; `isHinted`: it states a counter-reset hint.
        indirect case histogram(FloatHistogram, isHinted: Bool)
    }

    let bytes: [UInt8]
    var position = 0

    /// The largest count behind an `x`; a script that wants more is wrong.
    private static let maximumRepetitions = 1_000_000
    /// Steps of one line.
    static let maximumItems = 10_000_000

    init(_ text: String) { bytes = Array(text.utf8) }

    public static func series(_ line: String) throws(Fault) -> Series {
        var notation = SeriesNotation(line)
        let labels = try notation.labels()
        return Series(labels: labels, values: try notation.values())
    }

    /// The labels of a series that is all of `text`.
    public static func labels(_ text: String) throws(Fault) -> Labels {
        var notation = SeriesNotation(text)
        notation.skipBlanks()
        let labels = try notation.labels()
        notation.skipBlanks()
        guard notation.isAtEnd else { throw Fault(message: "text behind the series") }
        return labels
    }

    /// The values of a line, without its series.
    public static func values(_ text: String) throws(Fault) -> [Item] {
        var notation = SeriesNotation(text)
        return try notation.values()
    }

    /// The content of a string in quotes that is all of `text`.
    public static func string(_ text: String) throws(Fault) -> String {
        var notation = SeriesNotation(text)
        let value = try notation.quotedString()
        guard notation.position == notation.bytes.count else { throw Fault(message: "text behind the string") }
        return value
    }

    // MARK: - Labels

    mutating func labels() throws(Fault) -> Labels {
        var builder = LabelsBuilder()
        let name = takeName()
        if !name.isEmpty { builder.set(MetricName.label, to: name) }
        skipBlanks()
        // Two braces open a histogram, which is a value.
        if peek == "{" && !rest.starts(with: "{{".utf8) {
            position += 1
            try labelList(into: &builder)
        } else if name.isEmpty {
            throw Fault(message: "expected a series")
        }
        return builder.labels()
    }

    private mutating func labelList(into builder: inout LabelsBuilder) throws(Fault) {
        while true {
            skipBlanks()
            if peek == "}" { break }
            let isQuoted = peek.map(Self.isQuote) ?? false
            let name = isQuoted ? try quotedString() : takeName()
            skipBlanks()
            if peek == "=" {
                position += 1
                skipBlanks()
                builder.set(name, to: try quotedString())
            } else if isQuoted {
                // A quoted string of its own is the metric name.
                builder.set(MetricName.label, to: name)
            } else {
                throw Fault(message: "expected = behind the label name")
            }
            skipBlanks()
            if peek == "," { position += 1 } else if peek != "}" { throw Fault(message: "expected , or }") }
        }
        position += 1
    }

    private mutating func takeName() -> String {
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position], isFirst: position == start) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            return true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return !isFirst
        default: return false
        }
    }

    private static func isQuote(_ character: Character) -> Bool { "\"'`".contains(character) }

    private mutating func quotedString() throws(Fault) -> String {
        guard let quote = peek, Self.isQuote(quote) else { throw Fault(message: "expected a string in quotes") }
        position += 1
        var content: [UInt8] = []
        while let character = peek, character != quote {
            if character == "\\" && quote != "`" {
                position += 1
                try appendEscaped(to: &content)
            } else {
                content.append(bytes[position])
                position += 1
            }
        }
        guard peek == quote else { throw Fault(message: "string without end") }
        position += 1
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func appendEscaped(to content: inout [UInt8]) throws(Fault) {
        guard let letter = peek else { throw Fault(message: "string without end") }
        position += 1
        switch letter {
        case "a": content.append(0x07)
        case "b": content.append(0x08)
        case "f": content.append(0x0c)
        case "n": content.append(0x0a)
        case "r": content.append(0x0d)
        case "t": content.append(0x09)
        case "v": content.append(0x0b)
        case "\\", "\"", "'": content.append(bytes[position - 1])
        case "x": content.append(UInt8(truncatingIfNeeded: try code(digits: 2, radix: 16)))
        case "u": try appendScalar(code(digits: 4, radix: 16), to: &content)
        case "U": try appendScalar(code(digits: 8, radix: 16), to: &content)
        case "0"..."7":
            position -= 1
            content.append(UInt8(truncatingIfNeeded: try code(digits: 3, radix: 8)))
        default: throw Fault(message: "unknown escape \\\(letter)")
        }
    }

    private mutating func code(digits: Int, radix: Int) throws(Fault) -> UInt32 {
        guard position + digits <= bytes.count,
            let value = UInt32(String(decoding: bytes[position..<position + digits], as: UTF8.self), radix: radix)
        else { throw Fault(message: "escape too short") }
        position += digits
        return value
    }

    private func appendScalar(_ value: UInt32, to content: inout [UInt8]) throws(Fault) {
        guard let scalar = Unicode.Scalar(value) else { throw Fault(message: "escape beyond Unicode") }
        content.append(contentsOf: Array(String(scalar).utf8))
    }

    // MARK: - Values

    private mutating func values() throws(Fault) -> [Item] {
        var items: [Item] = []
        while true {
            skipBlanks()
            guard position < bytes.count else { return items }
            guard items.count < Self.maximumItems else { throw Fault(message: "more than \(Self.maximumItems) values") }
            if rest.starts(with: "{{".utf8) {
                items.append(contentsOf: try histogramItems())
            } else {
                items.append(contentsOf: try item(takeWord()))
            }
        }
    }

    /// Reads `xN`, if it stands here.
    mutating func takeRepetitions() throws(Fault) -> Int? {
        guard peek == "x" else { return nil }
        position += 1
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        guard let count = Int(String(decoding: bytes[start..<position], as: UTF8.self)),
            count <= Self.maximumRepetitions
        else { throw Fault(message: "expected a number of repetitions") }
        return count
    }

    private func item(_ word: String) throws(Fault) -> [Item] {
        var notation = SeriesNotation(word)
        let unreadable = Fault(message: "cannot read the value \(word)")
        if notation.peek == "_" {
            notation.position = 1
            let count = try notation.takeRepetitions() ?? 1
            guard notation.isAtEnd else { throw unreadable }
            return Array(repeating: .gap, count: count)
        }
        let base: Double
        if word.hasPrefix("stale") {
            notation.position = 5
            base = StaleMarker.value
        } else {
            guard let number = notation.takeNumber() else { throw unreadable }
            base = number
        }
        var difference = 0.0
        if notation.peek == "+" || notation.peek == "-" {
            let isNegative = notation.peek == "-"
            notation.position += 1
            guard let number = notation.takeNumber() else { throw unreadable }
            difference = isNegative ? -number : number
            guard notation.peek == "x" else { throw unreadable }
        }
        let repetitions = try notation.takeRepetitions() ?? 0
        guard notation.isAtEnd else { throw unreadable }
        var value = base
        var items: [Item] = [.value(value)]
        for _ in 0..<repetitions {
            // A stale marker must not go through arithmetic.
            if difference != 0 { value += difference }
            items.append(.value(value))
        }
        return items
    }

    /// A decimal number, `Inf` or `NaN`, with a sign or without; stops before `x` and before the sign of a difference.
    mutating func takeNumber() -> Double? {
        let start = position
        if peek == "+" || peek == "-" { position += 1 }
        let word = String(decoding: rest.prefix(3), as: UTF8.self).lowercased()
        if word == "inf" || word == "nan" {
            position += 3
        } else {
            skipDigits()
            if peek == "." {
                position += 1
                skipDigits()
            }
            if peek == "e" || peek == "E" {
                position += 1
                if peek == "+" || peek == "-" { position += 1 }
                skipDigits()
            }
        }
        return NumberText.parse(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func skipDigits() {
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
    }

    // MARK: - Bytes

    var rest: ArraySlice<UInt8> { bytes[position...] }
    var isAtEnd: Bool { position == bytes.count }
    var peek: Character? {
        position < bytes.count ? Character(Unicode.Scalar(bytes[position])) : nil
    }

    mutating func skipBlanks() {
        while peek == " " || peek == "\t" || peek == "\n" || peek == "\r" { position += 1 }
    }

    private mutating func takeWord() -> String {
        let start = position
        while position < bytes.count, peek != " ", peek != "\t", peek != "\n", peek != "\r" { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }
}
