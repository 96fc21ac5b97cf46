import TSDB

/// Where a selector looks at each step of a query: the window `(end − length, end]`, left-open since Prometheus 3.
///
///     steps of the query    t₀      t₁      t₂
///     offset 5m           t₀−5m   t₁−5m   t₂−5m        stride = step of the query
///     @ 1234               1234    1234    1234        stride = 0
///
/// A range selector's length is its range. An instant selector's is the lookback, and it takes the newest sample.
public struct WindowGrid: Sendable, Equatable {
    /// End of the first window, milliseconds since the epoch.
    public let first: Int64
    /// From one window to the next, milliseconds; zero or positive.
    public let stride: Int64
    public let count: Int
    /// Milliseconds; zero or positive. A window of length 0 is empty.
    public let length: Int64

    /// Times further from the epoch than this (146 million years) are brought here, so that differences of times
    /// cannot overflow.
    static let farthest: Int64 = 1 << 62

    /// The windows of a selector over the steps of `grid`. `offset` is positive towards the past; `at` replaces the
    /// time of the step.
    public init(_ grid: StepGrid, length: Duration, offset: Duration = .zero, at: Timestamp? = nil) {
        let start = (at?.milliseconds ?? grid.start).clampedSubtracting(offset.milliseconds)
        first = Swift.max(-Self.farthest, Swift.min(Self.farthest, start))
        stride = at == nil ? grid.step : 0
        count = grid.count
        self.length = Swift.max(0, Swift.min(Self.farthest, length.milliseconds))
    }

    @inlinable @inline(__always)
    public func end(_ index: Int) -> Int64 { first &+ stride &* Int64(truncatingIfNeeded: index) }

    /// The earliest sample time that any window holds.
    public var from: Timestamp { Timestamp(milliseconds: first &- length &+ 1) }
    /// The latest one.
    public var through: Timestamp { Timestamp(milliseconds: count == 0 ? first : end(count - 1)) }
}
