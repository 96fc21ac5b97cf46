import Histograms
import PromQL
import Support
import Synchronization
import TSDB
import Testing

@testable import Alerter

/// Storage that counts what is asked of it.
private final class CountingStorage: Queryable {
    let inner: Database
    let counts = Mutex((selects: 0, decodes: 0))

    init(_ inner: Database) { self.inner = inner }

    func select(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> any SeriesSet {
        counts.withLock { $0.selects += 1 }
        return Counted(inner: try inner.select(matchers, from: from, through: through), storage: self)
    }

    func labelNames(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> [String] { [] }

    func labelValues(
        _ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> [String] { [] }

    private struct Counted: SeriesSet {
        let inner: any SeriesSet
        let storage: CountingStorage
        var count: Int { inner.count }
        func labels(at index: Int) -> Labels { inner.labels(at: index) }
        func decode(_ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns) throws(TSDBError) {
            storage.counts.withLock { $0.decodes += 1 }
            try inner.decode(index, from: from, through: through, into: &columns)
        }
    }
}

@Suite("Rules that share a selector")
struct CycleReadsTests {
    private let clock = ManualClock(Timestamp(milliseconds: 10_000_000))

    /// Three series with a sample each 15 s for ten minutes.
    private func storage() throws -> CountingStorage {
        let database = Database.inMemory(clock: clock)
        for pod in ["a", "b", "c"] {
            let reference = try database.reference(for: ["__name__": "x", "pod": pod, "job": pod == "c" ? "2" : "1"])
            for step in 0..<40 {
                var batch = SampleBatch()
                batch.append(reference, at: clock.now() - .seconds(600 - 15 * Int64(step)), value: Double(step * step + pod.utf8.count))
                _ = try database.append(batch)
            }
        }
        return CountingStorage(database)
    }

    private func values(_ query: String, on storage: any Queryable) throws -> [String] {
        guard case .vector(let vector) = try Engine().instant(query, on: storage, at: clock.now()).value else { return [] }
        return zip(vector.labels, vector.values).map { "\($0) \($1)" }
    }

    @Test("is read once, each series decoded once, and narrower ranges are cut from it")
    func once() throws {
        let storage = try storage(), reads = CycleReads(storage)
        for query in [
            "sum by (job) (rate(x[8m]))", "max by (job) (rate(x[8m]))", "rate(x[1m])", "sum by (job) (increase(x[4m]))", "x",
        ] {
            #expect(try values(query, on: reads) == values(query, on: storage.inner), "\(query)")
        }
        #expect(storage.counts.withLock { $0.selects } == 1)
        #expect(storage.counts.withLock { $0.decodes } == 3)
    }

    @Test("native histograms and start times are cut from it as they are")
    func histogramsAndStarts() throws {
        var options = DatabaseOptions()
        options.storesStarts = true
        let database = Database.inMemory(options: options, clock: clock)
        let reference = try database.reference(for: ["__name__": "x"])
        for step in 0..<20 {
            var batch = SampleBatch()
            let time = clock.now() - .seconds(300 - 15 * Int64(step))
            if step % 3 == 0 {
                batch.append(reference, at: time, value: Double(step))
            } else {
                let histogram = FloatHistogram(
                    schema: 1, count: Double(step), sum: 3, positiveSpans: [BucketSpan(offset: 0, length: 1)],
                    positiveBuckets: [Double(step)])
                batch.append(reference, at: time, histogram: .float(histogram))
            }
            if step > 4 { batch.setStart(time - .seconds(Int64(step % 2)), ofSample: 0) }
            _ = try database.append(batch)
        }
        let reads = CycleReads(database)
        func samples(_ storage: any Queryable, from: Duration, readingStarts: Bool) throws -> [String] {
            let set = try storage.select([.equal("__name__", "x")], from: clock.now() - from, through: clock.now())
            var columns = SampleColumns()
            columns.removeAll(readingStarts: readingStarts)
            try set.decode(0, from: (clock.now() - from).milliseconds, through: clock.now().milliseconds, into: &columns)
            return (0..<columns.count).map {
                "\(columns.timestamps[$0]) \(columns.values[$0]) \(columns.start(ofSample: $0)) "
                    + (columns.histograms.histogram(sample: $0)?.description ?? "")
            }
        }
        for (from, readingStarts) in [(Duration.minutes(6), true), (.minutes(2), false), (.minutes(1), true)] {
            let direct = try samples(database, from: from, readingStarts: readingStarts)
            #expect(try samples(reads, from: from, readingStarts: readingStarts) == direct && direct.count >= 4)
            #expect(direct.contains { $0.contains("count") } && direct.contains { !$0.contains(" 0 ") } == readingStarts)
        }
    }

    @Test("is read again once a series was written that it could hold, and only then")
    func forgets() throws {
        let storage = try storage(), reads = CycleReads(storage)
        _ = try values("x", on: reads)
        _ = try values("{pod=\"a\"}", on: reads)
        reads.forget(metric: "y")
        _ = try values("x", on: reads)
        #expect(storage.counts.withLock { $0.selects } == 2)
        _ = try values("{pod=\"a\"}", on: reads)
        #expect(storage.counts.withLock { $0.selects } == 3)
        reads.forget(metric: "x")
        _ = try values("x", on: reads)
        #expect(storage.counts.withLock { $0.selects } == 4)
    }
}
