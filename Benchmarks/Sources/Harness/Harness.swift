import TSDB

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// CPU time of this thread in nanoseconds: what a machine shared with others still tells truly.
public func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// CPU time of the whole process in nanoseconds.
public func processTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// Resident memory in bytes, 0 where it cannot be told.
public func residentBytes() -> Double {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var size = 0, resident = 0
    return withUnsafeMutablePointer(to: &size) { size in
        withUnsafeMutablePointer(to: &resident) { resident in
            withVaList([size, resident]) { vfscanf(file, "%ld %ld", $0) } == 2 ? Double(resident.pointee) * 4096 : 0
        }
    }
}

/// Runs `body` a few times and prints the median cost per unit, in nanoseconds.
public func measure(_ name: String, repeating count: Int = 5, units: Double, _ body: () throws -> Void) rethrows {
    var costs: [Double] = []
    for _ in 0..<count {
        let before = processTime()
        try body()
        costs.append((processTime() - before) / units)
    }
    costs.sort()
    let rounded = (costs[costs.count / 2] * 100).rounded() / 100
    print(name.padded(to: 44), "\(rounded) ns")
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

public struct StillClock: WallClock {
    public init() {}
    public func now() -> Timestamp { Timestamp(milliseconds: 2_000_000_000_000) }
}

/// A fleet as monitoring sees it: `seriesCount` histogram buckets with seven labels, 12 buckets to a histogram, `steps` scrapes 15 s apart.
public struct Fleet {
    public static let start: Int64 = 1_700_000_000_000
    public let references: [SeriesRef]
    private var values: [Double]
    private var state: UInt64 = 88_172_645_463_325_252

    public init(_ database: Database, seriesCount: Int) throws {
        references = try (0..<seriesCount).map { index in
            try database.reference(
                for: Labels([
                    (name: "__name__", value: "http_request_duration_seconds_bucket"), (name: "job", value: "api"),
                    (name: "instance", value: "10.0.\(index / 2560).\(index / 120 % 255):8080"),
                    (name: "handler", value: "/api/v1/\(index / 12 % 10)"), (name: "le", value: Self.bounds[index % 12]),
                    (name: "zone", value: "eu-\(index % 3)"), (name: "cluster", value: "one"),
                ]))
        }
        values = [Double](repeating: 0, count: seriesCount)
    }

    private static let bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]

    /// Appends scrapes `steps`, 2,000 samples to a batch. Returns the nanoseconds spent in the database.
    public mutating func append(to database: Database, steps: Range<Int>) throws -> Double {
        var batch = SampleBatch()
        var spent = 0.0
        for step in steps {
            let time = Timestamp(milliseconds: Self.start + Int64(step) * 15_000)
            for first in stride(from: 0, to: references.count, by: 2000) {
                batch.removeAll()
                for index in first..<min(first + 2000, references.count) {
                    state ^= state << 13
                    state ^= state >> 7
                    state ^= state << 17
                    values[index] += Double(state & 7) * Double(index % 12)
                    batch.append(references[index], at: time, value: values[index])
                }
                let before = threadTime()
                _ = try database.append(batch)
                spent += threadTime() - before
            }
        }
        return spent
    }
}
