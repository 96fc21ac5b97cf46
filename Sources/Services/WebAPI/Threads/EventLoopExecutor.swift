import NIOCore
import Scraper

/// Runs Swift tasks on one event loop, and lets them wait there: a scrape is started, answered, parsed and stored on one thread.
///
/// What happens on the loop's own thread is only put into its queue. With a pool beside the loop each of the dozen steps of a
/// scrape woke another thread, which cost four times what the samples do (730 µs for 500 of them). The loop is the scrapes' own: HTTP is served by
/// others, so parsing here keeps nobody waiting but scrapes.
public final class EventLoopExecutor: TaskExecutor, MonotonicClock {
    private let loop: any EventLoop
    private let clock = ContinuousMonotonicClock()

    public init(_ loop: any EventLoop) { self.loop = loop }

    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        loop.execute { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    public func now() -> Int64 { clock.now() }

    /// Waits by the loop's timer.
    public func sleep(until deadline: Int64) async throws(CancellationError) {
        let wait = deadline &- now()
        guard !Task.isCancelled else { throw CancellationError() }
        guard wait > 0 else { return }
        let promise = loop.makePromise(of: Void.self)
        let timer = loop.scheduleTask(in: .nanoseconds(wait)) { promise.succeed() }
        do {
            try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                timer.cancel()
                promise.fail(CancellationError())
            }
        } catch { throw CancellationError() }
    }
}
