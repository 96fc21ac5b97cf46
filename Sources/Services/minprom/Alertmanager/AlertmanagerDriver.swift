import Alerter
import HTTPServer
import NIOPosix
import Synchronization
import TSDB
import WebAPI

/// Gives the machine its time and its network: wakes it when it wants to be woken, makes the attempts that it asks for, and tells
/// it how they went.
///
///     ┌─▶ wait until nextWake, or the bell ──▶ advance ──▶ [Delivery] ──▶ one task each: send, at most until its deadline ─┐
///     └────────────────────────────── ring ◀── finish ◀────────────────────────────────────────────────────────────────────┘
///
/// Calls that may wait for a disk run on `pool`; attempts, which fill in templates, on a loop of their own, so that a storm of them
/// keeps nothing else from running.
final class AlertmanagerDriver: Sendable {
    private let machine: Alertmanager
    private let notifier: any Notifier
    private let clock: any WallClock
    private let pool: ThreadPool
    private let bell = Bell()
    private let attempts = EventLoopExecutor(MultiThreadedEventLoopGroup(numberOfThreads: 1).next())

    init(_ machine: Alertmanager, notifier: any Notifier, clock: any WallClock, pool: ThreadPool) {
        self.machine = machine
        self.notifier = notifier
        self.clock = clock
        self.pool = pool
    }

    /// Something has changed: look at the next wake again.
    func ring() { bell.ring() }

    /// Until the task is cancelled; attempts under way are then given up, so that they are made again by the next process.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let machine = machine, clock = clock
                let deliveries = (try? await pool.run { machine.advance(to: clock.now()) }) ?? []
                for delivery in deliveries { group.addTask(executorPreference: attempts) { await self.make(delivery) } }
                await bell.wait(atMost: machine.nextWake.map { $0 - clock.now() })
            }
            group.cancelAll()
        }
    }

    private func make(_ delivery: Delivery) async {
        let outcome = await attempt(delivery)
        if Task.isCancelled && outcome != .sent { return }
        let machine = machine, clock = clock
        // A full queue would lose the outcome, and with it the group: then it is told from here.
        do { try await pool.run { machine.finish(delivery.id, outcome, at: clock.now()) } } catch {
            machine.finish(delivery.id, outcome, at: clock.now())
        }
        ring()
    }

    private func attempt(_ delivery: Delivery) async -> NotificationOutcome {
        let left = max(0, (delivery.deadline - clock.now()).milliseconds)
        return await withTaskGroup(of: NotificationOutcome.self) { group in
            group.addTask { await self.notifier.send(delivery.notification) }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(left))
                return .failed(
                    reason: "contextDeadlineExceeded", message: "no answer before the group's next look", isRetryable: false)
            }
            let first = await group.next() ?? .failed(reason: "other", message: "no attempt was made", isRetryable: true)
            group.cancelAll()
            return first
        }
    }
}

/// Waiting that can be cut short.
private final class Bell: Sendable {
    private struct State {
        var isRung = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let sleeper = state.withLock { state in
            guard let sleeper = state.sleeper else {
                state.isRung = true
                return nil as CheckedContinuation<Void, Never>?
            }
            state.sleeper = nil
            return sleeper
        }
        sleeper?.resume()
    }

    /// Returns when the bell rings or has rung since the last wait, when `span` is over (`nil`: never), or on cancellation.
    func wait(atMost span: TSDB.Duration?) async {
        if let span, span <= .zero { return }
        let alarm = Task {
            guard let span else { return }
            try? await Task.sleep(for: .milliseconds(span.milliseconds))
            if !Task.isCancelled { ring() }
        }
        defer { alarm.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRung = state.withLock { state in
                    let isRung = state.isRung || Task.isCancelled
                    state.isRung = false
                    if !isRung { state.sleeper = continuation }
                    return isRung
                }
                if isRung { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }
}
