/// How rows begin in Prometheus' newer records 11, 12, 13 (samples, histograms, float histograms), which know when counting began.
///
///     first     reference zigzag │ time zigzag │ start zigzag
///     others    Δreference zigzag, to the row before │ Δtime zigzag, to the first row │ start
///     start     0: none   1: that of the row before   2: Δ zigzag to that of the first row
///
/// A 3.14 writes them with `--enable-feature=st-storage`. The start is read over: what follows it is what counts here.
/// Source: `tsdb/record/record.go`, `samplesV2`, `histogramSamplesV2`, `readSTMarker`.
struct StartedRows {
    private var isFirst = true
    private var reference: UInt64 = 0
    private var firstTime: Int64 = 0

    /// Reads the beginning of the next row.
    mutating func next(_ cursor: inout ByteCursor) throws(TSDBError) -> (reference: UInt64, time: Int64) {
        reference = reference &+ UInt64(bitPattern: try cursor.takeSignedVarint())
        let time = try cursor.takeSignedVarint()
        if isFirst {
            isFirst = false
            firstTime = time
            _ = try cursor.takeSignedVarint()
            return (reference, time)
        }
        // Upstream takes any other marker for 2, too.
        if try cursor.takeByte() > 1 { _ = try cursor.takeSignedVarint() }
        return (reference, firstTime &+ time)
    }
}
