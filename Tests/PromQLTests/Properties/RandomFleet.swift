import Histograms
import Support
import TSDB

/// Half an hour of samples from a small fleet, as unpleasant as real ones: late scrapes, gaps, counters that restart, series
/// that end and come back, NaN and infinities; some say when their counts began, not all of these rightly.
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
        let manner = StartManner.allCases.randomElement(using: &random) ?? .silent
        var before: Int64 = 0, began: Int64 = 0
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
                    if let start = manner.start(of: time + late, before, &began, &random) {
                        storage.setStart(labels, time + late, start)
                    }
                    before = time + late
                }
            }
            time += 15_000
        }
    }

    /// How a series tells when its counts began.
    private enum StartManner: CaseIterable {
        /// Not at all, as most.
        case silent, alsoSilent
        case cumulative
        case delta
        case mistaken

        /// Milliseconds. `before` is the time of the sample before, `began` what the last answer was.
        func start(of time: Int64, _ before: Int64, _ began: inout Int64, _ random: inout SeededRandom) -> Int64? {
            switch self {
            case .silent, .alsoSilent: return nil
            case .cumulative:
                if Int.random(in: 0..<20, using: &random) == 0 { began = Int64.random(in: before...time, using: &random) }
            case .delta: began = before
            case .mistaken:
                began = [0, began, time, time + 7, before - 5, before, before + 1, time - 1].randomElement(using: &random) ?? 0
            }
            return began
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
