import PromQL
import Synchronization
import TSDB

/// Storage as one cycle of a group sees it: a selection that several rules make is made once.
///
///     rule 1   sum by (job) (rate(requests[5m]))      select ─▶ storage
///     rule 2   max by (zone) (rate(requests[5m]))     select ─▶ the same set
///     rule 3   writes job:requests:rate5m             sets that such a series could be in are forgotten
///     rule 4   job:requests:rate5m > 100              select ─▶ storage, and sees what rule 3 wrote
///
/// Samples that come in meanwhile from elsewhere are seen by all rules of the cycle or by none.
final class CycleReads: Queryable {
    private struct Read {
        let matchers: [Matcher]
        let from: Timestamp
        let through: Timestamp
        let set: any SeriesSet
    }

    /// Selections kept at once; each holds the list of its series.
    private static let limit = 256

    private let storage: any Queryable
    private let reads = Mutex<[Read]>([])

    init(_ storage: any Queryable) { self.storage = storage }

    func select(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> any SeriesSet {
        try select(matchers, from: from, through: through) { false }
    }

    func select(
        _ matchers: [Matcher], from: Timestamp, through: Timestamp, stop: StopCheck
    ) throws(TSDBError) -> any SeriesSet {
        let known = reads.withLock { reads in
            reads.first { $0.from == from && $0.through == through && $0.matchers == matchers }
        }
        if let known { return known.set }
        let set = try storage.select(matchers, from: from, through: through, stop: stop)
        reads.withLock { reads in
            if reads.count >= Self.limit { reads.removeFirst() }
            reads.append(Read(matchers: matchers, from: from, through: through, set: set))
        }
        return set
    }

    func labelNames(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> [String] {
        try storage.labelNames(matchers, from: from, through: through)
    }

    func labelValues(
        _ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> [String] {
        try storage.labelValues(name, matchers, from: from, through: through)
    }

    /// A series of the metric `name` was written.
    func forget(metric name: String) {
        reads.withLock { reads in
            reads.removeAll { read in
                read.matchers.allSatisfy { $0.name != MetricName.label || $0.matches(name) }
            }
        }
    }
}
