import Alerter
import Logging
import PromQL
import SelfMetrics
import Support
import TSDB
import Testing

@testable import Rules

/// A clock that jumps over every wait would have to drive tasks as well; these groups have an interval of a few milliseconds instead, and the
/// tests wait for what they report.
private struct RealClock: WallClock {
    func now() -> Timestamp {
        let now = ContinuousClock.now - Self.begin
        return Timestamp(milliseconds: 1_700_000_000_000 + now.components.seconds * 1000 + now.components.attoseconds / 1_000_000_000_000_000)
    }
    private static let begin = ContinuousClock.now
}

@Suite("Running groups")
struct RuleManagerTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func group(_ name: String, _ query: String) throws -> RuleGroup {
        RuleGroup(
            name: name, file: "rules.yml", interval: .milliseconds(20),
            rules: [Rule(.alerting(.init(name: name)), query: query, expr: try Parser.parse(query))])
    }

    @Test("groups are evaluated at their pace, report alerts, survive reloads that change nothing, and end")
    func run() async throws {
        let clock = RealClock()
        let database = Database.inMemory(clock: clock)
        let (reports, continuation) = AsyncStream.makeStream(of: [Alert].self)
        let manager = RuleManager(clock: clock, logger: quiet) { continuation.yield($0) }
        var environment = RuleEnvironment(storage: database, engine: Engine(), clock: clock)
        environment.resendDelay = .milliseconds(1)
        await manager.apply([try group("A", "vector(1)"), try group("B", "vector(1) > 2")], environment)
        #expect(manager.groups.map(\.name) == ["A", "B"])
        var iterator = reports.makeAsyncIterator()
        let first = try #require(await iterator.next()?.first)
        #expect(first.name == "A")
        // Nothing changes for A: the alert goes on with its beginning.
        await manager.apply([try group("A", "vector(1)")], environment)
        let second = try #require(await iterator.next()?.first)
        #expect(second.startsAt == first.startsAt)
        // A change of the expression keeps it, too.
        await manager.apply([try group("A", "vector(2)")], environment)
        var next = try #require(await iterator.next()?.first)
        while next.generatorURL.contains("vector%281%29") { next = try #require(await iterator.next()?.first) }
        #expect(next.startsAt == first.startsAt)
        #expect(manager.groups.map(\.name) == ["A"])
        var page = MetricsPage()
        manager.metrics.write(to: &page)
        let text = String(decoding: page.bytes, as: UTF8.self)
        #expect(text.contains("prometheus_rule_group_rules{rule_group=\"rules.yml;A\"} 1"))
        #expect(!text.contains("rules.yml;B"))
        await manager.stop()
        // After the end nothing starts any more.
        await manager.apply([try group("C", "vector(1)")], environment)
        #expect(manager.groups.map(\.name) == ["A"])
    }
}
