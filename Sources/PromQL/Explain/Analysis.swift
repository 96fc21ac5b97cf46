import Synchronization
import TSDB

/// Watches a query at work, for `EXPLAIN ANALYZE`. A query without one has no watcher in it at all: nothing to skip, nothing
/// to ask.
///
///     OperatorBuilder          builds rate ┐                 enters a node, leaves it: a tree as high as the plan
///       Measured(rate) ◀───────────────────┘                 counts what is asked of the operator
///         Counted(series)                                    counts what is asked of storage
///
/// Operators are made by one thread, leaves first, and breakers work while they are made; so the time of a node is the time of its
/// making and of its fills, children included. Its own time is what remains without the children's. Several threads may
/// fill at once: their times add up, and a node's own time can come out too small where its children worked on more threads
/// than it did; it is never shown below zero.
public final class Analysis: Sendable {
    let clock: QueryContext.MonotonicClock
    private let state = Mutex(State())

    private struct State {
        var root: OperatorMeasures?
        var open: [OperatorMeasures] = []
    }

    /// `clock` in nanoseconds; it never turns back.
    public init(clock: @escaping QueryContext.MonotonicClock) { self.clock = clock }

    /// The tree as far as the query has come; `nil` before it began.
    public var explanation: Explanation? { state.withLock { $0.root }?.explanation }

    /// The query begins; what is made until `end` is beneath it.
    func begin(_ grid: StepGrid) {
        let measures = OperatorMeasures(Explanation(grid: grid), clock())
        state.withLock { $0 = State(root: measures, open: [measures]) }
    }

    func end() {
        let now = clock()
        state.withLock { state in
            state.root?.made(at: now)
            state.open = []
        }
    }

    /// Makes a node's operator with `make`; what that makes in turn becomes the node's children.
    func watch<R>(
        _ node: Explanation, _ make: (OperatorMeasures) throws(QueryError) -> R
    ) throws(QueryError) -> R {
        let measures = OperatorMeasures(node, clock())
        state.withLock { state in
            state.open.last?.add(child: measures)
            if state.root == nil { state.root = measures }
            state.open.append(measures)
        }
        defer {
            let now = clock()
            measures.made(at: now)
            state.withLock { state in
                if state.open.last === measures { state.open.removeLast() }
            }
        }
        return try make(measures)
    }
}

/// The counters of one node; from any thread.
final class OperatorMeasures: Sendable {
    private let node: Explanation
    private let began: Int64
    private let children = Mutex<[OperatorMeasures]>([])
    private let making = Atomic<Int64>(0)
    private let filling = Atomic<Int64>(0)
    private let series = Atomic<Int>(0)
    private let columns = Atomic<Int>(0)
    private let points = Atomic<Int>(0)
    private let asksStorage = Atomic<Bool>(false)
    private let samples = Atomic<Int>(0)
    private let chunks = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let selecting = Atomic<Int64>(0)
    private let decoding = Atomic<Int64>(0)
    /// Decoding is the node's only work: a window, which has no operator of its own.
    private let fillsByDecoding = Atomic<Bool>(false)
    /// No operator of its own and no storage: a subquery, filled by filling what is beneath it.
    private let fillsByChildren = Atomic<Bool>(false)

    init(_ node: Explanation, _ now: Int64) {
        self.node = node
        began = now
    }

    func add(child: OperatorMeasures) { children.withLock { $0.append(child) } }
    func made(at now: Int64) { making.store(now &- began, ordering: .relaxed) }
    func offers(_ count: Int) { series.store(count, ordering: .relaxed) }

    func filled(points count: Int, nanoseconds: Int64) {
        columns.wrappingAdd(1, ordering: .relaxed)
        points.wrappingAdd(count, ordering: .relaxed)
        filling.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    func selected(_ count: Int, nanoseconds: Int64, isWindow: Bool) {
        asksStorage.store(true, ordering: .relaxed)
        fillsByDecoding.store(isWindow, ordering: .relaxed)
        series.store(count, ordering: .relaxed)
        selecting.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    func decoded(_ count: Int, _ tally: ChunkTally, nanoseconds: Int64) {
        columns.wrappingAdd(fillsByDecoding.load(ordering: .relaxed) ? 1 : 0, ordering: .relaxed)
        samples.wrappingAdd(count, ordering: .relaxed)
        chunks.wrappingAdd(tally.chunks, ordering: .relaxed)
        bytes.wrappingAdd(tally.bytes, ordering: .relaxed)
        decoding.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    func passesOn(_ count: Int) {
        fillsByChildren.store(true, ordering: .relaxed)
        series.store(count, ordering: .relaxed)
    }

    private var fillTime: Int64 {
        if fillsByDecoding.load(ordering: .relaxed) { return decoding.load(ordering: .relaxed) }
        guard fillsByChildren.load(ordering: .relaxed) else { return filling.load(ordering: .relaxed) }
        return children.withLock { $0 }.reduce(0) { $0 &+ $1.fillTime }
    }

    var explanation: Explanation {
        var result = node
        result.children = children.withLock { $0 }.map(\.explanation)
        var measures = Explanation.Measures()
        measures.series = series.load(ordering: .relaxed)
        measures.columns = columns.load(ordering: .relaxed)
        measures.points = points.load(ordering: .relaxed)
        measures.nanoseconds = making.load(ordering: .relaxed) &+ fillTime
        let beneath = result.children.reduce(Int64(0)) { $0 &+ ($1.measures?.nanoseconds ?? 0) }
        measures.ownNanoseconds = max(0, measures.nanoseconds &- beneath)
        if asksStorage.load(ordering: .relaxed) {
            var storage = Explanation.Measures.Storage()
            storage.samples = samples.load(ordering: .relaxed)
            storage.chunks = chunks.load(ordering: .relaxed)
            storage.bytes = bytes.load(ordering: .relaxed)
            storage.selecting = selecting.load(ordering: .relaxed)
            storage.decoding = decoding.load(ordering: .relaxed)
            measures.storage = storage
        }
        result.measures = measures
        return result
    }
}
