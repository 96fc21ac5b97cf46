/// Records on their way to the file, as bytes one behind the other, in the order in which they were appended.
struct WALBacklog {
    enum Entry {
        /// So many of the bytes are one record.
        case record(Int)
        /// The records from here on go into a segment of their own.
        case cut
    }

    var bytes: [UInt8] = []
    var entries: [Entry] = []
    /// Entries and bytes already taken.
    var takenEntries = 0
    var takenBytes = 0

    var isEmpty: Bool { takenEntries == entries.count }

    mutating func removeAll() {
        // A burst must not hold its memory for ever.
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
        entries.removeAll(keepingCapacity: true)
        takenEntries = 0
        takenBytes = 0
    }

    mutating func append(_ other: WALBacklog) {
        bytes += other.bytes[other.takenBytes...]
        entries += other.entries[other.takenEntries...]
    }
}

/// The front half of the writer: encodes records and keeps them until a committer fetches them all.
///
/// Batch records are coded against those before them, so encoding happens here, in the order of the queue; compressing,
/// framing and writing happen behind it, in `WALLog`, while the next batches are already being encoded.
struct WALQueue: ~Copyable {
    private var encoder: BatchEncoder
    private(set) var waiting = WALBacklog()
    /// Number of the last entry appended.
    private(set) var position: UInt64 = 0
    private let compression: WALCompression

    init(epoch: UInt64, compression: WALCompression) {
        encoder = BatchEncoder(epoch: epoch)
        self.compression = compression
    }

    mutating func appendSamples(
        _ references: UnsafePointer<SeriesRef>, _ timestamps: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int
    ) throws(TSDBError) {
        let start = waiting.bytes.count
        if compression == .lz4 {
            waiting.bytes.append(WALRecordType.batch)
            waiting.bytes.append(WALBodyForm.plain)
            do { try encoder.encode(references, timestamps, values, count: count, to: &waiting.bytes) } catch {
                waiting.bytes.removeLast(waiting.bytes.count - start)
                throw error
            }
        } else {
            WALRecordEncoder.appendSamples(references, timestamps, values, count: count, to: &waiting.bytes)
        }
        close(start)
    }

    /// One record of ours, or of each of Prometheus' kinds that is needed one.
    mutating func appendHistograms(_ histograms: [WALHistogram]) {
        if compression == .lz4 {
            let start = waiting.bytes.count
            waiting.bytes.append(WALRecordType.compactHistograms)
            waiting.bytes.append(WALBodyForm.plain)
            WALHistogramRecord.encode(histograms, to: &waiting.bytes)
            return close(start)
        }
        // One series' samples may be of two kinds: runs keep their order.
        var rest = histograms[...]
        while let first = rest.first {
            let type = PrometheusHistogramRecord.type(of: first.sample)
            let run = rest.prefix { PrometheusHistogramRecord.type(of: $0.sample) == type }
            let start = waiting.bytes.count
            PrometheusHistogramRecord.encode(Array(run), type: type, to: &waiting.bytes)
            close(start)
            rest = rest.dropFirst(run.count)
        }
    }

    mutating func appendStarts(_ rows: [WALStart]) {
        let start = waiting.bytes.count
        waiting.bytes.append(WALRecordType.starts)
        waiting.bytes.append(WALBodyForm.plain)
        WALStartRecord.encode(rows, to: &waiting.bytes)
        close(start)
    }

    mutating func appendSeries(_ series: some Sequence<(reference: SeriesRef, labels: Labels)>) {
        let start = waiting.bytes.count
        WALRecordEncoder.appendSeriesHeader(compression, to: &waiting.bytes)
        for (reference, labels) in series {
            labels.packed.withUnsafeBytes {
                WALRecordEncoder.appendSeries(reference, packed: $0, compression, to: &waiting.bytes)
            }
        }
        close(start)
    }

    mutating func appendTombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) {
        let start = waiting.bytes.count
        WALRecordEncoder.appendTombstone(reference, from: from, through: through, to: &waiting.bytes)
        close(start)
    }

    mutating func appendExemplars(_ exemplars: [SeriesExemplar]) {
        let start = waiting.bytes.count
        WALRecordEncoder.appendExemplars(exemplars, compression, to: &waiting.bytes)
        close(start)
    }

    /// A finished record, type and all.
    mutating func append(_ record: UnsafeRawBufferPointer) {
        let start = waiting.bytes.count
        waiting.bytes.append(contentsOf: record)
        close(start)
    }

    mutating func appendChunks(_ bytes: UnsafeRawBufferPointer) {
        let start = waiting.bytes.count
        waiting.bytes.append(WALRecordType.chunks)
        waiting.bytes.append(WALBodyForm.plain)
        waiting.bytes.append(contentsOf: bytes)
        close(start)
    }

    /// What follows stands in new segments and refers to nothing before.
    mutating func cut() {
        waiting.entries.append(.cut)
        position += 1
        encoder.begin(epoch: encoder.epoch + 1)
    }

    /// Moves everything that waits to `backlog` and gives the position that is reached with it.
    mutating func take(into backlog: inout WALBacklog) -> UInt64 {
        if backlog.isEmpty {
            // The two sets of buffers change places, so neither is ever allocated anew.
            backlog.removeAll()
            swap(&backlog, &waiting)
        } else {
            backlog.append(waiting)
            waiting.removeAll()
        }
        return position
    }

    private mutating func close(_ start: Int) {
        waiting.entries.append(.record(waiting.bytes.count - start))
        position += 1
    }
}
