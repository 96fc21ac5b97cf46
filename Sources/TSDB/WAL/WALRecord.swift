/// The first byte of a record. Below 200: Prometheus' records; from 200 on: ours, which Prometheus skips as unknown.
enum WALRecordType {
    static let series: UInt8 = 1
    static let samples: UInt8 = 2
    static let tombstones: UInt8 = 3
    static let exemplars: UInt8 = 4
    static let metadata: UInt8 = 6
    static let histograms: UInt8 = 7
    static let floatHistograms: UInt8 = 8
    static let customHistograms: UInt8 = 9
    static let customFloatHistograms: UInt8 = 10
    /// Samples, integer and float histograms with start timestamps, each histogram's kind of buckets in one record.
    static let startedSamples: UInt8 = 11
    static let startedHistograms: UInt8 = 12
    static let startedFloatHistograms: UInt8 = 13
    /// Kinds that Prometheus has or may soon have (4…14 in 2026); what lies between them and ours is damage.
    static let prometheus: ClosedRange<UInt8> = 1...31

    static let compactSeries: UInt8 = 200
    static let batch: UInt8 = 201
    /// Bytes that only the head understands, in checkpoints.
    static let chunks: UInt8 = 202
    static let compactExemplars: UInt8 = 203
    static let compactHistograms: UInt8 = 204
    /// In all modes: Prometheus has no record that says this much of samples that other records have.
    static let starts: UInt8 = 205

    static func isOurs(_ type: UInt8) -> Bool { type >= 200 }
}

/// Ours have a second byte: how the body is kept.
enum WALBodyForm {
    static let plain: UInt8 = 0
    /// A varint with the body's length follows, then an LZ4 block.
    static let lz4: UInt8 = 1
}

/// Samples as they come out of the log: three columns that live as long as the call they are handed to.
public struct WALSamples {
    public let references: UnsafePointer<SeriesRef>
    /// Milliseconds since the epoch.
    public let timestamps: UnsafePointer<Int64>
    public let values: UnsafePointer<Double>
    public let count: Int
}

/// Takes a replay in, record by record in the order in which they were written.
///
/// An error of code `.corruption` is counted as damage of that record and the replay goes on; any other ends it. Bytes
/// handed in live as long as the call. References are those of the writer: `SeriesRef`s of ours, any number in a log that
/// Prometheus wrote.
public protocol WALVisitor {
    /// A series and its packed labels (see `Labels.packed`; structure and order have been checked).
    mutating func series(_ reference: SeriesRef, labels: UnsafeRawBufferPointer) throws(TSDBError)
    mutating func samples(_ samples: WALSamples) throws(TSDBError)
    /// Native histograms of series that came before, of one record.
    mutating func histograms(_ samples: [WALHistogram]) throws(TSDBError)
    /// Start times of samples that come or came, of one record.
    mutating func starts(_ rows: [WALStart]) throws(TSDBError)
    /// Samples of `reference` with `from <= t <= through` are deleted.
    mutating func tombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) throws(TSDBError)
    /// What a checkpoint was given as chunks.
    mutating func chunks(_ bytes: UnsafeRawBufferPointer) throws(TSDBError)
    /// An exemplar of a series that came before.
    mutating func exemplar(_ reference: SeriesRef, _ exemplar: Exemplar) throws(TSDBError)
    /// A record of another kind, first byte and all: metadata (6).
    mutating func other(_ type: UInt8, _ record: UnsafeRawBufferPointer) throws(TSDBError)
    /// `done` of `total` segments (those of the checkpoint included) have been read.
    mutating func progress(done: Int, of total: Int)
}

extension WALVisitor {
    public mutating func histograms(_ samples: [WALHistogram]) {}
    public mutating func starts(_ rows: [WALStart]) {}
    public mutating func chunks(_ bytes: UnsafeRawBufferPointer) {}
    public mutating func exemplar(_ reference: SeriesRef, _ exemplar: Exemplar) {}
    public mutating func other(_ type: UInt8, _ record: UnsafeRawBufferPointer) {}
    public mutating func progress(done: Int, of total: Int) {}
}
