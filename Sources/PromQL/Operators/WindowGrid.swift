import TSDB

/// Which samples beyond its window a range selector may use.
public enum WindowReach: String, Sendable {
    /// `x[5m]`: none.
    case window
    /// `x[5m] anchored`: the newest one at or before the start.
    case anchored
    /// `x[5m] smoothed`: that, and the oldest one at or behind the end; values at start and end are interpolated.
    case smoothed
}

/// Where a selector looks at each step of a query: the window `(end − length, end]`, left-open since Prometheus 3.
///
///     steps of the query    t₀      t₁      t₂
///     offset 5m           t₀−5m   t₁−5m   t₂−5m        stride = step of the query
///     @ 1234               1234    1234    1234        stride = 0
///
/// A range selector's length is its range. An instant selector's is the lookback, and it takes the newest sample.
///
/// An `anchored` window also has the sample at or before its start, a `smoothed` one the sample at or behind its end, too,
/// both not further away than the lookback (`WindowPlan` finds them).
public struct WindowGrid: Sendable, Equatable {
    /// End of the first window, milliseconds since the epoch.
    public let first: Int64
    /// From one window to the next, milliseconds; zero or positive.
    public let stride: Int64
    public let count: Int
    /// Milliseconds; zero or positive. A window of length 0 is empty.
    public let length: Int64
    /// How far before its start a window reaches for one more sample, and how far behind its end; milliseconds.
    public let before: Int64
    public let after: Int64

    /// Times further from the epoch than this (146 million years) are brought here, so that differences of times
    /// cannot overflow.
    static let farthest: Int64 = 1 << 62

    /// The windows of a selector over the steps of `grid`. `offset` is positive towards the past; `at` replaces the
    /// time of the step.
    public init(
        _ grid: StepGrid, length: Duration, offset: Duration = .zero, at: Timestamp? = nil, before: Duration = .zero,
        after: Duration = .zero
    ) {
        let start = (at?.milliseconds ?? grid.start).clampedSubtracting(offset.milliseconds)
        first = Swift.max(-Self.farthest, Swift.min(Self.farthest, start))
        stride = at == nil ? grid.step : 0
        count = grid.count
        self.length = Swift.max(0, Swift.min(Self.farthest, length.milliseconds))
        self.before = Swift.max(0, Swift.min(Self.farthest >> 1, before.milliseconds))
        self.after = Swift.max(0, Swift.min(Self.farthest >> 1, after.milliseconds))
    }

    /// A selector's windows under a modifier, which reach as far as the lookback.
    public init(
        _ grid: StepGrid, length: Duration, offset: Duration, at: Timestamp?, reach: WindowReach, lookback: Duration
    ) {
        self.init(
            grid, length: length, offset: offset, at: at, before: reach == .window ? .zero : lookback,
            after: reach == .smoothed ? lookback : .zero)
    }

    /// The length in seconds as Go's `Duration.Seconds` gives it: whole seconds plus the fraction, rounded once more.
    var seconds: Double { Double(length / 1000) + Double(length % 1000) / 1000 }

    @inlinable @inline(__always)
    public func end(_ index: Int) -> Int64 { first &+ stride &* Int64(truncatingIfNeeded: index) }

    /// The earliest sample time that any window may hold.
    public var from: Timestamp {
        Timestamp(milliseconds: (first &- length).clampedSubtracting(before).clampedAdding(1))
    }
    /// The latest one.
    public var through: Timestamp {
        Timestamp(milliseconds: (count == 0 ? first : end(count - 1)).clampedAdding(after))
    }
}
