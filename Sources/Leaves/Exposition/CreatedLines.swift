/// Knows the lines by which OpenMetrics says when a series began to count.
///
///     # TYPE http_requests counter
///     http_requests_total{code="200"} 1027
///     http_requests_created{code="200"} 1395066363.0     ⇒ the sample above began to count then
///
/// The line belongs to the samples in front of it that have its family and its labels but for `le` and `quantile`, up to the next line that is no
/// sample. Only counters, summaries and histograms have such lines.
///
/// Source: OpenMetrics 1.0.0, “_created”; Prometheus, `model/textparse/openmetricsparse.go`.
public struct CreatedLines {
    static let suffix: StaticString = "_created"

    private var familyLength = 0
    private var type = MetricType.unknown

    public init() {}

    /// Notes a `.type` entry.
    public mutating func noteType(_ entry: ExpositionEntryParts) {
        familyLength = entry.name.count
        type = entry.type
    }

    /// Whether samples of the current family may have such a line.
    public var areExpected: Bool { type == .counter || type == .summary || type == .histogram }

    /// The start time in milliseconds, where the sample is such a line.
    public func start(_ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer) -> Int64? {
        guard areExpected, let name = entry.tokens.name else { return nil }
        let isCreated = Self.suffix.withUTF8Buffer { source[clamped: name].suffix($0.count).elementsEqual($0) }
        if !isCreated { return nil }
        // Outside of Int64, Go's conversion gives the smallest integer on the usual machines.
        return Int64(exactly: (entry.value * 1000).rounded(.towardZero)) ?? .min
    }

    /// What a sample and its line have in common: family and labels.
    public func group(_ entry: ExpositionEntryParts, of source: UnsafeRawBufferPointer, isLine: Bool) -> [UInt8] {
        let name = source[clamped: entry.tokens.name ?? 0..<0]
        var key = Array(isLine ? name.dropLast(Self.suffix.utf8CodeUnitCount) : name.prefix(familyLength))
        let labels = entry.tokens.labels
        for index in stride(from: 0, to: labels.count - 1, by: 2) {
            let label = source[clamped: labels[index]]
            if type == .histogram && label.elementsEqual("le".utf8) || type == .summary && label.elementsEqual("quantile".utf8) { continue }
            key.append(0xff)
            key.append(contentsOf: label)
            key.append(0xff)
            key.append(contentsOf: source[clamped: labels[index + 1]])
        }
        return key
    }
}
