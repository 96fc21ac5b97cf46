import HTTPServer
import PromQL
import Threads

/// Threads of a pool that help queries with their morsels.
///
///     query ── assist ──▶ a card per helper into the pool's queue ──▶ a free thread takes one and joins the crew
///       │                                                                (too late? the crew is closed, the card is void)
///       └─ works itself ──▶ done ──▶ closes the crew, waits for those who joined
///
/// The pool is not the queries' own: it has a thread less than the machine has cores, so a server with many queries at once
/// keeps each on its thread and hardly ever wakes a helper.
public struct PoolRunner: MorselRunner {
    private let pool: ThreadPool
    public let width: Int

    public init(_ pool: ThreadPool) {
        self.pool = pool
        width = pool.limit + 1
    }

    public func assist<Result>(
        _ helper: @escaping @Sendable () -> Void, while body: () throws(QueryError) -> Result
    ) throws(QueryError) -> Result {
        let crew = Crew(helper)
        // A full queue means that there is no help to be had.
        for _ in 1..<width where (try? pool.submit { crew.join() }) == nil { break }
        defer { crew.close() }
        return try body()
    }

    private final class Crew: @unchecked Sendable {
        // Sendable: `helper` and `active` are touched under `monitor` only.
        private let monitor = Monitor()
        /// `nil`: closed. Cards that still wait in the pool must not keep a query's memory alive.
        private var helper: (@Sendable () -> Void)?
        private var active = 0

        init(_ helper: @escaping @Sendable () -> Void) { self.helper = helper }

        func join() {
            monitor.lock()
            guard let helper else { return monitor.unlock() }
            active += 1
            monitor.unlock()
            helper()
            monitor.lock()
            active -= 1
            monitor.ring()
            monitor.unlock()
        }

        func close() {
            monitor.lock()
            helper = nil
            while active > 0 { monitor.wait() }
            monitor.unlock()
        }
    }
}
