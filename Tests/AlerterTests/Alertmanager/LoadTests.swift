import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: many alerts at once")
struct LoadTests {
    /// Ten thousand alerts, with sources, targets and silences; built without optimisation, so the bound is wide.
    @Test("ten thousand alerts cost a moment: work grows with their number, not with its square", arguments: [false, true])
    func tenThousand(inOneGroup: Bool) throws {
        let rule = InhibitRule(
            sourceMatchers: [.equal("severity", "critical")], targetMatchers: [.equal("severity", "warning")], equal: ["node"])
        let everywhere = InhibitRule(sourceMatchers: [.equal("severity", "critical")], targetMatchers: [.equal("severity", "info")])
        let stage = try Stage(
            .simple(groupBy: inOneGroup ? [] : ["node"], inhibitRules: [rule, everywhere]))
        for number in 0..<50 { try stage.silence(.equal("node", "n\(number)"), for: .hours(1)) }
        let reports = (0..<10_000).map { number in
            AlertReport(
                labels: [
                    "alertname": "A", "node": "n\(number / 2)", "job": "j", "instance": "\(number)",
                    "severity": number % 2 == 0 ? "critical" : "warning",
                ])
        }
        let clock = ContinuousClock()
        let elapsed = clock.measure {
            _ = stage.manager.receive(reports, at: stage.now)
            stage.run(for: .seconds(31))
        }
        #expect(stage.attempts.reduce(0) { $0 + $1.alerts.count } == 4_950)
        #expect(stage.attempts.count == (inOneGroup ? 1 : 4_950))
        #expect(elapsed < .seconds(30), "\(elapsed)")
        let again = clock.measure {
            _ = stage.manager.receive(reports, at: stage.now)
            stage.run(for: .seconds(61))
            _ = stage.manager.alerts(at: stage.now)
        }
        #expect(stage.attempts.count == (inOneGroup ? 1 : 4_950))
        #expect(again < .seconds(30), "\(again)")
        if TestSeed.environment("MINPROM_SOAK") != nil { print("ten thousand alerts: \(elapsed), again \(again)") }
    }
}
