import Synchronization
import TSDB

/// Scrapes one target until it is cancelled: wait, ask, store, remember how it went.
///
/// The loop is a task; everything it decides by is in `ScrapeSchedule`, everything it does in `ScrapeWorker`.
final class ScrapeLoop: Sendable {
    /// What loops have in common.
    struct Surroundings: Sendable {
        let storage: any Appendable
        let transport: any ScrapeTransport
        let wallClock: any WallClock
        let clock: any MonotonicClock
        let statistics: ScrapeStatistics
        let options: Scraper.Options
    }

    struct State: Sendable {
        var target: Target
        var health = TargetHealth.unknown
        var lastError = ""
        var lastScrape: Timestamp?
        /// Seconds.
        var lastDuration = 0.0
        var samplesScraped = 0
        var metadata: [MetricMetadata] = []
        /// Keeps the target from being asked at all: the job has too many.
        var forcedError: ScrapeError?
    }

    let config: ScrapeConfig
    private let target: Target
    /// Made once, sent at every scrape.
    private let request: ScrapeRequest
    private let surroundings: Surroundings
    let state: Mutex<State>

    init(target: Target, config: ScrapeConfig, surroundings: Surroundings) {
        self.target = target
        self.config = config
        self.surroundings = surroundings
        request = target.request(config: config, userAgent: surroundings.options.userAgent)
        state = Mutex(State(target: target))
    }

    /// Scrapes until cancelled; gives back the worker, for a successor or for the farewell.
    func run(_ inherited: ScrapeWorker?) async -> ScrapeWorker {
        let worker = worker(inheriting: inherited)
        let clock = surroundings.clock, wallClock = surroundings.wallClock
        let offset = ScrapeSchedule.offset(
            identity: target.identity ^ surroundings.options.offsetSeed, interval: target.interval, now: wallClock.now())
        worker.nextDeadline = clock.now() + offset * 1_000_000
        do { try await clock.sleep(until: worker.nextDeadline) } catch { return worker }

        var schedule = ScrapeSchedule(interval: target.interval, start: wallClock.now())
        var last: Int64?
        while !Task.isCancelled {
            let start = clock.now()
            if let last { observeInterval(Double(start - last) / 1e9) }
            last = start
            await scrape(worker, at: schedule.timestamp(at: wallClock.now()), start: start)
            worker.nextDeadline = schedule.next(after: worker.nextDeadline, now: clock.now())
            do { try await clock.sleep(until: worker.nextDeadline) } catch { return worker }
        }
        return worker
    }

    /// After the target has gone: waits two scrapes, in case it comes back, and marks its series stale at the time of
    /// the first of them. If it did come back, the markers are older than its samples, and storage drops them.
    func farewell(_ worker: ScrapeWorker) async {
        guard worker.hasScraped else { return }
        let clock = surroundings.clock
        let interval = target.interval.milliseconds * 1_000_000
        do {
            try await clock.sleep(until: worker.nextDeadline)
            let staleTime = surroundings.wallClock.now()
            try await clock.sleep(until: worker.nextDeadline + interval + interval / 10)
            worker.end(at: staleTime)
        } catch {
            // The server is stopping. It will come back and go on; nothing is stale.
        }
    }

    private func worker(inheriting inherited: ScrapeWorker?) -> ScrapeWorker {
        guard let inherited, inherited.canContinue(target, config) else {
            return ScrapeWorker(target: target, config: config, storage: surroundings.storage)
        }
        return inherited
    }

    private func scrape(_ worker: ScrapeWorker, at time: Timestamp, start: Int64) async {
        let answer: Result<ScrapeResponse, ScrapeError>
        if let forced = state.withLock({ $0.forcedError }) {
            answer = .failure(forced)
        } else {
            do { answer = .success(try await surroundings.transport.get(request)) } catch {
                // Cancelled on the way: not the target's fault, and not to be recorded as such.
                if Task.isCancelled { return }
                answer = .failure(error)
            }
        }
        let clock = surroundings.clock
        let report = worker.process(answer, at: time, now: surroundings.wallClock.now()) {
            Double(clock.now() - start) / 1e9
        }
        surroundings.statistics.count(report)
        state.withLock { state in
            let error = report.error?.message ?? report.storageError
            state.health = error == nil ? .up : .down
            // Refused series are a fault to be seen, but the target is well.
            state.lastError = error ?? report.outcome.refusal ?? ""
            state.lastScrape = time
            state.lastDuration = report.duration
            state.samplesScraped = report.outcome.scraped
            if let metadata = report.metadata { state.metadata = metadata }
        }
    }

    private func observeInterval(_ seconds: Double) {
        surroundings.statistics.update { $0.intervals[target.interval, default: .init()].observe(seconds) }
    }
}
