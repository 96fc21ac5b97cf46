import ComposeFile
import HTTPServer
import Supervisor
import Synchronization
import TSDB
import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Does what `StackMachine` says: one thread that lives as long as the supervisor.
///
///     requests, exits, answers of checks ─▶ queue ─▶ [ machine ─▶ actions ─▶ spawn, kill, check ] ─ sleeps until nextWake
///
/// All children are started from that thread, for their lives hang on it (`ChildProcess`). Per child two more threads wait: for its
/// end, and for what it writes.
public final class StackHost: @unchecked Sendable {
    // Sendable: `machine`, `children` and the rest of the mutable state are touched by the one thread only; the queue is a Mutex.

    public typealias Work = @Sendable (inout StackMachine, Timestamp) -> [StackMachine.Action]

    public let plan: LaunchPlan
    private let state: StateDirectory
    private let foreground: Foreground?
    private let probes = ThreadPool("probes", threads: 8, queueLimit: 1000)
    private let inbox = Inbox()
    private let guardian: Guardian

    private var machine: StackMachine
    private var children: [InstanceID: Int32] = [:]
    private var launches: [InstanceID: Launch] = [:]
    private var messages: [InstanceID: String] = [:]
    private var watcher: (@Sendable (StackMachine) -> Void)?

    public init(_ plan: LaunchPlan, _ state: StateDirectory, _ foreground: Foreground?) throws(HostError) {
        self.plan = plan
        guardian = try Guardian()
        self.state = state
        self.foreground = foreground
        machine = StackMachine(plan.specs)
    }

    /// Starts the thread. `watcher` sees the machine after every change, on that thread.
    public func run(_ watcher: @escaping @Sendable (StackMachine) -> Void) throws(HostError) {
        self.watcher = watcher
        guard startThread(named: "stack", { [self] in loop() }) == 0 else { throw HostError("the system gives no thread") }
    }

    /// Does `work` with the machine; returns without waiting.
    public func perform(_ work: @escaping Work) { inbox.put(work) }

    /// What can be known of all services now.
    public func status() async -> [ServiceStatus] {
        await withCheckedContinuation { continuation in
            inbox.put { machine, _ in
                continuation.resume(returning: self.status(machine))
                return []
            }
        }
    }

    /// As `perform`, and waits until it is done (not until processes have followed).
    public func request(_ work: @escaping Work) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            inbox.put { machine, now in
                defer { continuation.resume() }
                return work(&machine, now)
            }
        }
    }

    // MARK: The thread

    private func loop() {
        while true {
            let wake = machine.nextWake
            let work = inbox.take(until: wake)
            for job in work { carryOut(job(&machine, Self.now())) }
            carryOut(machine.advance(to: Self.now()))
            watcher?(machine)
        }
    }

    private func carryOut(_ actions: [StackMachine.Action]) {
        for action in actions {
            switch action {
            case .launch(let id): launch(id)
            case .terminate(let id):
                if let pid = children[id] {
                    ChildProcess.signal(pid, launches[id].flatMap { ChildProcess.number(of: $0.stopSignal) } ?? SIGTERM)
                }
            case .kill(let id): if let pid = children[id] { ChildProcess.signal(pid, SIGKILL) }
            case .check(let id, let number): check(id, number)
            }
        }
    }

    private func launch(_ id: InstanceID) {
        do throws(HostError) {
            guard let launch = plan.launch(id, freePort: LocalMachine.anyFreePort),
                let service = plan.project.service(id.service)
            else {
                throw HostError("\(id): no such service")
            }
            for directory in plan.directories(service) { try StateDirectory.makeDirectory(directory, mode: 0o700) }
            let child = try ChildProcess.start(launch)
            launches[id] = launch
            children[id] = child.pid
            guardian.watch(child.pid, signal: ChildProcess.number(of: launch.deathSignal) ?? SIGKILL)
            messages[id] = nil
            state.note(id.description, pid: child.pid)
            watch(id, child)
            carryOut(machine.launched(id, pid: child.pid, at: Self.now()))
        } catch {
            messages[id] = error.message
            say("\(id) cannot be started: \(error.message)", of: id)
            carryOut(machine.exited(id, code: 127, at: Self.now()))
        }
    }

    private func watch(_ id: InstanceID, _ child: ChildProcess) {
        let log = LogFile(state.log(id.description)), foreground = foreground
        let reads = startThread(named: "output") {
            var block = [UInt8](repeating: 0, count: 16 << 10), pending: [UInt8] = []
            while true {
                let count = block.withUnsafeMutableBytes { read(child.output, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                if count > 0 {
                    block.withUnsafeBytes { log.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                    if foreground != nil { pending += block[..<count] }
                }
                foreground?.print(&pending, of: id.description, service: id.service, isEnd: count <= 0)
                if count <= 0 { break }
            }
            close(child.output)
        }
        if reads != 0 { close(child.output) }
        let waits = startThread(named: "child") { [self] in
            let code = ChildProcess.wait(for: child.pid)
            perform { [self] machine, now in ended(id, child.pid, code, &machine, now) }
        }
        // Without a thread to wait for it, it could never be known to be gone.
        if waits != 0 { ChildProcess.signal(child.pid, SIGKILL) }
    }

    private func ended(
        _ id: InstanceID, _ pid: Int32, _ code: Int, _ machine: inout StackMachine, _ now: Timestamp
    ) -> [StackMachine.Action] {
        guard children[id] == pid else { return [] }
        children[id] = nil
        guardian.forget(pid)
        state.forget(id.description)
        let isWanted = machine.instances[id]?.wish == .up
        let actions = machine.exited(id, code: code, at: now)
        if isWanted {
            var text = code > 128 ? "\(id) was ended by signal \(code - 128)" : "\(id) exited with code \(code)"
            if case .backingOff(let until)? = machine.instances[id]?.phase {
                text += "; starts again in \((until - now).milliseconds) ms"
            }
            say(text, of: id)
        }
        return actions
    }

    private func check(_ id: InstanceID, _ number: Int) {
        guard let launch = launches[id], let probe = launch.probe else { return }
        do throws(ThreadPool.Full) {
            try probes.submit { [self] in
                let isHealthy = HealthProbe.ask(probe, launch)
                perform { machine, now in machine.checked(id, number: number, isHealthy: isHealthy, at: now) }
            }
        } catch {
            perform { machine, now in machine.checked(id, number: number, isHealthy: false, at: now) }
        }
    }

    private func say(_ text: String, of id: InstanceID) {
        LogFile(state.log(id.description)).append("minprom: " + text)
        foreground?.say(text)
    }

    private static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    private func status(_ machine: StackMachine) -> [ServiceStatus] {
        let uptime = Self.now()
        return plan.project.services.map { service in
            ServiceStatus(
                service.name, machine, ports: plan.ports.ports[service.name] ?? [], now: uptime, wallClock: wallClock(),
                message: machine.instances(of: service.name).compactMap { messages[$0.id] }.first)
        }
    }

    private func wallClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// What other threads want of the one: a queue it sleeps on.
private final class Inbox: @unchecked Sendable {
    // Sendable: `jobs` is touched under `monitor` only.
    private let monitor = Monitor()
    private var jobs: [StackHost.Work] = []

    func put(_ job: @escaping StackHost.Work) {
        monitor.withLock {
            jobs.append(job)
            monitor.ring()
        }
    }

    /// Everything that waits; nothing when `wake`, on the monotonic clock, has come.
    func take(until wake: Timestamp?) -> [StackHost.Work] {
        monitor.withLock {
            while jobs.isEmpty {
                guard let wake else {
                    monitor.wait()
                    continue
                }
                let left = wake.milliseconds - monotonicMilliseconds()
                guard left > 0 else { break }
                monitor.wait(atMost: .milliseconds(left))
            }
            defer { jobs = [] }
            return jobs
        }
    }
}
