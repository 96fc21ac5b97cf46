import TSDB

/// When a group is evaluated: at times that follow from its name, so that groups are spread over the interval and a restart
/// changes nothing.
///
///     interval 60s, hash mod 60s = 13s        …:13   …:13   …:13        evaluated *for* these times,
///     woken                                   …:13   …:14   …:13        however late
///
/// An evaluation that takes too long makes others be missed; they are counted and never caught up with.
/// Source: Prometheus 3.14, `rules/group.go`: `EvalTimestamp`, `run`.
public struct GroupSchedule: Sendable {
    public let interval: Duration
    private let offset: Int64
    /// The last evaluation, or the slot before the first.
    private var last: Timestamp

    /// The first evaluation is in the slot after `now`.
    public init(_ group: RuleGroup, at now: Timestamp) {
        interval = .milliseconds(max(1, group.interval.milliseconds))
        // Upstream counts nanoseconds; evaluation times are cut to milliseconds.
        let nanoseconds = UInt64(interval.milliseconds).multipliedReportingOverflow(by: 1_000_000)
        let identity: Labels = ["name": group.name, "file": group.file]
        let hash = identity.upstreamHash
        offset = nanoseconds.overflow ? 0 : Int64(hash % nanoseconds.partialValue / 1_000_000)
        last = Self.slot(before: now, interval, offset)
    }

    private static func slot(before now: Timestamp, _ interval: Duration, _ offset: Int64) -> Timestamp {
        let shifted = now.milliseconds.clampedSubtracting(offset)
        return Timestamp(milliseconds: (shifted - shifted % interval.milliseconds).clampedAdding(offset))
    }

    /// When to ask `due` next.
    public var next: Timestamp { last + interval }

    /// What to evaluate at `now`: the time to evaluate for and how many slots before it were missed; `nil`: nothing yet.
    public mutating func due(at now: Timestamp) -> (time: Timestamp, missed: Int)? {
        if now < last {
            // The clock was set back: begin anew from where it is.
            last = Self.slot(before: now, interval, offset)
            return nil
        }
        let slots = (now - last).milliseconds / interval.milliseconds
        guard slots > 0 else { return nil }
        last = last + Duration(milliseconds: slots.multipliedReportingOverflow(by: interval.milliseconds).partialValue)
        return (last, Int(slots - 1))
    }
}
