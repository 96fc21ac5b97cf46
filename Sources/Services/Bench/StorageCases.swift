import TSDB

/// What storage costs below the queries: making series, appending, selecting, grouping, decoding.
struct StorageCases {
    let database: Database
    let load: LoadReport
    let plan: BenchPlan

    func rows() async throws -> [BenchRow] {
        let matchers = [
            Matcher.equal(MetricName.label, MetricFamily.latency.rawValue), .equal("bench_run", plan.shape.run),
        ]
        let set = try database.select(matchers, from: .min, through: .max)
        var columns = SampleColumns()
        var sampleCount = 0
        for index in 0..<set.count {
            columns.removeAll()
            try set.decode(index, from: .min, through: .max, into: &columns)
            sampleCount += columns.count
        }
        let select = try await Measurement.of(budget: plan.budget) {
            _ = try database.select(matchers, from: .min, through: .max)
        }
        let group = try await Measurement.of(budget: plan.budget) { _ = set.groups(.by(["le"])) }
        let decode = try await Measurement.of(budget: plan.budget) {
            var columns = SampleColumns()
            for index in 0..<set.count {
                columns.removeAll()
                try set.decode(index, from: .min, through: .max, into: &columns)
            }
        }
        return [
            row("make a series", .series, load.series, Measurement([load.seriesCost])),
            row("append to the head", .sample, load.samples, Measurement([load.appendCost])),
            row("select", .series, set.count, select),
            row("group by (le)", .series, set.count, group),
            row("decode", .sample, sampleCount, decode),
        ]
    }

    private enum Unit: String { case series, sample }

    private func row(_ name: String, _ unit: Unit, _ count: Int, _ measurement: Measurement) -> BenchRow {
        BenchRow(
            group: .storage, name: name, kind: unit.rawValue, units: count, samples: unit == .sample ? count : 0,
            measurement: measurement)
    }
}
