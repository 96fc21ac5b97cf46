/// What a replay found.
public struct WALReplayReport: Sendable {
    /// Checkpoint that was read, and the segments behind it.
    public var checkpoint: Int?
    public var segments: [Int] = []
    public var recordCount = 0
    public var seriesCount = 0
    public var sampleCount = 0
    /// Samples in sound records that could not be read because a record before them was lost.
    public var lostSampleCount = 0
    /// Deletions that another server had logged and that are not carried out: what they deleted can be queried.
    public var deletionCount = 0
    /// Records of kinds that went to `WALVisitor.other`.
    public var otherRecordCount = 0
    /// Places that could not be read, in order; at most `damageLimit` are kept.
    public var damages: [WALDamage] = []
    /// All of them, a torn tail not included.
    public var damageCount = 0
    /// The end of the last segment that holds no whole record: what was being written when the process died.
    public var tornTail: TornTail?

    public struct TornTail: Equatable, Sendable {
        public var segment: Int
        /// Behind the last whole record.
        public var offset: Int
        /// Bytes from there to the end of the file.
        public var length: Int
    }

    public static let damageLimit = 1000

    mutating func add(_ damage: WALDamage) {
        damageCount += 1
        if damages.count < Self.damageLimit { damages.append(damage) }
    }
}

/// Reads a log: the newest checkpoint, then the segments behind it, record by record.
///
///     checkpoint.00000006/00000000 …   then   00000007, 00000008, …
///
/// Reading changes nothing on disk. A damaged record is reported and skipped; where a whole segment is missing or cannot be
/// opened, so is that. Only a log that must not be read on (zstd) or a visitor's own error ends a replay.
public struct WALReader: Sendable {
    let files: any FileStore
    let directory: String

    public init(_ directory: String, _ files: any FileStore) {
        self.files = files
        self.directory = directory
    }

    /// Hands every record to `visitor`. A directory that does not exist is an empty log.
    public func replay(_ visitor: inout some WALVisitor) throws(TSDBError) -> WALReplayReport {
        var report = WALReplayReport()
        guard files.exists(directory) else { return report }
        let contents = try self.contents()
        report.checkpoint = contents.checkpoint
        report.segments = contents.segments

        var sources: [(path: String, index: Int?)] = []
        if let checkpoint = contents.checkpoint {
            let path = directory + "/" + WALFormat.checkpointName(checkpoint)
            let names = try files.list(path).filter { WALFormat.segmentIndex($0) != nil }
            if names.isEmpty { report.add(WALDamage(segment: path, offset: 0, reason: "checkpoint without segments")) }
            sources += names.map { (path + "/" + $0, nil) }
        }
        sources += contents.segments.map { (directory + "/" + WALFormat.segmentName($0), $0) }

        var decoder = WALRecordDecoder()
        var expected = contents.checkpoint.map { $0 + 1 }
        for (number, source) in sources.enumerated() {
            if let index = source.index {
                if let expected, index > expected {
                    let missing = directory + "/" + WALFormat.segmentName(expected)
                    report.add(WALDamage(segment: missing, offset: 0, reason: "\(index - expected) segments are missing"))
                }
                expected = index + 1
            }
            let isLast = source.index != nil && number == sources.count - 1
            try replay(source.path, lastIndex: isLast ? source.index : nil, &decoder, &visitor, &report)
            visitor.progress(done: number + 1, of: sources.count)
        }
        report.seriesCount = decoder.seriesCount
        report.sampleCount = decoder.sampleCount
        report.lostSampleCount = decoder.lostSampleCount
        report.otherRecordCount = decoder.otherRecordCount
        return report
    }

    private func replay(
        _ path: String, lastIndex: Int?, _ decoder: inout WALRecordDecoder, _ visitor: inout some WALVisitor,
        _ report: inout WALReplayReport
    ) throws(TSDBError) {
        let file: any ReadableFile
        do { file = try files.openForReading(path) } catch {
            return report.add(WALDamage(segment: path, offset: 0, reason: error.message))
        }
        var reader = WALSegmentReader(file)
        while true {
            let frame: WALSegmentReader.Frame?
            do { frame = try reader.next() } catch {
                // The disk does not give the rest of this segment. It stays as it is: another day may read it.
                return report.add(WALDamage(segment: path, offset: reader.offset, reason: error.message))
            }
            guard let frame else { break }
            switch frame {
            case .damage(let offset, let reason, let isTorn):
                // At the end of the log a torn record is no damage but what a crash leaves.
                if !(isTorn && lastIndex != nil) { report.add(WALDamage(segment: path, offset: offset, reason: reason)) }
            case .record(let bytes, let compression, let offset):
                report.recordCount += 1
                do { try decoder.decode(bytes, compression, &visitor) } catch {
                    guard error.code == .corruption else { throw error }
                    report.add(WALDamage(segment: path, offset: offset, reason: error.description))
                }
            }
        }
        if let lastIndex, reader.hasUnreadableTail {
            report.tornTail = WALReplayReport.TornTail(
                segment: lastIndex, offset: reader.endOfLastRecord, length: file.size - reader.endOfLastRecord)
        }
    }

    /// The newest checkpoint and the segments it does not replace, ascending.
    func contents() throws(TSDBError) -> (checkpoint: Int?, segments: [Int]) {
        let names = try files.list(directory)
        let checkpoint = names.compactMap { WALFormat.checkpointIndex($0) }.max()
        let segments = names.compactMap { WALFormat.segmentIndex($0) }.filter { $0 > checkpoint ?? -1 }.sorted()
        return (checkpoint, segments)
    }
}
