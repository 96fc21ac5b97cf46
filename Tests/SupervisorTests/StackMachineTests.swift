import Supervisor
import TSDB
import Testing

@testable import ComposeFile

/// A machine, processes that do as told, and the time: what happens is a line of text.
private struct Story {
    var machine: StackMachine
    var now = Timestamp(milliseconds: 0)
    /// `0.0 +db` launched, `-db` told to end, `!db` killed, `?db` asked.
    var log: [String] = []
    /// Services whose checks are answered with no.
    var sick: Set<String> = []
    /// Services that do not end when they are told to.
    var stubborn: Set<String> = []
    var showsChecks = false
    private var pid: Int32 = 100

    init(_ specs: [ServiceSpec]) { machine = StackMachine(specs) }

    mutating func carryOut(_ actions: [StackMachine.Action]) {
        for action in actions {
            switch action {
            case .launch(let id):
                note("+\(id)")
                pid += 1
                carryOut(machine.launched(id, pid: pid, at: now))
            case .terminate(let id):
                note("-\(id)")
                if !stubborn.contains(id.service) { carryOut(machine.exited(id, code: 143, at: now)) }
            case .kill(let id):
                note("!\(id)")
                carryOut(machine.exited(id, code: 137, at: now))
            case .check(let id, let number):
                if showsChecks { note("?\(id)") }
                carryOut(machine.checked(id, number: number, isHealthy: !sick.contains(id.service), at: now))
            }
        }
    }

    private mutating func note(_ text: String) { log.append("\(now.seconds) \(text)") }

    mutating func start(_ names: [String]? = nil) { carryOut(machine.start(names, at: now)) }

    mutating func exit(_ name: String, _ code: Int = 1) {
        carryOut(machine.exited(InstanceID(name), code: code, at: now))
    }

    /// Plays on, from wake to wake.
    mutating func play(_ seconds: Double) {
        let end = Timestamp(milliseconds: now.milliseconds + Int64(seconds * 1000))
        while let wake = machine.nextWake, wake <= end {
            now = max(now, wake)
            carryOut(machine.advance(to: now))
        }
        now = end
        carryOut(machine.advance(to: now))
    }

    mutating func lines() -> [String] {
        defer { log = [] }
        return log
    }
}

private func on(_ name: String, _ condition: ComposeService.Dependency.Condition = .started)
    -> ComposeService.Dependency
{
    .init(service: name, condition: condition)
}

@Suite("The machine that keeps services up")
struct StackMachineTests {
    private static let health = HealthTiming(interval: .seconds(5), retries: 2)

    @Test("services start after what they depend on: started, healthy, ended well")
    func order() {
        var story = Story([
            ServiceSpec("api", dependsOn: [on("db", .healthy), on("setup", .completed)]),
            ServiceSpec("db", health: Self.health),
            ServiceSpec("setup"), ServiceSpec("web", dependsOn: [on("api")]),
        ])
        story.sick = ["db"]
        story.start()
        #expect(story.lines() == ["0.0 +db", "0.0 +setup"])
        story.play(1)
        #expect(story.lines() == [])
        story.sick = []
        story.play(1)
        #expect(story.machine.instances[InstanceID("db")]?.health == .healthy)
        #expect(story.lines() == [])
        story.exit("setup", 0)
        #expect(story.lines() == ["2.0 +api", "2.0 +web"])
        #expect(story.machine.isHealthy)
    }

    @Test("one that ended badly is waited for in vain, and says so")
    func failedDependency() throws {
        var story = Story([ServiceSpec("setup"), ServiceSpec("api", dependsOn: [on("setup", .completed)])])
        story.start()
        story.exit("setup", 1)
        story.play(100)
        #expect(story.lines() == ["0.0 +setup"])
        #expect(story.machine.obstacle(of: try #require(story.machine.spec("api"))) == "setup to end well")
        #expect(!story.machine.isHealthy)
    }

    @Test("a crash is followed by a restart within a second, more crashes by longer pauses, up to a minute")
    func backOff() {
        var story = Story([ServiceSpec("a", restart: .always)])
        story.start()
        var pauses: [Double] = []
        for _ in 0..<12 {
            let crash = story.now
            story.exit("a")
            while story.machine.instances[InstanceID("a")]?.isRunning != true, let wake = story.machine.nextWake {
                story.play((wake - story.now).seconds)
            }
            pauses.append((story.now - crash).seconds)
        }
        #expect(pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60])
        #expect(story.machine.instances[InstanceID("a")]?.restarts == 12)
        story.play(10)
        let crash = story.now
        story.exit("a")
        #expect(story.machine.nextWake.map { ($0 - crash).milliseconds } == 100)
    }

    @Test(
        "restart policies",
        arguments: [
            (RestartPolicy.never, 1, 0), (.never, 0, 0), (.always, 0, 5), (.always, 1, 5), (.unlessStopped, 0, 5),
            (.onFailure(limit: nil), 0, 0), (.onFailure(limit: nil), 1, 5), (.onFailure(limit: 2), 1, 2),
        ])
    func policies(policy: RestartPolicy, code: Int, restarts: Int) {
        var story = Story([ServiceSpec("a", restart: policy)])
        story.start()
        for _ in 0..<5 {
            story.exit("a", code)
            story.play(60)
        }
        #expect(story.machine.instances[InstanceID("a")]?.restarts == restarts)
    }

    @Test(
        "health: starting, healthy after the first success, unhealthy after so many failures; failures of the start period do not count"
    )
    func healthTransitions() {
        let timing = HealthTiming(interval: .seconds(5), retries: 2, startPeriod: .seconds(10))
        var story = Story([ServiceSpec("a", health: timing)])
        func health() -> Instance.Health? { story.machine.instances[InstanceID("a")]?.health }
        story.sick = ["a"]
        story.start()
        story.play(9)
        #expect(health() == .starting)
        story.play(5)
        #expect(health() == .unhealthy)
        story.sick = []
        story.play(5)
        #expect(health() == .healthy)
        story.sick = ["a"]
        story.play(5)
        #expect(health() == .healthy)
        story.play(5)
        #expect(health() == .unhealthy)
    }

    @Test("the answer to a check of an earlier process is nobody's")
    func staleAnswer() {
        var story = Story([ServiceSpec("a", restart: .always, health: Self.health)])
        story.start()
        let id = InstanceID("a")
        story.now = Timestamp(milliseconds: 250)
        #expect(story.machine.advance(to: story.now) == [.check(id, number: 1)])
        story.exit("a")
        story.carryOut(story.machine.advance(to: Timestamp(milliseconds: 400)))
        #expect(story.machine.checked(id, number: 1, isHealthy: true, at: Timestamp(milliseconds: 401)) == [])
        #expect(story.machine.instances[id]?.health == .starting)
    }

    @Test("everything stops in reverse order; who does not hear is killed after its grace period")
    func stop() {
        var story = Story([
            ServiceSpec("db"), ServiceSpec("api", dependsOn: [on("db")], stopGrace: .seconds(3)),
            ServiceSpec("web", dependsOn: [on("api")], restart: .always),
        ])
        story.start()
        story.stubborn = ["api"]
        _ = story.lines()
        story.carryOut(story.machine.stop(at: story.now))
        story.play(10)
        #expect(story.lines() == ["0.0 -web", "0.0 -api", "3.0 !api", "3.0 -db"])
        #expect(story.machine.isDown)
        #expect(story.machine.nextWake == nil)
    }

    @Test("a stopped service stays down, whatever its policy, until it is started")
    func stopOne() {
        var story = Story([ServiceSpec("a", restart: .always), ServiceSpec("b", dependsOn: [on("a")])])
        story.start()
        story.carryOut(story.machine.stop(["a"], at: story.now))
        story.play(100)
        #expect(story.lines() == ["0.0 +a", "0.0 +b", "0.0 -a"])
        story.start(["a"])
        #expect(story.lines() == ["100.0 +a"])
    }

    @Test("restart ends and starts one service, also one that is down or waits for its next try")
    func restart() {
        var story = Story([ServiceSpec("a", restart: .always)])
        story.start()
        story.carryOut(story.machine.restart("a", at: story.now))
        #expect(story.lines() == ["0.0 +a", "0.0 -a", "0.0 +a"])
        story.exit("a")
        story.carryOut(story.machine.restart("a", at: story.now))
        #expect(story.lines() == ["0.0 +a"])
        story.carryOut(story.machine.stop(["a"], at: story.now))
        story.carryOut(story.machine.restart("a", at: story.now))
        #expect(story.lines() == ["0.0 -a", "0.0 +a"])
    }

    @Test("scale launches more and takes the last ones away")
    func scale() {
        var story = Story([ServiceSpec("w", restart: .always)])
        story.start()
        story.carryOut(story.machine.scale("w", to: 3, at: story.now))
        #expect(story.lines() == ["0.0 +w", "0.0 +w-2", "0.0 +w-3"])
        story.carryOut(story.machine.scale("w", to: 1, at: story.now))
        #expect(story.lines() == ["0.0 -w-2", "0.0 -w-3"])
        story.play(0)
        #expect(story.machine.instances(of: "w").map(\.id) == [InstanceID("w")])
        story.carryOut(story.machine.scale("w", to: 2, at: story.now))
        #expect(story.lines() == ["0.0 +w-2"])
        story.carryOut(story.machine.scale("w", to: 0, at: story.now))
        story.play(0)
        #expect(story.machine.instances.isEmpty)
    }

    @Test("only the services asked for start, with what they depend on; what runs elsewhere is there")
    func some() {
        var story = Story([
            ServiceSpec("db", isExternal: true), ServiceSpec("api", dependsOn: [on("db", .healthy)]),
            ServiceSpec("other"),
        ])
        story.start(["api"])
        #expect(story.lines() == ["0.0 +api"])
    }

    @Test("between two calls nothing is due: nextWake is never in the past, over random lives")
    func law() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix(state: seed)
            var story = Story([
                ServiceSpec("a", restart: .always, health: Self.health),
                ServiceSpec("b", dependsOn: [on("a", .healthy)], restart: .onFailure(limit: 3)),
                ServiceSpec("c", dependsOn: [on("b")], health: Self.health, replicas: 2),
            ])
            story.start()
            for _ in 0..<60 {
                let name = ["a", "b", "c"][random.below(3)]
                switch random.below(8) {
                case 0: story.exit(name, random.below(2))
                case 1: story.carryOut(story.machine.stop([name], at: story.now))
                case 2: story.start([name])
                case 3: story.carryOut(story.machine.restart(name, at: story.now))
                case 4: story.carryOut(story.machine.scale(name, to: random.below(4), at: story.now))
                case 5: if !story.sick.insert(name).inserted { story.sick.remove(name) }
                case 6: if !story.stubborn.insert(name).inserted { story.stubborn.remove(name) }
                default: story.play(Double(random.below(20_000)) / 1000)
                }
                if let wake = story.machine.nextWake { #expect(wake > story.now, "seed \(seed)") }
            }
            story.carryOut(story.machine.stop(at: story.now))
            story.play(60)
            #expect(story.machine.isDown, "seed \(seed)")
        }
    }
}

/// A generator that repeats by its seed.
struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((z ^ (z >> 31)) % UInt64(max(1, bound)))
    }
}
