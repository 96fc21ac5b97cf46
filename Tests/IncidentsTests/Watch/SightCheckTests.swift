import Testing

@testable import Incidents

@Suite("What must be seen while an incident lasts")
struct SightCheckTests {
    /// Readings every five seconds; `acted` from that index on.
    private func play(_ kind: SightCheck.Kind, _ readings: [Double?], within: Duration? = nil, until: SightCheck.Until = .end, acted: Int = .max)
        -> String?
    {
        var check = SightCheck("x", "q", kind, within: within, until: until)
        for (index, value) in readings.enumerated() {
            check.observe(value.map { .value($0) } ?? .empty, at: .seconds(5 * index), hasActed: index >= acted)
        }
        return check.objection
    }

    @Test("p95 of a second's sleep: between 2.3 and 2.5 once the window is full")
    func range() {
        let kind = SightCheck.Kind.always(2.3...2.5, from: .seconds(20))
        #expect(play(kind, [nil, 0.005, 2.2, 2.41, 2.425, 2.425]) == nil)
        #expect(play(kind, [nil, 0.005, 2.2, 2.41, 2.425, 2.2]) == "2.200 at 25.0 s")
        #expect(play(kind, [2.6, 2.4, 2.4, 2.4, 2.4]) == "2.600 at 0.0 s")
        #expect(play(kind, [0.005, 0.1]) == "not seen; last reading 0.100")
        // After the bot has acted the window drains; those readings say nothing.
        #expect(play(kind, [nil, 2.2, 2.4, 2.425, 2.425, 1.9, 0.2], acted: 5) == nil)
        #expect(play(kind, [nil, 0.1, 2.4], acted: 2) == "not seen; last reading 2.400")
    }

    @Test("seen in time, or only after")
    func seen() {
        #expect(play(.seen(.equal(0)), [1, 1, 0, 1], within: .seconds(12)) == nil)
        #expect(play(.seen(.equal(0)), [1, 1, 1, 0], within: .seconds(12)) == "only after 15.0 s")
        #expect(play(.seen(.empty), [12, nil]) == nil && play(.seen(.above(0)), [0, 0]) == "not seen; last reading 0.000")
        #expect(play(.seen(.above(0)), []) == "no answer to the query")
    }

    @Test("never, up to the action, and at last")
    func others() {
        #expect(play(.never(.equal(0)), [1, 1, 0]) == "seen at 10.0 s")
        #expect(play(.never(.equal(0)), [1, 1, 0], until: .action, acted: 2) == nil)
        #expect(play(.never(.above(0)), [nil, 0]) == nil && play(.never(.above(0)), []) == "no answer to the query")
        #expect(play(.finally(.equal(1)), [1, 3, 1]) == nil && play(.finally(.equal(1)), [1, 3, 3]) == "not seen; last reading 3.000")
    }

    @Test("the arithmetic of the trap: all observations in (1, 2.5] give 1 + 1.5 × 0.95")
    func arithmetic() {
        let p95 = 1 + (2.5 - 1) * 0.95
        #expect(play(.always(2.3...2.5, from: .zero), [p95]) == nil && p95 == 2.425)
    }
}
