import Numbers

/// What came of a load: how much was sent, what was answered, how long it took.
///
///     1200 requests in 60.0 s: 20.0/s of 20.0/s
///     status  200 1180   503 20
///     latency p50 2.1 ms   p90 4.0 ms   p95 1.02 s   p99 1.03 s   max 1.10 s
///
/// Latencies are those of answers and of requests whose time ran out (which count with the time they were given). A refused
/// connection has no latency: a dead server would look quick.
public struct LoadReport: Equatable, Sendable {
    public enum Outcome: Equatable, Sendable {
        case status(Int)
        case timeout
        /// A short reason, as `connection refused`.
        case error(String)
        /// Still under way when the load was ended.
        case cut
    }

    /// Reasons told apart; further ones are `other`.
    static let maximumReasons = 16

    public private(set) var statuses: [Int: Int] = [:]
    public private(set) var errors: [String: Int] = [:]
    public private(set) var latencies = LogHistogram()
    public private(set) var cut = 0
    public var sent = 0
    public var unsent = 0
    public var inFlight = 0
    public var maximumLag = Duration.zero
    public var wantedRate = 0.0
    /// From the start to the last arrival, or to now.
    public var length = Duration.zero

    public init() {}

    public mutating func record(_ outcome: Outcome, latency: Duration) {
        switch outcome {
        case .status(let status):
            statuses[status, default: 0] += 1
            latencies.record(latency)
        case .timeout:
            errors["timeout", default: 0] += 1
            latencies.record(latency)
        case .error(let reason):
            errors[errors.count < Self.maximumReasons || errors[reason] != nil ? reason : "other", default: 0] += 1
        case .cut: cut += 1
        }
    }

    public var answered: Int { statuses.values.reduce(0, +) }
    public var failed: Int { errors.values.reduce(0, +) }

    /// Requests sent per second.
    public var rate: Double { length > .zero ? Double(sent) / length.seconds : 0 }

    /// One line while it runs.
    public var line: String {
        var text = "\(Self.seconds(length.seconds))  \(sent) sent (\(Self.fixed(rate, 1))/s), \(inFlight) in flight"
        let bad = statuses.filter { $0.key >= 500 }.values.reduce(0, +)
        if bad > 0 { text += ", \(bad) × 5xx" }
        if failed > 0 { text += ", \(failed) failed" }
        if unsent > 0 { text += ", \(unsent) not sent" }
        if let p50 = latencies.quantile(0.5), let p95 = latencies.quantile(0.95) {
            text += ", p50 \(Self.time(p50)), p95 \(Self.time(p95))"
        }
        return text
    }

    /// The summary, line by line.
    public var lines: [String] {
        var lines = [
            "\(sent) requests in \(Self.seconds(length.seconds)): \(Self.fixed(rate, 1))/s of \(Self.fixed(wantedRate, 1))/s"
        ]
        func counts(_ title: String, _ all: [(String, Int)]) {
            guard !all.isEmpty else { return }
            lines.append(title + all.map { "\($0.0) \($0.1)" }.joined(separator: "   "))
        }
        counts("status   ", statuses.sorted { $0.key < $1.key }.map { ("\($0.key)", $0.value) })
        counts("errors   ", errors.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        if latencies.count > 0 {
            let marks: [(String, Double)] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)]
            let values = marks.map { "\($0.0) \(Self.time(latencies.quantile($0.1) ?? 0))" }
            lines.append("latency  " + values.joined(separator: "   ") + "   max \(Self.time(latencies.maximum))")
        }
        if cut > 0 { lines.append("cut off  \(cut) (still under way at the end)") }
        if unsent > 0 {
            lines.append("not sent \(unsent): all places in flight were taken, so the latencies above are better than the truth")
        }
        if maximumLag > .milliseconds(100) {
            lines.append("late     up to \(Self.time(maximumLag.microseconds)): this machine was too busy to send on time (it counts as latency)")
        }
        return lines
    }

    /// Microseconds as people read them: `870 µs`, `12.3 ms`, `2.43 s`.
    public static func time(_ microseconds: UInt64) -> String {
        switch microseconds {
        case ..<1000: "\(microseconds) µs"
        case ..<1_000_000: fixed(Double(microseconds) / 1e3, microseconds < 100_000 ? 1 : 0) + " ms"
        default: fixed(Double(microseconds) / 1e6, 2) + " s"
        }
    }

    static func seconds(_ value: Double) -> String { fixed(value, 1) + " s" }

    /// `decimals` digits behind the point, at most 6.
    public static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return NumberText.string(value, style: .plain) }
        var scale: Int64 = 1
        for _ in 0..<min(max(decimals, 0), 6) { scale *= 10 }
        let scaled = Int64((value.magnitude * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard scale > 1 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: max(0, min(max(decimals, 0), 6) - fraction.utf8.count))
        return "\(sign)\(scaled / scale).\(zeros)\(fraction)"
    }
}
