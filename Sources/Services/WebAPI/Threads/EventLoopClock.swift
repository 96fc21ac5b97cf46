import NIOCore
import Scraper
import Synchronization

/// Time as an event loop keeps it: whoever waits is woken on the loop, by its timer.
///
/// With `EventLoopExecutor` a scrape is started, answered, parsed and stored on one thread. The loop is the scrapes' own: HTTP is
/// served by others, so parsing here keeps nobody waiting but scrapes.
public final class EventLoopClock: MonotonicClock {
    private let loop: any EventLoop
    private let clock = ContinuousMonotonicClock()

    public init(_ loop: any EventLoop) { self.loop = loop }

    public func now() -> Int64 { clock.now() }

    /// Waits by the loop's timer.
    public func sleep(until deadline: Int64) async throws(CancellationError) {
        let wait = deadline &- now()
        guard !Task.isCancelled else { throw CancellationError() }
        guard wait > 0 else { return }
        let sleeper = Sleeper()
        let timer = loop.scheduleTask(in: .nanoseconds(wait)) { sleeper.wake(true) }
        let hasSlept = await withTaskCancellationHandler {
            await withUnsafeContinuation { sleeper.await($0) }
        } onCancel: {
            timer.cancel()
            sleeper.wake(false)
        }
        if !hasSlept { throw CancellationError() }
    }
}

/// One wait: woken by the timer or by cancellation, whichever is first; the other comes too late.
private final class Sleeper: Sendable {
    private enum State {
        case new
        case waiting(UnsafeContinuation<Bool, Never>)
        case woken(Bool)
    }

    private let state = Mutex(State.new)

    func await(_ continuation: UnsafeContinuation<Bool, Never>) {
        let early: Bool? = state.withLock { state in
            if case .woken(let hasSlept) = state { return hasSlept }
            state = .waiting(continuation)
            return nil
        }
        if let early { continuation.resume(returning: early) }
    }

    func wake(_ hasSlept: Bool) {
        let waiting: UnsafeContinuation<Bool, Never>? = state.withLock { state in
            switch state {
            case .new:
                state = .woken(hasSlept)
                return nil
            case .waiting(let continuation):
                state = .woken(hasSlept)
                return continuation
            case .woken: return nil
            }
        }
        waiting?.resume(returning: hasSlept)
    }
}
