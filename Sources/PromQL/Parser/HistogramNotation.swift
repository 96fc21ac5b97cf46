import Histograms
import Numbers

/// Native histograms among the values of a series: properties with blanks between them, all optional, in any order.
///
///     {{schema:1 count:4 sum:5.5 z_bucket:1 z_bucket_w:0.001 offset:-1 buckets:[1 0 2] n_offset:0 n_buckets:[…]}}
///     {{schema:-53 count:3 sum:9 custom_values:[5 10] buckets:[1 2] counter_reset_hint:gauge}}
///
///     {{…}}x3          four times the same          {{a}}+{{b}}x3    a, a + b, a + 2b, a + 3b
///
/// `buckets` are absolute counts of neighbouring buckets, `offset` is the index of the first one. Counts may be negative: what a query
/// answers is written the same way. Nothing else of upstream's notation is freer than what a stored histogram may be, so a
/// histogram from here can be computed with.
extension SeriesNotation {
    /// Buckets of all histograms of a line, repetitions apart.
    private static let maximumBuckets = 10_000_000

    /// Reads the histogram that begins here, with its repetitions.
    mutating func histogramItems() throws(Fault) -> [Item] {
        let (base, isBaseHinted) = try histogram()
        guard let sign = peek, sign == "+" || sign == "-" else {
            let repetitions = try takeRepetitions() ?? 0
            try expectEndOfItem()
            return Array(repeating: .histogram(base, isHinted: isBaseHinted), count: repetitions + 1)
        }
        position += 1
        guard rest.starts(with: "{{".utf8) else { throw unexpectedHere() }
        let (difference, isHinted) = try histogram()
        guard let repetitions = try takeRepetitions() else { throw unexpectedHere() }
        try expectEndOfItem()
        return try progression(base, sign, difference, repetitions).map { .histogram($0, isHinted: isHinted) }
    }

    /// `base`, and each time the one before plus or minus `difference`.
    private func progression(
        _ base: FloatHistogram, _ sign: Character, _ difference: FloatHistogram, _ repetitions: Int
    ) throws(Fault) -> [FloatHistogram] {
        var current = base
        var result = [base]
        var bucketCount = 0
        for _ in 0..<repetitions {
            guard current.schema <= difference.schema else {
                throw Fault(
                    message: "error combining histograms: cannot merge from schema \(difference.schema) to \(current.schema)")
            }
            do throws(HistogramError) {
                if sign == "-" { try current.subtract(difference) } else { try current.add(difference) }
            } catch {
                throw Fault(message: "\(error)")
            }
            bucketCount += current.positiveBuckets.count + current.negativeBuckets.count
            guard bucketCount <= Self.maximumBuckets else { throw Fault(message: "more than \(Self.maximumBuckets) buckets") }
            result.append(current)
        }
        return result
    }

    // MARK: - One histogram

    /// Reads `{{…}}`; also tells whether it states a counter-reset hint.
    private mutating func histogram() throws(Fault) -> (FloatHistogram, isHinted: Bool) {
        position += 2
        var histogram = FloatHistogram()
        var offset: Int32 = 0, negativeOffset: Int32 = 0
        var seen: Set<String> = []
        if peek == " " || peek == "\t" {
            skipBlanks()
            guard rest.starts(with: "}}".utf8) else { throw unexpectedHere() }
        }
        while !rest.starts(with: "}}".utf8) {
            let key = try takeKey()
            switch key {
            case "schema": histogram.schema = try takeInteger()
            case "sum": histogram.sum = try takeValue()
            case "count": histogram.count = try takeValue()
            case "z_bucket": histogram.zeroCount = try takeValue()
            case "z_bucket_w": histogram.zeroThreshold = try takeValue()
            case "offset": offset = try takeInteger()
            case "n_offset": negativeOffset = try takeInteger()
            case "buckets": histogram.positiveBuckets = try takeList()
            case "n_buckets": histogram.negativeBuckets = try takeList()
            case "custom_values": histogram.customBounds = try takeList()
            default: histogram.hint = try takeHint()
            }
            guard seen.insert(key).inserted else { throw Fault(message: "duplicate key \"\(key)\" in histogram") }
            let end = position
            skipBlanks()
            if end == position && !rest.starts(with: "}}".utf8) { throw unexpectedHere() }
        }
        position += 2
        histogram.positiveSpans = Self.spans(offset, histogram.positiveBuckets)
        histogram.negativeSpans = Self.spans(negativeOffset, histogram.negativeBuckets)
        try check(histogram)
        return (histogram, seen.contains("counter_reset_hint"))
    }

    private static func spans(_ offset: Int32, _ buckets: [Double]) -> [BucketSpan] {
        buckets.isEmpty ? [] : [BucketSpan(offset: offset, length: UInt32(clamping: buckets.count))]
    }

    /// What arithmetic relies on: as in upstream's validation, but for counts, which may be anything.
    private func check(_ histogram: FloatHistogram) throws(Fault) {
        var shape = histogram
        shape.count = 0
        shape.zeroCount = 0
        shape.sum = 0
        shape.positiveBuckets = Array(repeating: 0, count: histogram.positiveBuckets.count)
        shape.negativeBuckets = Array(repeating: 0, count: histogram.negativeBuckets.count)
        do throws(HistogramError) { try shape.validate() } catch { throw Fault(message: "\(error)") }
    }

    // MARK: - Properties

    private static let keys: Set<String> = [
        "buckets", "count", "counter_reset_hint", "custom_values", "n_buckets", "n_offset", "offset", "schema", "sum",
        "z_bucket", "z_bucket_w",
    ]

    private mutating func takeKey() throws(Fault) -> String {
        let word = takeWord(of: Self.isLetter)
        guard !word.isEmpty else { throw unexpectedHere() }
        guard Self.keys.contains(word.lowercased()) else {
            throw Fault(message: "bad histogram descriptor found: \(QuotedText.go(word))")
        }
        guard peek == ":" else { throw Fault(message: "missing `:` for histogram descriptor") }
        position += 1
        return word.lowercased()
    }

    private mutating func takeHint() throws(Fault) -> CounterResetHint {
        let word = takeWord(of: Self.isLetter)
        switch word.lowercased() {
        case "unknown": return .unknown
        case "reset": return .reset
        case "not_reset": return .notReset
        case "gauge": return .gauge
        case "": throw unexpectedHere()
        default: throw Fault(message: "bad histogram descriptor found: \(QuotedText.go(word))")
        }
    }

    private mutating func takeValue() throws(Fault) -> Double {
        let start = position
        guard peek != "+" else { throw unexpectedHere() }
        if let number = takeNumber() { return number }
        let text = bytes[start..<position]
        position = start
        throw text.isEmpty ? unexpectedHere() : Fault(message: "bad number syntax: \(QuotedText.go(text))")
    }

    private mutating func takeInteger() throws(Fault) -> Int32 {
        let start = position
        _ = try takeValue()
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Int32(text) else {
            throw Fault(
                message: "invalid repetition in series values: strconv.ParseUint: parsing \(QuotedText.go(text)): "
                    + (Int(text) == nil ? "invalid syntax" : "value out of range"))
        }
        return value
    }

    private mutating func takeList() throws(Fault) -> [Double] {
        guard peek == "[" else { throw unexpectedHere() }
        position += 1
        var values = [try takeValue()]
        while peek == " " || peek == "\t" {
            skipBlanks()
            if peek == "]" { break }
            values.append(try takeValue())
        }
        guard peek == "]" else { throw unexpectedHere() }
        position += 1
        return values
    }

    // MARK: - Letters

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private mutating func takeWord(of isPart: (UInt8) -> Bool) -> String {
        let start = position
        while position < bytes.count, isPart(bytes[position]) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private func expectEndOfItem() throws(Fault) {
        guard isAtEnd || peek == " " || peek == "\t" else { throw unexpectedHere() }
    }

    /// Complains about the character here.
    private func unexpectedHere() -> Fault {
        guard position < bytes.count else { return Fault(message: "unexpected end of input in series values") }
        return Fault(message: "unexpected \(QuotedText.go(bytes[position..<(position + 1)])) in series values")
    }
}
