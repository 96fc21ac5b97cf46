import Histograms

/// Walks the lines of a metrics page: `TextFormat` and `OpenMetricsFormat`, and `ProtobufFormat`, whose page reads as if it had lines.
///
///     # HELP up Whether …          .help   name, text
///     # TYPE up gauge              .type   name, type
///     up{job="a"} 1 1700000000000  .series series, value, timestamp
///
/// Ranges are byte offsets into the page; no text is copied. What a parser accepts, and the words it refuses the rest
/// with, are upstream's (`model/textparse`), quirks included: a page that Prometheus scrapes must scrape here.
///
/// The page must stay alive and unchanged as long as the parser is used.
public protocol ExpositionParser {
    init(_ page: UnsafeRawBufferPointer)

    /// The next entry, or `nil` at the end of the page. After an error the page is to be given up as a whole.
    mutating func next() throws(ExpositionError) -> ExpositionEntry?

    /// Reads the next sample if its line begins with exactly `text`, a series seen before, and ends after the value.
    /// Then `series` and `value` are set, labels are not looked at; otherwise nothing has happened.
    mutating func takeSample(of text: UnsafeRawBufferPointer) -> Bool

    /// What the last entry was made of.
    var entry: ExpositionEntryParts { get }

    /// `entry.value`, without a copy of the rest: asked for at every sample.
    var value: Double { get }

    /// `.histogram`: the value, to be validated before anything is done with it. Apart from `entry`, which is copied at every line.
    var histogram: HistogramSample? { get }

    /// Calls `body` with the bytes that `entry.series` and the sample's labels point into: those of `page`, which is the parser's page, where
    /// series stand there as they are.
    func withSource<Result, Failure: Error>(
        _ page: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result

    /// Puts the next exemplar of the sample in the place of the one before; `false` when there is none. Only native histograms have many.
    mutating func nextExemplar() -> Bool
}

extension ExpositionParser {
    @inline(__always)
    public func withSource<Result, Failure: Error>(
        _ page: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(page) }

    public mutating func nextExemplar() -> Bool { false }

    public var histogram: HistogramSample? { nil }
}

public enum ExpositionEntry: Sendable {
    case series, type, help, unit, comment
    /// A sample that is a native histogram.
    case histogram
}

/// The parts of an entry; which ones mean something depends on its kind.
public struct ExpositionEntryParts {
    /// `.series`: from the first byte of the line to the closing brace (or the end of the name).
    public internal(set) var series: Range<Int> = 0..<0
    public internal(set) var value = 0.0
    /// Milliseconds since the epoch, where the line has one.
    public internal(set) var timestamp: Int64?
    /// `.type`, `.help`, `.unit`: the metric family's name.
    public internal(set) var name: Range<Int> = 0..<0
    /// `.help`, `.unit`: the text, still escaped.
    public internal(set) var text: Range<Int> = 0..<0
    /// The newest `# TYPE`, whatever its name was.
    public internal(set) var type = MetricType.unknown
    /// When the series began to count, in milliseconds, where the sample itself says so (protobuf).
    public internal(set) var start: Int64?
    /// Labels and texts stand as they are: nothing is escaped, no number is to be respelled.
    public internal(set) var isLiteral = false
    /// `.series`, `.histogram`: what stands behind the `#` of the line, where it has an exemplar (OpenMetrics).
    public internal(set) var exemplar: ExemplarParts?
    /// Names and values of the exemplar's labels in turn, without quotes; `SeriesLabels` makes labels of them.
    var exemplarTokens: [Range<Int>] = []
    /// The newest sample's label tokens; `SeriesLabels` turns them into labels.
    var tokens = LabelTokens()
}

/// The numbers of an exemplar.
public struct ExemplarParts: Equatable, Sendable {
    public var value: Double
    /// Milliseconds since the epoch, where it has one.
    public var timestamp: Int64?
}

/// Kinds of metric families, by the names the API uses.
public enum MetricType: String, Sendable {
    case counter, gauge, histogram, gaugehistogram, summary, info, stateset, unknown
}

/// Where names and values stand in the page; one list, reused from line to line.
struct LabelTokens {
    /// The metric's name, without quotes; `nil` until seen.
    var name: Range<Int>?
    /// Label names and values in turn, without quotes.
    var labels: [Range<Int>] = []

    mutating func removeAll() {
        name = nil
        labels.removeAll(keepingCapacity: true)
    }
}

/// What is wrong with a page; the message is upstream's.
public struct ExpositionError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String
    /// Byte offset into the page.
    public var offset: Int

    public init(_ message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    public var description: String { message }
}
