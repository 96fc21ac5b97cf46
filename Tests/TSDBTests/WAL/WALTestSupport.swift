import Support
import TSDB

/// The seed of this run, to be shown where a random test fails.
func testSeed() -> UInt64 { TestSeed.seeds(1).first ?? 1 }

/// A sample as the log has it; equal by bits.
struct LoggedSample: Hashable, CustomStringConvertible {
    var reference: UInt64
    var timestamp: Int64
    var bits: UInt64

    init(_ reference: SeriesRef, _ timestamp: Int64, _ value: Double) {
        self.reference = reference.rawValue
        self.timestamp = timestamp
        bits = value.bitPattern
    }

    var description: String { "\(reference)@\(timestamp)=\(Double(bitPattern: bits))" }
}

/// Keeps everything a replay hands out.
struct Collector: WALVisitor {
    var series: [UInt64: Labels] = [:]
    var samples: [LoggedSample] = []
    var tombstones: [LoggedSample] = []
    var chunks: [[UInt8]] = []
    var others: [[UInt8]] = []

    mutating func series(_ reference: SeriesRef, labels: UnsafeRawBufferPointer) {
        series[reference.rawValue] = Labels(uncheckedPacked: Array(labels))
    }

    mutating func samples(_ batch: WALSamples) {
        for index in 0..<batch.count {
            samples.append(LoggedSample(batch.references[index], batch.timestamps[index], batch.values[index]))
        }
    }

    mutating func tombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) {
        tombstones.append(LoggedSample(reference, from.milliseconds, Double(through.milliseconds)))
    }

    mutating func chunks(_ bytes: UnsafeRawBufferPointer) { chunks.append(Array(bytes)) }

    mutating func other(_ type: UInt8, _ record: UnsafeRawBufferPointer) { others.append(Array(record)) }
}

/// A small fleet whose targets are scraped in turn: makes batches and knows what was sent and what was acknowledged.
struct Workload {
    var random: SeededRandom
    private var values: [Double]
    private var time: Int64 = 1_700_000_000_000
    private let perTarget: Int
    private(set) var sent: [LoggedSample] = []
    private(set) var acknowledged: [LoggedSample] = []

    init(seed: UInt64, targets: Int = 3, perTarget: Int = 12) {
        random = SeededRandom(seed: seed)
        self.perTarget = perTarget
        values = (0..<(targets * perTarget)).map { Double($0) }
    }

    var series: [(reference: SeriesRef, labels: Labels)] {
        values.indices.map { (reference(of: $0), ["__name__": "m\($0 % perTarget)", "instance": "host-\($0 / perTarget)"]) }
    }

    func reference(of index: Int) -> SeriesRef { SeriesRef(slot: UInt32(index + 1), generation: index % 7 == 3 ? 9 : 0) }

    /// Queues the next scrape of one target and commits it. Throws what the log throws.
    mutating func scrape(_ wal: WAL) throws(TSDBError) {
        let target = Int.random(in: 0..<(values.count / perTarget), using: &random)
        time += 5000
        let indices = (target * perTarget)..<((target + 1) * perTarget)
        for index in indices {
            switch index % 5 {
            case 0: break
            case 1: values[index] += Double(Int.random(in: 0...300, using: &random))
            case 2: values[index] = Double(Int.random(in: 0...9999, using: &random)) / 100
            case 3: values[index] = Double.random(in: 0...1, using: &random)
            default: values[index] = Int.random(in: 0...9, using: &random) == 0 ? StaleMarker.value : 1
            }
        }
        let references = indices.map { reference(of: $0) }
        let batch = indices.map { LoggedSample(reference(of: $0), time, values[$0]) }
        let times = [Int64](repeating: time, count: batch.count)
        let position = try wal.append(
            references: references, timestamps: times, values: Array(values[indices]), count: batch.count)
        sent += batch
        try wal.flush(through: position)
        acknowledged += batch
    }
}

/// Replays `directory` of `store`.
func replayed(_ store: any FileStore, _ directory: String = "wal") throws -> (Collector, WALReplayReport) {
    var collector = Collector()
    let report = try WALReader(directory, store).replay(&collector)
    return (collector, report)
}
