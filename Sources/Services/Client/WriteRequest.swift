import Snappy
import TSDB

/// A remote-write 1.0 request being written: the sender's side of `POST /api/v1/write`.
///
///     WriteRequest   1 timeseries*
///     TimeSeries     1 labels*   2 samples*
///     Label          1 name   2 value              Sample   1 value (double)   2 timestamp (ms, varint)
///
/// Protobuf by hand, series after series into one block of bytes; `removeAll` keeps the block for the next request.
/// Source: prompb/types.proto and the remote-write 1.0 specification.
public struct WriteRequest: Sendable {
    /// The message, not yet compressed.
    public private(set) var bytes: [UInt8] = []
    /// Series and samples in it.
    public private(set) var seriesCount = 0
    public private(set) var sampleCount = 0
    /// One series, before its length is known.
    private var series: [UInt8] = []
    private var part: [UInt8] = []

    public init() {}

    /// Adds one series; samples must come in the order of time.
    public mutating func add(_ labels: Labels, _ samples: some Sequence<(time: Timestamp, value: Double)>) {
        series.removeAll(keepingCapacity: true)
        labels.forEachPair { name, value in
            part.removeAll(keepingCapacity: true)
            part.append(0x0a)
            part.appendLabelPart(name)
            part.append(0x12)
            part.appendLabelPart(value)
            series.append(0x0a)
            part.withUnsafeBytes { series.appendLabelPart($0) }
        }
        for sample in samples {
            part.removeAll(keepingCapacity: true)
            part.append(0x09)
            withUnsafeBytes(of: sample.value.bitPattern.littleEndian) { part.append(contentsOf: $0) }
            part.append(0x10)
            part.appendVarint(UInt64(bitPattern: sample.time.milliseconds))
            series.append(0x12)
            part.withUnsafeBytes { series.appendLabelPart($0) }
            sampleCount += 1
        }
        bytes.append(0x0a)
        series.withUnsafeBytes { bytes.appendLabelPart($0) }
        seriesCount += 1
    }

    /// Adds one sample of one series.
    public mutating func add(_ labels: Labels, at time: Timestamp, _ value: Double) {
        add(labels, CollectionOfOne((time: time, value: value)))
    }

    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        seriesCount = 0
        sampleCount = 0
    }

    /// The body to send.
    public func compressed() -> [UInt8] { bytes.withUnsafeBytes { Snappy.compress($0) } }
}
