import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which samples lie in which window: two indices per step, found once for all series that were scraped together.
///
///     times    0   15   30   45   60   75            step        0   1   2
///     windows      (────────]                        low         1   2   3
///                       (────────]                   high        3   4   5        window = low ..< high
///                            (────────]
///
/// Both indices only move forward, so a plan costs O(samples + steps). All series of one scrape have the same times to the
/// millisecond, and storage gives series in the order in which they came; so the next series nearly always fits the plan of one of
/// the last, which a comparison of bytes tells, and no time needs to be looked at again.
///
/// Where windows reach out (`anchored`, `smoothed`) low and high count the neighbours in, and a window is empty where nothing
/// lies behind its start, or nothing before or at its end. `low` never falls, `high` only at an empty window.
final class WindowPlan {
    let windows: WindowGrid
    /// Per step. Equal: the window is empty.
    let low: UnsafeMutablePointer<Int>
    let high: UnsafeMutablePointer<Int>
    /// A bit per step whose window has a sample.
    let presence: UnsafeMutablePointer<UInt64>
    let wordCount: Int
    /// No window is empty.
    private(set) var isFull = false
    /// What rates need to know of the times; computed when asked for.
    private var geometry: RateGeometry?
    /// The same for straight lines; the inner `nil` says that there is too much of it.
    private var regression: RegressionGeometry??

    private var times: UnsafeMutablePointer<Int64>
    private var capacity: Int
    /// −1: fits no series yet.
    private var count = -1

    init(_ windows: WindowGrid) {
        self.windows = windows
        wordCount = (windows.count + 63) >> 6
        low = .allocate(capacity: windows.count + 1)
        high = .allocate(capacity: windows.count + 1)
        presence = .allocate(capacity: wordCount + 1)
        capacity = 512
        times = .allocate(capacity: capacity)
    }

    deinit {
        low.deallocate()
        high.deallocate()
        presence.deallocate()
        times.deallocate()
    }

    /// Whether the plan is that of a series with these times.
    @inline(__always)
    func fits(_ sampleTimes: UnsafePointer<Int64>, count sampleCount: Int) -> Bool {
        // Other targets differ in the first sample already.
        sampleCount == count && (count == 0 || times[0] == sampleTimes[0]) && memcmp(times, sampleTimes, sampleCount &* 8) == 0
    }

    /// Makes the plan that of a series with these times, which are ascending.
    func fit(_ sampleTimes: UnsafePointer<Int64>, count sampleCount: Int) {
        if fits(sampleTimes, count: sampleCount) { return }
        if sampleCount > capacity {
            times.deallocate()
            capacity = max(sampleCount, capacity * 2)
            times = .allocate(capacity: capacity)
        }
        times.update(from: sampleTimes, count: sampleCount)
        count = sampleCount
        geometry = nil
        regression = nil
        slide()
    }

    private func slide() {
        let length = windows.length
        var first = 0, next = 0
        var missing = false
        for word in 0..<wordCount {
            var bits: UInt64 = 0
            for step in (word << 6)..<min(windows.count, (word << 6) + 64) {
                let end = windows.end(step)
                while next < count && times[next] <= end { next &+= 1 }
                while first < next && times[first] <= end &- length { first &+= 1 }
                low[step] = first
                high[step] = next
                if windows.before > 0 || windows.after > 0 { reachOut(step, end) }
                if low[step] < high[step] { bits |= 1 << UInt64(truncatingIfNeeded: step & 63) } else { missing = true }
            }
            presence[word] = bits
        }
        isFull = !missing
    }

    /// Takes the neighbours in: the sample at or before the start, and the one behind the end unless one stands right at it.
    private func reachOut(_ step: Int, _ end: Int64) {
        let start = end &- windows.length, inside = low[step], next = high[step]
        if inside > 0 && times[inside &- 1] > start.clampedSubtracting(windows.before) { low[step] = inside &- 1 }
        let isClosed = next > 0 && times[next &- 1] == end
        if !isClosed && next < count && times[next] <= end.clampedAdding(windows.after) { high[step] = next &+ 1 }
        if inside == high[step] || low[step] == next { high[step] = low[step] }
    }

    /// The measures of all windows that have two samples.
    var rateGeometry: RateGeometry {
        if let geometry { return geometry }
        let made = RateGeometry(self, times: times)
        geometry = made
        return made
    }

    /// What straight lines through the windows need to know of the times; `nil` where that would be too much to hold.
    var regressionGeometry: RegressionGeometry? {
        if let regression { return regression }
        let made = RegressionGeometry(self, times: times)
        regression = .some(made)
        return made
    }

    /// Visits the steps whose window has a sample.
    @inline(__always)
    func forEachWindow(_ body: (_ step: Int, _ low: Int, _ high: Int) -> Void) {
        if isFull {
            for step in 0..<windows.count { body(step, low[step], high[step]) }
            return
        }
        for word in 0..<wordCount {
            var bits = presence[word]
            while bits != 0 {
                let step = word << 6 &+ bits.trailingZeroBitCount
                body(step, low[step], high[step])
                bits &= bits &- 1
            }
        }
    }
}

extension Scratch {
    /// Plans that are kept of one grid. Targets whose first samples came at the same time lie interleaved in storage: with one plan for the
    /// two connections of a sender 62,000 series made 9,400 plans, with four 1,500.
    private static let plansPerGrid = 4

    /// A plan of these windows for a series with these times. Operators with the same windows share what this thread keeps.
    func plan(_ windows: WindowGrid, fitting times: UnsafePointer<Int64>, count: Int) -> WindowPlan {
        // The newest first; the oldest of the same grid gives way.
        var same = 0, oldest = 0
        for index in plans.indices.reversed() where plans[index].windows == windows {
            if plans[index].fits(times, count: count) { return plans[index] }
            same += 1
            oldest = index
        }
        let plan = same < Self.plansPerGrid ? WindowPlan(windows) : plans.remove(at: oldest)
        plan.fit(times, count: count)
        plans.append(plan)
        return plan
    }
}
