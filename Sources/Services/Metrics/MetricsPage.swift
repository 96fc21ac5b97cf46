import Numbers

/// Writes a metrics page in Prometheus' text format 0.0.4, or the same in protobuf (`MetricFamilies`).
///
///     # HELP prometheus_tsdb_head_series Total number of series in the head block.
///     # TYPE prometheus_tsdb_head_series gauge
///     prometheus_tsdb_head_series 1512
///
/// Source: “Exposition formats”, Prometheus documentation.
///
/// Invariant: lines of one family stand together, under its HELP and TYPE; the caller keeps families apart.
public struct MetricsPage {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram, summary, untyped
    }

    /// The text written so far; nothing where the page is to be protobuf.
    public private(set) var bytes: [UInt8] = []
    /// Takes the lines instead of text.
    private var families: MetricFamilies?

    public init(_ format: PageFormat = .text) {
        switch format {
        case .text: bytes.reserveCapacity(32 << 10)
        case .protobuf: families = MetricFamilies()
        }
    }

    /// The whole page.
    public mutating func finish() -> [UInt8] { families?.finish() ?? bytes }

    /// Begins a family: its samples follow.
    public mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        if families != nil {
            families?.family(name, kind, help)
            return
        }
        append("# HELP ")
        append(name)
        append(" ")
        for byte in help.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            default: bytes.append(byte)
            }
        }
        append("\n# TYPE ")
        append(name)
        append(" ")
        append(kind.rawValue)
        append("\n")
    }

    /// One line: `name{label="value",…} value`.
    public mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: Double) {
        if families != nil {
            families?.sample(name, labels, value)
            return
        }
        append(name)
        if !labels.isEmpty {
            append("{")
            for (index, label) in labels.enumerated() {
                if index > 0 { append(",") }
                append(label.0)
                append("=\"")
                appendEscaped(label.1)
                append("\"")
            }
            append("}")
        }
        append(" ")
        append(NumberText.string(value, style: .general))
        append("\n")
    }

    public mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: Int) {
        sample(name, labels, Double(value))
    }

    /// The native buckets of the histogram with `labels`, whose lines follow; text has no place for them.
    mutating func native(_ labels: [(String, String)], _ buckets: NativeBuckets) { families?.native(labels, buckets) }

    /// A family of one sample.
    public mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, [], value)
    }

    public mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        single(name, kind, help, Double(value))
    }

    /// A bound as `le` shows it.
    static func text(of bound: Double) -> String { NumberText.string(bound, style: .general) }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func appendEscaped(_ value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\""): append("\\\"")
            default: bytes.append(byte)
            }
        }
    }
}
