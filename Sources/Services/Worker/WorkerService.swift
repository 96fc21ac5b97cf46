import DemoStore
import HTTPServer
import HTTPTypes
import Logging
import NIOCore
import Postgres
import ServiceProcess

/// The demo's worker: takes jobs from a table and puts transactions into another, with as many loops as are asked for.
///
///     GET  /-/scale                {"workers":1}
///     POST /-/scale?workers=3      {"workers":3}       0 … 16
///     POST /-/enqueue?jobs=500     {"enqueued":500}    a backlog
///     POST /-/quit
public final class WorkerService: HTTPService {
    public let packing: ThreadPool
    public let answers: ThreadPool
    private let metrics = WorkerMetrics()
    private let loops: WorkerLoops
    private let queue: JobQueue
    private let pool: ConnectionPool
    private let token: AccessToken
    private let stop: StopRequest
    private let logger: Logger

    package init(
        _ pool: ConnectionPool, pace: Pace, token: AccessToken, stop: StopRequest, logger: Logger, now: @escaping @Sendable () -> Double
    ) {
        let threads = ThreadPool("worker", threads: 1)
        packing = threads
        answers = threads
        queue = JobQueue(pool)
        let pace = WorkerLoops.Pace(period: pace.period, produced: pace.produced, batch: pace.batch, rate: pace.rate)
        loops = WorkerLoops(queue, pace: pace, metrics: metrics, logger: logger, now: now)
        self.pool = pool
        self.token = token
        self.stop = stop
        self.logger = logger
    }

    /// How much is produced and done, from `WORKER_PERIOD_MS`, `WORKER_PRODUCED`, `WORKER_BATCH` and `WORKER_RATE`.
    package struct Pace: Sendable {
        var period = Swift.Duration.seconds(1)
        var produced = 5
        var batch = 10
        var rate = 50.0

        package init(_ value: (String) -> String?) throws(StartError) {
            func number(_ name: String, _ range: ClosedRange<Int>) throws(StartError) -> Int? {
                guard let text = value(name), !text.isEmpty else { return nil }
                guard let number = Int(text), range.contains(number) else {
                    throw StartError("\(name): \"\(text)\" is no number of \(range.lowerBound) to \(range.upperBound)")
                }
                return number
            }
            if let period = try number("WORKER_PERIOD_MS", 10...3_600_000) { self.period = .milliseconds(period) }
            if let produced = try number("WORKER_PRODUCED", 0...JobQueue.maximumEnqueued) { self.produced = produced }
            if let batch = try number("WORKER_BATCH", 1...1000) { self.batch = batch }
            if let rate = try number("WORKER_RATE", 1...100_000) { self.rate = Double(rate) }
        }
    }

    /// Works until it is cancelled.
    public func work(workers: Int) async { await loops.run(workers: workers) }

    public func answer(_ request: APIRequest) async -> Reply {
        switch (request.path, request.method) {
        case ("/metrics", .get), ("/metrics", .head):
            return Reply(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: ByteBuffer(bytes: metrics.page()))
        case ("/-/healthy", .get), ("/-/healthy", .head): return .text("worker is Healthy.\n")
        case ("/-/ready", .get), ("/-/ready", .head):
            if let error = await pool.ping() { return .text("database: \(error)\n", .serviceUnavailable) }
            return .text("worker is Ready.\n")
        case ("/-/scale", .get): return await guarded(request) { await self.workers() }
        case ("/-/scale", .post): return await guarded(request) { await self.scale(request.parameters["workers"]) }
        case ("/-/enqueue", .post): return await guarded(request) { await self.enqueue(request.parameters["jobs"]) }
        case ("/-/quit", .post):
            return await guarded(request) {
                self.logger.info("Asked to quit")
                self.stop.ask()
                return .text("Stopping.\n")
            }
        default: return .notFound
        }
    }

    private func guarded(_ request: APIRequest, _ body: () async -> Reply) async -> Reply {
        if let refusal = token.refusal(of: request) { return refusal }
        return await body()
    }

    private func workers() async -> Reply { Self.json("workers", await loops.count) }

    private func scale(_ text: String) async -> Reply {
        guard let count = Int(text), (0...WorkerLoops.maximumWorkers).contains(count) else {
            return .text("workers must be in 0…\(WorkerLoops.maximumWorkers)\n", .badRequest)
        }
        await loops.scale(to: count)
        logger.info("Scaled", metadata: ["workers": "\(count)"])
        return Self.json("workers", count)
    }

    private func enqueue(_ text: String) async -> Reply {
        guard let count = Int(text), (1...JobQueue.maximumEnqueued).contains(count) else {
            return .text("jobs must be in 1…\(JobQueue.maximumEnqueued)\n", .badRequest)
        }
        do throws(PostgresError) {
            try await queue.enqueue(count)
            return Self.json("enqueued", count)
        } catch { return .text("database: \(error)\n", .serviceUnavailable) }
    }

    private static func json(_ name: StaticString, _ value: Int) -> Reply {
        var text = JSONText(capacity: 64)
        text.append("{\"")
        text.append(name)
        text.append("\":")
        text.append(value)
        text.append("}\n" as StaticString)
        return .json(text.take())
    }
}
