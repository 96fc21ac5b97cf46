import HTTPServer
import NIOPosix
import Synchronization
import Testing

@testable import WebAPI

@Suite("A thread pool of our own")
struct ThreadPoolTests {
    @Test("every job runs once and gives its answer back")
    func answers() async throws {
        let pool = ThreadPool("t", threads: 3)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<2000 { group.addTask { try await pool.run { number } } }
            return try await group.reduce(0, +)
        }
        #expect(sum == 1999 * 1000)
    }

    @Test("a full queue refuses and names its bound")
    func bound() async throws {
        let pool = ThreadPool("t", threads: 1, queueLimit: 2)
        let gate = Mutex(false)
        try pool.submit { while !gate.withLock({ $0 }) {} }
        while pool.load.running == 0 { await Task.yield() }
        try pool.submit {}
        try pool.submit {}
        do throws(ThreadPool.Full) {
            try pool.submit {}
            Issue.record("accepted")
        } catch {
            #expect(error.limit == 2)
        }
        gate.withLock { $0 = true }
        while pool.load.waiting > 0 { await Task.yield() }
        #expect(try await pool.run { true })
    }

    @Test("tasks run and wait on the event loop they are given")
    func executor() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let executor = EventLoopExecutor(loop), clock = EventLoopClock(loop)
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<100 {
                group.addTask(executorPreference: executor) {
                    try await clock.sleep(until: clock.now() + 1_000_000)
                    return number
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(total == 4950)
    }
}
