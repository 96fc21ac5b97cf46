import Synchronization

/// Observations with quantiles over the newest of them.
///
///     prometheus_rule_group_duration_seconds{quantile="0.99"} 0.0412
///
/// Upstream takes quantiles over ten minutes; here they are over the last 512 observations.
public final class Summary: Sendable {
    private static let capacity = 512

    private struct State {
        var count = 0
        var sum = 0.0
        var recent: [Double] = []
    }

    public let quantiles: [Double]
    private let state = Mutex(State())

    public init(quantiles: [Double] = [0.5, 0.9, 0.99]) { self.quantiles = quantiles }

    public func observe(_ value: Double) {
        state.withLock { state in
            if state.recent.count < Self.capacity {
                state.recent.append(value)
            } else {
                state.recent[state.count % Self.capacity] = value
            }
            state.count += 1
            state.sum += value
        }
    }

    /// Writes the quantile, sum and count lines of `name` with `labels`.
    public func write(_ name: String, _ labels: [(String, String)] = [], to page: inout MetricsPage) {
        let (count, sum, recent) = state.withLock { ($0.count, $0.sum, $0.recent) }
        let sorted = recent.sorted()
        for quantile in quantiles {
            let rank = max(0, Int((Double(sorted.count) * quantile).rounded(.up)) - 1)
            page.sample(
                name, labels + [("quantile", MetricsPage.text(of: quantile))], sorted.isEmpty ? .nan : sorted[rank])
        }
        page.sample(name + "_sum", labels, sum)
        page.sample(name + "_count", labels, count)
    }
}
