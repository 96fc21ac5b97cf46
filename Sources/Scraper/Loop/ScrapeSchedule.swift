import TSDB

/// When a target is scraped, and which timestamp its samples get.
///
///     interval   │·········│·········│·········│          targets spread over it by their identity
///     scrapes        ▲ 0.3      ▲ 10.301   ▲ 20.302       a few ms late, as timers are
///     timestamps     0.300      10.300     20.300         within 2 ms (1 % of short intervals): put back on the grid
///
/// Regular timestamps cost the storage nothing. Time comes in, decisions go out; nothing here waits.
struct ScrapeSchedule {
    /// How late a scrape may be and still get its place on the grid.
    static let tolerance: Int64 = 2

    let interval: Int64
    private var aligned: Int64

    /// The grid starts with the first scrape.
    init(interval: Duration, start: Timestamp) {
        self.interval = max(1, interval.milliseconds)
        aligned = start.milliseconds
    }

    /// The timestamp for a scrape that starts at `now`.
    mutating func timestamp(at now: Timestamp) -> Timestamp {
        let late = now.milliseconds.clampedSubtracting(aligned)
        // A clock that was put back starts a new grid; waiting for it to catch up would lose samples.
        if late < -Self.tolerance {
            aligned = now.milliseconds
            return now
        }
        if late >= interval { aligned = aligned.clampedAdding(late / interval * interval) }
        let rest = now.milliseconds.clampedSubtracting(aligned)
        return rest <= min(interval / 100, Self.tolerance) ? Timestamp(milliseconds: aligned) : now
    }

    /// Milliseconds from `now` to the first scrape: the place of `identity` in the interval, the same after every
    /// restart. In 0 ..< interval.
    static func offset(identity: UInt64, interval: Duration, now: Timestamp) -> Int64 {
        let interval = max(1, interval.milliseconds)
        let place = Int64(identity % UInt64(interval))
        let phase = ((now.milliseconds % interval) + interval) % interval
        return place >= phase ? place - phase : place - phase + interval
    }

    /// The tick after `deadline`, in nanoseconds: on the same beat, missed beats left out.
    func next(after deadline: Int64, now: Int64) -> Int64 {
        let beat = interval.multipliedReportingOverflow(by: 1_000_000)
        let step = beat.overflow ? Int64.max / 4 : beat.partialValue
        let next = deadline.clampedAdding(step)
        // One beat may be caught up at once, as a ticker does; older ones are gone.
        return next >= now.clampedSubtracting(step) ? next : next.clampedAdding((now.clampedSubtracting(next)) / step * step)
    }
}
