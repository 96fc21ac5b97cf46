#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What one run of something took, in nanoseconds: time of the processor (all threads of the process) and time on the wall.
///
/// The processor's time is what counts on a machine shared with others; the wall tells whether threads helped.
struct Cost: Equatable, Sendable {
    var cpu: Double
    var wall: Double

    /// The clocks now; the difference of two is a cost.
    static func now() -> Cost {
        Cost(cpu: nanoseconds(CLOCK_PROCESS_CPUTIME_ID), wall: nanoseconds(CLOCK_MONOTONIC))
    }

    static func - (end: Cost, begin: Cost) -> Cost { Cost(cpu: end.cpu - begin.cpu, wall: end.wall - begin.wall) }

    static func += (sum: inout Cost, part: Cost) { sum = Cost(cpu: sum.cpu + part.cpu, wall: sum.wall + part.wall) }

    private static func nanoseconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}

/// Milliseconds since the epoch.
func wallTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// The most memory that the process ever held, in bytes.
func peakResidentBytes() -> Int {
    var usage = rusage()
    // 0 is RUSAGE_SELF, which the platforms import as different types.
    getrusage(0, &usage)
    // macOS counts bytes, Linux kilobytes.
    #if canImport(Darwin)
        return Int(usage.ru_maxrss)
    #else
        return Int(usage.ru_maxrss) * 1024
    #endif
}

/// Repeated runs of one thing: the median tells what it costs, the minimum what it costs undisturbed.
struct Measurement: Equatable, Sendable {
    var runs: Int
    var median: Cost
    var minimum: Cost

    init(_ costs: [Cost]) {
        precondition(!costs.isEmpty, "a measurement of no runs")
        runs = costs.count
        let cpu = costs.map(\.cpu).sorted(), wall = costs.map(\.wall).sorted()
        median = Cost(cpu: cpu[cpu.count / 2], wall: wall[wall.count / 2])
        minimum = Cost(cpu: cpu[0], wall: wall[0])
    }

    /// Few enough that the list of costs is small, many enough that a median means something.
    static let runLimits = 3...10_000

    /// Runs `body` until `budget` nanoseconds have passed on the wall, at least three times. The caller has warmed up.
    static func of(budget: Double, _ body: () async throws -> Void) async throws -> Measurement {
        var costs: [Cost] = []
        let begin = Cost.now().wall
        while costs.count < runLimits.lowerBound
            || (Cost.now().wall - begin < budget && costs.count < runLimits.upperBound)
        {
            let before = Cost.now()
            try await body()
            costs.append(Cost.now() - before)
        }
        return Measurement(costs)
    }
}
