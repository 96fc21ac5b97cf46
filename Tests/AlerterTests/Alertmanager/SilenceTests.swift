import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: silences (A-DED-15)")
struct SilenceTests {
    private let now = Stage.start
    private let a = Matcher.name("A")

    private func error(_ stage: Stage, _ draft: SilenceDraft) -> SilenceError? {
        do throws(SilenceError) {
            _ = try stage.manager.setSilence(draft, at: stage.now)
            return nil
        } catch { return error }
    }

    @Test("all matchers of a set must match; one set is enough")
    func sets() throws {
        let stage = try Stage(.simple())
        let draft = SilenceDraft(
            matcherSets: [
                [SilenceMatcher(.equal, name: "alertname", value: "A"), SilenceMatcher(.regex, name: "job", value: "x.*")],
                [SilenceMatcher(.notEqual, name: "team", value: "db"), SilenceMatcher(.equal, name: "alertname", value: "B")],
            ], endsAt: now + .hours(1))
        let id = try stage.manager.setSilence(draft, at: now)
        for (labels, isSilenced) in [
            (["alertname": "A", "job": "xy"], true), (["alertname": "A", "job": "yx"], false), (["alertname": "A"], false),
            (["alertname": "B"], true), (["alertname": "B", "team": "db"], false),
        ] as [(Labels, Bool)] {
            stage.fire(labels)
            let view = stage.manager.alerts(at: now).first { $0.alert.labels == labels }
            #expect(view?.status.silencedBy == (isSilenced ? [id] : []))
        }
    }

    @Test("what makes no silence is refused in upstream's words")
    func refusals() throws {
        let stage = try Stage(.simple())
        func text(_ matchers: [SilenceMatcher]...) -> String? {
            error(stage, SilenceDraft(matcherSets: matchers, endsAt: now + .hours(1)))?.message
        }
        #expect(text() == "invalid silence: at least one matcher set required")
        #expect(text([]) == "invalid silence: matcher set 0 is empty")
        #expect(
            text([SilenceMatcher(.equal, name: "", value: "x")])
                == #"invalid silence: invalid label matcher 0 in set 0: invalid label name """#)
        #expect(
            text([SilenceMatcher(.equal, name: "a", value: "b"), SilenceMatcher(.regex, name: "a", value: "(")])
                == #"invalid silence: invalid label matcher 1 in set 0: invalid regular expression "(": error parsing regexp: missing closing ): `(`"#
        )
        for matcher in [SilenceMatcher(.equal, name: "a", value: ""), SilenceMatcher(.regex, name: "a", value: ".*")] {
            #expect(
                text([matcher]) == "invalid silence: matcher set 0: at least one matcher must not match the empty string")
        }
        #expect(text([SilenceMatcher(.notRegex, name: "a", value: "x")]) == nil)

        #expect(
            error(stage, SilenceDraft([a], from: now, to: now))?.message
                == "Failed to create silence: start time must be before end time")
        #expect(
            error(stage, SilenceDraft([a], from: now - .hours(2), to: now - .hours(1)))?.message
                == "Failed to create silence: end time can't be in the past")
        #expect(error(stage, SilenceDraft(id: "x", [a], to: now + .hours(1))) == SilenceError(.notFound, "silence not found"))
    }

    @Test("there is room for so many silences, and for so many bytes of each")
    func limits() throws {
        var options = Stage.options
        options.maximumSilences = 1
        options.maximumSilenceBytes = 200
        let stage = try Stage(.simple(), options: options)
        #expect(
            error(stage, SilenceDraft([a], to: now + .hours(1), comment: String(repeating: "x", count: 200)))?.message
                .hasPrefix("silence exceeded maximum size: ") == true)
        let id = try stage.silence(a, for: .hours(1))
        #expect(
            error(stage, SilenceDraft([a], to: now + .hours(1)))?.message
                == "exceeded maximum number of silences: 1 (limit: 1)")
        // Changing the one there is does not need room.
        #expect(error(stage, SilenceDraft(id: id, [a], from: now, to: now + .hours(2))) == nil)
    }

    @Test("states follow from the time; a start in the past is now")
    func states() throws {
        let stage = try Stage(.simple())
        let id = try stage.manager.setSilence(SilenceDraft([a], from: now - .hours(5), to: now + .hours(1)), at: now)
        let silence = try #require(stage.manager.silence(id))
        #expect(silence.startsAt == now)
        #expect(silence.state(at: now - .milliseconds(1)) == .pending)
        #expect(silence.state(at: now) == .active)
        #expect(silence.state(at: now + .hours(1)) == .expired)
        #expect(id.utf8.count == 36 && Array(id.utf8)[14] == UInt8(ascii: "4"))
    }

    @Test("a change that leaves the past alone keeps the id; any other ends the old one and makes a new one")
    func changes() throws {
        let stage = try Stage(.simple())
        let id = try stage.manager.setSilence(SilenceDraft([a], to: now + .hours(1)), at: now)
        stage.now = now + .minutes(10)
        func set(_ draft: SilenceDraft) throws -> String { try stage.manager.setSilence(draft, at: stage.now) }
        // Active: another end, same second of start.
        #expect(try set(SilenceDraft(id: id, [a], from: now + .milliseconds(999), to: now + .hours(3))) == id)
        #expect(stage.manager.silence(id)?.endsAt == now + .hours(3))
        // Another start, or other matchers: a new one from now on.
        let second = try set(SilenceDraft(id: id, [a], from: now + .seconds(1), to: now + .hours(3)))
        #expect(second != id)
        #expect(stage.manager.silence(id)?.endsAt == stage.now)
        #expect(stage.manager.silence(second)?.startsAt == stage.now)
        let third = try set(SilenceDraft(id: second, [.name("B")], from: stage.now, to: now + .hours(3)))
        #expect(third != second)
        // Expired: never in place.
        #expect(try set(SilenceDraft(id: id, [a], from: now, to: now + .hours(3))) != id)

        // Pending: any times from now on, in place.
        let pending = try set(SilenceDraft([a], from: now + .hours(5), to: now + .hours(6)))
        #expect(try set(SilenceDraft(id: pending, [a], from: now + .hours(2), to: now + .hours(7))) == pending)
        #expect(try set(SilenceDraft(id: pending, [a], from: stage.now - .seconds(1), to: now + .hours(7))) != pending)
    }

    @Test("ending is at once: an active one ends now, a pending one begins and ends now, an ended one is left alone")
    func ending() throws {
        let stage = try Stage(.simple())
        let active = try stage.silence(a, for: .hours(1))
        let pending = try stage.manager.setSilence(SilenceDraft([a], from: now + .hours(1), to: now + .hours(2)), at: now)
        stage.now = now + .minutes(1)
        for id in [active, pending] { try stage.manager.expireSilence(id, at: stage.now) }
        #expect(stage.manager.silence(active)?.startsAt == now)
        #expect(stage.manager.silence(active)?.endsAt == stage.now)
        #expect(stage.manager.silence(pending)?.startsAt == stage.now)
        #expect(stage.manager.silence(pending)?.endsAt == stage.now)
        try stage.manager.expireSilence(active, at: now + .minutes(5))
        #expect(stage.manager.silence(active)?.endsAt == stage.now)
        #expect(throws: SilenceError.notFound) { try stage.manager.expireSilence("nobody", at: stage.now) }
    }

    @Test("a silence is kept for the retention after its end")
    func retention() throws {
        let stage = try Stage(.simple())
        let id = try stage.silence(a, for: .hours(1))
        stage.run(for: .hours(120))
        #expect(stage.manager.silence(id) != nil)
        stage.run(for: .hours(2))
        #expect(stage.manager.silence(id) == nil)
        #expect(stage.manager.statistics(at: stage.now).expiredSilences == 0)
    }

    @Test("they are listed active, pending, expired, each by what comes next, and by the matchers they have")
    func list() throws {
        let stage = try Stage(.simple())
        func add(_ name: String, _ from: Int64, _ to: Int64) throws {
            _ = try stage.manager.setSilence(
                SilenceDraft([.name(name)], from: now + .hours(from), to: now + .hours(to)), at: now)
        }
        try add("E1", 0, 1)
        try add("E2", 0, 2)
        try add("A1", 0, 9)
        try add("A2", 0, 8)
        try add("P1", 7, 9)
        try add("P2", 6, 9)
        let later = now + .hours(3)
        #expect(stage.manager.silences(at: later).map { $0.matchers[0].value } == ["A2", "A1", "P2", "P1", "E2", "E1"])
        #expect(stage.manager.silences(in: [.pending], at: later).count == 2)
        #expect(stage.manager.silences(matching: [.name("A1")], at: later).count == 1)
        #expect(stage.manager.silences(matching: [.equal("job", "A1")], at: later).isEmpty)
    }

    @Test("a silence made, changed, ended: the next flush knows, each alert being matched against each silence once")
    func flushes() throws {
        #expect(
            try play(
                """
                A          xxxxxxxxxxxxxx
                silence A  sss...........
                """) == "---F----------")
        #expect(
            try play(
                """
                A          xxxxxxxxxxxxxx
                B          ...xxxxxxxxxxx
                silence B  ....sss.......
                """) == "-F-----N------")
    }

    @Test("of two silences one may end and the other still hold")
    func two() throws {
        let stage = try Stage(.simple())
        stage.fire(["alertname": "A"], for: .hours(9))
        let first = try stage.silence(a, for: .hours(9))
        stage.run(for: .minutes(2))
        try stage.silence(a, for: .minutes(5))
        try stage.manager.expireSilence(first, at: stage.now)
        stage.run(for: .minutes(4))
        #expect(stage.attempts.isEmpty)
        stage.run(for: .minutes(2))
        #expect(stage.told == ["7:30 ops first_notification A"])
    }
}
