import Support
import TSDB
import Testing

@testable import BotCore

/// Version 4 payloads, and what is none.
struct WebhookTests {
    private func parse(_ text: String) throws -> Webhook { try Webhook(parsing: Array(text.utf8)) }

    @Test("a payload of the original is read; members it does not know are passed over")
    func reads() throws {
        let webhook = try parse(
            """
            {"receiver":"bot","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"APIDown","service":"api"},
            "annotations":{"summary":"s"},"startsAt":"2026-11-29T17:00:00.5Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://x","fingerprint":"ab12"}],
            "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://alertmanager:9093","version":"4","groupKey":"{}:{}","truncatedAlerts":0}
            """)
        #expect(webhook.groupKey == "{}:{}" && webhook.externalURL == "http://alertmanager:9093")
        #expect(webhook.alerts.first?.labels == ["alertname": "APIDown", "service": "api"])
        #expect(webhook.alerts.first?.startsAt == "2026-11-29T17:00:00.5Z")
    }

    @Test(
        "what is no version 4 webhook is refused with a reason",
        arguments: [
            "", "null", "[]", "{}", "{\"version\":\"3\",\"alerts\":[]}", "{\"alerts\":null}", "{\"alerts\":[null]}",
            "{\"alerts\":[{\"status\":\"firing\"}]}",
            "{\"alerts\":[{\"status\":\"odd\",\"fingerprint\":\"a\"}]}", "{\"alerts\":[]} x",
            "{\"alerts\":[{\"labels\":{\"a\":1},\"fingerprint\":\"a\"}]}",
            "{\"alerts\":" + String(repeating: "[", count: 100),
        ])
    func refuses(text: String) { #expect(throws: BotError.self) { _ = try parse(text) } }

    @Test("bounds: alerts, labels, bytes; a value that is too long is equal to nothing in a policy")
    func bounds() throws {
        let alert = "{\"status\":\"firing\",\"fingerprint\":\"a\",\"labels\":{}}"
        #expect(throws: BotError.self) { _ = try parse("{\"alerts\":[\(Array(repeating: alert, count: 2001).joined(separator: ","))]}") }
        let labels = (0..<65).map { "\"l\($0)\":\"v\"" }.joined(separator: ",")
        #expect(throws: BotError.self) { _ = try parse("{\"alerts\":[{\"fingerprint\":\"a\",\"labels\":{\(labels)}}]}") }
        #expect(throws: BotError.self) { _ = try parse(String(repeating: " ", count: Webhook.Limits.body + 1)) }
        let long = try parse("{\"alerts\":[{\"fingerprint\":\"a\",\"labels\":{\"x\":\"\(String(repeating: "a", count: 5000))\"}}]}")
        #expect(long.alerts[0].labels["x"]?.utf8.count == Webhook.Limits.text + 3)
    }

    @Test("broken at any byte it is refused or read, and never more", arguments: TestSeed.seeds(1))
    func damaged(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let text = Array(
            "{\"version\":\"4\",\"groupKey\":\"k\",\"alerts\":[{\"status\":\"resolved\",\"labels\":{\"a\":\"b\\u00e9\"},\"annotations\":null,\"fingerprint\":\"f\"}]}"
                .utf8)
        for _ in 0..<TestSeed.cases(5000) {
            var bytes = text
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? Webhook(parsing: bytes)
        }
    }

    @Test(
        "conditions: every number must hold, NaN is none",
        arguments: [
            ("< 0.2", [0.1], true), ("< 0.2", [0.1, 0.3], false), ("== 1", [1], true), (">= 3", [3], true), ("!= 0", [0], false),
            ("<0.2", [.nan], false),
            ("< 0.2", [], false),
        ] as [(String, [Double], Bool)])
    func conditions(text: String, values: [Double], isMet: Bool) throws {
        let condition = try #require(Condition(text))
        #expect(condition.verdict(values, emptyIsFine: false).isMet == isMet)
    }

    @Test("what is no condition", arguments: ["", "0.2", "<", "< x", "=< 1", "< 1 2", "< inf"])
    func noCondition(text: String) { #expect(Condition(text) == nil) }
}
