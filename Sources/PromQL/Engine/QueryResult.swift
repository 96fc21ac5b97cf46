import Histograms
import TSDB

/// The answer to a query, with what the reader should know about it.
public struct QueryResult: Sendable {
    public enum Value: Sendable {
        case scalar(Double, at: Timestamp)
        case string(String, at: Timestamp)
        /// An instant query of an instant vector, in order of evaluation: what `sort` has sorted stays so.
        case vector(InstantVector)
        /// A range query, sorted by labels.
        case matrix(RangeMatrix)
        /// An instant query of a range vector: samples with times of their own, sorted by labels.
        case samples(SampleMatrix)
    }

    public var value: Value
    public var annotations: Annotations
    /// As the API shows them, with places in the query.
    public var warnings: [String]
    public var infos: [String]
    public var statistics: QueryStatistics
}

public struct QueryStatistics: Sendable {
    /// Samples decoded from storage.
    public var samplesRead: Int
    /// Most points held at one time.
    public var samplesPeak: Int
}

/// One value per series, all at one time.
public struct InstantVector: Sendable {
    public var at: Timestamp
    public internal(set) var labels: [Labels] = []
    public internal(set) var values: [Double] = []
    /// Empty, or one place per series: a series that has one here is a native histogram, not a float.
    public internal(set) var histograms: [FloatHistogram?] = []

    public var count: Int { labels.count }

    public func histogram(_ row: Int) -> FloatHistogram? { histograms.isEmpty ? nil : histograms[row] }

    mutating func append(_ rowLabels: Labels, _ value: Double, _ histogram: FloatHistogram? = nil) {
        if histogram != nil || !histograms.isEmpty {
            histograms.append(contentsOf: repeatElement(nil, count: labels.count &- histograms.count))
            histograms.append(histogram)
        }
        labels.append(rowLabels)
        values.append(value)
    }
}

/// Series over the steps of a query: only values that exist are kept.
///
///     grid        t₀   t₁   t₂   t₃
///     presence     1    0    1    1        a row of bits per series
///     values      [7         8    9]       all series' values behind each other
///
/// A renderer formats each time of the grid once and walks a row's bits.
public struct RangeMatrix: Sendable {
    public let grid: StepGrid
    public internal(set) var labels: [Labels] = []
    private var values: [Double] = []
    /// Row `i` has `values[starts[i]..<starts[i + 1]]`.
    private var starts: [Int] = [0]
    private var presence: [UInt64] = []
    /// The native histograms of a row, by its number and in order of time; they are not among `values`.
    private var histograms: [Int: [(step: Int, histogram: FloatHistogram)]] = [:]
    private let wordCount: Int

    init(grid: StepGrid) {
        self.grid = grid
        wordCount = (grid.count + 63) >> 6
    }

    /// Makes room for `series` rows, within reason: pages nobody writes to cost nothing, growing copies everything again and again.
    mutating func reserve(series: Int) {
        let (cells, overflow) = series.multipliedReportingOverflow(by: grid.count)
        values.reserveCapacity(overflow ? Self.mostReserved : min(cells, Self.mostReserved))
        starts.reserveCapacity(min(series, Self.mostReserved) + 1)
    }

    private static let mostReserved = 1 << 22

    public var count: Int { labels.count }
    public var pointCount: Int { values.count &+ histograms.values.reduce(0) { $0 &+ $1.count } }

    /// The native histograms of series `row`, in order of time.
    public func histograms(ofRow row: Int) -> [(step: Int, histogram: FloatHistogram)] {
        histograms.isEmpty ? [] : histograms[row] ?? []
    }

    /// Number of floats of series `row`.
    public func pointCount(ofRow row: Int) -> Int { starts[row + 1] - starts[row] }

    /// Visits the floats of series `row` in order of time: the number of the step (its time is `grid.time(step)`) and
    /// the value.
    @inlinable
    public func forEachPoint(ofRow row: Int, _ body: (_ step: Int, _ value: Double) -> Void) {
        withRow(row) { values, presence in
            var next = 0
            for word in presence.indices {
                var bits = presence[word]
                while bits != 0 {
                    body(word << 6 &+ bits.trailingZeroBitCount, values[next])
                    next &+= 1
                    bits &= bits &- 1
                }
            }
        }
    }

    /// The values of series `row` that exist, and a bit per step that says which these are.
    public func withRow<R>(
        _ row: Int, _ body: (_ values: UnsafeBufferPointer<Double>, _ presence: UnsafeBufferPointer<UInt64>) -> R
    ) -> R {
        values.withUnsafeBufferPointer { values in
            presence.withUnsafeBufferPointer { presence in
                body(
                    UnsafeBufferPointer(rebasing: values[starts[row]..<starts[row + 1]]),
                    UnsafeBufferPointer(rebasing: presence[(row * wordCount)..<((row + 1) * wordCount)]))
            }
        }
    }

    mutating func append(_ rowLabels: Labels, _ column: borrowing StepColumn) {
        labels.append(rowLabels)
        if column.hasHistograms { return appendMixed(column) }
        let count = column.presentCount
        if count == column.count {
            values.append(contentsOf: UnsafeBufferPointer(start: column.values, count: count))
        } else {
            column.forEachPresent { values.append(column.values[$0]) }
        }
        starts.append(values.count)
        presence.append(contentsOf: UnsafeBufferPointer(start: column.presence, count: wordCount))
    }

    private mutating func appendMixed(_ column: borrowing StepColumn) {
        var words = [UInt64](repeating: 0, count: wordCount)
        var found: [(step: Int, histogram: FloatHistogram)] = []
        for step in 0..<column.count where column.isPresent(step) {
            if let histogram = column.histogram(step) {
                found.append((step, histogram))
            } else {
                values.append(column.values[step])
                words[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
            }
        }
        if !found.isEmpty { histograms[labels.count - 1] = found }
        starts.append(values.count)
        presence.append(contentsOf: words)
    }
}

/// Series of samples with times of their own: the answer to `x[5m]`.
public struct SampleMatrix: Sendable {
    public internal(set) var labels: [Labels] = []
    /// Milliseconds since the epoch, ascending within a row.
    private var times: [Int64] = []
    private var values: [Double] = []
    private var starts: [Int] = [0]
    /// The native histograms of a row, by its number and in order of time; they are not among `values`.
    private var histograms: [Int: [(time: Timestamp, histogram: FloatHistogram)]] = [:]

    init() {}

    public var count: Int { labels.count }
    public var pointCount: Int { values.count &+ histograms.values.reduce(0) { $0 &+ $1.count } }

    /// The native histograms of series `row`, in order of time.
    public func histograms(ofRow row: Int) -> [(time: Timestamp, histogram: FloatHistogram)] {
        histograms.isEmpty ? [] : histograms[row] ?? []
    }
    public func pointCount(ofRow row: Int) -> Int { starts[row + 1] - starts[row] }

    public func forEachPoint(ofRow row: Int, _ body: (_ time: Timestamp, _ value: Double) -> Void) {
        for index in starts[row]..<starts[row + 1] { body(Timestamp(milliseconds: times[index]), values[index]) }
    }

    mutating func append(_ rowLabels: Labels, _ samples: borrowing SampleColumns) {
        labels.append(rowLabels)
        if samples.histograms.isEmpty {
            times.append(contentsOf: UnsafeBufferPointer(start: samples.timestamps, count: samples.count))
            values.append(contentsOf: UnsafeBufferPointer(start: samples.values, count: samples.count))
        } else {
            var found: [(time: Timestamp, histogram: FloatHistogram)] = []
            for index in 0..<samples.count {
                if let histogram = samples.histograms.histogram(sample: index) {
                    found.append((Timestamp(milliseconds: samples.timestamps[index]), histogram))
                } else {
                    times.append(samples.timestamps[index])
                    values.append(samples.values[index])
                }
            }
            if !found.isEmpty { histograms[labels.count - 1] = found }
        }
        starts.append(values.count)
    }

    func reordered(_ order: [Int]) -> SampleMatrix {
        var result = SampleMatrix()
        result.times.reserveCapacity(times.count)
        result.values.reserveCapacity(values.count)
        for row in order {
            result.labels.append(labels[row])
            result.times.append(contentsOf: times[starts[row]..<starts[row + 1]])
            result.values.append(contentsOf: values[starts[row]..<starts[row + 1]])
            result.starts.append(result.values.count)
            if let own = histograms[row] { result.histograms[result.labels.count - 1] = own }
        }
        return result
    }
}
