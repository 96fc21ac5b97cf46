import TSDB

/// Bounds and switches of the engine; the defaults are upstream's.
public struct EngineOptions: Sendable {
    /// How long a sample stands for its series: the newest one of `(t − lookback, t]` is the value at `t`.
    public var lookback = Duration.minutes(5)
    /// Points that a query may hold at one time (`--query.max-samples`).
    public var maxSamples = 50_000_000
    /// Bytes that a query may hold in columns, tables, labels and its answer (`--query.max-memory`).
    public var maxBytes = 512 << 20
    /// Bytes that all queries may hold together; `nil`: no bound.
    public var memory: QueryMemory?
    /// `--query.timeout`; `nil`: none.
    public var timeout: Duration? = .minutes(2)
    /// Keeps `__name__` until the end of the query (feature `promql-delayed-name-removal`).
    public var delayedNameRemoval = false
    /// Counters that say when they began are believed (feature `use-start-timestamps`).
    public var usesStarts = false
    /// `stats=all` tells samples per step (feature `promql-per-step-stats`).
    public var perStepStatistics = false
    /// The step of `x[1h:]`: the global evaluation interval.
    public var defaultSubqueryStep = Duration.minutes(1)
    /// Which experimental parts of the language are allowed.
    public var parser = ParserOptions()
    /// A mistake that the engine makes on purpose, for tests of comparisons.
    public var fault: EngineFault?
    /// Nanoseconds; for the timeout. The engine reads no clock of its own.
    public var clock: QueryContext.MonotonicClock = { 0 }
    /// Rewritings that make plans cheaper. No answer depends on them.
    public var passes = PlanPasses.all
    /// Threads that help with one query. The engine starts none of its own.
    public var runner: any MorselRunner = SerialRunner()
    /// Nanoseconds that the calling thread has worked; for telling light queries from heavy ones.
    public var threadClock: QueryContext.MonotonicClock = { 0 }

    public init() {}

    /// A context for one query under these bounds. An analysed query has a context of its own.
    public func context(analysis: Analysis? = nil) -> QueryContext {
        let (nanoseconds, overflow) = (timeout?.milliseconds ?? 0).multipliedReportingOverflow(by: 1_000_000)
        return QueryContext(
            maxSamples: maxSamples, maxBytes: maxBytes, timeout: timeout == nil || overflow ? nil : nanoseconds,
            memory: memory, clock: clock, threadClock: threadClock, analysis: analysis, runner: runner)
    }
}
