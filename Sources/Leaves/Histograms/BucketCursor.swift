/// Walks over the places that spans name, from the zero bucket outwards: index and place of one bucket after the other.
///
///     spans [(0, 2), (1, 1)]      index   0  1  3
///                                 place   0  1  2
///
/// Ends where spans or buckets (`count` of them) end, whichever comes first, so no spans can lead it out of bounds.
struct LayoutCursor {
    private let spans: [BucketSpan]
    private let count: Int
    private var nextSpan = 0
    private var leftInSpan = 0

    /// Of the bucket that the last `next` came to.
    private(set) var index = -1
    /// Its place in the array of buckets.
    private(set) var place = -1

    init(spans: [BucketSpan], count: Int) {
        self.spans = spans
        self.count = count
    }

    @inline(__always)
    mutating func next() -> Bool {
        guard place + 1 < count else { return false }
        if leftInSpan == 0, !enterSpan() { return false }
        leftInSpan -= 1
        index &+= 1
        place += 1
        return true
    }

    /// Goes on to the next span that has buckets.
    private mutating func enterSpan() -> Bool {
        while leftInSpan == 0 {
            guard nextSpan < spans.count else { return false }
            index &+= Int(spans[nextSpan].offset)
            leftInSpan = Int(spans[nextSpan].length)
            nextSpan += 1
        }
        return true
    }
}

/// The same walk with the counts of float buckets.
struct BucketCursor {
    private var walk: LayoutCursor
    private let buckets: [Double]

    init(spans: [BucketSpan], buckets: [Double]) {
        walk = LayoutCursor(spans: spans, count: buckets.count)
        self.buckets = buckets
    }

    @inline(__always)
    mutating func next() -> Bool { walk.next() }

    /// Of the bucket that the last `next` came to.
    var index: Int { walk.index }
    var place: Int { walk.place }
    var count: Double { buckets[walk.place] }
}

/// The same walk the other way round: from the outermost bucket towards the zero bucket.
struct ReverseBucketCursor {
    private let spans: [BucketSpan]
    private let buckets: [Double]
    private var span: Int
    private var leftInSpan: Int
    private var nextIndex: Int
    private var nextPlace: Int

    private(set) var index = 0
    private(set) var count = 0.0

    init(spans: [BucketSpan], buckets: [Double]) {
        self.spans = spans
        self.buckets = buckets
        span = spans.count - 1
        leftInSpan = spans.last.map { Int($0.length) } ?? 0
        nextIndex = spans.reduce(0) { $0 &+ Int($1.offset) &+ Int($1.length) } &- 1
        nextPlace = buckets.count - 1
    }

    mutating func next() -> Bool {
        guard nextPlace >= 0, span >= 0 else { return false }
        while leftInSpan == 0 {
            nextIndex &-= Int(spans[span].offset)
            span -= 1
            guard span >= 0 else { return false }
            leftInSpan = Int(spans[span].length)
        }
        leftInSpan -= 1
        index = nextIndex
        nextIndex &-= 1
        count = buckets[nextPlace]
        nextPlace -= 1
        return true
    }
}

extension FloatHistogram {
    var positiveCursor: BucketCursor { BucketCursor(spans: positiveSpans, buckets: positiveBuckets) }
    var negativeCursor: BucketCursor { BucketCursor(spans: negativeSpans, buckets: negativeBuckets) }
}
