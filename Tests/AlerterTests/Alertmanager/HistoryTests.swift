import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: history")
struct HistoryTests {
    private let a: Labels = ["alertname": "A"]

    private func words(_ entries: [AlertHistoryEntry]) -> [String] {
        entries.reversed().map { entry in
            let seconds = (entry.time - Stage.start).milliseconds / 1000
            switch entry.event {
            case .fired(let labels): return "\(seconds) fired \(labels["alertname"] ?? "")"
            case .resolved(let labels): return "\(seconds) resolved \(labels["alertname"] ?? "")"
            case .notification(let told):
                return "\(seconds) \(told.receiver) \(told.integration) \(told.reason.rawValue) "
                    + "\(told.firing.count)+\(told.resolved.count) in \(told.attempts) "
                    + (told.outcome == .sent ? "sent" : "failed")
            case .silence(_, let change, let by, _): return "\(seconds) silence \(change.rawValue) by \(by)"
            }
        }
    }

    @Test("who was told what, when and why, and how alerts came and went; also after a restart")
    func story() throws {
        let stage = try Stage(.simple())
        stage.fire(a, for: .minutes(2))
        stage.run(for: .seconds(20))
        let id = try stage.silence(.name("B"), for: .hours(1))
        try stage.manager.expireSilence(id, at: stage.now)
        stage.answer = { delivery, _ in delivery.attempt < 3 ? Stage.busy : .sent }
        stage.run(for: .minutes(3))
        let expected = [
            "0 fired A", "20 silence created by test", "20 silence expired by test",
            "31 ops webhook[0] first_notification 1+0 in 3 sent", "120 resolved A",
            "151 ops webhook[0] all_alerts_resolved 0+1 in 3 sent",
        ]
        #expect(words(stage.manager.history()) == expected)
        try stage.restart()
        #expect(words(stage.manager.history()) == expected)
        // What fires goes on firing over a restart: no second entry.
        stage.fire(a, for: .hours(1))
        stage.run(for: .seconds(1))
        try stage.restart()
        stage.fire(a, for: .hours(1))
        #expect(words(stage.manager.history()).count == expected.count + 1)
        #expect(Set(stage.manager.history().map(\.number)).count == expected.count + 1)
    }

    @Test("asked for a time, an alert, labels, a receiver, so many")
    func query() throws {
        let stage = try Stage(.simple(groupBy: ["alertname"]))
        stage.fire(a, for: .hours(1))
        stage.run(for: .minutes(1))
        stage.fire(["alertname": "B"], for: .hours(1))
        stage.run(for: .minutes(1))
        func ask(_ change: (inout AlertHistoryQuery) -> Void) -> [String] {
            var query = AlertHistoryQuery()
            change(&query)
            return words(stage.manager.history(query))
        }
        #expect(ask { $0.since = Stage.start + .seconds(60) }.count == 2)
        #expect(ask { $0.until = Stage.start }.count == 1)
        #expect(
            ask { $0.fingerprint = Fingerprint(a) } == [
                "0 fired A", "30 ops webhook[0] first_notification 1+0 in 1 sent",
            ])
        #expect(ask { $0.matchers = [.name("B")] } == ["60 fired B"])
        #expect(ask { $0.receiver = "ops" }.count == 2)
        #expect(ask { $0.limit = 1 } == ["90 ops webhook[0] first_notification 1+0 in 1 sent"])
    }

    @Test("in memory so many entries, on disk two files of so many bytes; a torn line costs itself only")
    func bounds() throws {
        var options = Stage.options
        options.historyEntries = 10
        options.historyFileBytes = 1000
        let files = MemoryFileStore()
        let stage = try Stage(.simple(), options: options, files: files)
        for number in 0..<40 { stage.fire(["alertname": "A\(number)"], for: .hours(1)) }
        let kept = stage.manager.history()
        #expect(kept.count == 10 && kept.first?.number == 40)
        for name in ["history.jsonl", "history.1.jsonl"] { #expect(files.bytes(of: "data/" + name)?.count ?? 0 <= 1000) }
        var bytes = try #require(files.bytes(of: "data/history.jsonl"))
        bytes.removeLast(5)
        files.put(bytes, at: "data/history.jsonl")
        let again = try Stage(.simple(), options: options, files: files)
        #expect(again.manager.history().first?.number == 39)
        again.fire(["alertname": "new"])
        let third = try Stage(.simple(), options: options, files: files)
        #expect(third.manager.history().prefix(2).map(\.number) == [40, 39])
    }

    @Test("a line says all there is to say")
    func lines() throws {
        let told = AlertHistoryEntry.Told(
            receiver: "o\"p\\s", integration: "webhook[0]", groupKey: "{}:{a=\"\n\u{1}\"}", reason: .newlyResolved,
            firing: [Fingerprint(a)], resolved: [], attempts: 2,
            outcome: .failed(reason: "serverError", message: "500 é", isRetryable: true))
        for event in [
            .fired(["alertname": "A", "é": "\t"]), .resolved([:]), .notification(told),
            .silence(id: "x", change: .updated, by: "", comment: "\u{7f}"),
        ] as [AlertHistoryEntry.Event] {
            let entry = AlertHistoryEntry(number: 7, time: Stage.start, event: event)
            var line = HistoryLine.encoded(entry)
            #expect(line.hasSuffix("}\n") && !line.dropLast().contains("\n"))
            #expect(line.withUTF8 { HistoryLine.entry(UnsafeRawBufferPointer($0)) } == entry)
        }
    }
}
