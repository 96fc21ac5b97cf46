/// A point in time: milliseconds since the Unix epoch, as Prometheus stores them.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var milliseconds: Int64

    @inlinable
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// The earliest and latest representable times; ranges "from the beginning" use them.
    public static let min = Timestamp(milliseconds: .min)
    public static let max = Timestamp(milliseconds: .max)

    @inlinable
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    /// Clamped at the ends of time instead of trapping: times come from outside.
    @inlinable
    public static func + (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(milliseconds: a.milliseconds.clampedAdding(b.milliseconds))
    }

    @inlinable
    public static func - (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(milliseconds: a.milliseconds.clampedSubtracting(b.milliseconds))
    }

    @inlinable
    public static func - (a: Timestamp, b: Timestamp) -> Duration {
        Duration(milliseconds: a.milliseconds.clampedSubtracting(b.milliseconds))
    }

    /// Seconds since the epoch, as `timestamp()` and the HTTP API give it.
    @inlinable
    public var seconds: Double { Double(milliseconds) / 1000 }
}

/// A span of time in milliseconds; may be negative (offsets).
public struct Duration: Hashable, Comparable, Sendable {
    public var milliseconds: Int64

    @inlinable
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static let zero = Duration(milliseconds: 0)

    @inlinable
    public static func milliseconds(_ n: Int64) -> Duration { Duration(milliseconds: n) }
    @inlinable
    public static func seconds(_ n: Int64) -> Duration { Duration(milliseconds: n * 1000) }
    @inlinable
    public static func minutes(_ n: Int64) -> Duration { Duration(milliseconds: n * 60_000) }
    @inlinable
    public static func hours(_ n: Int64) -> Duration { Duration(milliseconds: n * 3_600_000) }

    @inlinable
    public static func < (a: Duration, b: Duration) -> Bool { a.milliseconds < b.milliseconds }

    @inlinable
    public static func + (a: Duration, b: Duration) -> Duration {
        Duration(milliseconds: a.milliseconds.clampedAdding(b.milliseconds))
    }

    @inlinable
    public static func - (a: Duration, b: Duration) -> Duration {
        Duration(milliseconds: a.milliseconds.clampedSubtracting(b.milliseconds))
    }

    @inlinable
    public static prefix func - (a: Duration) -> Duration { Duration.zero - a }

    @inlinable
    public var seconds: Double { Double(milliseconds) / 1000 }
}

extension Int64 {
    @inlinable
    public func clampedAdding(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    @inlinable
    public func clampedSubtracting(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}

/// Tells the time. The core reads no clock of its own; tests hand in one that stands still.
public protocol WallClock: Sendable {
    func now() -> Timestamp
}
