import BotCore
import Support
import TSDB
import Testing

/// A human in the loop.
struct ApprovalTests {
    private func asking() throws -> (Scene, BotSnapshot.Approval) {
        let policy = BotPolicy.restarting { policy in
            policy.mode = .approval
            policy.escalateAfter = nil
        }
        var scene = try Scene(policy)
        try scene.fire(.firing("APIHighLatency"))
        return (scene, try #require(scene.bot.snapshot(at: scene.now).approvals.first))
    }

    private func signature(_ approval: BotSnapshot.Approval) -> String { String(approval.link.split(separator: "=").last ?? "") }

    @Test("nothing is done before somebody approves; the link is in the notice and works once")
    func approves() throws {
        var (scene, approval) = try asking()
        try scene.advance(.minutes(5))
        #expect(scene.works.isEmpty)
        #expect(scene.notices.first { $0.kind == .approval }?.link == approval.link)
        let sign = signature(approval)
        #expect(try scene.bot.decide(approval.id, .approve, signature: sign, approver: "link", at: scene.now) == .done(.approve))
        try scene.settle()
        #expect(scene.works.count == 1)
        #expect(try scene.bot.decide(approval.id, .approve, signature: sign, approver: "link", at: scene.now) == .tooLate)
        try scene.settle()
        #expect(scene.works.count == 1)
        #expect(scene.records.filter { $0.event == .approval }.map(\.result) == ["pending", "approved", "replayed"])
        #expect(scene.records.first { $0.result == "approved" }?.approver == "link")
    }

    @Test("a replayed link does nothing after a restart either")
    func replayedAfterRestart() throws {
        var (scene, approval) = try asking()
        #expect(try scene.bot.decide(approval.id, .approve, signature: signature(approval), approver: "link", at: scene.now) == .done(.approve))
        try scene.settle()
        try scene.restart()
        #expect(try scene.bot.decide(approval.id, .approve, signature: signature(approval), approver: "link", at: scene.now) == .tooLate)
        try scene.advance(.minutes(1))
        #expect(scene.works.count == 1)
    }

    @Test("forged signatures do nothing and are written down", arguments: TestSeed.seeds(4))
    func forged(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var (scene, approval) = try asking()
        let right = Array(signature(approval))
        for attempt in 0..<200 {
            var forged = right
            switch attempt % 4 {
            case 0: forged[Int.random(in: 0..<forged.count, using: &random)] = "~"
            case 1: forged.removeLast(Int.random(in: 1...forged.count, using: &random))
            case 2: forged += Array("A")
            default: forged = forged.shuffled(using: &random) + ["x"]
            }
            let answer = try scene.bot.decide(approval.id, .approve, signature: String(forged), approver: "link", at: scene.now)
            #expect(answer == .forged, "seed \(seed)")
            scene.now = scene.now + .seconds(1)
        }
        // Another step, another incident, the other's signature.
        #expect(try scene.bot.decide("\(approval.incident)-1", .approve, signature: String(right), approver: "", at: scene.now) == .tooLate)
        #expect(try scene.bot.decide("0000000000000000-0", .approve, signature: String(right), approver: "", at: scene.now) == .unknown)
        #expect(try scene.bot.decide("../../x", .approve, signature: String(right), approver: "", at: scene.now) == .unknown)
        try scene.settle()
        #expect(scene.works.isEmpty)
        let refused = scene.records.filter { $0.result == "forged" }.count
        // Bounded: nobody fills the disk with bad links.
        #expect((100...160).contains(refused), "\(refused)")
    }

    @Test("a link of another bot's key is forged")
    func otherKey() throws {
        var (scene, approval) = try asking()
        let other = Approvals(key: Array(repeating: 8, count: 32)).signature(approval.id, until: approval.until)
        #expect(try scene.bot.decide(approval.id, .approve, signature: other, approver: "", at: scene.now) == .forged)
    }

    @Test("after its expiry a link is refused, and people are told that nobody came")
    func expires() throws {
        var (scene, approval) = try asking()
        scene.now = approval.until
        #expect(try scene.bot.decide(approval.id, .approve, signature: signature(approval), approver: "", at: scene.now) == .expired)
        try scene.advance(.seconds(2))
        #expect(scene.works.isEmpty)
        #expect(scene.records.filter { $0.event == .approval }.map(\.result) == ["pending", "expired-link", "expired"])
        #expect(scene.records.contains { $0.event == .escalated && $0.reason == "nobody approved in time" })
    }

    @Test("denied is denied: nothing is done, and it stays written who said so")
    func denies() throws {
        var (scene, approval) = try asking()
        #expect(try scene.bot.decide(approval.id, .deny, signature: signature(approval), approver: "link from ::1", at: scene.now) == .done(.deny))
        try scene.advance(.minutes(5))
        #expect(scene.works.isEmpty)
        #expect(scene.records.contains { $0.result == "denied" && $0.approver == "link from ::1" })
    }

    @Test("what is resolved meanwhile needs no approval any more")
    func resolvedMeanwhile() throws {
        var (scene, approval) = try asking()
        try scene.fire(.firing("APIHighLatency").resolved())
        #expect(try scene.bot.decide(approval.id, .approve, signature: signature(approval), approver: "", at: scene.now) == .tooLate)
        try scene.settle()
        #expect(scene.works.isEmpty)
    }
}
