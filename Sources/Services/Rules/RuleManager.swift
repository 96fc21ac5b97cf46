import Alerter
import HTTPServer
import Logging
import SelfMetrics
import Synchronization
import TSDB
import WebAPI

/// Keeps a runner per group, as the configuration wants it; the front door of the evaluation of rules.
///
///     apply(groups) ─▶ same: goes on    changed: ends its evaluation, hands its state over    new: begins
///                      removed: ends; its series are ended two intervals later, when a renamed rule would have written again
///
/// Source: Prometheus 3.14, `rules/manager.go`.
public actor RuleManager {
    private struct Running {
        let runner: GroupRunner
        let task: Task<Void, Never>
    }

    public nonisolated let metrics = RuleMetrics()
    private let surroundings: GroupRunner.Surroundings
    private var running: [GroupKey: Running] = [:]
    private var farewells: [Int: Task<Void, Never>] = [:]
    private var farewellCount = 0
    private var hasStarted = false
    private var isStopped = false
    /// The runners in the order of files and names, for whoever asks.
    private nonisolated let shown = Mutex<[GroupRunner]>([])

    /// Up to `threads` groups are evaluated at once; those beyond wait. `report` takes the alerts of each evaluation and must not block.
    public init(
        threads: Int = 4, clock: any WallClock, logger: Logger, report: @escaping @Sendable ([Alert]) -> Void
    ) {
        surroundings = GroupRunner.Surroundings(
            pool: ThreadPool("rules", threads: threads), clock: clock, metrics: metrics, logger: logger,
            report: report)
    }

    /// Makes the running groups what `groups` say. The first call is the start: it restores the state of `for`.
    public func apply(_ groups: [RuleGroup], _ environment: RuleEnvironment) {
        guard !isStopped else { return }
        var old = running
        running = [:]
        for group in groups {
            let key = GroupKey(group)
            let known = old.removeValue(forKey: key)
            if let known, known.runner.group.isSame(as: group) {
                known.runner.use(environment)
                running[key] = known
            } else {
                running[key] = start(group, environment, after: known)
            }
        }
        for gone in old.values { retire(gone) }
        hasStarted = true
        let runners = running.sorted { $0.key < $1.key }.map(\.value.runner)
        shown.withLock { $0 = runners }
    }

    private func start(_ group: RuleGroup, _ environment: RuleEnvironment, after old: Running?) -> Running {
        let runner = GroupRunner(group, restores: !hasStarted, environment: environment, surroundings)
        old?.runner.stop()
        old?.task.cancel()
        let task = Task {
            if let old {
                await old.task.value
                runner.inherit(old.runner)
            }
            await runner.run()
        }
        return Running(runner: runner, task: task)
    }

    private func retire(_ gone: Running) {
        gone.runner.stop()
        gone.task.cancel()
        metrics.remove(gone.runner.key)
        farewellCount += 1
        let number = farewellCount, removedAt = surroundings.clock.now()
        farewells[number] = Task {
            await gone.task.value
            let interval = gone.runner.group.interval.milliseconds
            if (try? await Task.sleep(for: .milliseconds(interval * 2))) != nil {
                await gone.runner.retire(at: removedAt)
            }
            self.farewells[number] = nil
        }
    }

    /// Ends all groups behind the rule that they evaluate. Nothing is marked stale: the server will be back.
    public func stop() async {
        isStopped = true
        let groups = Array(running.values), leaving = Array(farewells.values)
        for group in groups {
            group.runner.stop()
            group.task.cancel()
        }
        for task in leaving { task.cancel() }
        for group in groups { await group.task.value }
        for task in leaving { await task.value }
    }

    /// All groups by file and name, as they were after their last evaluations.
    public nonisolated var groups: [RuleGroupStatus] { shown.withLock { $0 }.map(\.status) }
}
