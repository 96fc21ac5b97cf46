/// Equality of stored data: every number bit by bit, layouts by what they mean.
///
///     [(0, 2), (0, 0), (3, 1)]  is  [(0, 2), (3, 1)]         empty spans only add to the offset of the next
///
/// Hints are not compared: they say something about a pair of samples.
extension FloatHistogram {
    public func isEquivalent(to other: FloatHistogram) -> Bool {
        schema == other.schema && count.bitPattern == other.count.bitPattern && sum.bitPattern == other.sum.bitPattern
            && (!hasCustomBounds || hasSameBounds(as: other)) && zeroThreshold == other.zeroThreshold
            && zeroCount.bitPattern == other.zeroCount.bitPattern
            && Self.haveSameLayout(negativeSpans, other.negativeSpans)
            && Self.haveSameBits(negativeBuckets, other.negativeBuckets)
            && Self.haveSameLayout(positiveSpans, other.positiveSpans)
            && Self.haveSameBits(positiveBuckets, other.positiveBuckets)
    }

    private static func haveSameBits(_ a: [Double], _ b: [Double]) -> Bool {
        a.elementsEqual(b) { $0.bitPattern == $1.bitPattern }
    }

    private static func haveSameLayout(_ a: [BucketSpan], _ b: [BucketSpan]) -> Bool {
        a == b || withoutEmpty(a) == withoutEmpty(b)
    }

    private static func withoutEmpty(_ spans: [BucketSpan]) -> [BucketSpan] {
        var kept: [BucketSpan] = []
        var offset: Int32 = 0
        for span in spans {
            offset &+= span.offset
            guard span.length > 0 else { continue }
            kept.append(BucketSpan(offset: offset, length: span.length))
            offset = 0
        }
        return kept
    }
}
