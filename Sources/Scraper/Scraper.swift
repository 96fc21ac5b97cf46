import TSDB

/// The front door: keeps one loop per target running, as the configuration and discovery want it.
///
///     apply([ScrapeConfig]) ─▶ pools by job ─▶ targets (relabelled, each once) ─▶ loops
///     update(job, groups)   ─▶      │                                              │ a batch per scrape
///     pools()  ◀────────────────────┴── snapshots                                  ▼ Appendable
///
/// Applying an equal configuration touches nothing. A changed one restarts the loops it concerns; they inherit what
/// their predecessors know where that still holds. A target that went away is marked stale two intervals later.
public actor Scraper {
    public struct Options: Sendable {
        /// The User-Agent header.
        public var userAgent = "minprom"
        /// Moves all targets of this server within their intervals, so that two servers do not scrape at once.
        public var offsetSeed: UInt64 = 0
        /// Where parsing and appending run; `nil` is the shared pool. They compute and write to disk, so a thread of
        /// their own keeps the pool free.
        public var executor: (any TaskExecutor)?

        public init() {}
    }

    public nonisolated let statistics = ScrapeStatistics()
    private let surroundings: ScrapeLoop.Surroundings
    private var poolsByJob: [String: Pool] = [:]
    private var jobs: [String] = []
    private var farewells: [Int: Task<Void, Never>] = [:]
    private var farewellCount = 0
    private var isStopped = false

    private struct Pool {
        var config: ScrapeConfig
        /// What discovery found, besides the static configs.
        var discovered: [TargetGroup] = []
        var loops: [TargetKey: Running] = [:]
        var order: [TargetKey] = []
        var dropped: [Labels] = []
        var droppedCount = 0
        var invalid: [InvalidTarget] = []
    }

    private struct Running {
        let loop: ScrapeLoop
        let task: Task<ScrapeWorker, Never>
    }

    /// Two targets with equal keys are one.
    private struct TargetKey: Hashable {
        let labels: Labels
        let url: String
    }

    public init(
        storage: any Appendable, transport: any ScrapeTransport, wallClock: any WallClock, clock: any MonotonicClock,
        options: Options = Options()
    ) {
        surroundings = ScrapeLoop.Surroundings(
            storage: storage, transport: transport, wallClock: wallClock, clock: clock, statistics: statistics,
            options: options)
    }

    /// Makes the running loops what `configs` say. Job names are unique; of two with one name the last counts.
    public func apply(_ configs: [ScrapeConfig]) {
        guard !isStopped else { return }
        let wanted = Dictionary(configs.map { ($0.jobName, $0) }) { $1 }
        for job in jobs where wanted[job] == nil {
            if let pool = poolsByJob.removeValue(forKey: job) { for running in pool.loops.values { retire(running) } }
        }
        var seen: Set<String> = []
        jobs = configs.map(\.jobName).filter { seen.insert($0).inserted }
        for job in jobs {
            guard let config = wanted[job] else { continue }
            if let old = poolsByJob[job] {
                if old.config == config { continue }
                poolsByJob[job]?.config = config
                statistics.update { $0.poolReloads += 1 }
            } else {
                poolsByJob[job] = Pool(config: config)
                statistics.update { $0.poolsCreated += 1 }
            }
            sync(job)
        }
    }

    /// Replaces what discovery found for a job; unknown jobs are ignored (their config has just gone).
    public func update(job: String, groups: [TargetGroup]) {
        guard !isStopped, poolsByJob[job] != nil, poolsByJob[job]?.discovered != groups else { return }
        poolsByJob[job]?.discovered = groups
        sync(job)
    }

    /// Stops all loops and waits for them. Nothing is marked stale: the server will be back.
    public func stop() async {
        isStopped = true
        let tasks = poolsByJob.values.flatMap { $0.loops.values.map(\.task) }
        let leaving = Array(farewells.values)
        for task in tasks { task.cancel() }
        for task in leaving { task.cancel() }
        poolsByJob.removeAll()
        jobs.removeAll()
        for task in tasks { _ = await task.value }
        for task in leaving { await task.value }
    }

    /// All jobs in the order of the configuration, with their targets as they are now.
    public func pools() -> [PoolStatus] {
        jobs.compactMap { job in
            poolsByJob[job].map { pool in
                PoolStatus(
                    job: job, config: pool.config, active: pool.order.compactMap { pool.loops[$0].map(status) },
                    dropped: pool.dropped, droppedCount: pool.droppedCount, invalid: pool.invalid)
            }
        }
    }

    private func status(_ running: Running) -> TargetStatus {
        running.loop.state.withLock { state in
            TargetStatus(
                target: state.target, health: state.health, lastError: state.lastError, lastScrape: state.lastScrape,
                lastScrapeDuration: state.lastDuration, samplesScraped: state.samplesScraped, metadata: state.metadata)
        }
    }

    // MARK: Targets to loops

    private func sync(_ job: String) {
        guard var pool = poolsByJob[job] else { return }
        pool.dropped = []
        pool.droppedCount = 0
        pool.invalid = []
        var loops: [TargetKey: Running] = [:]
        var order: [TargetKey] = []
        for target in targets(of: &pool) {
            let key = TargetKey(labels: target.all, url: target.url)
            guard loops[key] == nil else { continue }
            order.append(key)
            guard let running = pool.loops.removeValue(forKey: key) else {
                loops[key] = start(target, pool.config, after: nil)
                continue
            }
            if running.loop.config == pool.config {
                running.loop.state.withLock { $0.target = target }
                loops[key] = running
            } else {
                loops[key] = start(target, pool.config, after: running)
            }
        }
        for gone in pool.loops.values { retire(gone) }
        pool.loops = loops
        pool.order = order
        let limit = pool.config.limits.targets
        let error: ScrapeError? =
            limit > 0 && order.count > limit
            ? ScrapeError(.limit, "target_limit exceeded (number of targets: \(order.count), limit: \(limit))") : nil
        for running in loops.values { running.loop.state.withLock { $0.forcedError = error } }
        poolsByJob[job] = pool
        let failed = UInt64(pool.invalid.count)
        statistics.update {
            $0.syncs[job, default: 0] += 1
            $0.failedSyncs[job, default: 0] += failed
            if error != nil { $0.exceededTargetLimit += 1 }
        }
    }

    /// The targets of a pool's groups; dropped and impossible ones are noted in the pool.
    private func targets(of pool: inout Pool) -> [Target] {
        var result: [Target] = []
        for group in pool.config.staticConfigs + pool.discovered {
            for (index, labels) in group.targets.enumerated() {
                switch Target.make(labels, groupLabels: group.labels, config: pool.config) {
                case .active(let target): result.append(target)
                case .dropped(let discovered):
                    let bound = pool.config.limits.keptDroppedTargets
                    if bound == 0 || pool.dropped.count < bound { pool.dropped.append(discovered) }
                    pool.droppedCount += 1
                case .invalid(let discovered, let reason):
                    pool.invalid.append(
                        InvalidTarget(
                            discovered: discovered, reason: "instance \(index) in group \(group.source): \(reason)"))
                }
            }
        }
        return result
    }

    /// Starts a loop; where it replaces another, that one ends first and leaves what it knows.
    private func start(_ target: Target, _ config: ScrapeConfig, after old: Running?) -> Running {
        let loop = ScrapeLoop(target: target, config: config, surroundings: surroundings)
        if let old {
            // What was known stays visible until the first scrape of the new loop.
            let known = old.loop.state.withLock { $0 }
            loop.state.withLock { state in
                state = known
                state.target = target
            }
            old.task.cancel()
        }
        let oldTask = old?.task
        let task = Task(executorPreference: surroundings.options.executor) {
            await loop.run(await oldTask?.value)
        }
        return Running(loop: loop, task: task)
    }

    /// Ends a loop whose target is gone; its series are marked stale later.
    private func retire(_ running: Running) {
        running.task.cancel()
        farewellCount += 1
        let number = farewellCount
        farewells[number] = Task(executorPreference: surroundings.options.executor) { [weak self] in
            await running.loop.farewell(await running.task.value)
            await self?.forget(number)
        }
    }

    private func forget(_ farewell: Int) { farewells[farewell] = nil }
}
