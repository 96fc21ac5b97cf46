/// Time that never jumps, and waiting for it: what loops keep their pace by. Tests hand in one that is turned by hand.
public protocol MonotonicClock: Sendable {
    /// Nanoseconds since some fixed moment.
    func now() -> Int64

    /// Returns at or after `deadline` (as `now()` counts); throws when the task is cancelled.
    func sleep(until deadline: Int64) async throws(CancellationError)
}

/// The system's continuous clock: goes on while the machine is suspended.
public struct ContinuousMonotonicClock: MonotonicClock {
    private let origin = ContinuousClock.now

    public init() {}

    public func now() -> Int64 {
        let (seconds, attoseconds) = origin.duration(to: .now).components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }

    public func sleep(until deadline: Int64) async throws(CancellationError) {
        do {
            try await Task.sleep(until: origin.advanced(by: .nanoseconds(deadline)), tolerance: .zero, clock: .continuous)
        } catch { throw CancellationError() }
    }
}
