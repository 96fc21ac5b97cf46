import Support
import TSDB
import Testing

@testable import Bench

@Suite("The invented fleet")
struct FleetTests {
    /// Samples of one scrape as bits, so that stale markers compare.
    typealias Scrape = (instance: Int, number: Int, values: [UInt64])

    static func shape(series: Int = 500, buckets: Int = 12, scrapes: Int = 100, seed: UInt64 = 7) -> FleetShape {
        FleetShape(
            seriesCount: series, bucketCount: buckets, scrapeCount: scrapes, interval: 15_000,
            end: Timestamp(milliseconds: 1_700_000_000_000), families: Set(MetricFamily.allCases), seed: seed, run: "r")
    }

    /// All scrapes that succeed, by instance or by time.
    static func scrapes(_ shape: FleetShape, byInstance: Bool = false) -> [[Scrape]] {
        var fleet = Fleet(shape)
        var result: [[Scrape]] = Array(repeating: [], count: shape.instanceCount)
        var values: [Double] = []
        func ask(_ instance: Int, _ number: Int) {
            if fleet.nextScrape(ofInstance: instance, into: &values) {
                result[instance].append((instance, number, values.map(\.bitPattern)))
            }
        }
        if byInstance {
            for instance in 0..<shape.instanceCount { for number in 0..<shape.scrapeCount { ask(instance, number) } }
        } else {
            for number in 0..<shape.scrapeCount { for instance in 0..<shape.instanceCount { ask(instance, number) } }
        }
        return result
    }

    static func same(_ a: [[Scrape]], _ b: [[Scrape]]) -> Bool {
        a.elementsEqual(b) { $0.elementsEqual($1) { $0 == $1 } }
    }

    @Test("the same seed makes the same samples, in whatever order instances are asked; another seed makes others")
    func deterministic() {
        let first = Self.scrapes(Self.shape())
        #expect(Self.same(first, Self.scrapes(Self.shape())))
        #expect(Self.same(first, Self.scrapes(Self.shape(), byInstance: true)))
        #expect(!Self.same(first, Self.scrapes(Self.shape(seed: 8))))
    }

    @Test("a series has as many labels as its metric should, and no two series have the same")
    func labels() {
        let shape = Self.shape(series: 250, buckets: 12)
        let fleet = Fleet(shape)
        let all = (0..<shape.instanceCount).flatMap { fleet.labels(ofInstance: $0) }
        #expect(shape.instanceCount == 3)
        #expect(all.count == 3 * 250 + 3)
        #expect(all.count == shape.totalSeriesCount)
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0["bench_run"] == "r" })
        #expect(
            all.filter { $0.metricName == "latency_seconds_bucket" }.allSatisfy { $0["le"] != nil && $0.count == 6 })
    }

    @Test("buckets of one histogram never fall with le; counters fall only where the instance restarts; scrapes fail")
    func likeTheRealThing() {
        let shape = Self.shape(series: 1_200, scrapes: 400)
        let perInstance = shape.seriesPerInstance
        var restarts = 0, partial = 0, gaps = 0, markers = 0
        for scrapes in Self.scrapes(shape) {
            gaps += shape.scrapeCount - scrapes.count
            var previous: [Double]?
            for scrape in scrapes {
                let values = scrape.values.map { Double(bitPattern: $0) }
                if StaleMarker.isStale(values[0]) {
                    markers += 1
                    continue
                }
                for slot in 1..<perInstance where slot % shape.bucketCount != 0 {
                    #expect(values[slot] >= values[slot - 1])
                }
                let counters = Array(values[0..<2 * perInstance])
                if let previous {
                    let fallen = zip(previous, counters).filter { $0 > $1 }.count
                    if fallen > 0 { restarts += 1 }
                    // Those that counted nothing since cannot fall; most have.
                    if fallen > 0 && fallen < perInstance { partial += 1 }
                }
                previous = counters
            }
        }
        #expect(restarts > 0)
        #expect(partial == 0)
        #expect(gaps > 0)
        #expect(markers > 0)
    }

    @Test("times of an instance are one interval apart, and none is behind the end")
    func times() {
        let shape = Self.shape()
        let fleet = Fleet(shape)
        for instance in 0..<shape.instanceCount {
            let times = (0..<shape.scrapeCount).map { fleet.time(ofScrape: $0, instance: instance).milliseconds }
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 15_000 })
            #expect((shape.end.milliseconds - 15_000 + 1...shape.end.milliseconds).contains(times[times.count - 1]))
        }
    }

    @Test("upper bounds of buckets grow, for every number of buckets", arguments: [2, 3, 5, 12, 13, 50, 200])
    func bounds(_ count: Int) {
        let bounds = Self.shape(series: 500, buckets: count).bucketBounds
        #expect(bounds.count == count)
        #expect(bounds.last == "+Inf")
        let numbers = bounds.compactMap { Double($0 == "+Inf" ? "inf" : $0) }
        #expect(numbers.count == count)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("a database takes every sample of the fleet")
    func loaded() throws {
        let shape = Self.shape()
        let database = Database.inMemory(clock: ManualClock(shape.end))
        var fleet = Fleet(shape)
        let report = try fleet.append(to: database)
        #expect(report.series == shape.totalSeriesCount)
        #expect(report.samples == database.statistics.sampleCount)
        #expect(report.samples > shape.maximumSampleCount / 2 && report.samples <= shape.maximumSampleCount)
        #expect(database.refusedCounts.isEmpty)
    }
}
