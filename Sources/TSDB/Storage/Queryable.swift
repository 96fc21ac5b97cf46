/// Gives series out: the head, a block, both merged, a remote store, or a fake in a test.
public protocol Queryable: Sendable {
    /// The series that satisfy all `matchers` and may have samples with `from <= t <= through`.
    ///
    /// The set is a snapshot: samples appended later are not seen, and of a batch appended before, either all samples
    /// are seen or none. Series come in a stable order (creation order), not sorted by labels.
    func select(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> any SeriesSet

    /// The same; `stop` is asked every few hundred label values that a pattern is tried on.
    func select(
        _ matchers: [Matcher], from: Timestamp, through: Timestamp, stop: StopCheck
    ) throws(TSDBError) -> any SeriesSet

    /// Sorted names of labels on series that satisfy `matchers` and have samples in the range; no matchers: all series.
    func labelNames(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> [String]

    /// Sorted values of the label `name`, likewise.
    func labelValues(_ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError)
        -> [String]
}

/// Asked now and then during a long search; `true` ends it with an error of code `.stopped`.
public typealias StopCheck = @Sendable () -> Bool

extension Queryable {
    /// As `select(_:from:through:)`; storage that can search for long overrides it and asks `stop` on the way.
    public func select(
        _ matchers: [Matcher], from: Timestamp, through: Timestamp, stop: StopCheck
    ) throws(TSDBError) -> any SeriesSet {
        try select(matchers, from: from, through: through)
    }
}

/// The answer to one selection: a list of series, addressed by index and decoded one at a time, whole chunks at once.
///
/// Several threads may decode different series of one set at the same time, each into columns of its own.
public protocol SeriesSet: Sendable {
    var count: Int { get }

    /// Labels of the series `index`; makes a `Labels` value, so ask only for what an answer shows.
    func labels(at index: Int) -> Labels

    /// Appends the samples with `from <= t <= through` of series `index` to `columns`, in time order, stale markers
    /// included. Times are milliseconds since the epoch.
    func decode(_ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns) throws(TSDBError)

    /// Sorts all series into groups by their labels, the whole set at once.
    func groups(_ grouping: Grouping) -> Groups

    /// The samples of series `index` as chunks in Prometheus' encodings, in time order, none overlapping another. They reach into the
    /// range and may reach beyond it: a chunk is handed out whole where that is cheaper.
    func chunks(_ index: Int, from: Int64, through: Int64) throws(TSDBError) -> [EncodedChunk]

    /// The chunks that `decode` with the same arguments reads: for explanations, so it may cost a walk over them.
    func chunkTally(_ index: Int, from: Int64, through: Int64) -> ChunkTally
}

/// Chunks of one series that a range touches, and their bytes as they are stored.
public struct ChunkTally: Sendable, Equatable {
    public var chunks = 0
    public var bytes = 0

    public init(chunks: Int = 0, bytes: Int = 0) {
        self.chunks = chunks
        self.bytes = bytes
    }
}

/// Which labels tell groups apart: `by (…)` keeps the named ones, `without (…)` drops them.
public enum Grouping: Sendable, Hashable {
    case by([String])
    case without([String])

    /// The labels that a group of series with `labels` has in common.
    public func project(_ labels: Labels) -> Labels {
        switch self {
        case .by(let names): return labels.keeping(names)
        case .without(let names): return labels.dropping(names)
        }
    }
}

/// The group of each series of a set, and the labels of each group. Groups are numbered in order of first appearance.
public struct Groups: Sendable {
    /// One group number per series.
    public var assignment: [UInt32]
    /// One label set per group.
    public var labels: [Labels]

    public init(assignment: [UInt32], labels: [Labels]) {
        self.assignment = assignment
        self.labels = labels
    }

    /// The plain way: project every label set and look it up. A head does it on symbol numbers.
    public init(_ grouping: Grouping, count: Int, labelsAt: (Int) -> Labels) {
        assignment = []
        labels = []
        assignment.reserveCapacity(count)
        var known: [Labels: UInt32] = [:]
        for index in 0..<count {
            let key = grouping.project(labelsAt(index))
            if let group = known[key] {
                assignment.append(group)
            } else {
                let group = UInt32(truncatingIfNeeded: labels.count)
                known[key] = group
                labels.append(key)
                assignment.append(group)
            }
        }
    }
}

extension SeriesSet {
    public func groups(_ grouping: Grouping) -> Groups {
        Groups(grouping, count: count) { labels(at: $0) }
    }

    public func chunks(_ index: Int, from: Int64, through: Int64) throws(TSDBError) -> [EncodedChunk] {
        try encodedChunks(index, from: from, through: through)
    }

    /// What `decode` gives, encoded anew: histograms as those of floats.
    func encodedChunks(_ index: Int, from: Int64, through: Int64) throws(TSDBError) -> [EncodedChunk] {
        var columns = SampleColumns()
        try decode(index, from: from, through: through, into: &columns)
        var sequence = ChunkSequence()
        sequence.append(columns)
        sequence.close()
        return sequence.chunks
    }

    /// Nothing is known of chunks.
    public func chunkTally(_ index: Int, from: Int64, through: Int64) -> ChunkTally { ChunkTally() }
}

extension Labels {
    /// Only the labels named.
    public func keeping(_ names: [String]) -> Labels { filtered { name in names.contains { name.equals($0) } } }

    /// All but the labels named.
    public func dropping(_ names: [String]) -> Labels { filtered { name in !names.contains { name.equals($0) } } }

    /// Only the labels whose names `keep` accepts. Copies what stays in whole runs.
    @inline(__always)
    public func filtered(_ keep: (UnsafeRawBufferPointer) -> Bool) -> Labels {
        packed.withUnsafeBytes { bytes in
            Labels(
                uncheckedPacked: [UInt8](unsafeUninitializedCapacity: bytes.count) { result, count in
                    let target = UnsafeMutableRawBufferPointer(result)
                    var cursor = PackedLabelCursor(bytes)
                    var run = 0
                    func copy(upTo end: Int) {
                        guard end > run else { return }
                        UnsafeMutableRawBufferPointer(rebasing: target[count...])
                            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[run..<end]))
                        count += end - run
                    }
                    while true {
                        let start = cursor.position
                        guard let (name, _) = cursor.next() else { break }
                        if keep(name) { continue }
                        copy(upTo: start)
                        run = cursor.position
                    }
                    copy(upTo: bytes.count)
                })
        }
    }
}

extension UnsafeRawBufferPointer {
    func equals(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { equals(UnsafeRawBufferPointer($0)) }
    }
}
