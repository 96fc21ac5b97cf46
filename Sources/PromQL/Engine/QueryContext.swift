import Synchronization

/// What all parts of one running query share: the wish to stop, the bounds, and the notes for the reader.
///
///     operator ──▶ check()                  stop? (asked once per series; the clock once per few series)
///     breaker  ──▶ reserve(samples: n)      before it allocates room for n points
///     anyone   ──▶ annotate(.warning, …)    collected without duplicates
///
/// A query is CPU-bound and runs outside Swift's concurrency pool, so cancelling it is a flag that it looks at, not a
/// task. The clock is handed in: the engine reads none of its own.
public final class QueryContext: Sendable {
    /// Nanoseconds on a clock that never turns back.
    public typealias MonotonicClock = @Sendable () -> Int64

    /// Where the query finds other threads.
    public var runner: any MorselRunner { isTrial ? SerialRunner() : helpers }
    private let helpers: any MorselRunner
    private let canceled = Atomic<Bool>(false)
    /// On `clock`; `.max` is never.
    private let deadline: Int64
    private let clock: MonotonicClock
    /// While the query is taken for a light one: when, on `threadClock`, it no longer is. `.max`: it is no trial.
    private let lightUntil = Atomic<Int64>(.max)
    private let threadClock: MonotonicClock
    /// Nanoseconds of a trial.
    private let lightTime = Atomic<Int64>(.max)
    /// What all queries together hold.
    private let memory: QueryMemory?
    /// Points that may be held at one time.
    public let maxSamples: Int
    /// Bytes that may be held at one time in columns and tables.
    public let maxBytes: Int
    private let heldSamples = Atomic<Int>(0)
    private let peakSamples = Atomic<Int>(0)
    private let heldBytes = Atomic<Int>(0)
    private let readSamples = Atomic<Int>(0)
    private let notes = Mutex(Annotations())
    /// Watches the operators, for `EXPLAIN ANALYZE`; `nil`: nobody does, and operators are not wrapped.
    public let analysis: Analysis?

    /// `timeout` in nanoseconds from now; `nil`: none. `threadClock` counts the CPU time of the calling thread.
    public init(
        maxSamples: Int = 50_000_000, maxBytes: Int = .max, timeout: Int64? = nil, memory: QueryMemory? = nil,
        clock: @escaping MonotonicClock = { 0 }, threadClock: @escaping MonotonicClock = { 0 },
        analysis: Analysis? = nil, runner: any MorselRunner = SerialRunner()
    ) {
        self.analysis = analysis
        helpers = runner
        self.memory = memory
        self.threadClock = threadClock
        self.maxSamples = maxSamples
        self.maxBytes = maxBytes
        self.clock = clock
        if let timeout {
            let (sum, overflow) = clock().addingReportingOverflow(timeout)
            deadline = overflow ? .max : sum
        } else {
            deadline = .max
        }
    }

    deinit { memory?.release(heldBytes.load(ordering: .relaxed)) }
}

// MARK: Stopping

extension QueryContext {
    /// Asks the query to end; it throws `canceled` at its next check. From any thread.
    public func cancel() { canceled.store(true, ordering: .relaxed) }

    public var isCanceled: Bool { canceled.load(ordering: .relaxed) }

    /// Throws when the query was cancelled. Costs a relaxed load: for every series.
    @inline(__always)
    public func checkCanceled() throws(QueryError) {
        if canceled.load(ordering: .relaxed) {
            throw QueryError(.canceled, "query was canceled in expression evaluation")
        }
    }

    /// Throws when the query was cancelled or its time is over. Reads the clock: for every few series, or every
    /// hundred thousand samples.
    public func check() throws(QueryError) {
        try checkCanceled()
        if deadline != .max && clock() >= deadline {
            throw QueryError(.timeout, "query timed out in expression evaluation")
        }
        let light = lightUntil.load(ordering: .relaxed)
        if light != .max && threadClock() >= light { throw QueryError.heavy }
    }

    /// Whether waiting for this query has become pointless; for storage, which checks while it searches.
    public var shouldStop: Bool {
        do throws(QueryError) {
            try check()
            return false
        } catch { return true }
    }
}

// MARK: Light or heavy

extension QueryContext {
    /// Bytes that a light query may hold.
    static let lightBytes = 16 << 20

    /// Whether this is such a trial: its work stays on one thread.
    public var isTrial: Bool { lightUntil.load(ordering: .relaxed) != .max }

    /// Runs what follows as a trial: once this thread has worked on it for `nanoseconds`, or it wants more than 16 MiB,
    /// it throws `heavy`, and is to be run again where heavy queries are. To be called by the thread that works.
    public func tryAsLight(nanoseconds: Int64) {
        lightTime.store(nanoseconds, ordering: .relaxed)
        lightUntil.store(threadClock().addingReportingOverflow(nanoseconds).partialValue, ordering: .relaxed)
    }

    /// What a series of a selection costs at least, whatever is asked of it, and what one of its steps does; nanoseconds.
    private static let seriesCost = 500, stepCost = 7

    /// Says how much was selected: what cannot be done in the rest of a trial is not begun.
    func weigh(series: Int, steps: Int) throws(QueryError) {
        guard isTrial else { return }
        let (cost, overflow) = series.multipliedReportingOverflow(by: Self.seriesCost &+ min(steps, 1 << 20) &* Self.stepCost)
        if overflow || cost > lightTime.load(ordering: .relaxed) { throw QueryError.heavy }
    }
}

// MARK: Bounds

extension QueryContext {
    /// Counts points that are about to be held in memory. Give them back with `release(samples:)` when they go before
    /// the query ends.
    public func reserve(samples count: Int) throws(QueryError) {
        let held = heldSamples.wrappingAdd(count, ordering: .relaxed).newValue
        if count < 0 || held > maxSamples || held < 0 {
            heldSamples.wrappingSubtract(count, ordering: .relaxed)
            throw QueryError(.limit, "query processing would load too many samples into memory in query execution")
        }
        peakSamples.max(held, ordering: .relaxed)
    }

    public func release(samples count: Int) { heldSamples.wrappingSubtract(count, ordering: .relaxed) }

    /// Counts bytes that are about to be allocated.
    public func reserve(bytes count: Int) throws(QueryError) {
        let held = heldBytes.wrappingAdd(count, ordering: .relaxed).newValue
        if count < 0 || held > maxBytes || held < 0 {
            heldBytes.wrappingSubtract(count, ordering: .relaxed)
            throw QueryError(
                .limit, "query processing would take more than \(maxBytes) bytes of memory in query execution")
        }
        if held > Self.lightBytes && lightUntil.load(ordering: .relaxed) != .max {
            heldBytes.wrappingSubtract(count, ordering: .relaxed)
            throw QueryError.heavy
        }
        if let memory, !memory.reserve(count) {
            heldBytes.wrappingSubtract(count, ordering: .relaxed)
            throw QueryError(
                .busy,
                "queries that run now hold too much memory: all together may take \(memory.limit) bytes; try again later"
            )
        }
    }

    public func release(bytes count: Int) {
        heldBytes.wrappingSubtract(count, ordering: .relaxed)
        memory?.release(count)
    }

    public var bytesHeld: Int { heldBytes.load(ordering: .relaxed) }

    /// Counts a table of `series` × `steps`: its points and its bytes.
    public func reserveTable(series: Int, steps: Int) throws(QueryError) {
        let (cells, overflow) = series.multipliedReportingOverflow(by: steps)
        try reserve(samples: overflow ? -1 : cells)
        try reserve(bytes: ColumnTable.byteCount(series: series, steps: steps))
    }

    public func releaseTable(series: Int, steps: Int) {
        release(samples: series &* steps)
        release(bytes: ColumnTable.byteCount(series: series, steps: steps))
    }

    /// Counts samples decoded from storage, for statistics only.
    public func countRead(samples count: Int) { readSamples.wrappingAdd(count, ordering: .relaxed) }

    public var samplesRead: Int { readSamples.load(ordering: .relaxed) }
    public var samplesPeak: Int { peakSamples.load(ordering: .relaxed) }
}

// MARK: Notes

extension QueryContext {
    /// Adds a note for the reader of the answer; a text that is there already is not added again.
    /// `range` is the place in the query.
    public func annotate(_ level: Annotation.Level, _ text: String, at range: Range<Int>) {
        notes.withLock { $0.add(Annotation(level, text, at: range)) }
    }

    public func annotate(_ annotation: Annotation) { notes.withLock { $0.add(annotation) } }

    /// Adds a note whose detail grows, or puts it in the place of its earlier form.
    public func amend(_ annotation: Annotation) { notes.withLock { $0.replace(annotation) } }

    public var annotations: Annotations { notes.withLock { $0 } }
}
