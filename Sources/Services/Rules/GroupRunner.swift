import Alerter
import HTTPServer
import Logging
import Synchronization
import TSDB
import WebAPI

/// Keeps one group going: waits for its next slot, evaluates on a thread of the pool, hands its alerts on.
///
///     wait ─▶ due? ─▶ pool: evaluate, count ─▶ alerts ─▶ wait …       never two evaluations of a group at once
///                        └─ after the second one of a start: restore `for`
final class GroupRunner: Sendable {
    /// What all groups share.
    struct Surroundings: Sendable {
        let pool: ThreadPool
        let clock: any WallClock
        let metrics: RuleMetrics
        let logger: Logger
        /// Takes the alerts of an evaluation; must not block.
        let report: @Sendable ([Alert]) -> Void
    }

    let group: RuleGroup
    let key: GroupKey
    private let surroundings: Surroundings
    /// Locked for the length of an evaluation, and by nobody else meanwhile: the group's own task alone evaluates it.
    private let evaluation: Mutex<GroupEvaluation>
    private let environment: Mutex<RuleEnvironment>
    private let shown: Mutex<RuleGroupStatus>
    private let isStopping = Atomic<Bool>(false)
    private let restores: Bool

    /// `restores`: the state of `for` is looked for in storage, as after a start.
    init(_ group: RuleGroup, restores: Bool, environment: RuleEnvironment, _ surroundings: Surroundings) {
        self.group = group
        key = GroupKey(group)
        self.restores = restores
        self.surroundings = surroundings
        let evaluation = GroupEvaluation(group, isRestored: !restores)
        shown = Mutex(evaluation.status)
        self.evaluation = Mutex(evaluation)
        self.environment = Mutex(environment)
        surroundings.metrics.add(group)
    }

    /// The group as it was after its last evaluation.
    var status: RuleGroupStatus { shown.withLock { $0 } }

    func use(_ environment: RuleEnvironment) { self.environment.withLock { $0 = environment } }

    /// Takes over from a runner that has ended.
    func inherit(_ old: GroupRunner) {
        let known = old.evaluation.withLock { $0 }
        let merged = GroupEvaluation(group, inheriting: known)
        evaluation.withLock { $0 = merged }
        shown.withLock { $0 = merged.status }
    }

    /// Asks the evaluation that runs to end behind its current rule.
    func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Until the task is cancelled.
    func run() async {
        var schedule = GroupSchedule(group, at: surroundings.clock.now())
        var count = 0
        while !Task.isCancelled {
            let now = surroundings.clock.now()
            guard let due = schedule.due(at: now) else {
                // No longer than an interval, whatever the clock does meanwhile.
                let wait = min((schedule.next - now).milliseconds, schedule.interval.milliseconds)
                do { try await Task.sleep(for: .milliseconds(max(1, wait))) } catch { return }
                continue
            }
            surroundings.metrics.iterated(key, missed: due.missed)
            let isSecond = count == 1
            count += 1
            await onPool { self.evaluate(at: due.time) }
            if restores && isSecond { await onPool { self.restore() } }
        }
    }

    /// Ends the series of a group that was removed at `time`.
    func retire(at time: Timestamp) async {
        await onPool {
            let storage = self.environment.withLock { $0.storage }
            do throws(TSDBError) { try self.evaluation.withLock { (e) throws(TSDBError) in try e.retire(at: time, in: storage) } } catch {
                self.warn("Stale sample appending for previous configuration failed", error.description)
            }
        }
    }

    private func onPool(_ body: @escaping @Sendable () -> Void) async {
        do throws(ThreadPool.Full) { try await surroundings.pool.run(body) } catch {
            warn("Evaluation left out", "\(error.limit) evaluations are waiting for a thread")
        }
    }

    private func evaluate(at time: Timestamp) {
        var environment = self.environment.withLock { $0 }
        environment.shouldStop = { [isStopping = StopFlag(self)] in isStopping.isSet }
        let (report, status) = evaluation.withLock { evaluation in
            let report = evaluation.evaluate(at: time, in: environment)
            return (report, evaluation.status)
        }
        shown.withLock { $0 = status }
        surroundings.metrics.evaluated(key, report, at: status.lastEvaluation ?? time)
        for problem in report.problems { warn("Evaluating rule failed", problem.message, rule: problem.rule) }
        if !report.alerts.isEmpty { surroundings.report(report.alerts) }
    }

    private func restore() {
        let environment = self.environment.withLock { $0 }
        let began = ContinuousClock.now
        let problems = evaluation.withLock { $0.restoreForState(at: surroundings.clock.now(), in: environment) }
        for problem in problems { warn("Failed to restore 'for' state", problem) }
        surroundings.metrics.restored(key, seconds: began.duration(to: .now).inSeconds)
    }

    private func warn(_ text: String, _ error: String, rule: String = "") {
        var metadata: Logger.Metadata = ["file": "\(group.file)", "group": "\(group.name)", "err": "\(error)"]
        if !rule.isEmpty { metadata["name"] = "\(rule)" }
        surroundings.logger.warning("\(text)", metadata: metadata)
    }

    /// The runner's wish to stop, for the closure that the evaluation asks.
    private struct StopFlag: Sendable {
        private let runner: GroupRunner
        init(_ runner: GroupRunner) { self.runner = runner }
        var isSet: Bool { runner.isStopping.load(ordering: .relaxed) }
    }
}

/// What tells groups apart: their file and name.
struct GroupKey: Hashable, Comparable, Sendable {
    let file: String
    let name: String

    init(_ group: RuleGroup) {
        file = group.file
        name = group.name
    }

    static func < (a: GroupKey, b: GroupKey) -> Bool { (a.file, a.name) < (b.file, b.name) }

    /// As the label `rule_group` shows it.
    var text: String { "\(file);\(name)" }
}

extension Swift.Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
