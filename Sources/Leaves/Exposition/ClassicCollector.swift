import Histograms
import Numbers

/// Gathers the series of one classic histogram after the other, and makes a histogram with custom bounds of each.
///
///     # TYPE h histogram
///     h_bucket{a="b",le="1"} 2      ┐
///     h_bucket{a="b",le="+Inf"} 3   ├─ gathered under “h a=b”    when anything else begins:  h{a="b"} {bounds 1, buckets 2 1}
///     h_sum{a="b"} 4                │
///     h_count{a="b"} 3              ┘
///     h_bucket{a="c",le="1"} 0      ── the next one
///
/// Only series that their family's `# TYPE` calls a histogram are gathered, and none of a histogram that came in native form just before.
/// Source: Prometheus, `model/textparse/nhcbparse.go`.
public struct ClassicCollector {
    /// What is to be done with a series.
    public enum Verdict: Sendable {
        /// It is no part of a classic histogram.
        case other
        /// It was gathered.
        case gathered
        /// Another histogram, or something else, begins: take the one at hand out first (`finish`), then ask again.
        case finishFirst
    }

    private enum State { case idle, gathering, inhibited }

    private var state = State.idle
    private var family: [UInt8] = []
    private var type = MetricType.unknown
    /// Name and labels without `le`, each behind a byte that is in no UTF-8, labels by name: who the histogram is, and its series' text.
    private var key: [UInt8] = []
    private var newKey: [UInt8] = []
    private var pairs: [(name: Range<Int>, value: Range<Int>)] = []
    private var conversion = ClassicConversion()

    /// The histogram that `finish` made, as an entry whose ranges point into `source`.
    public private(set) var entry = ExpositionEntryParts()
    public private(set) var histogram: HistogramSample?
    /// Exemplars of the gathered series that have a time of their own, with their packed labels.
    public private(set) var exemplars: [(parts: ExemplarParts, labels: [UInt8])] = []

    public init() {}

    public var isGathering: Bool { state == .gathering }

    /// Calls `body` with the bytes that `entry` points into.
    public func withSource<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try key.withUnsafeBufferPointer { bytes throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
    }

    /// Begins a page.
    public mutating func removeAll() {
        state = .idle
        family.removeAll(keepingCapacity: true)
        type = .unknown
        conversion.removeAll()
        exemplars.removeAll()
    }

    /// Notes a `.type` entry.
    public mutating func noteType(_ entry: ExpositionEntryParts, of page: UnsafeRawBufferPointer) {
        type = entry.type
        family.removeAll(keepingCapacity: true)
        family.append(contentsOf: page[clamped: entry.name])
    }

    /// Notes a native histogram: the classic one with its name and labels, which may follow, is not gathered.
    public mutating func noteNative(_ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer) {
        makeKey(entry, of: source, dropping: 0)
        swap(&key, &newKey)
        state = .inhibited
    }

    /// Looks at a series.
    public mutating func take(_ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer) -> Verdict {
        guard type == .histogram, let name = entry.tokens.name else {
            if state == .gathering { return .finishFirst }
            state = .idle
            return .other
        }
        let bytes = source[clamped: name]
        let role = ClassicConversion.role(of: bytes)
        makeKey(entry, of: source, dropping: role.suffixLength)
        let isSame = state != .idle && newKey == key
        switch state {
        case .gathering: if !isSame { return .finishFirst }
        case .inhibited:
            if isSame { return .other }
            state = .idle
        case .idle: break
        }
        guard bytes.dropLast(role.suffixLength).elementsEqual(family) else { return .other }
        switch role {
        case .none: return .other
        case .bucket:
            guard let bound = upperBound(entry, of: source) else { return .other }
            begin(entry)
            conversion.setBucket(upperBound: bound, count: entry.value)
        case .count:
            begin(entry)
            conversion.setCount(entry.value)
        case .sum:
            begin(entry)
            conversion.setSum(entry.value)
        }
        self.entry.timestamp = entry.timestamp
        return .gathered
    }

    /// Notes an exemplar of the series just gathered; `labels` is packed.
    public mutating func note(_ exemplar: ExemplarParts, labels: [UInt8]) { exemplars.append((exemplar, labels)) }

    /// Notes when the histogram began, from a `_created` line.
    public mutating func noteStart(_ milliseconds: Int64, _ created: ExpositionEntryParts, of source: UnsafeRawBufferPointer) {
        guard state == .gathering else { return }
        makeKey(created, of: source, dropping: CreatedLines.suffix.utf8CodeUnitCount)
        if newKey == key { entry.start = milliseconds }
    }

    /// Makes `entry` of what was gathered; `false` when there is nothing, or it is no valid histogram.
    public mutating func finish() -> Bool {
        guard state == .gathering else { return false }
        state = .idle
        defer { conversion.removeAll() }
        do {
            let converted = try conversion.histogram()
            switch converted {
            case .integer(let histogram): try histogram.validate()
            case .float(let histogram): try histogram.validate()
            }
            histogram = converted
        } catch {
            exemplars.removeAll()
            return false
        }
        entry.value = histogram?.sum ?? 0
        entry.series = 0..<key.count
        return true
    }

    /// Forgets the exemplars of the histogram that was taken out.
    public mutating func clearExemplars() { exemplars.removeAll(keepingCapacity: true) }

    // MARK: Keys

    private mutating func begin(_ first: ExpositionEntryParts) {
        if state == .gathering { return }
        state = .gathering
        swap(&key, &newKey)
        exemplars.removeAll(keepingCapacity: true)
        entry.start = first.start
        entry.isLiteral = first.isLiteral
        entry.type = first.type
        // The key is read back as what it was made of.
        entry.tokens.removeAll()
        var start = 0
        var parts: [Range<Int>] = []
        for (index, byte) in key.enumerated() where byte == Self.separator {
            parts.append(start..<index)
            start = index + 1
        }
        entry.tokens.name = parts.first
        entry.tokens.labels = Array(parts.dropFirst())
    }

    private static let separator: UInt8 = 0xff

    private mutating func makeKey(_ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer, dropping suffix: Int) {
        newKey.removeAll(keepingCapacity: true)
        newKey.append(contentsOf: source[clamped: entry.tokens.name ?? 0..<0].dropLast(suffix))
        newKey.append(Self.separator)
        pairs.removeAll(keepingCapacity: true)
        let labels = entry.tokens.labels
        for index in stride(from: 0, to: labels.count - 1, by: 2) where !source[clamped: labels[index]].elementsEqual("le".utf8) {
            pairs.append((labels[index], labels[index + 1]))
            // Almost always in order.
            var place = pairs.count - 1
            while place > 0,
                source[clamped: pairs[place].name].lexicographicallyPrecedes(source[clamped: pairs[place - 1].name])
            {
                pairs.swapAt(place, place - 1)
                place -= 1
            }
        }
        for pair in pairs {
            newKey.append(contentsOf: source[clamped: pair.name])
            newKey.append(Self.separator)
            newKey.append(contentsOf: source[clamped: pair.value])
            newKey.append(Self.separator)
        }
    }

    private func upperBound(_ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer) -> Double? {
        let labels = entry.tokens.labels
        for index in stride(from: 0, to: labels.count - 1, by: 2) where source[clamped: labels[index]].elementsEqual("le".utf8) {
            let bound = NumberText.parse(source[clamped: labels[index + 1]], allowing: .go)
            return bound.flatMap { $0.isNaN ? nil : $0 }
        }
        return nil
    }
}
