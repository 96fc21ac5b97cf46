import TSDB

#if canImport(Glibc)
    import Glibc
#endif

/// CPU time of this thread in nanoseconds.
func cpu() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

func residentMiB() -> Double {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 128)
    fgets(&buffer, 128, file)
    let fields = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Double(fields[1]) ?? 0) * 4096 / 1048576 : 0
}

struct StillClock: WallClock {
    func now() -> Timestamp { Timestamp(milliseconds: 2_000_000_000_000) }
}

/// A fleet of counters, gauges and histograms' buckets: `seriesCount` series with a dozen labels, `steps` scrapes.
func fill(_ database: Database, seriesCount: Int, steps: Int) throws -> Double {
    let base: Int64 = 1_700_000_000_000
    var references: [SeriesRef] = []
    let before = cpu()
    for index in 0..<seriesCount {
        references.append(
            try database.reference(
                for: Labels([
                    (name: "__name__", value: "http_request_duration_seconds_bucket"), (name: "job", value: "api"),
                    (name: "instance", value: "10.0.\(index / 2560).\(index / 120 % 255):8080"),
                    (name: "handler", value: "/api/v1/\(index / 12 % 10)"), (name: "le", value: "\(index % 12)"),
                    (name: "zone", value: "eu-\(index % 3)"), (name: "cluster", value: "one"),
                ])))
    }
    let made = cpu()
    print("make a series: \(Int((made - before) / Double(seriesCount))) ns")
    var batch = SampleBatch()
    var values = [Double](repeating: 0, count: seriesCount)
    var random = SystemRandomNumberGenerator()
    var spent = 0.0
    for step in 0..<steps {
        for start in stride(from: 0, to: seriesCount, by: 2000) {
            batch.removeAll()
            for index in start..<min(start + 2000, seriesCount) {
                values[index] += Double(random.next() & 7)
                batch.append(references[index], at: Timestamp(milliseconds: base + Int64(step) * 15000), value: values[index])
            }
            let t = cpu()
            _ = try database.append(batch)
            spent += cpu() - t
        }
    }
    return spent / Double(seriesCount * steps)
}

let database = Database.inMemory(clock: StillClock())
let start = residentMiB()
let seriesCount = 62_000, steps = 300
print("append: \(Int(try fill(database, seriesCount: seriesCount, steps: steps))) ns/sample")
print("resident: \(Int((residentMiB() - start) * 1048576 / Double(seriesCount))) B/series at \(steps) samples; \(database.statistics)")
for repetition in 0..<3 {
    var t = cpu()
    let set = try database.select([.equal("__name__", "http_request_duration_seconds_bucket")], from: .min, through: .max)
    print("select \(set.count) series: \(Int((cpu() - t) / 1000)) us")
    t = cpu()
    let groups = set.groups(.by(["le"]))
    print("group by le: \(Int((cpu() - t) / 1000)) us, \(groups.labels.count) groups")
    t = cpu()
    var columns = SampleColumns()
    var total = 0
    for index in 0..<set.count {
        columns.removeAll()
        try set.decode(index, from: .min, through: .max, into: &columns)
        total += columns.count
    }
    print("decode: \((cpu() - t) / Double(total)) ns/sample, \(repetition)")
}
