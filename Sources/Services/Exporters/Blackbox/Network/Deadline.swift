import NIOCore

/// The moment at which a probe is over, whatever it is doing.
struct Deadline: Sendable {
    let moment: NIODeadline

    init(seconds: Double) {
        // A day is longer than any probe, and far from where the arithmetic ends.
        let bounded = seconds.isFinite ? min(max(0, seconds), 86_400) : 0
        moment = .now() + .nanoseconds(Int64(bounded * 1e9))
    }

    var isOver: Bool { moment <= .now() }
    var left: TimeAmount { max(.zero, moment - .now()) }
}

/// Seconds since it was made.
struct Stopwatch: Sendable {
    private let start = NIODeadline.now()
    var seconds: Double { Double((NIODeadline.now() - start).nanoseconds) / 1e9 }
}

/// What went wrong on the way to a target, in one line.
struct ProbeFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }

    static let late = ProbeFailure("context deadline exceeded")
}
