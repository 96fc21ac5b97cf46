import Histograms
import Support
import TSDB

/// Half an hour of samples from a small fleet, as unpleasant as real ones: late scrapes, gaps, counters that restart, series
/// that end and come back, NaN and infinities.
struct RandomFleet {
    /// Milliseconds: the samples lie between 0 and this.
    static let duration: Int64 = 1_800_000

    let storage = MemorySeries()
    private var random: SeededRandom

    /// What a scrape finds.
    private enum Reading {
        case float(Double)
        case histogram(FloatHistogram)
    }

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        for job in ["api", "db"] {
            for instance in ["1", "2", "3"] {
                counter(["__name__": "requests_total", "job": job, "instance": instance])
                gauge(["__name__": "level", "job": job, "instance": instance])
                native(["__name__": "latency", "job": job, "instance": instance])
            }
            native(["__name__": "spread", "job": job])
            flag(["__name__": "flag", "job": job])
            histogram(job)
        }
    }

    /// Times of scrapes every 15 s, most of them a little late, some missing; stale markers where a series ends.
    private mutating func scrapes(_ body: (Int64, inout SeededRandom) -> Double?, into labels: Labels) {
        readings({ time, random in body(time, &random).map(Reading.float) }, into: labels)
    }

    private mutating func readings(_ body: (Int64, inout SeededRandom) -> Reading?, into labels: Labels) {
        var time = Int64.random(in: 0..<15_000, using: &random)
        var silentUntil: Int64 = 0
        let isRegular = Bool.random(using: &random)
        while time < Self.duration {
            let late = isRegular ? 0 : Int64.random(in: 0..<3000, using: &random)
            if time >= silentUntil, let value = body(time + late, &random) {
                if Int.random(in: 0..<60, using: &random) == 0 {
                    // The series ends, and comes back after a while.
                    storage.append(labels, time + late, StaleMarker.value)
                    silentUntil = time + Int64.random(in: 0..<600_000, using: &random)
                } else if Int.random(in: 0..<12, using: &random) != 0 {
                    switch value {
                    case .float(let value): storage.append(labels, time + late, value)
                    case .histogram(let histogram): storage.append(labels, time + late, histogram)
                    }
                }
            }
            time += 15_000
        }
    }

    private mutating func counter(_ labels: Labels) {
        var value = Double(Int.random(in: 0..<50, using: &random))
        let isWhole = Bool.random(using: &random)
        scrapes(
            { _, random in
                if Int.random(in: 0..<30, using: &random) == 0 { value = 0 }
                value += isWhole ? Double(Int.random(in: 0..<9, using: &random)) : Double.random(in: 0..<9, using: &random)
                return value
            }, into: labels)
    }

    private mutating func gauge(_ labels: Labels) {
        scrapes(
            { _, random in
                switch Int.random(in: 0..<40, using: &random) {
                case 0: return NormalNaN.value
                case 1: return Bool.random(using: &random) ? .infinity : -.infinity
                case 2: return 1e300
                default: return Double.random(in: -50..<50, using: &random)
                }
            }, into: labels)
    }

    private mutating func native(_ labels: Labels) {
        var histograms = RandomHistograms(&random)
        let isMixed = Int.random(in: 0..<3, using: &random) == 0
        readings(
            { _, random in
                let histogram = histograms.next(&random)
                if isMixed && Int.random(in: 0..<12, using: &random) == 0 { return .float(histogram.sum) }
                return .histogram(histogram)
            }, into: labels)
    }

    private mutating func flag(_ labels: Labels) {
        scrapes({ _, random in Double(Int.random(in: 0..<3, using: &random)) }, into: labels)
    }

    /// Buckets are counted up together, and each is scraped with gaps of its own, so that counts fall now and then.
    private mutating func histogram(_ job: String) {
        let bounds = ["0.1", "0.5", "1", "+Inf"]
        let pace = Double.random(in: 1..<5, using: &random)
        for (index, bound) in bounds.enumerated() {
            scrapes(
                { time, _ in (Double(time) / 1000 * pace * Double(index + 1) / 4).rounded() },
                into: ["__name__": "wait_bucket", "job": job, "le": bound])
        }
    }
}
