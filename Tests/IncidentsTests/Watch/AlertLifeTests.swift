import Testing

@testable import Incidents

@Suite("The life of an incident, seen from outside")
struct AlertLifeTests {
    typealias Line = AlertLife.BotLine

    private static func line(_ event: String, _ alert: String = "A", ok: Bool? = nil, id: String? = nil) -> Line {
        Line(event: event, alert: alert, id: id ?? "\(event) \(alert) \(ok.map { "\($0)" } ?? "")", ok: ok)
    }

    /// One letter per second: alerts p(ending) f(iring) .(none); bot r(eceived) d(ecision) a(ction) v(erified) R(esolved), upper-case A, V: failed.
    private func play(_ alerts: String, _ bot: String, muted: [String] = [], actions: ClosedRange<Int> = 1...1) -> (AlertLife, [String]) {
        var life = AlertLife(alert: "A", muted: muted, actions: actions)
        var told: [String] = [], lines: [Line] = []
        #expect(life.begin(alerts: [:], lines: []) == nil)
        for (second, letter) in alerts.enumerated() {
            let states: [String: AlertLife.State] = letter == "p" ? ["A": .pending] : letter == "f" ? ["A": .firing] : [:]
            told += life.observe(alerts: states, at: .seconds(second)).map(\.text)
            let at = bot.index(bot.startIndex, offsetBy: second, limitedBy: bot.index(before: bot.endIndex))
            switch at.map({ bot[$0] }) {
            case "r": lines.append(Self.line("received"))
            case "d": lines.append(Self.line("decision", id: "d\(second)"))
            case "a": lines.append(Self.line("action", ok: true, id: "a\(second)"))
            case "A": lines.append(Self.line("action", ok: false, id: "a\(second)"))
            case "v": lines.append(Self.line("verified", ok: true, id: "v\(second)"))
            case "V": lines.append(Self.line("verified", ok: false, id: "v\(second)"))
            case "R": lines.append(Self.line("resolved"))
            case "m": lines.append(Self.line("decision", "B", id: "m\(second)"))
            default: break
            }
            // The log is asked for as a whole each time.
            told += life.observe(lines: lines, at: .seconds(second)).map(\.text)
        }
        return (life, told)
    }

    @Test("pending, firing, told, decided, done, verified, resolved: healed, and each thing told once")
    func healed() {
        let (life, told) = play(".pppffff....", ".....rdav.R.")
        #expect(life.objections == [])
        #expect(life.pendingAt == .seconds(1) && life.firingAt == .seconds(4) && life.inactiveAt == .seconds(8))
        #expect(
            told == [
                "A inactive → pending", "A pending → firing", "bot: received A", "bot: decision A", "bot: action A",
                "A firing → inactive", "bot: verified A", "bot: resolved A",
            ])
    }

    @Test(
        "whatever is missing, failed or too much is an objection",
        arguments: [
            ("............", "............", 1...1, "A was not seen pending"),
            (".fffffff....", ".....rdav.R.", 1...1, "A was not seen pending"),
            (".ppp........", "............", 1...1, "A was not seen firing"),
            (".pppffff....", "......dav.R.", 1...1, "the bot got no notification"),
            (".pppffff....", ".....r.av.R.", 1...1, "no decision"),
            (".pppffff....", ".....rd.v.R.", 1...1, "no action"),
            (".pppffff....", ".....rda..R.", 1...1, "not verified"),
            (".pppffff....", ".....rdAv.R.", 1...1, "the action failed"),
            (".pppffff....", ".....rdaV.R.", 1...1, "the verification failed"),
            (".pppffff....", ".....rdaavR.", 1...1, "2 actions"),
            (".pppffffffff", ".....rdav.R.", 1...1, "A is not resolved"),
            (".pppffff....", ".....rdav...", 1...1, "the bot did not hear that it is resolved"),
            (".pppffff....", ".....rdaavaR", 1...2, "3 actions"),
            (".pppffff....", ".....rdavmR.", 1...1, "1 × decision for an alert that should be inhibited"),
        ])
    func objections(alerts: String, bot: String, actions: ClosedRange<Int>, objection: String) {
        let (life, _) = play(alerts, bot, muted: ["B"], actions: actions)
        #expect(life.objections.contains(objection), "\(life.objections)")
    }

    @Test("one alert, one remedy: a second decision is one too many; where it has kin, it is not, and their remedy counts")
    func kin() {
        #expect(play(".pppffff....", ".....rddavR.").0.objections == ["2 decisions"])
        var life = AlertLife(alert: "A", kin: ["B"], actions: 1...1)
        #expect(life.begin(alerts: [:], lines: []) == nil)
        for (second, state) in [AlertLife.State.pending, .firing, .inactive].enumerated() {
            _ = life.observe(alerts: ["A": state, "B": state], at: .seconds(second))
        }
        let lines = [("received", "A"), ("received", "B"), ("decision", "B"), ("action", "B"), ("verified", "B"), ("decision", "A")]
        _ = life.observe(lines: lines.map { Self.line($0.0, $0.1) }, at: .seconds(3))
        #expect(life.objections == ["the bot did not hear that it is resolved"])
        _ = life.observe(lines: [Self.line("resolved", "A")], at: .seconds(4))
        #expect(life.objections == [])
    }

    @Test("two sources decide twice on one remedy; two actions are one too many still")
    func sources() {
        var life = AlertLife(alert: "A", actions: 1...1)
        for (second, state) in [AlertLife.State.pending, .firing, .inactive].enumerated() {
            _ = life.observe(alerts: ["A": state], at: .seconds(second))
        }
        func lines(_ source: String, _ events: [String]) -> [Line] {
            events.map { Line(event: $0, alert: "A", id: "\(source) \($0)", source: source) }
        }
        _ = life.observe(lines: lines("full", ["received", "decision", "action", "verified", "resolved"]), at: .seconds(3))
        _ = life.observe(lines: lines("minimal", ["received", "decision", "resolved"]), at: .seconds(3))
        #expect(life.objections == [])
        _ = life.observe(lines: lines("minimal", ["action"]), at: .seconds(4))
        #expect(life.objections == ["2 actions"])
    }

    @Test("a notice is no remedy")
    func notice() throws {
        let line = try BotLog.lines(#"{"event":"action","alert":"A","action":"notify","target":"pager","result":"ok"}"#)
        var life = AlertLife(alert: "A", actions: 1...1)
        #expect(life.observe(lines: line, at: .zero).count == 1 && !life.hasActed)
    }

    @Test("a summary of incidents says what it can; approvals that wait have links")
    func summary() throws {
        let page =
            #"{"incidents":[{"id":"5b","alert":"A","state":"verified","labels":{"x":"y"},"actions":1,"opened":5},{"id":"5c","alert":"A","state":"deciding","actions":0,"opened":6}],"approvals":[{"id":"5b-0","link":"/approve/5b-0?sig=x"},{"id":"6","link":"http://evil/"}],"log":{"lines":3}}"#
        let lines = try BotLog.lines(page)
        #expect(lines.map(\.event) == ["received", "decision", "action", "verified", "received"])
        // Resolved before the verification had its answer.
        let closed = #"[{"id":"5d","alert":"A","state":"closed","actions":1,"verified":true,"opened":5,"resolved":9}]"#
        #expect(try BotLog.lines(closed).map(\.event) == ["received", "decision", "action", "verified", "resolved"])
        #expect(try BotLog.lines(closed.replacing("true", with: "false")).map(\.event) == ["received", "decision", "action", "resolved"])
        #expect(BotLog.approvals(page) == ["/approve/5b-0?sig=x"] && BotLog.approvals("x") == [])
        #expect(BotLog.lines(ofFile: "{\"event\":\"received\",\"alert\":\"A\",\"hash\":\"1\"}\n{\"event\":\"dec").map(\.id) == ["1"])
    }

    @Test("an alert that comes back is not resolved; two actions may be one healing")
    func comesBack() {
        #expect(play(".pff..ff....", ".....rdav.R.").0.inactiveAt == .seconds(8))
        #expect(play(".pff..ffffff", ".....rdav.R.").0.objections == ["A is not resolved"])
        #expect(play(".pppffff....", ".....rdavRda", actions: 1...2).0.objections == [])
    }

    @Test("where the bot only tells somebody, no action is needed")
    func told() { #expect(play(".pppffff....", ".....rd...R.", actions: 0...1).0.objections == []) }

    @Test("what was there before does not count; an alert that fires already cannot be judged")
    func before() {
        var life = AlertLife(alert: "A", muted: [], actions: 1...1)
        #expect(life.begin(alerts: ["A": .firing], lines: []) == "A is firing already")
        #expect(life.begin(alerts: ["A": .inactive, "B": .firing], lines: [Self.line("action", id: "old")]) == nil)
        #expect(life.observe(lines: [Self.line("action", id: "old")], at: .zero) == [] && !life.hasActed)
    }

    @Test("what stands in the way is an alert of the incident's own, its kin or those it must keep quiet; no other")
    func obstacle() {
        let life = AlertLife(alert: "A", kin: ["K"], muted: ["M"], actions: 1...1)
        #expect(life.obstacle(alerts: ["HostHighCPU": .firing, "A": .inactive]) == nil)
        for name in ["A", "K", "M"] { #expect(life.obstacle(alerts: [name: .pending]) == "\(name) is pending already") }
    }

    @Test("a bot that cools down or has given up on a target says so in its page")
    func restraint() {
        let page = #"{"cooldowns":[{"target":"api","until":1}],"circuits":[{"target":"worker","until":1}]}"#
        #expect(BotLog.restraint(page, target: "api") == "api cools down from the bot's last action")
        #expect(BotLog.restraint(page, target: "worker") == "the bot's circuit of worker is open")
        #expect(
            BotLog.restraint(page, target: "web") == nil && BotLog.restraint("[]", target: "api") == nil
                && BotLog.restraint("x", target: "api") == nil)
    }

    @Test("lines of the bot's log are found whatever stands around them")
    func log() throws {
        let line =
            #"{"ts_ms":1,"event":"verified","incident_id":"i","alert":"A","action":"restart","target":"api","result":"ok","verify":{"ok":false,"after":2.5},"hash":"h1"}"#
        let wanted = Line(event: "verified", alert: "A", id: "h1", ok: false, detail: "restart api → ok now 2.500")
        for text in ["[\(line)]", #"{"incidents":[{"id":"i","log":[\#(line)]}]}"#, #"{"data":{"x":[[\#(line)]]}}"#] {
            #expect(try BotLog.lines(text) == [wanted])
        }
        let nested = try BotLog.lines(
            #"[{"id":"7","labels":{"alertname":"B"},"lines":[{"event":"received","ts_ms":5},{"event":"action","ts_ms":6,"result":"failed"}]}]"#)
        #expect(nested.map(\.alert) == ["B", "B"] && nested.map(\.ok) == [nil, false] && Set(nested.map(\.id)).count == 2)
        #expect(throws: IncidentError.self) { try BotLog.lines("<html>") }
    }
}
