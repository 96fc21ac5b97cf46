import Protobuf

/// Puts the lines of a metrics page together to `MetricFamily` messages, each behind its length.
///
///     family  x  histogram                            MetricFamily { 1 name  2 help  3 type  4 metrics* }
///     x_bucket{h="a",le="1"}     3      ┐             Metric       { 1 labels*  3 counter │ 2 gauge │ 4 summary │ 5 untyped │ 7 histogram }
///     x_bucket{h="a",le="+Inf"}  4      ├─▶ one       Histogram    { 1 count  2 sum  3 buckets*   5… native }
///     x_sum{h="a"}               2.5    │   metric    Bucket       { 1 cumulative count  2 upper bound }     +Inf goes without saying
///     x_count{h="a"}             4      ┘
///
/// Lines of one histogram or summary stand together, as `Histogram.write` and its like write them. A family without a sample is left out.
/// Source: prometheus/client_model, `metrics.proto`; client_golang, `expfmt`.
struct MetricFamilies {
    /// A histogram or a summary whose lines are still coming.
    private struct Composite {
        var labels: [(String, String)]
        var count = 0.0
        var sum = 0.0
        /// Bounds with cumulative counts, or quantiles with values.
        var parts: [(at: Double, value: Double)] = []
        var native: NativeBuckets?
    }

    private var name = ""
    private var kind = MetricsPage.Kind.untyped
    private var help = ""
    private var hasFamily = false
    private var page = ProtobufWriter()
    /// Of the family that is open: its metrics, as field 4.
    private var metrics = ProtobufWriter()
    private var composite: Composite?

    mutating func family(_ name: String, _ kind: MetricsPage.Kind, _ help: String) {
        endFamily()
        (self.name, self.kind, self.help, hasFamily) = (name, kind, help, true)
    }

    mutating func sample(_ sample: String, _ labels: [(String, String)], _ value: Double) {
        switch kind {
        case .counter, .gauge, .untyped:
            // A line that is none of the family's is one of its own.
            if !hasFamily || sample != name { family(sample, .untyped, "") }
            let field: UInt64 =
                switch kind {
                case .counter: 3
                case .gauge: 2
                case .untyped, .histogram, .summary: 5
                }
            metrics.message(4) { metric in
                metric.labels(labels)
                metric.message(field) { $0.double(1, value) }
            }
        case .histogram: add(labels, value, suffix: sample.dropFirst(name.count), at: "le")
        case .summary: add(labels, value, suffix: sample.dropFirst(name.count), at: "quantile")
        }
    }

    /// The native buckets of the histogram with `labels`, whose lines follow.
    mutating func native(_ labels: [(String, String)], _ buckets: NativeBuckets) {
        open(labels)
        composite?.native = buckets
    }

    /// The whole page.
    mutating func finish() -> [UInt8] {
        endFamily()
        return page.bytes
    }

    // MARK: Histograms and summaries

    private mutating func add(_ labels: [(String, String)], _ value: Double, suffix: Substring, at label: String) {
        var own = labels
        var place: Double?
        if let index = own.firstIndex(where: { $0.0 == label }) { place = Double(own.remove(at: index).1) }
        open(own)
        switch suffix {
        case "_sum": composite?.sum = value
        case "_count": composite?.count = value
        default:
            if let place { composite?.parts.append((place, value)) }
        }
    }

    private mutating func open(_ labels: [(String, String)]) {
        if let composite, composite.labels.elementsEqual(labels, by: ==) { return }
        endComposite()
        composite = Composite(labels: labels)
    }

    private mutating func endComposite() {
        guard let one = composite else { return }
        composite = nil
        let isHistogram = kind == .histogram
        metrics.message(4) { metric in
            metric.labels(one.labels)
            metric.message(isHistogram ? 7 : 4) { body in
                body.integer(1, Self.whole(one.count))
                body.double(2, one.sum)
                for part in one.parts where !(isHistogram && part.at == .infinity) {
                    body.message(3) { message in
                        if isHistogram {
                            message.integer(1, Self.whole(part.value))
                            message.double(2, part.at)
                        } else {
                            message.double(1, part.at)
                            message.double(2, part.value)
                        }
                    }
                }
                if isHistogram, let native = one.native { native.write(to: &body) }
            }
        }
    }

    private mutating func endFamily() {
        endComposite()
        defer { metrics.removeAll() }
        guard hasFamily, !metrics.bytes.isEmpty else { return }
        let (name, help, type) = (name, help, kind.number), metrics = metrics.bytes
        page.delimited { family in
            family.text(1, name)
            if !help.isEmpty { family.text(2, help) }
            family.integer(3, type)
            family.append(metrics)
        }
    }

    /// A count as a message has it.
    private static func whole(_ value: Double) -> UInt64 { UInt64(exactly: value.rounded()) ?? 0 }
}

extension MetricsPage.Kind {
    /// Its number in `MetricType`.
    fileprivate var number: UInt64 {
        switch self {
        case .counter: 0
        case .gauge: 1
        case .summary: 2
        case .untyped: 3
        case .histogram: 4
        }
    }
}

extension ProtobufWriter {
    /// `LabelPair` messages in field 1.
    fileprivate mutating func labels(_ labels: [(String, String)]) {
        for (name, value) in labels {
            message(1) { pair in
                pair.text(1, name)
                pair.text(2, value)
            }
        }
    }
}
