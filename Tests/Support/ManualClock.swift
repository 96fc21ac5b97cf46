import Synchronization
import TSDB

/// A clock that stands still until told otherwise.
public final class ManualClock: WallClock {
    private let time: Mutex<Timestamp>

    public init(_ start: Timestamp = Timestamp(milliseconds: 0)) { time = Mutex(start) }

    public func now() -> Timestamp { time.withLock { $0 } }

    public func advance(by span: Duration) { time.withLock { $0 = $0 + span } }

    public func set(_ now: Timestamp) { time.withLock { $0 = now } }
}
