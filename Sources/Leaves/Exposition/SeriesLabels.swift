import Numbers

/// Turns the tokens of a sample's line into a label set, packed as storage keeps it.
///
///     http{method="a\"b",le="1"}  →  ␈__name__␄http␂le␃1.0␆method␃a"b      (lengths in front, sorted by name)
///
/// Done once per series, not once per scrape: the scrape cache keeps the result. Values lose their escapes;
/// `le` of histograms and `quantile` of summaries are written as OpenMetrics writes floats (`1` becomes `1.0`), so that
/// the same bucket has one name whatever format it came in. Labels with empty values are left out.
public struct SeriesLabels {
    public enum Problem: Error, Equatable, Sendable {
        /// Two labels have this name.
        case duplicate(name: String)
        /// A name that is empty or not UTF-8; `shown` is the whole label set for people.
        case invalidName(shown: String)
    }

    private var scratch: [UInt8] = []
    private var pairs: [(name: Range<Int>, value: Range<Int>)] = []

    public init() {}

    /// Appends the packed labels of the newest sample of `entry` to `packed`.
    public mutating func pack(
        _ entry: ExpositionEntryParts, of page: UnsafeRawBufferPointer, into packed: inout [UInt8]
    ) throws(Problem) {
        scratch.removeAll(keepingCapacity: true)
        pairs.removeAll(keepingCapacity: true)
        let tokens = entry.tokens
        let isLiteral = entry.isLiteral
        let metric = append(page[clamped: tokens.name ?? 0..<0], isLiteral: isLiteral)
        pairs.append((appendBytes("__name__".utf8), metric))
        var index = 0
        while index + 1 < tokens.labels.count {
            let name = append(page[clamped: tokens.labels[index]], isLiteral: isLiteral)
            var value = append(page[clamped: tokens.labels[index + 1]], isLiteral: isLiteral)
            index += 2
            if value.isEmpty { continue }
            if !isLiteral, let normal = normalFloat(name: name, value: value, type: entry.type) { value = appendBytes(normal) }
            pairs.append((name, value))
        }
        sortPairs()
        for position in pairs.indices {
            let name = pairs[position].name
            if position > 0, scratch[name].elementsEqual(scratch[pairs[position - 1].name]) {
                throw .duplicate(name: String(decoding: scratch[name], as: UTF8.self))
            }
            let isValid = scratch.withUnsafeBytes { bytes in
                !name.isEmpty && UTF8Check.isValid(bytes[clamped: name])
                    && UTF8Check.isValid(bytes[clamped: pairs[position].value])
            }
            if !isValid || metric.isEmpty { throw .invalidName(shown: description) }
        }
        for pair in pairs {
            appendPart(pair.name, to: &packed)
            appendPart(pair.value, to: &packed)
        }
    }

    /// Appends the packed labels of the newest sample's exemplar to `packed`, values as they stand, escapes and all:
    /// upstream keeps them so. `false`, and nothing appended, where two labels have one name, or a name is empty or not
    /// UTF-8.
    public mutating func packExemplar(
        _ entry: ExpositionEntryParts, of page: UnsafeRawBufferPointer, into packed: inout [UInt8]
    ) -> Bool {
        scratch.removeAll(keepingCapacity: true)
        pairs.removeAll(keepingCapacity: true)
        for index in stride(from: 0, to: entry.exemplarTokens.count - 1, by: 2) {
            let name = appendBytes(page[clamped: entry.exemplarTokens[index]])
            let value = appendBytes(page[clamped: entry.exemplarTokens[index + 1]])
            if !value.isEmpty { pairs.append((name, value)) }
        }
        sortPairs()
        for (position, pair) in pairs.enumerated() {
            let isValid = scratch.withUnsafeBytes { !pair.name.isEmpty && UTF8Check.isValid($0[clamped: pair.name]) }
            let isRepeated = position > 0 && scratch[pair.name].elementsEqual(scratch[pairs[position - 1].name])
            if !isValid || isRepeated { return false }
        }
        for pair in pairs {
            appendPart(pair.name, to: &packed)
            appendPart(pair.value, to: &packed)
        }
        return true
    }

    private mutating func appendBytes(_ bytes: some Collection<UInt8>) -> Range<Int> {
        let start = scratch.count
        scratch.append(contentsOf: bytes)
        return start..<scratch.count
    }

    /// `\"`, `\\` and `\n` lose their escape, unless the text is literal; other backslashes stay.
    private mutating func append(_ text: UnsafeRawBufferPointer, isLiteral: Bool) -> Range<Int> {
        let start = scratch.count
        if isLiteral || !text.contains(UInt8(ascii: "\\")) {
            scratch.append(contentsOf: text)
            return start..<scratch.count
        }
        ExpositionText.unescape(text, quotes: true, into: &scratch)
        return start..<scratch.count
    }

    /// The float of an `le` or `quantile` label in OpenMetrics' spelling, where it is one and has another.
    private func normalFloat(name: Range<Int>, value: Range<Int>, type: MetricType) -> [UInt8]? {
        switch type {
        case .histogram: guard scratch[name].elementsEqual("le".utf8) else { return nil }
        case .summary: guard scratch[name].elementsEqual("quantile".utf8) else { return nil }
        case .counter, .gauge, .gaugehistogram, .info, .stateset, .unknown: return nil
        }
        let parsed = scratch.withUnsafeBytes { NumberText.parse($0[clamped: value], allowing: .go) }
        return parsed.map { Array(ExpositionText.openMetricsFloat($0).utf8) }
    }

    /// Few labels, mostly in order: insertion sort.
    private mutating func sortPairs() {
        for index in pairs.indices.dropFirst() {
            var place = index
            while place > 0, scratch[pairs[place].name].lexicographicallyPrecedes(scratch[pairs[place - 1].name]) {
                pairs.swapAt(place, place - 1)
                place -= 1
            }
        }
    }

    private func appendPart(_ range: Range<Int>, to packed: inout [UInt8]) {
        var length = range.count
        while length >= 0x80 {
            packed.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        packed.append(UInt8(truncatingIfNeeded: length))
        packed.append(contentsOf: scratch[range])
    }

    /// The labels for people, as PromQL writes them, without the trust that they are valid.
    private var description: String {
        let rest = pairs.map { pair in
            String(decoding: scratch[pair.name], as: UTF8.self) + "=" + QuotedText.go(scratch[pair.value])
        }
        return "{" + rest.joined(separator: ", ") + "}"
    }
}

/// Small text rules that both formats share.
public enum ExpositionText {
    /// Appends `text` with `\\` and `\n` (and `\"` where `quotes` says so) unescaped; other backslashes stay.
    public static func unescape(_ text: UnsafeRawBufferPointer, quotes: Bool, into result: inout [UInt8]) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\\"), index + 1 < text.count {
                switch text[index + 1] {
                case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
                case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "\"") where quotes: result.append(UInt8(ascii: "\""))
                default:
                    result.append(byte)
                    index += 1
                    continue
                }
                index += 2
            } else {
                result.append(byte)
                index += 1
            }
        }
    }

    /// Go's `%g` with `.0` where it would look like an integer: `1.0`, `0.25`, `1e+06`, `+Inf`.
    public static func openMetricsFloat(_ value: Double) -> String {
        let text = NumberText.string(value, style: .general)
        return !value.isFinite || text.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") } ? text : text + ".0"
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes of a range, cut to what exists.
    subscript(clamped range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range.clamped(to: 0..<count)])
    }
}
