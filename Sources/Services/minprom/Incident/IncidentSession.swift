import Incidents
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One incident from beginning to end, in a terminal: load, fault, timeline, end of the fault, verdict.
///
///     watch:  baseline ─▶ load, fault ─▶ poll every second ─▶ healed, lost, or out of time ─▶ revert ─▶ verdict
///     show:               load, fault ─▶ wait             ─▶ time is over, or Ctrl-C      ─▶ revert
///
/// Whatever ends it, the fault is taken back before it returns.
struct IncidentSession: Sendable {
    struct Tokens: Sendable {
        var admin: String?
        var bot: String?
    }

    let plan: IncidentPlan
    let addresses: StackAddresses
    let client: StackClient
    let watching: Watcher.Options
    let run: IncidentRun

    /// Nothing more must be hurt by us; `false` where that could not be had.
    func revert() async -> Bool {
        let problems = await run.revert()
        for problem in problems { Console.write("not taken back: \(problem)\n") }
        if problems.isEmpty { print(plan.revert.isEmpty ? "nothing to take back" : "the fault is taken back") }
        return problems.isEmpty
    }

    func show(for length: Duration, rps: Double) async throws(StartError) -> Bool {
        let signals = Signals.stream()
        let load = try load(rps: rps, for: length)
        try await begin(load)
        print("\nstarted; ends after \(LoadReport.fixed(length.seconds, 0)) s, or with Ctrl-C")
        let wait = Task { try? await Task.sleep(for: length) }
        let stop = Task { for await wish in signals where wish == .stop { wait.cancel() } }
        await wait.value
        stop.cancel()
        let isReverted = await revert()
        await end(load)
        return isReverted
    }

    /// `waiting`: how long it may take until nothing is in the way; `nil`: it is not waited for.
    func watch(within patience: Duration, afterAtMost waiting: Duration?, rps: Double) async throws(StartError) -> Bool {
        let stop = Stop(Signals.stream())
        defer { stop.end() }
        var watcher = Watcher(plan, addresses, client, watching)
        if let waiting, await !isClear(watcher, within: waiting, stop) { return false }
        do throws(IncidentError) { try await watcher.begin() } catch { throw StartError(error.message) }
        let load = try load(rps: rps, for: patience)
        let start = ContinuousClock.now
        try await begin(load)
        print("\n   0.0 s  begun")
        while !stop.isAsked, !watcher.isLost || !watcher.life.objections.isEmpty {
            let entries = await watcher.poll(at: ContinuousClock.now - start)
            for entry in entries { print(entry.line) }
            // Into a file as soon as into a terminal.
            fflush(nil)
            if watcher.objections.isEmpty || ContinuousClock.now - start > patience { break }
            try? await Task.sleep(for: .seconds(1))
        }
        let time = LoadReport.fixed((ContinuousClock.now - start).seconds, 1)
        let isReverted = await revert()
        await end(load)
        let objections = watcher.objections
        print(objections.isEmpty ? "\nhealed after \(time) s" : "\nNOT healed as it must, after \(time) s:")
        for objection in objections { print("  - \(objection)") }
        return objections.isEmpty && isReverted
    }

    /// Waits until nothing is in the way of an incident that could be judged.
    private func isClear(_ watcher: Watcher, within length: Duration, _ stop: Stop) async -> Bool {
        let end = ContinuousClock.now + length
        var told: String?
        while let why = await obstacle(watcher) {
            if stop.isAsked || ContinuousClock.now >= end {
                print("not begun: \(why)")
                return false
            }
            if why != told { print("waiting: \(why)") }
            told = why
            fflush(nil)
            try? await Task.sleep(for: .seconds(2))
        }
        return true
    }

    private func obstacle(_ watcher: Watcher) async -> String? {
        do throws(IncidentError) { return try await watcher.obstacle() } catch { return error.message }
    }

    private func begin(_ load: Load?) async throws(StartError) {
        do throws(IncidentError) { try await run.begin() } catch {
            load?.task.cancel()
            throw StartError(error.message)
        }
    }

    // MARK: Load

    private struct Load {
        var task: Task<LoadReport, Never>
    }

    private func load(rps: Double, for length: Duration) throws(StartError) -> Load? {
        guard rps > 0, let path = plan.loadPath else { return nil }
        let schedule = try IncidentFlags.schedule(rps: rps, length: length)
        do throws(IncidentError) {
            let generator = try LoadGenerator(LoadGenerator.Request(base: addresses.api, paths: [path]), schedule)
            print("load    \(LoadReport.fixed(rps, 0))/s to \(addresses.api)\(path)")
            return Load(task: Task { await generator.run() })
        } catch { throw StartError(error.message) }
    }

    private func end(_ load: Load?) async {
        guard let load else { return }
        load.task.cancel()
        print("")
        for line in await load.task.value.lines { print(line) }
    }
}

/// Whether somebody has asked to stop.
private final class Stop: Sendable {
    private let asked = Atomic<Bool>(false)
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ signals: AsyncStream<Signals.Wish>) {
        let listening = Task { [weak self] in
            for await wish in signals where wish == .stop { self?.asked.store(true, ordering: .relaxed) }
        }
        task.withLock { $0 = listening }
    }

    var isAsked: Bool { asked.load(ordering: .relaxed) }

    func end() { task.withLock { $0?.cancel() } }
}
