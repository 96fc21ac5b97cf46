import Alerter
import Logging
import Synchronization

/// Sends what waits for one Alertmanager, batch by batch.
final class SendLoop: Sendable {
    private enum Phase { case running, draining, stopped }

    private struct State {
        var queue: AlertQueue
        var phase = Phase.running
        /// The loop, while there is nothing to send.
        var sleeper: CheckedContinuation<Void, Never>?
        var task: Task<Void, Never>?
    }

    private let url: String
    private let sink: any AlertSink
    private let metrics: AlertMetrics
    private let logger: Logger
    private let state: Mutex<State>

    init(_ url: String, to sink: any AlertSink, queue: AlertQueue, metrics: AlertMetrics, logger: Logger) {
        self.url = url
        self.sink = sink
        self.metrics = metrics
        self.logger = logger
        state = Mutex(State(queue: queue))
        metrics.add(url)
        let task = Task { await self.run() }
        state.withLock { $0.task = task }
    }

    func add(_ alerts: [Alert]) {
        if alerts.isEmpty { return }
        let (dropped, sleeper) = state.withLock { state -> (Int, CheckedContinuation<Void, Never>?) in
            guard case .running = state.phase else { return (0, nil) }
            return (state.queue.add(alerts), state.sleeper.take())
        }
        if dropped > 0 {
            metrics.dropped(url, dropped)
            logger.warning("Alert notification queue full, dropping alerts", metadata: ["alertmanager": "\(url)", "count": "\(dropped)"])
        }
        sleeper?.resume()
    }

    /// No more alerts are taken. What waits is sent or dropped.
    func stop(draining: Bool) {
        let (sleeper, task, dropped) = state.withLock { state in
            state.phase = draining ? .draining : .stopped
            return (state.sleeper.take(), draining ? nil : state.task, draining ? 0 : state.queue.count)
        }
        if dropped > 0 {
            metrics.dropped(url, dropped)
            logger.warning(
                "Alert notification queue not drained on shutdown, dropping alerts",
                metadata: ["alertmanager": "\(url)", "count": "\(dropped)"])
        }
        task?.cancel()
        sleeper?.resume()
    }

    func finished() async { await state.withLock { $0.task }?.value }

    var queueLength: Int { state.withLock { $0.queue.count } }

    private func run() async {
        while let batch = await nextBatch() {
            let began = ContinuousClock.now
            do throws(AlertSinkError) {
                try await sink.send(batch)
                metrics.sent(url, batch.count, seconds: began.duration(to: .now).inSeconds)
            } catch {
                logger.error(
                    "Error sending alerts",
                    metadata: ["alertmanager": "\(url)", "count": "\(batch.count)", "err": "\(error.message)"])
                metrics.failed(url, batch.count)
                // An Alertmanager that is not there must not keep the server from ending.
                state.withLock { if case .draining = $0.phase { $0.phase = .stopped } }
            }
        }
        metrics.remove(url)
    }

    /// Waits for something to send; `nil`: there will be nothing more.
    private func nextBatch() async -> [Alert]? {
        while true {
            let (batch, isOver) = state.withLock { state -> ([Alert], Bool) in
                if case .stopped = state.phase { return ([], true) }
                let batch = state.queue.nextBatch()
                if case .draining = state.phase { return (batch, batch.isEmpty) }
                return (batch, false)
            }
            if isOver { return nil }
            if !batch.isEmpty { return batch }
            await withCheckedContinuation { continuation in
                let isAwake = state.withLock { state in
                    if case .running = state.phase, state.queue.isEmpty {
                        state.sleeper = continuation
                        return false
                    }
                    return true
                }
                if isAwake { continuation.resume() }
            }
        }
    }
}
