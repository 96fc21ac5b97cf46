import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: files of the original")
struct StateExchangeTests {
    private func bytes(_ hex: String) -> [UInt8] {
        var result: [UInt8] = [], digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }[...]
        while let high = digits.popFirst(), let low = digits.popFirst() { result.append(UInt8(high << 4 | low)) }
        return result
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("a silence as 0.33.1 wrote it is read, and written the same, times cut to milliseconds")
    func silence() throws {
        let text =
            "0aa0010a2434353437366466362d333538362d346264322d383164662d616435666263323632333634120e1209616c65"
            + "72746e616d651a0153120c080312036a6f621a03612e2a1a0b08b280b1d80610NANO22060880f0cbd9062a0b08b280b1"
            + "d80610NANO4203616e6e4a066465706c6f79520b0a067469636b65741201375a1e0a0e1209616c6572746e616d651a01"
            + "530a0c080312036a6f621a03612e2a120608809fe6d906"
        // 35,106,403 ns and 35,000,000 ns.
        let record = try SilenceRecord(decoding: bytes(text.replacing("NANO", with: "e3dcde10"))[...])
        #expect(record.silence.id == "45476df6-3586-4bd2-81df-ad5fbc262364")
        #expect(record.silence.matchers == [.name("S"), try Matcher(.notRegex, name: "job", value: "a.*")])
        #expect(record.silence.matcherSets.count == 1)
        #expect(record.silence.startsAt == Timestamp(milliseconds: 1_795_964_978_035))
        #expect(record.silence.endsAt == Timestamp(milliseconds: 1_798_502_400_000))
        #expect(record.silence.createdBy == "ann" && record.silence.comment == "deploy")
        #expect(record.silence.annotations == ["ticket": "7"])
        #expect(record.expiresAt == record.silence.endsAt + .hours(120))
        #expect(hex(record.encoded()) == text.replacing("NANO", with: "c09dd810"))
    }

    @Test("a log entry as 0.33.1 wrote it is read, and written the same; alerts have its hashes")
    func entry() throws {
        let text =
            "0a460a127b7d3a7b616c6572746e616d653d2241227d120e0a036f70731207776562686f6f6b2a0b08b380b1d80610NANO"
            + "3213a69af199baffc2d8c001939da598f4a3e7c706120b08d3b8b1d80610NANO"
        let record = try NotificationRecord(decoding: bytes(text.replacing("NANO", with: "8cb8d719"))[...])
        #expect(
            record.key == .init(groupKey: #"{}:{alertname="A"}"#, receiver: "ops", integration: "webhook", index: 0))
        #expect(record.timestamp == Timestamp(milliseconds: 1_795_964_979_053))
        #expect(record.expiresAt == record.timestamp + .hours(2))
        #expect(record.firing == ["1", "2"].map { NotificationHash.hash(["alertname": "A", "x": $0]) })
        #expect(record.resolved.isEmpty)
        #expect(hex(record.encoded()) == text.replacing("NANO", with: "c0eea219"))
    }

    /// Our part of `Tests/system/alertmanager_state.py`: goes on in a directory that the original has left, and leaves it for the
    /// original again.
    @Test(
        "a directory of the original is taken over and given back",
        .enabled(if: TestSeed.environment("MINPROM_STATE_DIRECTORY") != nil))
    func exchange() throws {
        var options = AlertmanagerOptions()
        options.directory = try #require(TestSeed.environment("MINPROM_STATE_DIRECTORY"))
        let now = Timestamp(milliseconds: try #require(TestSeed.environment("MINPROM_STATE_NOW").flatMap { Int64($0) }))
        let config = AlertmanagerConfig.simple(
            groupWait: .seconds(1), groupInterval: .seconds(5), repeatInterval: .hours(1), groupBy: ["alertname"])
        let manager = try Alertmanager(config, options: options, files: DiskFileStore(), random: SystemRandomNumberGenerator(), at: now)
        let silence = try #require(manager.silences(in: [.active], at: now).first)
        #expect(silence.comment == "theirs" && silence.matchers == [.name("S")])
        #expect(manager.statistics(at: now).silenceFile.damagedBytes == 0)
        #expect(manager.statistics(at: now).notificationLogFile.damagedBytes == 0)

        // A was told by the original, S is silenced, B is new.
        _ = manager.receive(
            [["alertname": "A", "x": "1"], ["alertname": "A", "x": "2"], ["alertname": "S"], ["alertname": "B"]].map {
                AlertReport(labels: $0)
            }, at: now)
        let later = now + .seconds(2)
        let deliveries = manager.advance(to: later)
        #expect(deliveries.map(\.notification.groupKey) == [#"{}:{alertname="B"}"#])
        for delivery in deliveries { manager.finish(delivery.id, .sent, at: later) }
        _ = try manager.setSilence(
            SilenceDraft(
                // One set: of a silence with several, the original's API lists nothing any more but answers 500.
                matcherSets: [[SilenceMatcher(.regex, name: "alertname", value: "T|U")]], endsAt: now + .hours(1), createdBy: "minprom",
                comment: "ours"), at: later)
        // Changed in place, so that an id stands twice in the file.
        _ = try manager.setSilence(
            SilenceDraft(
                id: silence.id, silence.matchers, from: silence.startsAt, to: now + .hours(3), createdBy: "minprom",
                comment: "theirs, longer"), at: later)
        if TestSeed.environment("MINPROM_STATE_CLOSES") != nil { manager.close(at: later) }
    }
}
