import Scraper
import Synchronization
import TSDB

/// Both clocks of a scrape, turned by hand. Tasks that sleep on it wait until `advance` reaches their deadline.
final class TestTime: MonotonicClock, WallClock {
    private struct Sleeper {
        let deadline: Int64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var nanoseconds: Int64 = 0
        var wallOffset: Int64
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var count = 0
    }

    private let state: Mutex<State>

    init(wall: Int64 = 1_000_000) { state = Mutex(State(wallOffset: wall)) }

    func now() -> Int64 { state.withLock { $0.nanoseconds } }

    func now() -> Timestamp { Timestamp(milliseconds: wall) }

    var wall: Int64 { state.withLock { $0.wallOffset + $0.nanoseconds / 1_000_000 } }

    /// Puts the wall clock forward or back, as an administrator would.
    func stepWall(by milliseconds: Int64) { state.withLock { $0.wallOffset += milliseconds } }

    /// Lets time pass inside of a task that does not sleep: a slow answer.
    func pass(_ milliseconds: Int64) { state.withLock { $0.nanoseconds += milliseconds * 1_000_000 } }

    func sleep(until deadline: Int64) async throws(CancellationError) {
        let number = state.withLock {
            $0.count += 1
            return $0.count
        }
        do {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                    let isDone = state.withLock { state in
                        if state.cancelled.remove(number) != nil { return true }
                        state.sleepers[number] = Sleeper(deadline: deadline, continuation: continuation)
                        return false
                    }
                    if isDone { continuation.resume(throwing: CancellationError()) }
                }
            } onCancel: {
                let sleeper = state.withLock { state in
                    let sleeper = state.sleepers.removeValue(forKey: number)
                    if sleeper == nil { state.cancelled.insert(number) }
                    return sleeper
                }
                sleeper?.continuation.resume(throwing: CancellationError())
            }
        } catch { throw CancellationError() }
    }

    /// Yields until exactly `count` tasks sleep; false when that does not happen within a minute.
    func settle(_ count: Int) async -> Bool {
        let end = ContinuousClock.now + .seconds(60)
        while state.withLock({ $0.sleepers.count }) != count {
            if ContinuousClock.now > end { return false }
            await Task.yield()
        }
        return true
    }

    /// Moves time forward by steps from deadline to deadline. After each step `count` tasks sleep; `before` it starts,
    /// as many or a stated number.
    func advance(by milliseconds: Int64, sleepers count: Int, before: Int? = nil) async -> Bool {
        guard await settle(before ?? count) else { return false }
        let target = now() + milliseconds * 1_000_000
        while true {
            let due: [Sleeper] = state.withLock { state in
                let next = state.sleepers.values.map(\.deadline).min() ?? .max
                guard next <= target else {
                    state.nanoseconds = max(state.nanoseconds, target)
                    return []
                }
                state.nanoseconds = max(state.nanoseconds, next)
                let due = state.sleepers.filter { $0.value.deadline <= state.nanoseconds }
                for number in due.keys { state.sleepers[number] = nil }
                return Array(due.values)
            }
            if due.isEmpty { return true }
            for sleeper in due { sleeper.continuation.resume() }
            guard await settle(count) else { return false }
        }
    }
}
