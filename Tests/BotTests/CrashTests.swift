import BotCore
import Support
import TSDB
import Testing

/// The process ends at any moment, and begins again from the log.
struct CrashTests {
    @Test("killed between intent and done: written down as unknown, verified, not done again")
    func betweenIntentAndDone() throws {
        var scene = try Scene(.restarting())
        scene.values = { _ in [0.1] }
        // The query before the action is answered, the action's effect is not.
        try scene.bot.receive(Webhook(groupKey: "{}", alerts: [.firing("APIHighLatency")]), userAgent: "minprom", at: scene.now)
        for effect in scene.bot.takeEffects() {
            if case .query(let ticket, _, _) = effect { try scene.bot.found(ticket, [2], at: scene.now) }
        }
        #expect(scene.story == "received decision intent")
        try scene.restart()
        try scene.advance(.seconds(30))
        #expect(scene.works.isEmpty)
        #expect(scene.story == "received decision intent action verified")
        #expect(scene.records.first { $0.event == .action }?.result == "unknown")
    }

    @Test("cut anywhere, an incident's action is intended once and done at most once", arguments: TestSeed.seeds(20))
    func cutAnywhere(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        // Every number of whole lines, and a torn one behind them.
        var whole = try Scene(.restarting())
        try whole.fire(.firing("APIHighLatency"))
        try whole.advance(.seconds(30))
        try whole.fire(.firing("APIHighLatency").resolved())
        let bytes = whole.sink.bytes
        for _ in 0..<20 {
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let file = try IncidentLogFile(Array(bytes[..<cut]))
            let sink = MemorySink()
            try sink.append(Array(bytes[..<file.length]))
            var scene = try Scene(.restarting())
            scene.bot = Bot(.restarting(), log: file, approvals: scene.bot.approvals, to: sink)
            scene.now = whole.now
            // The webhook comes again, as after an answer that never arrived.
            try scene.fire(.firing("APIHighLatency"))
            try scene.advance(.minutes(3))
            let records = try IncidentLogFile(sink.bytes).records
            #expect(records.filter { $0.event == .intent }.count == 1, "seed \(seed), cut at \(cut)")
            let wasIntended = file.records.contains { $0.event == .intent }
            #expect(scene.works.count == (wasIntended ? 0 : 1), "seed \(seed), cut at \(cut)")
        }
    }

    @Test("a notice that was not delivered before a crash is delivered after it")
    func notices() throws {
        var policy = BotPolicy.restarting()
        policy.policies[0].steps = []
        policy.policies[0].escalatesAtOnce = true
        var scene = try Scene(policy)
        scene.isCut = true
        try scene.fire(.firing("APIHighLatency"))
        #expect(scene.notices.isEmpty)
        try scene.restart()
        try scene.advance(.seconds(2))
        #expect(scene.notices.count == 1)
        try scene.restart()
        try scene.advance(.seconds(2))
        #expect(scene.notices.count == 1)
    }

    @Test("waiting webhooks survive, in their order, and half-written ones are cleared away")
    func spool() throws {
        let files = MemoryFileStore()
        var spool = try WebhookSpool("/queue", files)
        for number in 0..<3 { try spool.add(Array("body \(number)".utf8), userAgent: "agent\nX: y") }
        try files.openForAppending("/queue/new.tmp").close()
        var again = try WebhookSpool("/queue", files)
        #expect(again.waiting.count == 3)
        let first = again.oldest()
        let oldest = try #require(first)
        #expect(String(decoding: oldest.body, as: UTF8.self) == "body 0" && oldest.userAgent == "agentX: y")
        again.done(oldest.number)
        #expect(try WebhookSpool("/queue", files).waiting.count == 2)
    }

    @Test("the log on the disk: a torn last line is cut off, a second writer is refused")
    func logFile() throws {
        let files = MemoryFileStore()
        var scene = try Scene(.restarting())
        try scene.fire(.firing("APIHighLatency"))
        let file = try files.openForAppending("/log")
        try (scene.sink.bytes + Array("{\"ts\":\"2026".utf8)).withUnsafeBytes { try file.append($0) }
        file.close()
        let (log, content) = try IncidentLog.open("/log", files)
        #expect(content.tornBytes == 11 && content.records.count == scene.records.count)
        #expect(try files.readAll("/log") == scene.sink.bytes)
        #expect(throws: BotError.self) { _ = try IncidentLog.open("/log", files) }
        log.close()
    }
}
