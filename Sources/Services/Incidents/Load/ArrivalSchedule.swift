/// When the requests of an open loop are due: every 1/rate of a second, whatever the answers do.
///
///     rate 4/s    │0    │250  │500  │750 ms         request n is due n/rate after the start
///     closed loop │0 ──────── answer ▶│next         (what most load tools do)
///
/// **Coordinated omission.** A closed loop waits for an answer before it asks again. While the server stands still for ten seconds,
/// it sends one request and notes one slow answer; the two hundred users who would have come in that time are left out, and
/// the percentiles look fine. An open loop sends them, and counts each one's latency from the moment it was *due*, so that time spent
/// waiting for us to send it counts, too: that is what a user would have waited.
/// Source: G. Tene, “How NOT to Measure Latency”, 2015; Schroeder et al., “Open Versus Closed: A Cautionary Tale”, NSDI 2006.
///
/// Invariant: `due(n)` does not depend on anything that happened before.
public struct ArrivalSchedule: Equatable, Sendable {
    /// More than this no single generator of ours reaches.
    public static let maximumRate = 100_000.0
    /// A day: the schedule's numbers stay exact far beyond it.
    public static let maximumLength = Duration.seconds(86_400)

    /// Requests per second.
    public let rate: Double
    public let length: Duration

    /// `nil` where the rate or the length is not positive, or over its maximum.
    public init?(rate: Double, length: Duration) {
        guard rate > 0, rate <= Self.maximumRate, length > .zero, length <= Self.maximumLength else { return nil }
        self.rate = rate
        self.length = length
    }

    /// Requests in all: those due before the end. (A hair less, so that 100/s for 0.03 s is 3 although 0.03 has no last digit.)
    public var count: Int { max(1, Int((rate * length.seconds - 1e-6).rounded(.up))) }

    /// When request `n` is due, since the start.
    public func due(_ n: Int) -> Duration { .nanoseconds(Int64((Double(n) / rate * 1e9).rounded())) }
}

extension Duration {
    /// As a number of seconds.
    public var seconds: Double {
        let (whole, rest) = components
        return Double(whole) + Double(rest) * 1e-18
    }

    /// In whole microseconds, at least 0.
    var microseconds: UInt64 {
        let (whole, rest) = components
        guard whole >= 0, rest >= 0 else { return 0 }
        let (scaled, overflow) = UInt64(whole).multipliedReportingOverflow(by: 1_000_000)
        return overflow ? .max : scaled &+ UInt64(rest / 1_000_000_000_000)
    }

    /// In whole milliseconds, rounded down.
    var milliseconds: Int64 {
        let (whole, rest) = components
        return whole &* 1000 &+ rest / 1_000_000_000_000_000
    }
}
