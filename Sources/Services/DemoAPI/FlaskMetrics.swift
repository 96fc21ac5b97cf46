import Synchronization

/// What prometheus_flask_exporter counts, under its names.
///
///     flask_http_request_duration_seconds    histogram   method, path, status
///     flask_http_request_total               counter     method, status
///     flask_http_request_exceptions_total    counter     method, status (always 500)
///
/// The original makes a series at its first event. For counters of rare events that is a trap: `rate()` needs two samples, so the first
/// exception is never seen. Here the exceptions of the known methods begin at 0; `strictParity` is the original's way.
/// Likewise the original keeps unknown paths and methods as they come, and whoever sends many makes as many series.
/// Source: prometheus_flask_exporter 0.23.2, run.
///
/// Invariant: at most `maximumSeries` series per family; what comes later is counted under the path or method `<other>`.
public final class FlaskMetrics: Sendable {
    /// Upper bounds in seconds, as `le` shows them.
    static let bounds: [(value: Double, text: String)] = [
        (0.005, "0.005"), (0.01, "0.01"), (0.025, "0.025"), (0.05, "0.05"), (0.075, "0.075"), (0.1, "0.1"), (0.25, "0.25"), (0.5, "0.5"),
        (0.75, "0.75"), (1, "1.0"), (2.5, "2.5"), (5, "5.0"), (7.5, "7.5"), (10, "10.0"), (.infinity, "+Inf"),
    ]
    static let maximumSeries = 500
    static let other = "<other>"

    struct Labels: Hashable {
        var method: String
        var path = ""
        var status: String
    }

    struct Duration {
        var labels: Labels
        /// Not cumulative.
        var counts = Array(repeating: 0, count: FlaskMetrics.bounds.count)
        var sum = 0.0
        var created: Double
    }

    struct Count {
        var labels: Labels
        var value = 0
        var created: Double
    }

    /// Series of one family in the order they came, as the original shows them.
    struct Table<Series> {
        private(set) var series: [Series] = []
        private var places: [Labels: Int] = [:]

        subscript(labels: Labels, or make: (Labels) -> Series) -> Series {
            get { places[labels].map { series[$0] } ?? make(labels) }
            set {
                if let place = places[labels] {
                    series[place] = newValue
                } else {
                    places[labels] = series.count
                    series.append(newValue)
                }
            }
        }

        func isFull(for labels: Labels) -> Bool { places[labels] == nil && series.count >= FlaskMetrics.maximumSeries }
    }

    struct State {
        var durations = Table<Duration>()
        var totals = Table<Count>()
        var exceptions = Table<Count>()
    }

    private let state = Mutex(State())
    let strictParity: Bool
    private let methods: Set<String>
    private let now: @Sendable () -> Double

    /// `now` in seconds since the epoch: when a series began is on the page.
    public init(methods: [String], strictParity: Bool, now: @escaping @Sendable () -> Double) {
        self.methods = Set(methods + ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
        self.strictParity = strictParity
        self.now = now
        guard !strictParity else { return }
        let time = now()
        state.withLock { state in
            for method in methods {
                let labels = Labels(method: method, status: "500")
                state.exceptions[labels, or: { Count(labels: $0, created: time) }].value = 0
            }
        }
    }

    /// One request that was answered. `path` is `nil` where no route has it.
    public func record(method: String, path: String, isKnownPath: Bool, status: Int, seconds: Double, raised: Bool) {
        let time = now()
        let method = strictParity || methods.contains(method) ? method : Self.other
        let path = strictParity || isKnownPath ? path : "<unmatched>"
        let bucket = Self.bounds.firstIndex { seconds <= $0.value } ?? Self.bounds.count - 1
        state.withLock { state in
            var labels = Labels(method: method, path: path, status: String(status))
            if state.durations.isFull(for: labels) { labels = Labels(method: Self.other, path: Self.other, status: Self.other) }
            var duration = state.durations[labels, or: { Duration(labels: $0, created: time) }]
            duration.counts[bucket] &+= 1
            duration.sum += seconds
            state.durations[labels, or: { Duration(labels: $0, created: time) }] = duration
            Self.count(Labels(method: method, status: String(status)), in: &state.totals, at: time)
            if raised { Self.count(Labels(method: method, status: "500"), in: &state.exceptions, at: time) }
        }
    }

    private static func count(_ labels: Labels, in table: inout Table<Count>, at time: Double) {
        let labels = table.isFull(for: labels) ? Labels(method: other, status: other) : labels
        table[labels, or: { Count(labels: $0, created: time) }].value &+= 1
    }

    /// All there is, at one moment.
    var snapshot: State { state.withLock { $0 } }
}
