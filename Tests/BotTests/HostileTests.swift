import BotCore
import Programs
import Support
import TSDB
import Testing

/// What comes from outside is compared, and never becomes a part of an action that the policy did not have.
struct HostileTests {
    /// 500 values that have broken other tools, and mixtures of them.
    static let values: [String] = {
        let seeds = [
            "$(touch CANARY)", "`touch CANARY`", "; touch CANARY", "| touch CANARY", "& touch CANARY", "\ntouch CANARY", "--flag", "-rf", "-",
            "../../etc/passwd", "..", ".", "a b", "a\tb", "a\u{0}b", "\u{202e}api", "api\u{200b}", "*", "?", "~", "a/b", "a\\b", "'", "\"", "%00",
            "%2e%2e", "{labels.service}", "${HOME}", "$HOME", "api\r\nX: y", "", "é", "𝒶", "api\u{301}", "<x>", "a=b", "a,b", "a;b", "a:b", "@file",
            "#", "!", "(", ")", "[", "]", "^", "+", String(repeating: "a", count: 129), String(repeating: "x", count: 1 << 20),
        ]
        var random = SeededRandom(seed: 11)
        var all = seeds
        while all.count < 500 {
            let a = seeds[Int.random(in: 0..<(seeds.count - 2), using: &random)], b = seeds[Int.random(in: 0..<(seeds.count - 2), using: &random)]
            all.append(a + (Bool.random(using: &random) ? "api" : "") + b)
        }
        return all
    }()

    private func policy(_ action: BotPolicy.Action) -> BotPolicy {
        var policy = BotPolicy()
        policy.targets["api"] = .init(url: "http://api:8000", mayRestart: true, scale: 1...3)
        policy.commands["echo"] = .init(argv: ["/bin/echo", "--service={labels.service}", "{labels.service}", "end"])
        policy.notifiers["pager"] = .file("/dev/null")
        policy.policies = [.init(name: "p", match: [.init("alertname", ["A"])], steps: [.init(action)])]
        policy.policies[0].escalate = ["pager"]
        policy.policies[0].limits.cooldown = .zero
        policy.policies[0].limits.maximum = 1 << 20
        policy.policies[0].limits.strikes = 1 << 20
        policy.actionsPerHour = 1 << 20
        return policy
    }

    @Test("500 hostile label values in every position: no word of a program is changed, nothing is aimed elsewhere")
    func arguments() throws {
        let positions: [BotPolicy.Action] = [
            .run(command: "echo"), .restart(target: "{labels.service}", via: [.service]),
            .scale(target: "{labels.service}", to: 2, via: [.supervisor]),
        ]
        for position in positions {
            var scene = try Scene(policy(position))
            for (number, value) in Self.values.enumerated() {
                let before = scene.works.count
                try scene.fire(.firing("A", ["service": value], print: "f\(number)"))
                let done = scene.works.dropFirst(before).map(\.work)
                // A mixture may happen to be harmless; then it is one word, as it stands.
                if LabelArgument.isSafe(value), case .run = position {
                    #expect(done == [.run(argv: ["/bin/echo", "--service=\(value)", value, "end"])])
                } else {
                    #expect(done.isEmpty, "\(value.debugDescription.prefix(80))")
                }
            }
            #expect(Self.values.filter(LabelArgument.isSafe).count < 5)
            #expect(scene.records.contains { $0.decision == "refused" })
            // The log's lines stay lines, in ASCII.
            #expect(scene.sink.bytes.allSatisfy { (0x20..<0x7f).contains($0) || $0 == 0x0a })
        }
        // And the same with a value that may pass.
        var scene = try Scene(policy(.run(command: "echo")))
        try scene.fire(.firing("A", ["service": "api-1.x_Y"]))
        #expect(scene.works.map(\.work) == [.run(argv: ["/bin/echo", "--service=api-1.x_Y", "api-1.x_Y", "end"])])
    }

    @Test("a program gets its words as they are: no shell reads them, no canary is laid")
    func programs() {
        let canary = "/tmp/minprom-bot-canary-\(UInt64.random(in: 0 ... .max))"
        for value in ["$(touch \(canary))", "`touch \(canary)`", "; touch \(canary)", "\ntouch \(canary)", "&& touch \(canary)"] {
            let ending = Program(["/usr/bin/test", "-z", value]).run(input: [], within: .seconds(10)) { false }
            #expect(ending.cause == .exit(1))
            #expect(Program(["/usr/bin/test", "-e", canary]).run(input: [], within: .seconds(10)) { false }.cause == .exit(1))
        }
        #expect(Program(["/bin/echo", "a\u{0}b"]).run(input: [], within: .seconds(1)) { false }.cause == .notStarted("a zero byte in an argument"))
        #expect(Program(["echo"]).run(input: [], within: .seconds(1)) { false }.cause == .notStarted("no absolute path"))
    }

    @Test("a program that hangs is killed at its time with all that it started")
    func hangs() {
        let start = ContinuousClock.now
        let ending = Program(["/bin/sh", "-c", "sleep 100 & sleep 100"]).run(input: [], within: .milliseconds(300)) { false }
        #expect(ending.cause == .late)
        #expect(ContinuousClock.now - start < .seconds(90))
    }

    @Test("labels choose among the policies by equality alone")
    func matching() throws {
        for value in Self.values where value != "A" {
            #expect(policy(.run(command: "echo")).policy(for: ["alertname": value]) == nil)
        }
    }

    @Test("ten thousand requests that are none of the two are refused by the Docker filter", arguments: TestSeed.seeds(1))
    func docker(seed: UInt64) throws {
        let rule = try #require(DockerRule(["flask_api", "worker"]))
        #expect(rule.allows("POST", "/containers/flask_api/restart", query: "", hasBody: false) == .restart("flask_api"))
        #expect(rule.allows("GET", "/containers/worker/json", query: "", hasBody: false) == .inspect("worker"))
        var random = SeededRandom(seed: seed)
        let methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "post", "get", "CONNECT"]
        let parts = [
            "containers", "flask_api", "worker", "restart", "json", "exec", "create", "start", "kill", "images", "volumes", "build", "v1.43", "..",
            ".",
            "", "info", "flask_ap", "flask_apis", "%66lask_api", "flask_api\u{0}", "flask_api ", "FLASK_API", "archive", "attach", "commit",
            "plugins",
            "swarm", "postgres_db", "_ping", "events", "flask_api?x", "json\n", "restart/", "//",
        ]
        var refused = 0
        while refused < 10_000 {
            let method = methods[Int.random(in: 0..<methods.count, using: &random)]
            var path = (0..<Int.random(in: 0...5, using: &random)).map { _ in "/" + parts[Int.random(in: 0..<parts.count, using: &random)] }.joined()
            // Half of them begin nearly right.
            if Bool.random(using: &random) {
                path =
                    "/containers/" + parts[Int.random(in: 0..<parts.count, using: &random)] + "/"
                    + parts[Int.random(in: 0..<parts.count, using: &random)]
            }
            let query = Int.random(in: 0..<5, using: &random) == 0 ? "t=0" : "", hasBody = Int.random(in: 0..<8, using: &random) == 0
            let isRight =
                query.isEmpty && !hasBody
                && (method == "POST" && (path == "/containers/flask_api/restart" || path == "/containers/worker/restart")
                    || method == "GET" && (path == "/containers/flask_api/json" || path == "/containers/worker/json"))
            guard !isRight else { continue }
            #expect(rule.allows(method, path, query: query, hasBody: hasBody) == nil, "seed \(seed): \(method) \(path)")
            refused += 1
        }
    }

    @Test("names that are no container names make no rule", arguments: ["", "a/b", "../x", "-x", "a b", "a?b", "*"])
    func names(name: String) { #expect(DockerRule([name]) == nil) }
}
