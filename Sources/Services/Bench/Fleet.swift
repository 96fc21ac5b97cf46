import TSDB

/// A fleet of HTTP services as monitoring sees it, invented but like the real thing: histograms and counters that only
/// grow until their instance restarts, gauges that wander, scrapes that fail.
///
///     scrape     0   1   2   3   4   5   6   7
///     instance a 12  15  19   0   2   5   9  11        a restart: all its counters begin again
///     instance b 40  41  S   -   -   -   44  44        a gap, opened by a stale marker (every second one) or by nothing
///
/// Instances draw from generators of their own, so the samples do not depend on the order in which instances are asked.
/// Each instance is asked for its scrapes in order.
struct Fleet {
    let shape: FleetShape
    private var instances: [InstanceState] = []
    private let families: [MetricFamily]

    init(_ shape: FleetShape) {
        self.shape = shape
        families = shape.orderedFamilies
        instances = (0..<shape.instanceCount).map { InstanceState(shape, instance: $0) }
    }

    /// Labels of all series of `instance`, in the order of a scrape's values.
    func labels(ofInstance instance: Int) -> [Labels] {
        let bounds = shape.bucketBounds
        return families.flatMap { family in
            (0..<shape.seriesCount(of: family, instance: instance)).map { slot in
                shape.labels(family, instance: instance, slot: slot, bounds: bounds)
            }
        }
    }

    /// Time of scrape `number` of `instance`.
    func time(ofScrape number: Int, instance: Int) -> Timestamp {
        let back = Int64(shape.scrapeCount - 1 - number) * shape.interval
        return shape.end - Duration(milliseconds: back + instances[instance].offset)
    }

    /// Overwrites `values` with the next scrape of `instance`, one value per series. `false`: the scrape failed and there
    /// are no samples. All values are stale markers where the instance is marked as gone.
    mutating func nextScrape(ofInstance instance: Int, into values: inout [Double]) -> Bool {
        values.removeAll(keepingCapacity: true)
        return instances[instance].scrape(shape, families, instance: instance, into: &values)
    }
}

/// What one instance counts.
private struct InstanceState {
    /// Milliseconds by which its scrapes are earlier than the grid.
    let offset: Int64
    private var random: FleetRandom
    /// Observations per bucket (not cumulative), then requests per worker, then loads, as far as the families are there.
    private var latency: [UInt32] = []
    private var requests: [Double] = []
    private var load: [Double] = []
    private var missing = 0

    init(_ shape: FleetShape, instance: Int) {
        random = FleetRandom(seed: shape.seed &+ UInt64(instance) &* 0x9e37_79b9_7f4a_7c15)
        offset = Int64(random.next() % UInt64(shape.interval))
        let count = shape.seriesCount(of: .latency, instance: instance)
        if shape.families.contains(.latency) { latency = Array(repeating: 0, count: count) }
        if shape.families.contains(.requests) { requests = Array(repeating: 0, count: count) }
        if shape.families.contains(.load) { load = Array(repeating: 20, count: count) }
    }

    mutating func scrape(
        _ shape: FleetShape, _ families: [MetricFamily], instance: Int, into values: inout [Double]
    ) -> Bool {
        let event = random.next()
        if event % 1_000 == 0 { restart() }
        // The world goes on while nobody looks.
        for family in families {
            switch family {
            case .latency: observe(shape.bucketCount, &values)
            case .requests: count(shape.bucketCount, &values)
            case .load: wander(shape.bucketCount, &values)
            case .build: values.append(1)
            }
        }
        if missing > 0 {
            missing -= 1
            return false
        }
        if event >> 32 % 400 == 0 {
            missing = Int(event >> 48 % 30)
            // Every second one ends with markers, the others without a word.
            guard event >> 56 & 1 == 0 else { return false }
            for index in values.indices { values[index] = StaleMarker.value }
        }
        return true
    }

    private mutating func restart() {
        for index in latency.indices { latency[index] = 0 }
        for index in requests.indices { requests[index] = 0 }
    }

    /// Handler 0 is the busiest, handler 9 is dead; most observations fall into the buckets of the middle.
    private mutating func observe(_ bucketCount: Int, _ values: inout [Double]) {
        var cumulative: UInt64 = 0
        for slot in latency.indices {
            let bucket = slot % bucketCount, handler = slot / bucketCount
            if bucket == 0 { cumulative = 0 }
            if handler < 9 {
                let middle = bucket * 4 > bucketCount && bucket * 4 < bucketCount * 3
                latency[slot] &+= UInt32(truncatingIfNeeded: random.next() & (middle ? 31 : 3)) >> UInt32(handler / 2)
            }
            cumulative += UInt64(latency[slot])
            values.append(Double(cumulative))
        }
    }

    private mutating func count(_ workerCount: Int, _ values: inout [Double]) {
        for slot in requests.indices {
            if slot / workerCount < 9 {
                requests[slot] += Double(random.next() & 127 >> UInt64(slot / workerCount / 2))
            }
            values.append(requests[slot])
        }
    }

    private mutating func wander(_ workerCount: Int, _ values: inout [Double]) {
        for slot in load.indices {
            let draw = Double(random.next() >> 11) / 9_007_199_254_740_992
            switch slot % workerCount % 4 {
            case 0: load[slot] = max(0, load[slot] + (draw * 5).rounded(.down) - 2)
            case 1: load[slot] = ((load[slot] + draw - 0.5) * 100).rounded() / 100
            case 2: load[slot] += draw - 0.5
            default: break
            }
            values.append(load[slot])
        }
    }
}

/// SplitMix64: a small deterministic generator.
struct FleetRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
