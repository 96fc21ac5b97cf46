import Harness
import TSDB

let seriesCount = 62_000, steps = 300
let database = Database.inMemory(clock: StillClock())
let residentBefore = residentBytes()
let before = threadTime()
var fleet = try Fleet(database, seriesCount: seriesCount)
print("make a series: \(Int((threadTime() - before) / Double(seriesCount))) ns")
let spent = try fleet.append(to: database, steps: 0..<steps)
print("append: \(Int(spent / Double(seriesCount * steps))) ns/sample")
print("resident: \(Int((residentBytes() - residentBefore) / Double(seriesCount))) B/series with \(steps) samples")
print(database.statistics)

let matchers = [Matcher.equal("__name__", "http_request_duration_seconds_bucket")]
try measure("select, per series", units: Double(seriesCount)) {
    _ = try database.select(matchers, from: .min, through: .max)
}
let set = try database.select(matchers, from: .min, through: .max)
measure("group by le, per series", units: Double(seriesCount)) { _ = set.groups(.by(["le"])) }
try measure("decode, per sample", units: Double(seriesCount * steps)) {
    var columns = SampleColumns()
    for index in 0..<set.count {
        columns.removeAll()
        try set.decode(index, from: .min, through: .max, into: &columns)
    }
}
