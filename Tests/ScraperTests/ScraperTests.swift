import Synchronization
import TSDB
import Testing

@testable import Scraper

/// A transport that answers from a script and remembers who asked when.
final class ScriptedTransport: ScrapeTransport {
    typealias Answer = @Sendable (ScrapeRequest) throws(ScrapeError) -> ScrapeResponse
    private let answer: Mutex<Answer>
    private let log = Mutex<[(url: String, time: Int64)]>([])
    private let time: TestTime

    init(_ time: TestTime, _ answer: @escaping Answer) {
        self.time = time
        self.answer = Mutex(answer)
    }

    func get(_ request: ScrapeRequest) async throws(ScrapeError) -> ScrapeResponse {
        let wall = time.wall
        log.withLock { $0.append((request.url, wall)) }
        let answer = self.answer.withLock { $0 }
        return try answer(request)
    }

    func script(_ answer: @escaping Answer) { self.answer.withLock { $0 = answer } }

    func times(_ url: String) -> [Int64] { log.withLock { $0.filter { $0.url == url }.map(\.time) } }
    var count: Int { log.withLock { $0.count } }
}

@Suite("The scraper")
struct ScraperTests {
    private let time = TestTime()
    private let storage = RecordingStorage()

    private func page(_ text: String) -> ScriptedTransport.Answer {
        { _ throws(ScrapeError) in ScrapeResponse(contentType: "text/plain", body: Array(text.utf8)) }
    }

    private func config(_ job: String = "j", _ addresses: [String] = ["h"], interval: Int64 = 10) -> ScrapeConfig {
        var config = ScrapeConfig(jobName: job, interval: .seconds(interval), timeout: .seconds(min(5, interval)))
        config.staticConfigs = [TargetGroup(source: "0", addresses: addresses)]
        return config
    }

    private func scraper(_ transport: ScriptedTransport) -> Scraper {
        Scraper(storage: storage, transport: transport, wallClock: time, clock: time)
    }

    private func labels(_ name: String, instance: String = "h", job: String = "j") -> Labels {
        ["__name__": name, "instance": instance, "job": job]
    }

    @Test("the first scrape comes within one interval, then one per interval, on the grid")
    func pace() async {
        let transport = ScriptedTransport(time, page("a 1\n"))
        let scraper = scraper(transport)
        await scraper.apply([config()])
        #expect(await time.advance(by: 35_000, sleepers: 1))
        let times = transport.times("http://h/metrics")
        #expect(times.count == 3 || times.count == 4)
        #expect((times.first ?? .max) - 1_000_000 < 10_000)
        #expect(zip(times.dropFirst(), times).allSatisfy { $0 - $1 == 10_000 })
        #expect(storage.values(labels("a")).map(\.time) == times)
        await scraper.stop()
    }

    @Test("targets show health, error, times and metadata")
    func snapshots() async throws {
        let transport = ScriptedTransport(time, page("# TYPE a counter\na 1\n"))
        let scraper = scraper(transport)
        var wanted = config("api", ["h:1", "h:1", "bad/host"])
        wanted.limits.keptDroppedTargets = 1
        var drop = try RelabelConfig(regex: "drop.*")
        drop.sourceLabels = ["__address__"]
        drop.action = .drop
        wanted.relabelConfigs = [drop]
        wanted.staticConfigs.append(TargetGroup(source: "1", addresses: ["drop1", "drop2"]))
        await scraper.apply([wanted])
        var pool = try #require(await scraper.pools().first)
        #expect(pool.active.count == 1 && pool.active[0].health == .unknown && pool.active[0].lastScrape == nil)
        #expect(pool.dropped.count == 1 && pool.droppedCount == 2)
        #expect(pool.invalid.map(\.reason) == ["instance 2 in group 0: \"bad/host\" is not a valid hostname"])
        #expect(await time.advance(by: 10_000, sleepers: 1))
        pool = try #require(await scraper.pools().first)
        #expect(pool.active[0].health == .up && pool.active[0].lastError == "")
        #expect(pool.active[0].metadata == [MetricMetadata(family: "a", type: .counter, help: "", unit: "")])
        transport.script { request throws(ScrapeError) in throw .transport(request.url, "connection refused") }
        #expect(await time.advance(by: 10_000, sleepers: 1))
        pool = try #require(await scraper.pools().first)
        #expect(pool.active[0].health == .down)
        #expect(pool.active[0].lastError == "Get \"http://h:1/metrics\": connection refused")
        #expect(scraper.statistics.current.failedScrapes == 1 && scraper.statistics.current.scrapes == 2)
        await scraper.stop()
    }

    @Test("applying an equal configuration touches nothing")
    func noopReload() async {
        let transport = ScriptedTransport(time, page("a 1\n"))
        let scraper = scraper(transport)
        await scraper.apply([config()])
        #expect(await time.advance(by: 25_000, sleepers: 1))
        let before = transport.count
        await scraper.apply([config()])
        #expect(await time.advance(by: 30_000, sleepers: 1))
        #expect(transport.count == before + 3)
        #expect(scraper.statistics.current.poolReloads == 0)
        await scraper.stop()
    }

    @Test("a changed configuration keeps what is known where it still holds: no stale marker, no lookup")
    func inheritance() async {
        let transport = ScriptedTransport(time, page("a 1\n"))
        let scraper = scraper(transport)
        await scraper.apply([config()])
        #expect(await time.advance(by: 15_000, sleepers: 1))
        let lookups = storage.lookups
        var changed = config()
        changed.enableCompression = false
        await scraper.apply([changed])
        #expect(await time.advance(by: 30_000, sleepers: 1))
        #expect(storage.lookups == lookups)
        #expect(!storage.samples(labels("a")).contains("stale"))
        #expect(scraper.statistics.current.poolReloads == 1)
        await scraper.stop()
    }

    @Test("a removed target is marked stale two intervals later, at the time of its next scrape")
    func removal() async {
        let transport = ScriptedTransport(time, page("a 1\n"))
        let scraper = scraper(transport)
        await scraper.apply([config()])
        #expect(await time.advance(by: 15_000, sleepers: 1))
        let last = transport.times("http://h/metrics").last ?? 0
        await scraper.apply([])
        #expect(await time.advance(by: 15_000, sleepers: 1))
        #expect(!storage.samples(labels("a")).contains("stale"))
        #expect(await time.advance(by: 8_000, sleepers: 0, before: 1))
        for _ in 0..<100_000 where !storage.samples(labels("a")).contains("stale") { await Task.yield() }
        #expect(storage.samples(labels("a")).hasSuffix("stale@\(last + 10_000)"))
        #expect(storage.samples(labels("up")).hasSuffix("stale@\(last + 10_000)"))
        await scraper.stop()
    }

    @Test("stopping the server marks nothing stale")
    func stopping() async {
        let transport = ScriptedTransport(time, page("a 1\n"))
        let scraper = scraper(transport)
        await scraper.apply([config()])
        #expect(await time.advance(by: 15_000, sleepers: 1))
        await scraper.stop()
        #expect(!storage.samples(labels("a")).contains("stale"))
        #expect(await scraper.pools().isEmpty)
    }

    @Test("above target_limit all scrapes of the job fail without asking")
    func targetLimit() async throws {
        let transport = ScriptedTransport(time, page("a 1\n"))
        let scraper = scraper(transport)
        var limited = config("j", ["h", "i", "k"])
        limited.limits.targets = 2
        await scraper.apply([limited])
        #expect(await time.advance(by: 10_000, sleepers: 3))
        #expect(transport.count == 0)
        let pool = try #require(await scraper.pools().first)
        #expect(pool.active.allSatisfy { $0.lastError == "target_limit exceeded (number of targets: 3, limit: 2)" })
        #expect(storage.values(labels("up")).map(\.value) == [0])
        await scraper.stop()
    }

    @Test("discovered targets come and go")
    func discovery() async {
        let transport = ScriptedTransport(time, page("a 1\n"))
        let scraper = scraper(transport)
        await scraper.apply([config("j", [])])
        await scraper.update(job: "j", groups: [TargetGroup(source: "file", addresses: ["x", "y"])])
        #expect(await time.advance(by: 10_000, sleepers: 2))
        #expect(transport.count == 2)
        await scraper.update(job: "unknown", groups: [TargetGroup(source: "file", addresses: ["z"])])
        await scraper.update(job: "j", groups: [TargetGroup(source: "file", addresses: ["y"])])
        #expect(await scraper.pools().first?.active.map(\.target.address) == ["y"])
        await scraper.stop()
    }

    @Test("pages of this process need no socket")
    func internalPages() async {
        let outside = ScriptedTransport(time) { request throws(ScrapeError) in throw .transport(request.url, "no network") }
        let pages: [String: InternalTransport.Page] = [
            "self": { accepted in ("text/plain", Array((accepted?.contains("text/plain") == true ? "own 1\n" : "own 0\n").utf8)) }
        ]
        let transport = InternalTransport(pages: pages, otherwise: outside)
        let scraper = Scraper(storage: storage, transport: transport, wallClock: time, clock: time)
        var own = config("minprom", ["self", "missing"])
        own.scheme = InternalTransport.scheme
        await scraper.apply([own])
        #expect(await time.advance(by: 10_000, sleepers: 2))
        #expect(storage.values(labels("own", instance: "self", job: "minprom")).map(\.value) == [1])
        #expect(storage.values(labels("up", instance: "missing", job: "minprom")).map(\.value) == [0])
        #expect(outside.count == 0)
        await scraper.stop()
    }

    @Test("a slow answer moves no later scrape off the beat")
    func slowAnswer() async {
        let time = self.time
        let transport = ScriptedTransport(time) { _ throws(ScrapeError) in
            time.pass(3_000)
            return ScrapeResponse(contentType: "text/plain", body: Array("a 1\n".utf8))
        }
        let scraper = scraper(transport)
        await scraper.apply([config()])
        #expect(await time.advance(by: 50_000, sleepers: 1))
        let times = transport.times("http://h/metrics")
        #expect(times.count >= 4)
        #expect(zip(times.dropFirst(), times).allSatisfy { $0 - $1 == 10_000 })
        #expect(storage.values(labels("scrape_duration_seconds")).allSatisfy { $0.value == 3 })
        await scraper.stop()
    }

    @Test("a clock put back does not stop samples coming in")
    func clockBack() async {
        let transport = ScriptedTransport(time, page("a 1\n"))
        let scraper = scraper(transport)
        await scraper.apply([config()])
        #expect(await time.advance(by: 20_000, sleepers: 1))
        time.stepWall(by: -500_000)
        let before = transport.count
        #expect(await time.advance(by: 30_000, sleepers: 1))
        #expect(transport.count == before + 3)
        // Older than what is stored, so out of order here; but each with its own, advancing time.
        #expect(scraper.statistics.current.outOfOrderSamples == 3)
        await scraper.stop()
    }
}
