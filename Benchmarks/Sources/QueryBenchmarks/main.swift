import Harness
import PromQL
import TSDB

/// One query over a fleet, as a range of an hour in steps of 15 s and as an instant, per series and step.
let seriesCount = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 62_000
let database = Database.inMemory(clock: StillClock())
var fleet = try Fleet(database, seriesCount: seriesCount)
_ = try fleet.append(to: database, steps: 0..<300)

let engine = Engine()
let end = Timestamp(milliseconds: Fleet.start + 299 * 15_000)
let start = end - .hours(1)
let steps = 241
let metric = "http_request_duration_seconds_bucket"
for query in [
    "histogram_quantile(0.95, sum by (le) (rate(\(metric)[5m])))",
    "histogram_quantile(0.95, sum by (le, instance) (rate(\(metric)[5m])))",
    "sum by (le) (rate(\(metric)[5m]))", "sum(\(metric))", "max_over_time(\(metric){le=\"1\"}[10m])",
    "topk(5, rate(\(metric){le=\"1\"}[5m]))", "avg by (handler) (\(metric)) / ignoring(x) avg by (handler) (\(metric))",
] {
    let count = query.contains("le=") ? seriesCount / 12 : seriesCount
    try measure("range   " + query.prefix(60), repeating: 3, units: Double(count * steps)) {
        _ = try engine.range(query, on: database, start: start, end: end, step: .seconds(15))
    }
    try measure("instant " + query.prefix(60), repeating: 3, units: Double(count)) {
        _ = try engine.instant(query, on: database, at: end)
    }
}
