import Histograms

/// Delimited protobuf: `MetricFamily` messages, each with its length in front, read as if they were lines of text.
///
///     varint length │ MetricFamily { name = 1, help = 2, type = 3, repeated Metric metric = 4, unit = 5 } │ varint length │ …
///
///     help, unit, type of the family, and then per metric
///       counter, gauge, untyped   name
///       summary                   name_count, name_sum, name{quantile=} …
///       classic histogram         name_count, name_sum, name_bucket{le=} …, name_bucket{le="+Inf"}
///       native histogram          name, a sample that is a histogram; then the classic ones, if they are wanted, too
///
/// No series stands in the page as text, so the parser writes each into a buffer of its own: labels, then the name, then `le` or `quantile`,
/// with bytes between them that valid UTF-8 never holds. That is what the scrape cache compares, and what labels are made from.
///
/// Source: prometheus/client_model, `metrics.proto`; Prometheus, `model/textparse/protobufparse.go`.
///
/// Invariant: everything read so far was valid; after an error the page is to be given up as a whole.
public struct ProtobufFormat: ExpositionParser {
    public struct Options: Sendable {
        /// Native parts of histograms count; otherwise all histograms are classic ones.
        public var readsNativeHistograms = true
        /// Classic parts of native histograms are read, too.
        public var keepsClassicHistograms = false

        public init() {}
    }

    /// Bytes of all series names and labels, per byte of the page. A family's name stands in the page once and in front of every series: without a
    /// bound, one page of 16 MiB could ask for terabytes. Real pages have 10 or so.
    static let maximumExpansion = 64
    /// What every page may have.
    static let freeExpansion = 1 << 26

    private enum Step { case family, unit, type, samples }

    private let page: UnsafeRawBufferPointer
    private let options: Options
    private var position = 0
    private var step = Step.family
    public private(set) var entry = ExpositionEntryParts()
    @inlinable public var value: Double { entry.value }
    public private(set) var histogram: HistogramSample?

    // The family.
    private var metrics: ProtobufMessage
    private var help = 0..<0
    private var unit = 0..<0
    private var typeRange = 0..<0
    private var type = Kind.counter

    // The metric.
    private var metric = ProtobufMetric()
    /// What of the metric comes next; −1 is the native histogram, 0 the first series.
    private var field = 0
    private var nextExemplarIndex = 0
    /// The newest series; see above.
    private var series: [UInt8] = []
    /// Bytes and tokens in it that the series of one metric share.
    private var sharedCount = 0
    private var sharedTokens = 0
    private var expansion = 0
    /// Numbers of `le` and `quantile` as text, by their place: metrics of one family hardly differ in them.
    private var spellings: [(bits: UInt64, text: [UInt8])] = []

    private enum Kind: Int32 {
        case counter = 0
        case gauge, summary, untyped, histogram, gaugeHistogram

        var metricType: MetricType {
            switch self {
            case .counter: .counter
            case .gauge: .gauge
            case .summary: .summary
            case .untyped: .unknown
            case .histogram: .histogram
            case .gaugeHistogram: .gaugehistogram
            }
        }
    }

    public init(_ page: UnsafeRawBufferPointer) { self.init(page, options: Options()) }

    public init(_ page: UnsafeRawBufferPointer, options: Options) {
        self.page = page
        self.options = options
        metrics = ProtobufMessage(page, 0..<0, name: "MetricFamily")
        entry.isLiteral = true
    }

    public mutating func takeSample(of text: UnsafeRawBufferPointer) -> Bool { false }

    public func withSource<Result, Failure: Error>(
        _ page: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try series.withUnsafeBufferPointer { bytes throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
    }

    public mutating func next() throws(ExpositionError) -> ExpositionEntry? {
        entry.exemplar = nil
        histogram = nil
        while true {
            switch step {
            case .family:
                guard try nextFamily() else { return nil }
                entry.text = help
                step = unit.isEmpty ? .type : .unit
                return .help
            case .unit:
                entry.text = unit
                step = .type
                return .unit
            case .type:
                entry.text = typeRange
                entry.type = type.metricType
                step = .samples
                return .type
            case .samples:
                if let kind = try nextSample() {
                    expansion &+= series.count
                    if expansion > Self.freeExpansion, expansion / Self.maximumExpansion > page.count {
                        throw ExpositionError(
                            "series need more than \(Self.maximumExpansion) times the bytes of the page", offset: metrics.position)
                    }
                    return kind
                }
                if try !nextMetric() { step = .family }
            }
        }
    }

    // MARK: Families and metrics

    /// Reads families up to one that has metrics, and its first one.
    private mutating func nextFamily() throws(ExpositionError) -> Bool {
        while position < page.count {
            metrics = try delimited()
            entry.name = metrics.position..<metrics.position
            (help, unit, typeRange) = (entry.name, entry.name, entry.name)
            var number: Int32 = 0
            // Fields come in any order, so the family is walked once for its own ones; then again, metric by metric.
            var message = metrics
            while let field = try message.next() {
                switch field {
                case 1: entry.name = try message.bytes("Name")
                case 2: help = try message.bytes("Help")
                case 3:
                    let start = message.position
                    number = Int32(truncatingIfNeeded: try message.unsigned("Type"))
                    typeRange = start..<message.position
                case 4: _ = try message.bytes("Metric")
                case 5: unit = try message.bytes("Unit")
                default: try message.skip()
                }
            }
            if try nextMetric() {
                try checkFamily(number)
                return true
            }
        }
        return false
    }

    /// The next message and its length.
    private mutating func delimited() throws(ExpositionError) -> ProtobufMessage {
        let start = position
        var head = ProtobufMessage(page, start..<page.count, name: "MetricFamily")
        let length: UInt64
        do { length = try head.varint() } catch { throw ExpositionError("clientpb: invalid varint encountered", offset: start) }
        guard head.position - start <= 5 else { throw ExpositionError("clientpb: invalid varint encountered", offset: start) }
        let present = page.count - start
        guard length <= UInt64(page.count - head.position) else {
            let wanted = UInt64(head.position - start) + length
            throw ExpositionError(
                "clientpb: insufficient length of buffer, expected at least \(wanted) bytes, got \(present) bytes", offset: start)
        }
        position = head.position + Int(length)
        return ProtobufMessage(page, head.position..<position, name: "MetricFamily")
    }

    private mutating func checkFamily(_ number: Int32) throws(ExpositionError) {
        func text(_ range: Range<Int>) -> String { String(decoding: page[clamped: range], as: UTF8.self) }
        let name = entry.name
        guard !name.isEmpty, UTF8Check.isValid(page[clamped: name]) else {
            throw ExpositionError("invalid metric name: \(text(name))", offset: name.lowerBound)
        }
        guard UTF8Check.isValid(page[clamped: help]) else {
            throw ExpositionError("invalid help for metric \"\(text(name))\": \(text(help))", offset: help.lowerBound)
        }
        guard let kind = Kind(rawValue: number) else {
            throw ExpositionError("unknown metric type for metric \"\(text(name))\": \(number)", offset: typeRange.lowerBound)
        }
        type = kind
        spellings.removeAll(keepingCapacity: true)
        start()
        if unit.isEmpty { return }
        // As in OpenMetrics, a unit is the last word of the name, or the last one before `_total`.
        let isTotal = type == .counter && ends(name, "_total")
        let word = isTotal ? name.lowerBound..<name.upperBound - 6 : name
        let tail = word.upperBound - unit.count
        guard tail > word.lowerBound, page[clamped: tail..<word.upperBound].equals(page[clamped: unit]), page[tail - 1] == UInt8(ascii: "_")
        else {
            let kind = isTotal ? "counter" : "metric"
            throw ExpositionError(
                "unit \"\(text(unit))\" not a suffix of \(kind) \"\(text(name))\"", offset: unit.lowerBound)
        }
    }

    private func ends(_ name: Range<Int>, _ suffix: StaticString) -> Bool {
        suffix.withUTF8Buffer { page[clamped: name].suffix($0.count).elementsEqual($0) }
    }

    /// Reads the family's next metric; `false` when there is none.
    private mutating func nextMetric() throws(ExpositionError) -> Bool {
        while let field = try metrics.next() {
            guard field == 4 else {
                try metrics.skip()
                continue
            }
            try metric.read(metrics.message("Metric", as: "Metric"))
            start()
            return true
        }
        return false
    }

    /// Begins with the samples of the metric that was read.
    private mutating func start() {
        entry.timestamp = metric.timestamp == 0 ? nil : metric.timestamp
        let start: Int64
        switch type {
        case .counter: start = metric.counterStart
        case .summary: start = metric.summaryStart
        case .histogram, .gaugeHistogram: start = metric.histogramStart
        case .gauge, .untyped: start = 0
        }
        entry.start = start == 0 ? nil : start
        let isHistogram = type == .histogram || type == .gaugeHistogram
        field = isHistogram && options.readsNativeHistograms && metric.isNative ? -1 : 0
        series.removeAll(keepingCapacity: true)
        entry.tokens.removeAll()
        for range in metric.labels {
            let start = series.count
            series.append(contentsOf: page[clamped: range])
            entry.tokens.labels.append(start..<series.count)
            series.append(Self.separator)
        }
        sharedCount = series.count
        sharedTokens = entry.tokens.labels.count
    }

    // MARK: Samples

    private static let separator: UInt8 = 0xff
    private static let magicSeparator: UInt8 = 0xfe

    /// Makes the metric's next sample the entry; `nil` when it has no more.
    private mutating func nextSample() throws(ExpositionError) -> ExpositionEntry? {
        let field = self.field
        self.field &+= 1
        switch type {
        case .counter, .gauge, .untyped:
            guard field == 0 else { return nil }
            entry.value = type == .counter ? metric.counter : type == .gauge ? metric.gauge : metric.untyped
            write("")
            if type == .counter, let exemplar = metric.counterExemplar { try show(exemplar) }
        case .summary:
            switch field {
            case 0:
                entry.value = Double(metric.summaryCount)
                write("_count")
            case 1:
                entry.value = metric.summarySum
                write("_sum")
            default:
                let index = field - 2
                guard index < metric.quantiles.count else { return nil }
                entry.value = metric.quantiles[index].value
                write("", "quantile", metric.quantiles[index].quantile, at: index)
            }
        case .histogram, .gaugeHistogram:
            if field < 0 { return try native() }
            switch field {
            case 0:
                entry.value = metric.histogramCount
                write("_count")
            case 1:
                entry.value = metric.histogramSum
                write("_sum")
            default: return try bucket(field - 2)
            }
        }
        return .series
    }

    private mutating func native() throws(ExpositionError) -> ExpositionEntry {
        if !options.keepsClassicHistograms || metric.buckets.isEmpty { field = .max }
        histogram = try metric.native(isGauge: type == .gaugeHistogram, name: entry.name, page: page)
        write("")
        nextExemplarIndex = 0
        _ = nextExemplar()
        return .histogram
    }

    /// The last bucket is that of +Inf, whether the metric has it or not.
    private mutating func bucket(_ index: Int) throws(ExpositionError) -> ExpositionEntry? {
        guard index <= metric.buckets.count, index >= 0 else { return nil }
        if index < metric.buckets.count {
            let bucket = metric.buckets[index]
            if bucket.upperBound == .infinity { field = .max }
            entry.value = bucket.count
            write("_bucket", "le", bucket.upperBound, at: index)
            if let exemplar = bucket.exemplar { try show(exemplar) }
        } else {
            field = .max
            entry.value = metric.histogramCount
            write("_bucket", "le", .infinity, at: index)
        }
        return .series
    }

    public mutating func nextExemplar() -> Bool {
        entry.exemplar = nil
        guard histogram != nil else { return false }
        // A histogram that has none of its own lends its buckets'. Those without a time say nothing new at the next scrape: they are left out.
        let own = metric.histogramExemplars
        let count = own.isEmpty ? metric.buckets.count : own.count
        while nextExemplarIndex < count {
            let index = nextExemplarIndex
            nextExemplarIndex += 1
            guard let exemplar = own.isEmpty ? metric.buckets[index].exemplar : own[index], exemplar.parts.timestamp != nil else { continue }
            // It was walked before, when the metric was read.
            do { try show(exemplar) } catch { continue }
            return true
        }
        return false
    }

    private mutating func show(_ exemplar: ProtobufExemplar) throws(ExpositionError) {
        entry.exemplarTokens.removeAll(keepingCapacity: true)
        try exemplar.appendLabels(of: page, to: &entry.exemplarTokens)
        entry.exemplar = exemplar.parts
    }

    /// Writes the family's name with a suffix behind the labels, and a label of the format's own.
    private mutating func write(_ suffix: StaticString, _ label: StaticString? = nil, _ number: Double = 0, at index: Int = 0) {
        series.removeLast(series.count &- sharedCount)
        entry.tokens.labels.removeLast(entry.tokens.labels.count &- sharedTokens)
        series.append(contentsOf: page[clamped: entry.name])
        suffix.withUTF8Buffer { series.append(contentsOf: $0) }
        entry.tokens.name = sharedCount..<series.count
        if let label {
            series.append(Self.magicSeparator)
            let start = series.count
            label.withUTF8Buffer { series.append(contentsOf: $0) }
            entry.tokens.labels.append(start..<series.count)
            let valueStart = series.count
            appendSpelling(of: number, at: index)
            entry.tokens.labels.append(valueStart..<series.count)
        }
        entry.series = 0..<series.count
    }

    private mutating func appendSpelling(of number: Double, at index: Int) {
        if index < spellings.count, spellings[index].bits == number.bitPattern {
            series.append(contentsOf: spellings[index].text)
            return
        }
        let text = Array(ExpositionText.openMetricsFloat(number).utf8)
        series.append(contentsOf: text)
        if index < spellings.count {
            spellings[index] = (number.bitPattern, text)
        } else if index == spellings.count {
            spellings.append((number.bitPattern, text))
        }
    }
}
