import Histograms
import TSDB

/// The counter-reset hints that histograms have when they are read back from a head: what the chunk they lie in says of them.
///
///     written     5    7    9    2    4    stale  6     gauge 3   gauge 2
///     chunk     [ a    a    a ][ b    b    b   ][ c ][ d         d      ]
///     hint        ?    no   no   ?    no   no    ?     gauge     gauge
///
/// A chunk of a counter holds no reset, so all but its first histogram are known to follow without one; of the first nothing is known, also
/// where the chunk was begun because of a reset: another chunk may have come between. What ends a chunk: fewer observations, in any
/// bucket, another schema or zero threshold, other bounds, a written hint `reset`, a stale marker before, a float between, and the change
/// from counter to gauge and back.
///
/// Written beside the head on purpose: storage for tests decides by comparing whole histograms, the head on buckets of a chunk.
/// Source: Prometheus, tsdb/docs/format/chunks.md, “Histogram chunk data”; behaviour of v3.14 where it is silent.
enum ChunkHints {
    /// The histograms as readers see them. `values` tell stale markers: one behind a histogram becomes one of the histogram's kind.
    static func shown(_ written: [FloatHistogram?], _ values: [Double]) -> [FloatHistogram?] {
        var result: [FloatHistogram?] = []
        result.reserveCapacity(written.count)
        var isGauge = false
        for (histogram, value) in zip(written, values) {
            let previous = result.last ?? nil
            guard var next = histogram ?? (previous != nil && StaleMarker.isStale(value) ? staleMarker : nil) else {
                result.append(nil)
                continue
            }
            let continues = previous.map { next.continues(a: $0, inGaugeChunk: isGauge) } ?? false
            if !continues { isGauge = next.hint == .gauge }
            next.hint = isGauge ? .gauge : continues ? .notReset : .unknown
            result.append(next)
        }
        return result
    }

    private static var staleMarker: FloatHistogram { FloatHistogram(sum: StaleMarker.value) }
}

extension FloatHistogram {
    /// Whether it goes into the chunk that `last` is the end of.
    fileprivate func continues(a last: FloatHistogram, inGaugeChunk isGauge: Bool) -> Bool {
        guard isGauge == (hint == .gauge), hint != .reset else { return false }
        if StaleMarker.isStale(sum) { return true }
        if StaleMarker.isStale(last.sum) { return false }
        guard schema == last.schema, zeroThreshold == last.zeroThreshold, customBounds == last.customBounds else { return false }
        if isGauge { return true }
        return !(count < last.count) && !(zeroCount < last.zeroCount)
            && Self.covers(positivePlaces, last.positivePlaces) && Self.covers(negativePlaces, last.negativePlaces)
    }

    /// No bucket has fallen, none in use is gone.
    private static func covers(_ buckets: [Int: Double], _ last: [Int: Double]) -> Bool {
        last.allSatisfy { index, count in
            guard let now = buckets[index] else { return count == 0 }
            return !(count > now)
        }
    }
}
