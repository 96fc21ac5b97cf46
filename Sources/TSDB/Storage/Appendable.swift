import Histograms

/// Takes samples in. One call carries one whole scrape, one remote-write request or one rule evaluation.
public protocol Appendable: Sendable {
    /// The reference of the series with these labels, made if there is none yet.
    /// Throws `.limit` where a bound on series is reached and `.invalid` for an empty label set.
    func reference(for labels: Labels) throws(TSDBError) -> SeriesRef

    /// Stores what can be stored; each sample gets its verdict. When the call returns, what was accepted is logged
    /// (it survives the death of the process), and queries see all of the batch or nothing of it.
    func append(_ batch: borrowing SampleBatch) throws(TSDBError) -> AppendReport

    /// Whether `append(exemplars:)` stores anything; asked once per page, so that nobody collects in vain.
    var takesExemplars: Bool { get }

    /// Stores what can be stored; each exemplar gets its verdict. Their series' samples were appended before.
    func append(exemplars: [SeriesExemplar]) throws(TSDBError) -> [ExemplarVerdict]
}

extension Appendable {
    public var takesExemplars: Bool { false }

    public func append(exemplars: [SeriesExemplar]) throws(TSDBError) -> [ExemplarVerdict] {
        Array(repeating: .disabled, count: exemplars.count)
    }
}

/// Number of a series in one database. Stays valid until the series is dropped; after that it names nothing
/// (verdict `.unknownSeries`), never another series.
public struct SeriesRef: Hashable, Sendable {
    /// Slot in the low half, generation of the slot in the high half.
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public init(slot: UInt32, generation: UInt32) { rawValue = UInt64(generation) << 32 | UInt64(slot) }

    @inlinable
    public var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
    @inlinable
    public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
}

/// Samples on their way in, as three columns of equal length; reused from scrape to scrape.
public struct SampleBatch: ~Copyable, Sendable {
    public private(set) var references: [SeriesRef] = []
    public private(set) var timestamps: [Int64] = []
    public private(set) var values: [Double] = []
    /// The samples that are native histograms, by their place in the batch; their `values` are the sums.
    public private(set) var histograms: [Int: HistogramSample] = [:]
    /// When the count of each sample began, milliseconds since the epoch, 0 where that is not known. May be shorter than the columns, and is
    /// nearly always empty.
    public private(set) var starts: [Int64] = []
    /// Whether samples older than the newest of their series may be stored at all; an out-of-order window does so.
    public var takesLateSamples = true

    public init() {}

    public var count: Int { references.count }
    public var isEmpty: Bool { references.isEmpty }

    public mutating func append(_ reference: SeriesRef, at timestamp: Timestamp, value: Double) {
        references.append(reference)
        timestamps.append(timestamp.milliseconds)
        values.append(value)
    }

    /// A native histogram, which must be valid.
    public mutating func append(_ reference: SeriesRef, at timestamp: Timestamp, histogram: HistogramSample) {
        histograms[references.count] = histogram
        append(reference, at: timestamp, value: histogram.sum)
    }

    /// Says when the count of sample `index`, which is there already, began. A storage that keeps no starts does not look.
    public mutating func setStart(_ start: Timestamp, ofSample index: Int) {
        precondition(index >= 0 && index < count, "start of sample \(index) of \(count)")
        if start.milliseconds == 0 && index >= starts.count { return }
        while starts.count <= index { starts.append(0) }
        starts[index] = start.milliseconds
    }

    public mutating func removeAll() {
        if !starts.isEmpty { starts.removeAll(keepingCapacity: true) }
        if !histograms.isEmpty { histograms.removeAll() }
        references.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }
}

/// What became of one sample.
public enum AppendVerdict: UInt8, Sendable {
    case stored
    /// The same timestamp and value (bit for bit) as the newest sample: nothing to do, no error.
    case repeated
    /// Older than the newest sample of its series, and outside the out-of-order window.
    case outOfOrder
    /// The newest sample's timestamp again with another value.
    case duplicate
    /// Older than the head takes (an out-of-order window is set).
    case tooOld
    /// Before the head's lower bound.
    case outOfBounds
    /// More than the allowed span ahead of the clock.
    case tooFarAhead
    /// The reference names no series (any more).
    case unknownSeries
}

/// The verdicts of a batch, one per sample in its order.
public struct AppendReport: Sendable {
    /// Empty when every sample was stored.
    public var verdicts: [AppendVerdict]
    public var storedCount: Int

    public init(verdicts: [AppendVerdict] = [], storedCount: Int) {
        self.verdicts = verdicts
        self.storedCount = storedCount
    }

    public subscript(index: Int) -> AppendVerdict { verdicts.isEmpty ? .stored : verdicts[index] }

    /// How many samples got `verdict`.
    public func count(of verdict: AppendVerdict) -> Int {
        if verdicts.isEmpty { return verdict == .stored ? storedCount : 0 }
        return verdicts.reduce(0) { $0 + ($1 == verdict ? 1 : 0) }
    }
}
