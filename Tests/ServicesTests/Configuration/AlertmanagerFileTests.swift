import Alerter
import ConfigurationFile
import Support
import TSDB
import Testing

@Suite("Alertmanager's configuration becomes values, or an error that names file and line")
struct AlertmanagerFileTests {
    static let directory = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/alertmanager"
    static let goodFiles = ["all-fields.yml", "old-forms.yml", "slack-app.yml", "nulls.yml", "deep.yml"]

    static func text(_ file: String) throws(TSDBError) -> [UInt8] {
        try DiskFileStore().readAll(directory + "/" + file)
    }

    /// Reads `text` as `/etc/alertmanager/am.yml`; of all zones there is one, always an hour east.
    static func load(_ text: [UInt8], files: [String: String] = [:]) throws(ConfigError) -> AlertmanagerConfig {
        try AlertmanagerFile(path: "/etc/alertmanager/am.yml") { (path) throws(TSDBError) in
            if path.hasSuffix("zoneinfo/Europe/Berlin") { return zone }
            guard let content = files[path] else { throw TSDBError(.io, "\(path): no such file") }
            return Array(content.utf8)
        }.parse(text)
    }

    /// A TZif file of version 1: no transitions, one type.
    private static let zone: [UInt8] =
        Array("TZif".utf8) + [UInt8](repeating: 0, count: 16 + 4 * 4) + [0, 0, 0, 1, 0, 0, 0, 4] + [
            0, 0, 0x0e, 0x10, 0, 0,
        ] + Array("CET\0".utf8)

    private func load(_ text: String) throws(ConfigError) -> AlertmanagerConfig { try Self.load(Array(text.utf8)) }

    private func failure(_ text: String) -> String {
        do throws(ConfigError) {
            _ = try load(text)
            return "no error"
        } catch { return error.description }
    }

    // MARK: What is refused

    struct Broken: Sendable, CustomTestStringConvertible {
        var title: String
        var message: String
        var text: String
        var testDescription: String { title }
    }

    /// See broken.txt.
    static let broken: [Broken] = {
        let lines = String(decoding: (try? text("broken.txt")) ?? [], as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        var cases: [Broken] = []
        for line in lines {
            if line.hasPrefix("### ") {
                cases.append(Broken(title: String(line.dropFirst(4)), message: "", text: ""))
            } else if let last = cases.indices.last {
                for mark in ["# upstream: ", "# ours: "] where line.hasPrefix(mark) {
                    cases[last].message = String(line.dropFirst(mark.count))
                }
                cases[last].text += line + "\n"
            }
        }
        return cases
    }()

    @Test("what Alertmanager refuses is refused, in its words", arguments: broken)
    func refused(_ broken: Broken) {
        let failure = failure(broken.text)
        #expect(failure.hasPrefix("/etc/alertmanager/am.yml") && failure.hasSuffix(broken.message))
    }

    @Test("there are more than a hundred such cases")
    func enough() { #expect(Self.broken.count > 100) }

    @Test("receivers that we do not have are refused by name, at their line")
    func foreign() {
        for kind in [
            "discord", "incidentio", "opsgenie", "wechat", "pushover", "victorops", "sns", "telegram", "webex",
            "msteams", "msteamsv2", "jira",
            "rocketchat", "mattermost",
        ] {
            #expect(
                failure("route: {receiver: a}\nreceivers:\n- name: a\n  \(kind)_configs: [{}]")
                    == "/etc/alertmanager/am.yml:4: field \(kind)_configs of receiver is not supported yet")
        }
        #expect(
            failure("route: {receiver: a}\nreceivers: [{name: a}]\ntracing: {x: y}").hasSuffix(
                ":3: field tracing of the configuration is not supported yet"))
    }

    @Test("unknown fields are refused, wherever they stand")
    func unknown() {
        for (text, message) in [
            ("x: y\nroute: {receiver: a}\nreceivers: [{name: a}]", ":1: field x not found in the configuration"),
            ("global: {x: y}\nroute: {receiver: a}\nreceivers: [{name: a}]", ":1: field x not found in global"),
            ("route: {receiver: a, x: y}\nreceivers: [{name: a}]", ":1: field x not found in route"),
            ("route: {receiver: a}\nreceivers: [{name: a, x: y}]", ":2: field x not found in receiver"),
            (
                "route: {receiver: a}\nreceivers:\n- name: a\n  webhook_configs: [{url: 'http://x', x: y}]",
                ":4: field x not found in webhook_configs entry"
            ),
        ] { #expect(failure(text).hasSuffix(message)) }
    }

    // MARK: What is read

    @Test("routes inherit the receiver, the grouping and the intervals, and not when they are muted")
    func inheritance() throws {
        let config = try load(
            """
            route:
              receiver: a
              group_by: [x]
              group_wait: 1s
              repeat_interval: 2d
              routes:
              - matchers: [p=q]
                mute_time_intervals: [t]
                group_interval: 3m
                routes: [{matchers: [r=s], group_by: []}, {group_by: ['...'], routes: [{group_by: [y]}]}]
            time_intervals: [{name: t}]
            receivers: [{name: a}]
            """)
        let root = config.route, child = root.routes[0], grandchildren = child.routes
        #expect(root.groupInterval == .minutes(5) && root.groupWait == .seconds(1) && root.repeatInterval == .hours(48))
        #expect(
            child.receiver == "a" && child.groupBy == ["x"] && child.groupWait == .seconds(1)
                && child.groupInterval == .minutes(3))
        #expect(child.muteTimeIntervals == ["t"] && grandchildren[0].muteTimeIntervals == [])
        #expect(grandchildren[0].groupBy == [] && grandchildren[0].groupInterval == .minutes(3))
        #expect(
            grandchildren[1].groupsByAll && !grandchildren[1].routes[0].groupsByAll
                && grandchildren[1].routes[0].groupBy == ["y"])
    }

    @Test("email and Slack are silent about what is over, the others tell")
    func sendResolved() throws {
        let config = try Self.load(try Self.text("all-fields.yml"))
        let said = config.receivers[0].integrations.map { "\($0.kind)[\($0.index)] \($0.sendsResolved)" }
        #expect(
            said == [
                "email[0] false", "email[1] true", "pagerduty[0] true", "pagerduty[1] true", "slack[0] false",
                "slack[1] false", "webhook[0] true",
                "webhook[1] false", "webhook[2] true",
            ])
    }

    @Test("receivers take from global what they do not say")
    func global() throws {
        let config = try Self.load(try Self.text("all-fields.yml"))
        guard case .email(let first) = config.receivers[0].integrations[0].settings,
            case .email(let second) = config.receivers[0].integrations[1].settings,
            case .webhook(let hook) = config.receivers[0].integrations[6].settings,
            case .slack(let slack) = config.receivers[0].integrations[4].settings,
            case .pagerDuty(let pager) = config.receivers[0].integrations[2].settings
        else {
            Issue.record("integrations in another order")
            return
        }
        #expect(
            first.from == "alerts@example.org" && first.smarthost == "[::1]:587" && first.authPassword == .text("pass"))
        #expect(
            first.implicitTLS == true && !first.requiresTLS
                && first.tls.certificate == .file(path: "/etc/alertmanager/c.pem"))
        #expect(
            second.authPassword == .file(path: "/p") && second.authSecret == .text("secret")
                && second.implicitTLS == false)
        #expect(
            second.headers["X-Priority"] == "1" && second.headers["Subject"] == "hi"
                && second.headers["To"] == "a@example.org")
        #expect(second.html.isEmpty && !first.html.isEmpty && second.threading == .byGroupAndDay)
        #expect(
            hook.http.authorization == .bearer(type: "Bearer", credentials: .text("abc")) && !hook.http.followsRedirects
        )
        #expect(
            hook.http.tls.ca == .file(path: "/etc/alertmanager/ca.pem") && hook.http.headers.first?.values.count == 4)
        #expect(
            slack.timeout == .seconds(90) && slack.actions[0].name.isEmpty && slack.actions[1].confirm?.okText == "y")
        #expect(
            pager.details["firing"] == "none" && pager.details["num_firing"] == "{{ .Alerts.Firing | len }}"
                && pager.kind == "k")
    }

    @Test("Slack's own API takes the token as authorization")
    func slackApp() throws {
        let config = try Self.load(try Self.text("slack-app.yml"))
        let settings = config.receivers[0].integrations.compactMap {
            if case .slack(let slack) = $0.settings { slack } else { nil }
        }
        #expect(
            settings.map(\.apiURL) == [
                .text("https://slack.com/api/chat.postMessage"), .text("https://slack.com/api/chat.postMessage"),
                .text("https://hooks.slack.com/services/x"),
            ])
        #expect(
            settings.map(\.http.authorization) == [
                .bearer(type: "Bearer", credentials: .text("xoxb-1")),
                .bearer(type: "Bearer", credentials: .file(path: "/etc/token")), nil,
            ])
    }

    @Test("old match_re is anchored as group keys show it")
    func oldForms() throws {
        let tree = RouteTree(try Self.load(try Self.text("old-forms.yml")).route)
        #expect(
            tree.matches(["team": "db", "severity": "page", "env": "prod", "name": "ab", "region": "eu"]).map(\.key)
                == [
                    #"{}/{env=~"^(?:prod|staging)$",name=~"^(?:a.*)$",region="eu",severity="page",team="db"}"#
                ])
    }

    @Test("our own receivers log and exec are read")
    func own() throws {
        let config = try load(
            """
            route: {receiver: a}
            receivers:
            - name: a
              log_configs: [{}, {path: notifications.log, send_resolved: false}]
              exec_configs: [{command: [/bin/page, '{{ x }}'], timeout: 3s, concurrency: 2}]
            """)
        let integrations = config.receivers[0].integrations
        #expect(
            integrations.map(\.kind) == ["log", "log", "exec"]
                && integrations.map(\.sendsResolved) == [true, false, true])
        guard case .log(let log) = integrations[1].settings, case .exec(let exec) = integrations[2].settings else {
            return
        }
        #expect(log.path == "/etc/alertmanager/notifications.log")
        #expect(exec.command == ["/bin/page", "{{ x }}"] && exec.timeout == .seconds(3) && exec.concurrency == 2)
        for command in ["[]", "[page]", "['']", "[./x]"] {
            #expect(
                failure("route: {receiver: a}\nreceivers:\n- name: a\n  exec_configs: [{command: \(command)}]")
                    .contains("absolute path"))
        }
    }

    @Test("time intervals are read in all their forms")
    func intervals() throws {
        let config = try Self.load(try Self.text("all-fields.yml"))
        #expect(config.timeIntervals.map(\.name) == ["nights", "office", "always", "never"])
        let office = config.timeIntervals[1].parts[0]
        #expect(office.times == [540..<1020, 1080..<1440] && office.weekdays == [1...5, 0...0])
        #expect(office.daysOfMonth.map { [$0.begin, $0.end] } == [[1, 5], [-3, -1], [7, 7]])
        #expect(office.months == [1...3, 5...5, 12...12] && office.years == [2020...2030, 2031...2031])
        #expect(config.zones["Europe/Berlin"]?.offset(at: 0) == 3600)
        let empty = try load(
            "route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals: [{name: x, time_intervals: [{months: []}]}]")
        #expect(!empty.timeIntervals[0].contains(Timestamp(milliseconds: 1_764_000_000_000)))
    }

    @Test("matchers of the classic grammar alone are taken with a warning")
    func warnings() throws {
        let config = try load("route: {receiver: a, routes: [{matchers: ['x=~a\\d']}]}\nreceivers: [{name: a}]")
        #expect(config.route.routes[0].matchers[0].value == "a\\d")
        #expect(config.warnings.count == 1 && config.warnings[0].hasPrefix("line 1: matchers x=~a\\d"))
    }

    // MARK: What is shown

    @Test("secrets are not shown")
    func secrets() throws {
        for file in Self.goodFiles {
            let shown = try Self.load(try Self.text(file)).shown
            for secret in [
                "abc", "secret\"", "hooks.slack.com", "example.org/slack", "pass\n", ":secret@", "xoxb",
                "http://localhost:5001", "key: key",
            ] {
                #expect(!shown.contains(secret), "\(file) shows \(secret)")
            }
        }
    }

    @Test("what is shown can be read again, and shows the same")
    func shownAgain() throws {
        for file in Self.goodFiles {
            let first = try Self.load(try Self.text(file))
            // Only the app token's authorization is written twice: as token, and as what it became.
            if file == "slack-app.yml" { continue }
            let again = try Self.load(Array(first.shown.utf8))
            #expect(again.shown == first.shown, "\(file)")
            #expect(
                again.route == first.route && again.inhibitRules == first.inhibitRules
                    && again.timeIntervals == first.timeIntervals)
        }
    }

    // MARK: Hostile files

    @Test("deep trees, bombs of aliases and huge files are errors")
    func hostile() {
        let deep = "route: " + String(repeating: "{routes: [", count: 5000) + String(repeating: "]}", count: 5000)
        #expect(failure(deep).contains("nested deeper than"))
        var bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        for (last, name) in zip("abcdefgh", "bcdefghi") {
            bomb += "\(name): &\(name) [" + Array(repeating: "*\(last)", count: 10).joined(separator: ", ") + "]\n"
        }
        #expect(failure(bomb).contains("aliases expanded"))
        let long =
            "x: &x \"" + String(repeating: "y", count: 100_000) + "\"\nz: [" + String(repeating: "*x,", count: 5000)
            + "]\n"
        #expect(failure(long).contains("bytes of text, aliases expanded"))
        #expect(failure(String(repeating: "#", count: YAMLReader.maximumBytes + 1)).contains("the limit is"))
    }

    @Test("a file of many routes and receivers is read in good time", .timeLimit(.minutes(1)))
    func many() throws {
        let routes = (0..<20_000).map { "- {matchers: ['a=\"\($0)\"'], receiver: r\($0 % 100), group_by: [a, b, c]}" }
            .joined(separator: "\n  ")
        let receivers = (0..<100).map { "{name: r\($0)}" }.joined(separator: ", ")
        let config = try load("route:\n  receiver: r0\n  routes:\n  \(routes)\nreceivers: [\(receivers)]")
        #expect(RouteTree(config.route).matches(["a": "19999"]).map(\.route.receiver) == ["r99"])
    }

    @Test("a good file with damage is read or refused, never a trap", arguments: TestSeed.seeds(5))
    func mutations(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieces = [
            "null", "[]", "{}", "''", "~", "-1", "99999999999999999999", "[null]", "{x: null}", "\"\\0\"", "*a", "&a",
            "<<: *a", "|", "- ",
        ]
        for file in Self.goodFiles {
            let good = try Self.text(file)
            for _ in 0..<TestSeed.cases(60) {
                var text = good
                for _ in 0...Int.random(in: 0..<3, using: &random) {
                    let at = Int.random(in: 0..<text.count, using: &random)
                    switch Int.random(in: 0..<5, using: &random) {
                    case 0: text[at] = UInt8.random(in: 0...255, using: &random)
                    case 1: text.removeSubrange(at..<min(text.count, at + Int.random(in: 1..<40, using: &random)))
                    case 2: text.insert(contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: at)
                    case 3:
                        // A value becomes something else.
                        guard let colon = text[at...].firstIndex(of: UInt8(ascii: ":")) else { continue }
                        let end = text[colon...].firstIndex { [10, 44, 125].contains($0) } ?? text.endIndex
                        text.replaceSubrange(
                            text.index(after: colon)..<max(end, text.index(after: colon)),
                            with: Array(" \(pieces.randomElement(using: &random) ?? "")".utf8))
                    default:
                        let other = Int.random(in: 0..<text.count, using: &random)
                        text.insert(
                            contentsOf: text[min(at, other)..<min(max(at, other), min(at, other) + 200)], at: at)
                    }
                    if text.isEmpty { text = good }
                }
                guard let config = try? Self.load(text) else { continue }
                _ = RouteTree(config.route).matches(["team": "db", "severity": "page"])
                for interval in config.timeIntervals {
                    _ = interval.contains(Timestamp(milliseconds: 1_764_000_000_000), zones: config.zones)
                }
                _ = try? Self.load(Array(config.shown.utf8))
            }
        }
    }
}
