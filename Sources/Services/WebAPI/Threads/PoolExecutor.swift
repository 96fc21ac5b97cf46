/// Runs Swift tasks on a thread pool of ours, for tasks that compute between their waits: scrapes parse and append.
///
/// Invariant: every job runs; the pool's queue must have no bound, because a task's job cannot be refused.
public final class PoolExecutor: TaskExecutor {
    private let pool: ThreadPool

    public init(_ name: String, threads: Int) { pool = ThreadPool(name, threads: threads, queueLimit: .max) }

    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        do throws(ThreadPool.Full) {
            try pool.submit { unowned.runSynchronously(on: executor) }
        } catch {
            preconditionFailure("a pool without a bound is full at \(error.limit)")
        }
    }
}
