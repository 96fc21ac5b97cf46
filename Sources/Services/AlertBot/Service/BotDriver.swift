import BotCore
import HTTPServer
import Logging
import Synchronization
import TSDB

/// Lets the machine run in the world: hands it webhooks, answers and the time, and does what it wants done.
///
///     POST /webhook ─▶ spool (durable) ─▶ 200
///                         └▶ one thread: machine ─▶ log line ─▶ effects ─▶ tasks: HTTP, programs ─▶ back to the machine
///
/// The machine works on one thread, in small pieces; everything that takes time is done elsewhere and comes back as an answer.
public final class BotDriver: Sendable {
    /// Alerts of one webhook that the machine takes at a time: some hundred lines on the disk, then others have their turn.
    static let piece = 50
    /// Between two looks at the clock, in milliseconds.
    static let tick = 250

    private let bot: Mutex<Bot>
    private let spool: Mutex<WebhookSpool>
    private let actuators: any Acting
    private let clock: any WallClock
    private let logger: Logger
    /// One thread: inputs come one after the other.
    private let machine = ThreadPool("bot", threads: 1)
    /// Its own thread: a webhook is answered while the machine works.
    private let spooling = ThreadPool("webhooks", threads: 1)
    public let metrics: BotMetrics
    /// Why the log cannot be written, if so.
    private let failure = Mutex<String?>(nil)
    private let isWorking = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)

    public init(_ bot: Bot, spool: WebhookSpool, actuators: any Acting, metrics: BotMetrics, clock: any WallClock, logger: Logger) {
        self.bot = Mutex(bot)
        self.spool = Mutex(spool)
        self.actuators = actuators
        self.metrics = metrics
        self.clock = clock
        self.logger = logger
    }

    /// Time passes, and what an earlier run left is taken up; until cancelled.
    public func run() async {
        work()
        while !Task.isCancelled {
            enter { (bot, now) throws(BotError) in try bot.tick(at: now) }
            work()
            try? await Task.sleep(for: .milliseconds(Self.tick))
        }
        isStopped.store(true, ordering: .relaxed)
    }

    /// `nil`: nothing stands in the way of work.
    public var trouble: String? { failure.withLock { $0 } }

    // MARK: Webhooks

    public enum Reception: Sendable { case taken, malformed(String), full, failed(String) }

    /// Returns once the webhook is durable.
    public func receive(_ body: [UInt8], userAgent: String) async -> Reception {
        let result: Reception? = try? await spooling.run { [self] in
            do throws(BotError) { _ = try Webhook(parsing: body) } catch { return .malformed(error.message) }
            return spool.withLock { spool -> Reception in
                if spool.isFull { return .full }
                do throws(BotError) {
                    try spool.add(body, userAgent: userAgent)
                    return .taken
                } catch { return .failed(error.message) }
            }
        }
        work()
        return result ?? .full
    }

    public var waitingWebhooks: Int { spool.withLock { $0.waiting.count } }

    /// Takes up the oldest webhook, unless one is being worked on.
    private func work() {
        guard !isStopped.load(ordering: .relaxed), waitingWebhooks > 0 else { return }
        guard isWorking.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged else { return }
        submit { driver in
            guard let (number, body, agent) = driver.spool.withLock({ $0.oldest() }), let webhook = try? Webhook(parsing: body) else {
                if let number = driver.spool.withLock({ $0.waiting.first }) { driver.spool.withLock { $0.done(number) } }
                driver.isWorking.store(false, ordering: .sequentiallyConsistent)
                return
            }
            driver.take(webhook, from: 0, number: number, userAgent: agent)
        }
    }

    /// One piece of a webhook, then the next; the file goes with the last.
    private func take(_ webhook: Webhook, from start: Int, number: UInt64, userAgent: String) {
        let end = min(webhook.alerts.count, start + Self.piece)
        let piece = Webhook(
            groupKey: webhook.groupKey, externalURL: webhook.externalURL, alerts: Array(webhook.alerts[min(start, end)..<end]))
        let isTaken = enterNow { (bot, now) throws(BotError) in try bot.receive(piece, userAgent: userAgent, at: now) }
        // The log does not take it: it stays in its file, and the next tick tries again.
        guard isTaken else { return isWorking.store(false, ordering: .sequentiallyConsistent) }
        if end < webhook.alerts.count {
            submit { $0.take(webhook, from: end, number: number, userAgent: userAgent) }
        } else {
            spool.withLock { $0.done(number) }
            isWorking.store(false, ordering: .sequentiallyConsistent)
            work()
        }
    }

    // MARK: The machine

    typealias Input = @Sendable (inout Bot, Timestamp) throws(BotError) -> Void

    private func submit(_ job: @escaping @Sendable (BotDriver) -> Void) {
        do throws(ThreadPool.Full) { try machine.submit { job(self) } } catch { logger.error("The bot's queue is full") }
    }

    private func enter(_ input: @escaping Input) { submit { _ = $0.enterNow(input) } }

    /// On the machine's thread: one input, its lines, its effects. `false` where the log could not be written.
    @discardableResult
    private func enterNow(_ input: Input) -> Bool {
        let now = clock.now()
        let (problem, effects, records, snapshot) = bot.withLock { bot in
            var problem: String?
            do throws(BotError) { try input(&bot, now) } catch { problem = error.message }
            return (problem, bot.takeEffects(), bot.takeWritten(), bot.snapshot(at: now))
        }
        let before = failure.withLock { failure in
            defer { failure = problem }
            return failure
        }
        if let problem, problem != before { logger.error("The incident log cannot be written", metadata: ["err": "\(problem)"]) }
        metrics.observe(records, snapshot)
        for record in records { tell(record) }
        for effect in effects { perform(effect) }
        return problem == nil
    }

    private func tell(_ record: IncidentRecord) {
        switch record.event {
        case .decision, .action, .verified, .escalated, .circuit, .resolved, .approval:
            logger.info(
                "\(record.event.rawValue)",
                metadata: [
                    "incident": "\(record.incident)", "alert": "\(record.alert)", "source": "\(record.source)", "decision": "\(record.decision)",
                    "action": "\(record.action)", "target": "\(record.target)", "result": "\(record.result)", "reason": "\(record.reason)",
                ].filter { !"\($0.value)".isEmpty })
        case .received, .duplicate, .intent, .notified: break
        }
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .query(let ticket, let prometheus, let query):
            Task {
                let values = await actuators.query(query, at: prometheus)
                enter { (bot, now) throws(BotError) in try bot.found(ticket, values, at: now) }
            }
        case .act(let ticket, let work, let timeout):
            Task {
                let outcome = await actuators.act(work, timeout: timeout)
                enter { (bot, now) throws(BotError) in try bot.finished(ticket, outcome, at: now) }
            }
        case .notify(let ticket, let notifier, let notice):
            Task {
                let failure = await actuators.deliver(notice, to: notifier)
                enter { (bot, now) throws(BotError) in try bot.delivered(ticket, failure: failure, at: now) }
            }
        }
    }

    // MARK: People

    public func decide(
        _ id: String, _ verdict: Approvals.Verdict, signature: String?, approver: String
    ) async -> Approvals.Answer? {
        try? await machine.run { [self] in
            let answer = Mutex<Approvals.Answer?>(nil)
            enterNow { (bot, now) throws(BotError) in
                let given = try bot.decide(id, verdict, signature: signature, approver: approver, at: now)
                answer.withLock { $0 = given }
            }
            return answer.withLock { $0 }
        } ?? nil
    }

    public func snapshot() -> BotSnapshot {
        let now = clock.now()
        return bot.withLock { $0.snapshot(at: now) }
    }

    public func reload(_ policy: BotPolicy) async { _ = try? await machine.run { [self] in bot.withLock { $0.reload(policy) } } }
}
