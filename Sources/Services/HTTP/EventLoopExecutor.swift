import NIOCore

/// Runs Swift tasks on one event loop.
///
/// What happens on the loop's own thread is only put into its queue. On the concurrency pool each step of a request, or of a
/// scrape, wakes another thread, which costs more than the step: 0.1 ms a request, 0.7 ms a scrape. So nothing may run here that
/// computes for long or blocks: that goes to a `ThreadPool`.
public final class EventLoopExecutor: TaskExecutor {
    public let loop: any EventLoop

    public init(_ loop: any EventLoop) { self.loop = loop }

    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        loop.execute { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
