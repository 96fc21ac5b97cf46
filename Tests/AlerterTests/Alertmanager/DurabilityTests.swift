import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: what survives (A-DED-17)")
struct DurabilityTests {
    private let now = Stage.start
    private let a = Matcher.name("A")

    // MARK: Kill and power cut

    @Test("a silence that was acknowledged holds after a kill and after a power cut; so does its end")
    func silenceSurvives() throws {
        for powerCut in [nil, 7] as [UInt64?] {
            let stage = try Stage(.simple())
            let first = try stage.silence(a, for: .hours(1))
            let second = try stage.silence(.name("B"), for: .hours(1))
            try stage.manager.expireSilence(second, at: stage.now)
            let before = stage.manager.silences(at: stage.now)
            try stage.restart(powerCut: powerCut)
            #expect(stage.manager.silences(at: stage.now) == before)
            stage.fire(["alertname": "A"])
            stage.fire(["alertname": "B"])
            stage.run(for: .minutes(2))
            #expect(stage.told == ["0:30 ops first_notification B"])
            #expect(stage.manager.silence(first) != nil)
        }
    }

    @Test("a notification that was finished is not repeated after a kill or a power cut; its end is told")
    func notificationSurvives() throws {
        for powerCut in [nil, 7] as [UInt64?] {
            let stage = try Stage(.simple())
            stage.fire(["alertname": "A"], for: .minutes(10))
            stage.run(for: .minutes(1))
            try stage.restart(powerCut: powerCut)
            stage.report(["alertname": "A"], startsAt: Stage.start, endsAt: stage.now + .minutes(10))
            stage.run(for: .minutes(5))
            try stage.restart(powerCut: powerCut)
            stage.report(["alertname": "A"], startsAt: Stage.start, endsAt: stage.now)
            stage.run(for: .minutes(5))
            #expect(stage.told == ["0:30 ops first_notification A", "6:00 ops all_alerts_resolved A!"])
        }
    }

    @Test("stories with kills in them")
    func stories() throws {
        #expect(
            try play(
                """
                restart  ....k....k..k....
                A        xxxxxxxxxxxxr....
                """) == "-F----------A----")
        // Killed before it was told: told after.
        #expect(
            try play(
                """
                restart  ..k......
                A        xxxxxxxxx
                down     .dd......
                """) == "---F-----")
    }

    // MARK: Alerts that nobody reports after the restart

    @Test("what ends while everything is dead is told as over once, when nobody has reported it for ten minutes")
    func endsWhileDead() throws {
        for powerCut in [nil, 7] as [UInt64?] {
            let stage = try Stage(.simple())
            stage.report(
                ["alertname": "A", "job": "api"], endsAt: stage.now + .minutes(4), annotations: ["summary": "A is down"])
            stage.run(for: .minutes(1))
            stage.now = stage.now + .hours(2)
            var ends: [Annotations] = []
            stage.answer = { delivery, _ in
                ends += delivery.notification.alerts.filter { $0.endsAt != nil }.map(\.annotations)
                return .sent
            }
            try stage.restart(powerCut: powerCut)
            #expect(stage.manager.alerts(at: stage.now).count == 1)
            stage.run(for: .minutes(30))
            #expect(stage.told == ["0:30 ops first_notification A", "131:00 ops all_alerts_resolved A!"])
            #expect(ends == [["summary": "A is down"]])
            try stage.restart(powerCut: powerCut)
            stage.run(for: .minutes(30))
            #expect(stage.told.count == 2)
        }
    }

    @Test("an alert that goes on firing is not told as over, however long its sender is silent after a restart, up to ten minutes")
    func goesOn() throws {
        let stage = try Stage(.simple())
        stage.fire(["alertname": "A"], for: .minutes(4))
        stage.fire(["alertname": "B"], for: .minutes(4))
        stage.run(for: .minutes(1))
        stage.now = stage.now + .hours(1)
        try stage.restart()
        stage.run(for: .minutes(9))
        for _ in 0..<20 {
            stage.fire(["alertname": "A"], for: .minutes(4))
            stage.run(for: .minutes(1))
        }
        #expect(stage.told == ["0:30 ops first_notification A,B", "71:00 ops new_resolved_alerts_in_group A,B!"])
    }

    @Test("an end that could not be told before the kill is told after it, once")
    func untoldEnd() throws {
        let stage = try Stage(.simple())
        stage.fire(["alertname": "A"], for: .minutes(10))
        stage.run(for: .minutes(1))
        stage.answer = { _, _ in Stage.busy }
        stage.resolve(["alertname": "A"])
        stage.run(for: .minutes(3))
        stage.answer = { _, _ in .sent }
        stage.now = stage.now + .hours(1)
        try stage.restart(powerCut: 3)
        stage.run(for: .minutes(5))
        #expect(stage.told == ["0:30 ops first_notification A", "64:00 ops all_alerts_resolved A!"])
        // Told, and not told again though another alert of the group is.
        stage.fire(["alertname": "B"], for: .hours(9))
        stage.run(for: .minutes(2))
        try stage.restart(powerCut: 3)
        stage.fire(["alertname": "B"], for: .hours(9))
        stage.run(for: .minutes(20))
        #expect(stage.told.count == 3)
        #expect(stage.told.last?.hasSuffix("first_notification B") == true)
    }

    @Test("an alert that was not told before the kill is told after it, though its sender is gone")
    func untoldFiring() throws {
        let stage = try Stage(.simple())
        stage.fire(["alertname": "A"], for: .minutes(4))
        stage.run(for: .seconds(10))
        try stage.restart(powerCut: 1)
        stage.run(for: .minutes(20))
        #expect(stage.told == ["1:10 ops first_notification A", "10:10 ops all_alerts_resolved A!"])
    }

    @Test("the file of alerts grows with what happens, not with reports, and is empty in the end")
    func alertFileIsSmall() throws {
        let stage = try Stage(.simple(repeatInterval: .hours(400)))
        stage.fire(["alertname": "A"], for: .minutes(4))
        let size = stage.files.bytes(of: "data/alerts")?.count ?? 0
        #expect(size > 0)
        for _ in 0..<10 {
            stage.run(for: .seconds(30))
            stage.fire(["alertname": "A"], for: .minutes(4))
        }
        #expect(stage.files.bytes(of: "data/alerts")?.count == size)
        stage.resolve(["alertname": "A"])
        stage.run(for: .minutes(20))
        #expect(stage.files.bytes(of: "data/alerts") == [])
        // Between two maintenances as well.
        for _ in 0..<10_000 {
            stage.fire(["alertname": "A"], for: .hours(1))
            stage.resolve(["alertname": "A"])
        }
        #expect(stage.files.bytes(of: "data/alerts")?.count ?? 0 < 2 << 20)
    }

    // MARK: Damage

    /// A directory with three silences and two log entries.
    private func populated() throws -> MemoryFileStore {
        let stage = try Stage(.simple(groupBy: ["alertname"]))
        for name in ["X", "Y", "Z"] { try stage.silence(.name(name), for: .hours(1)) }
        for name in ["A", "B"] { stage.fire(["alertname": name]) }
        stage.run(for: .minutes(1))
        return stage.files
    }

    private func opened(_ bytes: [UInt8], as name: String, beside files: MemoryFileStore) throws -> (Stage, MemoryFileStore) {
        let copy = files.crashClone(dropping: 0, seed: 0)
        copy.put(bytes, at: "data/" + name)
        let stage = try Stage(.simple(groupBy: ["alertname"]), files: copy)
        return (stage, copy)
    }

    private func count(of name: String, _ stage: Stage) -> Int {
        switch name {
        case "silences": stage.manager.silences(at: now).count
        case "nflog": stage.manager.statistics(at: now).notificationLogEntries
        default: stage.manager.alerts(at: now).count
        }
    }

    private func damage(of name: String, _ statistics: AlertmanagerStatistics) -> AlertmanagerStatistics.StateFileCounts {
        switch name {
        case "silences": statistics.silenceFile
        case "nflog": statistics.notificationLogFile
        default: statistics.alertFile
        }
    }

    @Test("a file cut at any byte gives what precedes the cut, and goes on from there", arguments: ["silences", "nflog", "alerts"])
    func cuts(name: String) throws {
        let files = try populated()
        let bytes = try #require(files.bytes(of: "data/" + name))
        var whole = 0, boundaries: Set<Int> = [0]
        while whole < bytes.count {
            var reader = ProtobufReader(bytes[whole...])
            _ = try reader.delimited()
            whole = reader.position
            boundaries.insert(whole)
        }
        for cut in 0...bytes.count {
            let (stage, copy) = try opened(Array(bytes[..<cut]), as: name, beside: files)
            let statistics = stage.manager.statistics(at: now)
            let expected = boundaries.filter { $0 <= cut }.count - 1
            let count = count(of: name, stage)
            #expect(count == expected, "cut at \(cut)")
            let damage = damage(of: name, statistics)
            #expect((damage.damagedBytes > 0) == !boundaries.contains(cut), "cut at \(cut)")
            // What comes next is not behind the torn bytes.
            if name == "silences" {
                try stage.silence(.name("W"), for: .hours(1))
                let again = try Stage(.simple(), files: copy.crashClone(dropping: 1, seed: 3))
                #expect(again.manager.statistics(at: now).activeSilences == expected + 1)
                #expect(again.manager.statistics(at: now).silenceFile.damagedBytes == 0)
            }
        }
    }

    @Test("a damaged byte costs one record at most, is counted, and a copy is kept", arguments: ["silences", "nflog", "alerts"])
    func flips(name: String) throws {
        let files = try populated()
        let bytes = try #require(files.bytes(of: "data/" + name))
        let total = name == "silences" ? 3 : 2
        for position in bytes.indices {
            for mask in [0x01, 0x10, 0x80, 0xff] as [UInt8] {
                var damaged = bytes
                damaged[position] ^= mask
                let (stage, copy) = try opened(damaged, as: name, beside: files)
                let statistics = stage.manager.statistics(at: now)
                let damage = damage(of: name, statistics)
                let count = count(of: name, stage)
                #expect(count >= total - 1, "byte \(position) ^ \(mask)")
                if count < total { #expect(damage.damagedBytes > 0 || name != "silences" || count == total - 1) }
                if damage.damagedBytes > 0 { #expect(copy.bytes(of: "data/\(name).damaged") == damaged) }
            }
        }
    }

    @Test("garbage is no reason not to start")
    func garbage() throws {
        var random = SeededRandom(seed: 3)
        for length in [1, 2, 50, 1000] {
            let files = MemoryFileStore()
            for name in ["silences", "nflog", "alerts", "history.jsonl", "history.1.jsonl"] {
                files.put((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }, at: "data/" + name)
            }
            let stage = try Stage(.simple(), files: files)
            #expect(stage.manager.silences(at: now).isEmpty)
            try stage.silence(a, for: .hours(1))
        }
    }

    // MARK: A disk that fails

    @Test("whichever operation fails, what was acknowledged is there afterwards, also after a power cut")
    func faults() throws {
        var number = 1, isDone = false
        while !isDone {
            let files = MemoryFileStore()
            let stage = try Stage(.simple(), files: files)
            let fails = number
            files.setFault { operation, _ in operation == fails ? .failure("No space left on device") : nil }
            var acknowledged: Set<String> = [], told = 0
            for name in ["A", "B", "C"] {
                if let id = try? stage.silence(.name(name), for: .hours(1)) { acknowledged.insert(id) }
            }
            if let id = acknowledged.first, (try? stage.manager.expireSilence(id, at: stage.now)) != nil {
                acknowledged.remove(id)
            }
            stage.fire(["alertname": "D"], for: .hours(2))
            stage.run(for: .minutes(16))  // maintenance comes
            if let id = try? stage.silence(.name("E"), for: .hours(1)) { acknowledged.insert(id) }
            stage.run(for: .minutes(1))
            told = stage.told.count
            isDone = files.operationCount < fails
            files.setFault(nil)
            let now = stage.now
            let after = try Stage(.simple(), files: files.crashClone(dropping: 1, seed: UInt64(number)))
            after.now = now
            let there = Set(after.manager.silences(in: [.active], at: now).map(\.id))
            #expect(there.isSuperset(of: acknowledged), "operation \(number)")
            #expect(told == 1)
            #expect(after.manager.statistics(at: now).notificationLogEntries == 1, "operation \(number)")
            number += 1
        }
        #expect(number > 15)
    }

    @Test("a disk that is full refuses silences and delivers notifications; when there is room again, all is written")
    func fullDisk() throws {
        let files = MemoryFileStore()
        let stage = try Stage(.simple(), files: files)
        let kept = try stage.silence(a, for: .hours(9))
        files.setFault { _, operation in
            switch operation {
            case .append(_, let count): .shortWrite(count / 2, "No space left on device")
            default: nil
            }
        }
        #expect(throws: SilenceError.self) { try stage.silence(.name("B"), for: .hours(9)) }
        #expect(stage.manager.silences(at: stage.now).map(\.id) == [kept])
        stage.fire(["alertname": "B"], for: .hours(9))
        stage.run(for: .minutes(2))
        #expect(stage.told.count == 1)
        files.setFault(nil)
        let second = try stage.silence(.name("B"), for: .hours(9))
        stage.run(for: .minutes(1))
        try stage.restart(powerCut: 5)
        #expect(Set(stage.manager.silences(at: stage.now).map(\.id)) == [kept, second])
        #expect(stage.manager.statistics(at: stage.now).notificationLogEntries == 1)
        #expect(stage.manager.statistics(at: stage.now).silenceFile.damagedBytes == 0)
    }

    // MARK: Maintenance

    @Test("maintenance forgets what is too old and leaves one record of each thing")
    func maintenance() throws {
        let stage = try Stage(.simple(groupInterval: .minutes(1), repeatInterval: .minutes(2)))
        let id = try stage.silence(a, for: .hours(1))
        for _ in 0..<5 {
            _ = try stage.manager.setSilence(SilenceDraft(id: id, [a], from: now, to: now + .hours(2)), at: stage.now)
        }
        stage.fire(["alertname": "B"], for: .minutes(14))
        stage.run(for: .minutes(14))
        let before = stage.files.bytes(of: "data/silences")?.count ?? 0
        stage.run(for: .minutes(2))
        let after = stage.files.bytes(of: "data/silences")?.count ?? 0
        #expect(after > 0 && after * 5 < before)
        stage.run(for: .minutes(30))
        #expect(stage.files.bytes(of: "data/nflog") == [])
        #expect(stage.manager.statistics(at: stage.now).notificationLogFile.maintenances == 3)
    }

    @Test("in memory only, no file is touched")
    func memoryOnly() throws {
        var options = AlertmanagerOptions()
        options.directory = nil
        let stage = try Stage(.simple(), options: options)
        try stage.silence(a, for: .hours(1))
        stage.fire(["alertname": "B"])
        stage.run(for: .hours(1))
        #expect(stage.files.paths.isEmpty)
        #expect(stage.told.count == 2)
    }

    // MARK: Bytes

    @Test("records survive writing and reading, whatever they hold")
    func roundTrip() throws {
        for seed in TestSeed.seeds(20) {
            var random = SeededRandom(seed: seed)
            func text() -> String { String(["", "a", "é", "\"\\", "\u{0}x", "長い"].randomElement(using: &random) ?? "") }
            func time() -> Timestamp { Timestamp(milliseconds: Int64.random(in: -1_000_000...1_900_000_000_000, using: &random)) }
            let kinds: [Matcher.Kind] = [.equal, .notEqual, .regex, .notRegex]
            var silence = Silence(
                id: "id" + text(),
                matcherSets: try (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    try (0..<Int.random(in: 1...3, using: &random)).map { number in
                        try Matcher(kinds.randomElement(using: &random) ?? .equal, name: "n\(number)", value: "v.*")
                    }
                }, startsAt: time(), endsAt: time(), updatedAt: time(), createdBy: text(), comment: text(),
                annotations: ["k": text(), "l": text()])
            var raw = ProtobufWriter()
            raw.text(12, "from a newer version")
            silence.unknownFields = raw.bytes
            let record = SilenceRecord(silence, expiresAt: time())
            #expect(try SilenceRecord(decoding: record.encoded()[...]) == record, "seed \(seed)")

            let entry = NotificationRecord(
                key: .init(groupKey: "{}:{" + text() + "}", receiver: text(), integration: "webhook", index: 3),
                timestamp: time(), firing: (0..<3).map { _ in random.next() }, resolved: [0, 1], expiresAt: time(),
                unknownFields: raw.bytes)
            #expect(try NotificationRecord(decoding: entry.encoded()[...]) == entry, "seed \(seed)")
        }
    }
}
