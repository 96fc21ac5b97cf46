import BotCore
import Support
import TSDB
import Testing

/// Cool-downs, windows, budgets, circuits: what keeps the bot from doing harm.
struct LimitTests {
    /// Alerts that come and go for an hour; returns the scene after it.
    private func hour(_ policy: BotPolicy, seed: UInt64, restarts: Bool = true) throws -> Scene {
        var random = SeededRandom(seed: seed)
        var scene = try Scene(policy)
        let end = scene.now + .hours(1)
        var number = 0
        while scene.now < end {
            number += 1
            let alert = Webhook.Alert.firing("APIHighLatency", starts: "t\(number)")
            try scene.fire(alert)
            try scene.advance(.seconds(Int64.random(in: 5...40, using: &random)))
            try scene.fire(alert.resolved())
            try scene.advance(.seconds(Int64.random(in: 5...40, using: &random)))
            if restarts, Int.random(in: 0..<10, using: &random) == 0 { try scene.restart() }
        }
        return scene
    }

    private func most(_ times: [Timestamp], in window: Duration) -> Int {
        times.map { start in times.filter { $0 >= start && $0 < start + window }.count }.max() ?? 0
    }

    @Test("a flapping alert gets at most three actions in ten minutes and ten in an hour, over restarts too", arguments: TestSeed.seeds(6))
    func flapping(seed: UInt64) throws {
        let scene = try hour(.restarting { $0.limits.strikes = 100 }, seed: seed)
        let times = scene.works.map(\.time)
        #expect(times.count >= 9, "seed \(seed)")
        #expect(most(times, in: .minutes(10)) <= 3, "seed \(seed)")
        #expect(most(times, in: .hours(1)) <= 10, "seed \(seed)")
        for (a, b) in zip(times, times.dropFirst()) { #expect(b - a >= .minutes(2), "seed \(seed)") }
    }

    @Test("the hour's budget is for all targets; the first alert past it pages a human, once")
    func budget() throws {
        var policy = BotPolicy()
        policy.notifiers["pager"] = .file("/dev/null")
        for index in 0..<20 {
            policy.targets["t\(index)"] = .init(url: "http://t\(index)", mayRestart: true)
            var one = BotPolicy.Policy(
                name: "p\(index)", match: [.init("t", ["\(index)"])], steps: [.init(.restart(target: "t\(index)", via: [.service]))])
            one.escalate = ["pager"]
            one.escalateAfter = nil
            policy.policies.append(one)
        }
        var scene = try Scene(policy)
        for index in 0..<20 {
            try scene.fire(.firing("A", ["t": "\(index)"], print: "f\(index)"))
            try scene.advance(.seconds(30))
        }
        #expect(scene.works.count == 10)
        #expect(scene.notices.map(\.kind) == [.escalation])
        #expect(scene.records.filter { $0.decision == "budget" }.count == 10)
        // The budget fills again: those that wait have their turn.
        try scene.advance(.hours(2), every: .seconds(10))
        #expect(scene.works.count == 20)
        #expect(most(scene.works.map(\.time), in: .hours(1)) <= 10)
    }

    @Test("a crash loop: after K restarts the circuit opens, a human is paged, and nothing is done while it is open", arguments: [1, 2, 3])
    func crashLoop(strikes: Int) throws {
        var scene = try Scene(.restarting { $0.limits.strikes = strikes })
        let start = scene.now
        for number in 0..<40 {
            let alert = Webhook.Alert.firing("APIHighLatency", starts: "t\(number)")
            try scene.fire(alert)
            try scene.advance(.seconds(20))
            try scene.fire(alert.resolved())
            try scene.advance(.seconds(10))
            if number % 7 == 3 { try scene.restart() }
        }
        let early = scene.works.filter { $0.time - start < .minutes(20) }
        #expect(early.count == strikes)
        #expect(scene.records.filter { $0.event == .circuit }.count == 1)
        #expect(scene.notices.map(\.kind) == [.escalation])
        #expect(scene.notices.first?.text.contains("circuit of api is open") == true)
    }

    @Test("a closed circuit lets one through again, once it has been quiet")
    func circuitCloses() throws {
        var scene = try Scene(.restarting { $0.limits.strikes = 1 })
        for number in 0..<2 {
            let alert = Webhook.Alert.firing("APIHighLatency", starts: "t\(number)")
            try scene.fire(alert)
            try scene.advance(.minutes(3))
            try scene.fire(alert.resolved())
        }
        #expect(scene.works.count == 1)
        try scene.advance(.minutes(31))
        try scene.fire(.firing("APIHighLatency", starts: "t9"))
        #expect(scene.works.count == 2)
    }

    @Test("a cool-down is kept over a restart")
    func coolDown() throws {
        var scene = try Scene(.restarting())
        try scene.fire(.firing("APIHighLatency", starts: "t1"))
        try scene.advance(.seconds(30))
        try scene.fire(.firing("APIHighLatency", starts: "t1").resolved())
        try scene.restart()
        try scene.fire(.firing("APIHighLatency", starts: "t2"))
        #expect(scene.works.count == 1)
        #expect(scene.records.last?.decision == "cooldown")
        #expect(scene.bot.snapshot(at: scene.now).cooldowns.map(\.target) == ["api"])
        try scene.advance(.seconds(100))
        #expect(scene.works.count == 2)
    }

    @Test("two alerts on one target at once are one restart")
    func twoAlerts() throws {
        var policy = BotPolicy.restarting()
        policy.policies[0].match = [.init("alertname", ["APIHighLatency", "API5xxRatioHigh"])]
        var scene = try Scene(policy)
        try scene.receive(
            Webhook(groupKey: "{}", alerts: [.firing("APIHighLatency", print: "a"), .firing("API5xxRatioHigh", print: "b")]))
        try scene.advance(.seconds(60))
        #expect(scene.works.count == 1)
    }
}
