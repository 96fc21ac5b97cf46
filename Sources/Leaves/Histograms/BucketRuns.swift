/// The spans of one side of a histogram as runs with absolute indices: how layouts are compared, joined and mapped onto each other without a
/// look at single buckets.
///
///     spans   [(2, 4), (4, 2)]         runs   index 2…5, place 0…3      index 10…11, place 4…5
///     spans   [(2, 4), (0, 2)]         runs   index 2…7, place 0…5      (spans without a gap between them are one run)
///
/// Invariant: works on malformed spans too (the result means nothing then): never more buckets than there are counts are named.
public struct BucketRun: Sendable, BitwiseCopyable {
    /// Index of the first bucket.
    public var index: Int
    /// Its place in the array of counts.
    public var place: Int
    public var length: Int
    var end: Int { index &+ length }

    /// The runs of `count` counts. Empty spans are left out; what has no counts is cut off.
    public static func all(of spans: [BucketSpan], count: Int) -> [BucketRun] {
        var runs: [BucketRun] = []
        runs.reserveCapacity(spans.count)
        var index = 0
        var place = 0
        for span in spans {
            index &+= Int(span.offset)
            let length = min(Int(span.length), count - place)
            if length > 0 {
                if let last = runs.last, last.end == index, last.place &+ last.length == place {
                    runs[runs.count - 1].length &+= length
                } else {
                    runs.append(BucketRun(index: index, place: place, length: length))
                }
            }
            index &+= Int(span.length)
            place += max(0, length)
        }
        return runs
    }

    /// Without the first `skipped` buckets.
    static func cut(_ runs: [BucketRun], first skipped: Int) -> [BucketRun] {
        guard skipped > 0 else { return runs }
        return runs.compactMap { run in
            let cut = max(0, min(run.length, skipped - run.place))
            guard cut < run.length else { return nil }
            return BucketRun(index: run.index + cut, place: run.place + cut, length: run.length - cut)
        }
    }

    /// Place of the first bucket in the row of `runs`, when all of it is inside one of them. `position` goes on from call to call.
    public func place(in runs: [BucketRun], from position: inout Int) -> Int? {
        while position < runs.count, runs[position].end <= index { position += 1 }
        guard position < runs.count, runs[position].index <= index, end <= runs[position].end else { return nil }
        return runs[position].place + (index - runs[position].index)
    }

    /// Whether each of `inner` lies inside one of `outer`.
    public static func covers(_ outer: [BucketRun], _ inner: [BucketRun]) -> Bool {
        var position = 0
        return inner.allSatisfy { $0.place(in: outer, from: &position) != nil }
    }

    /// Spans of all buckets that one of the two has; neighbours are joined.
    public static func union(_ a: [BucketRun], _ b: [BucketRun]) -> [BucketSpan] {
        var spans: [BucketSpan] = []
        var end = 0
        for run in (a + b).sorted(by: { $0.index < $1.index }) {
            if !spans.isEmpty, run.index <= end {
                guard run.end > end else { continue }
                spans[spans.count - 1].length &+= UInt32(truncatingIfNeeded: run.end - end)
            } else {
                spans.append(
                    BucketSpan(
                        offset: Int32(truncatingIfNeeded: run.index - end),
                        length: UInt32(truncatingIfNeeded: run.length)))
            }
            end = run.end
        }
        return spans
    }
}
