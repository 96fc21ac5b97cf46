import TSDB

/// An operator that is watched: answers as the one inside, and counts what it answers.
///
/// Whatever `VectorOperator` asks for with a default answer must be handed on here, or analysing would change the work.
struct Measured: VectorOperator {
    let inner: any VectorOperator
    let measures: OperatorMeasures
    let clock: QueryContext.MonotonicClock

    init(_ inner: any VectorOperator, _ measures: OperatorMeasures, _ clock: @escaping QueryContext.MonotonicClock) {
        self.inner = inner
        self.measures = measures
        self.clock = clock
        measures.offers(inner.count)
    }

    var count: Int { inner.count }
    var canFail: Bool { inner.canFail }
    var isDistinctWithoutNames: Bool { inner.isDistinctWithoutNames }
    var isHeld: Bool { inner.isHeld }
    func labels(at index: Int) -> Labels { inner.labels(at: index) }
    func dropsName(at index: Int) -> Bool { inner.dropsName(at: index) }
    func groups(_ grouping: Grouping) -> Groups { inner.groups(grouping) }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        let began = clock()
        try inner.fill(index, into: &column, scratch: scratch)
        measures.filled(points: column.presentCount, nanoseconds: clock() &- began)
    }
}

/// A selection that is watched: what is decoded is counted, chunk by chunk where storage tells.
struct Counted: SeriesSet {
    let inner: any SeriesSet
    let measures: OperatorMeasures
    let clock: QueryContext.MonotonicClock

    var count: Int { inner.count }
    func labels(at index: Int) -> Labels { inner.labels(at: index) }
    func groups(_ grouping: Grouping) -> Groups { inner.groups(grouping) }

    func chunkTally(_ index: Int, from: Int64, through: Int64) -> ChunkTally {
        inner.chunkTally(index, from: from, through: through)
    }

    func decode(_ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns) throws(TSDBError) {
        let before = columns.count
        let began = clock()
        try inner.decode(index, from: from, through: through, into: &columns)
        let nanoseconds = clock() &- began
        measures.decoded(
            columns.count - before, inner.chunkTally(index, from: from, through: through), nanoseconds: nanoseconds)
    }
}
