import NIOCore

/// Ends exchanges that take too long, all of them with one timer.
///
///     running  ●────── 12.3     ●── 11.9     ●───────── 14.0        deadlines
///     timer    set for the earliest; when it rings, what is overdue is ended, and it is set for the rest
///
/// Nearly every exchange is over long before its deadline, so a timer for each would be set and taken back a thousand times for
/// one that rings. Taking one back costs the event loop a walk through all its timers.
///
/// Everything here happens on one event loop, which makes `@unchecked Sendable` true.
final class ExchangeDeadlines: @unchecked Sendable {
    private let loop: any EventLoop
    private var running: [ObjectIdentifier: HTTPExchange] = [:]
    private var next: NIODeadline?
    /// Number of the timer that counts; older ones ring in vain.
    private var timer = 0

    init(_ loop: any EventLoop) { self.loop = loop }

    func watch(_ exchange: HTTPExchange) {
        running[ObjectIdentifier(exchange)] = exchange
        if let next, next <= exchange.deadline { return }
        set(exchange.deadline)
    }

    func release(_ exchange: HTTPExchange) { running[ObjectIdentifier(exchange)] = nil }

    private func set(_ deadline: NIODeadline) {
        next = deadline
        timer &+= 1
        let number = timer
        loop.scheduleTask(deadline: deadline) { self.ring(number) }
    }

    private func ring(_ number: Int) {
        guard number == timer else { return }
        next = nil
        let now = NIODeadline.now()
        for exchange in running.values where exchange.deadline <= now {
            release(exchange)
            exchange.abandon(.timeout)
        }
        if let earliest = running.values.map(\.deadline).min() { set(earliest) }
    }
}
