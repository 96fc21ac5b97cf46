import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Threads of our own for work that computes or blocks: queries, appends, rendering.
///
///     handler ── await run { … } ──▶ queue (bounded) ──▶ one of up to `limit` threads
///        ▲                                                    │
///        └──────────────── one continuation ◀─────────────────┘
///
/// Swift's concurrency pool has one thread per core; two computing handlers would stop every other request for as long as
/// they run. Here they only compete for time slices. A hand-over costs about 20 µs.
///
/// Threads are started when there is work and no idle thread, and then stay.
///
/// Invariant: a job that was accepted runs exactly once.
public final class ThreadPool: @unchecked Sendable {
    // Sendable: `jobs` and the counters are touched under `monitor` only.

    public typealias Job = @Sendable () -> Void

    /// Every place in the queue is taken.
    public struct Full: Error, Sendable {
        public let limit: Int
    }

    /// Stack of a thread. Parsers are bounded to some hundred levels; this is ten times what they need.
    private static let stackSize = 8 << 20

    public let name: String
    /// Threads at most.
    public let limit: Int
    /// Jobs that may wait.
    public let queueLimit: Int
    private let monitor = Monitor()
    private var jobs: [Job?] = []
    private var head = 0
    private var idle = 0
    private var started = 0
    private var running = 0

    /// How far its threads give way to others; 0 to 19.
    private let niceness: Int32

    /// Up to `threads` threads, and up to `queueLimit` jobs waiting for one.
    public init(_ name: String, threads: Int, queueLimit: Int = 10_000, niceness: Int32 = 0) {
        self.name = name
        self.niceness = niceness
        limit = max(1, threads)
        self.queueLimit = queueLimit
    }

    /// Hands `job` to a thread; throws when the queue is full.
    public func submit(_ job: @escaping Job) throws(Full) {
        monitor.lock()
        if jobs.count - head >= queueLimit {
            monitor.unlock()
            throw Full(limit: queueLimit)
        }
        jobs.append(job)
        let waiting = jobs.count - head
        let needsThread = idle < waiting && started < limit
        if needsThread { started += 1 }
        monitor.ringOnce()
        monitor.unlock()
        if needsThread { startThread() }
    }

    /// Runs `body` on a thread of the pool and waits for its answer without holding a thread.
    public func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws(Full) -> Value {
        let result: Result<Value, Full> = await withCheckedContinuation { continuation in
            do throws(Full) {
                try submit { continuation.resume(returning: .success(body())) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    /// Jobs waiting and jobs running now.
    public var load: (waiting: Int, running: Int) {
        monitor.withLock { (jobs.count - head, running) }
    }

    private func startThread() {
        let code = Threads.startThread(named: name, stackSize: Self.stackSize) { [self] in work() }
        guard code != 0 else { return }
        // Other threads will get to the job. With none, nothing can ever run, and waiting would be silent.
        let isAlone = monitor.withLock {
            started -= 1
            return started == 0
        }
        precondition(!isAlone, "\(name): the system gives no threads (error \(code))")
    }

    private func work() {
        #if os(Linux)
            // Of the calling thread: on Linux priorities are the threads' own.
            if niceness != 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
        #endif
        monitor.lock()
        while true {
            idle += 1
            while head == jobs.count { monitor.wait() }
            idle -= 1
            var job = jobs[head]
            jobs[head] = nil
            head += 1
            if head == jobs.count {
                jobs.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 1024 && head * 2 > jobs.count {
                jobs.removeFirst(head)
                head = 0
            }
            running += 1
            monitor.unlock()
            job?()
            job = nil
            monitor.lock()
            running -= 1
        }
    }
}
