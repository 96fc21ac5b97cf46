import DemoStore
import Logging
import Postgres

/// The loops that work, as many as are wanted just now, and the one that makes work for them.
///
///     producer, every period:   enqueue a few jobs ─▶ measure the queue ─▶ forget old ones
///     worker 1 … n:             drain a batch ─▶ pause so that `rate` jobs a second come out ─▶ …
///     any of them, on failure:  back off, try again: a database that is away ends nobody
///
/// One loop does about `rate` jobs a second, so a queue that grows faster needs more of them.
actor WorkerLoops {
    struct Pace: Sendable, Equatable {
        /// Between two productions.
        var period = Swift.Duration.seconds(1)
        /// Jobs made in each.
        var produced = 5
        /// Jobs of one batch.
        var batch = 10
        /// Jobs a second that one worker does.
        var rate = 50.0

        /// From the begin of one full batch to the next.
        var interval: Swift.Duration { .milliseconds(Int64(max(1, Double(batch) / max(rate, 0.1) * 1000))) }
    }

    static let maximumWorkers = 16
    /// Old jobs are deleted in every so many-th period.
    private static let periodsBetweenCleanings = 60

    let pace: Pace
    private let queue: JobQueue
    private let metrics: WorkerMetrics
    private let logger: Logger
    private let now: @Sendable () -> Double
    private var workers: [Task<Void, Never>] = []

    init(_ queue: JobQueue, pace: Pace, metrics: WorkerMetrics, logger: Logger, now: @escaping @Sendable () -> Double) {
        self.queue = queue
        self.pace = pace
        self.metrics = metrics
        self.logger = logger
        self.now = now
    }

    var count: Int { workers.count }

    /// Starts and ends loops until there are `wanted`. A loop that is ended finishes its batch.
    func scale(to wanted: Int) {
        let wanted = min(max(wanted, 0), Self.maximumWorkers)
        while workers.count > wanted { workers.removeLast().cancel() }
        while workers.count < wanted {
            workers.append(Task { [queue, pace, metrics, now] in await Self.work(queue, pace, metrics, now) })
        }
        metrics.concurrency.set(Double(wanted))
    }

    /// Produces until it is cancelled, then ends all loops.
    func run(workers count: Int) async {
        scale(to: count)
        var backoff = Backoff(), periods = 0, wasAway = false
        while !Task.isCancelled {
            do throws(PostgresError) {
                try await queue.enqueue(pace.produced)
                metrics.setQueueLength(try await queue.length())
                if periods % Self.periodsBetweenCleanings == 0 { try await queue.forget() }
                if wasAway { logger.info("The database is back") }
                wasAway = false
                periods &+= 1
                backoff.succeeded()
                try? await Task.sleep(for: pace.period)
            } catch {
                metrics.setQueueLength(nil)
                // Once per outage, not once per attempt.
                if !wasAway { logger.warning("The database is away", metadata: ["error": "\(error)"]) }
                wasAway = true
                try? await Task.sleep(for: backoff.failed(chance: .random(in: 0..<1)))
            }
        }
        let ending = workers
        scale(to: 0)
        for worker in ending { await worker.value }
    }

    private static func work(
        _ queue: JobQueue, _ pace: Pace, _ metrics: WorkerMetrics, _ now: @Sendable () -> Double
    ) async {
        let clock = ContinuousClock()
        var backoff = Backoff()
        while !Task.isCancelled {
            let begin = clock.now
            do throws(PostgresError) {
                let rows = try await queue.drain(pace.batch)
                if rows > 0 {
                    let (seconds, attoseconds) = (clock.now - begin).components
                    metrics.batchDuration.observe(Double(seconds) + Double(attoseconds) / 1e18)
                    metrics.batches["success"].increment()
                    metrics.rowsInserted.increment(by: rows)
                }
                metrics.lastSuccess.set(now())
                backoff.succeeded()
                // Less than a batch waited: there is time.
                let pause = rows < pace.batch ? max(pace.interval, .milliseconds(250)) : pace.interval
                try? await Task.sleep(until: begin + pause, clock: clock)
            } catch {
                metrics.batches["error"].increment()
                try? await Task.sleep(for: backoff.failed(chance: .random(in: 0..<1)))
            }
        }
    }
}
