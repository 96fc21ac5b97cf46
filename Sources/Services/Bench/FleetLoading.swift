import TSDB

/// What taking the fleet in came to.
struct LoadReport: Equatable, Sendable {
    var series = 0
    var samples = 0
    /// For making the series.
    var seriesCost = Cost(cpu: 0, wall: 0)
    /// For appending the samples: the database alone, without inventing them.
    var appendCost = Cost(cpu: 0, wall: 0)
}

extension Fleet {
    /// Samples of one append at least: whole scrapes, several of them where instances are small, so that reading the
    /// clock costs nothing beside it.
    private static let batchSize = 2_000

    /// Appends all scrapes in order of time.
    mutating func append(to database: Database) throws -> LoadReport {
        var report = LoadReport()
        var references: [[SeriesRef]] = []
        for instance in 0..<shape.instanceCount {
            let labels = labels(ofInstance: instance)
            let before = Cost.now()
            references.append(try labels.map { try database.reference(for: $0) })
            report.seriesCost += Cost.now() - before
            report.series += labels.count
        }
        var batch = SampleBatch()
        var values: [Double] = []
        for number in 0..<shape.scrapeCount {
            for instance in 0..<shape.instanceCount {
                if nextScrape(ofInstance: instance, into: &values) {
                    let time = time(ofScrape: number, instance: instance)
                    for (reference, value) in zip(references[instance], values) {
                        batch.append(reference, at: time, value: value)
                    }
                }
                if batch.count >= Self.batchSize || instance == shape.instanceCount - 1 {
                    try Self.store(&batch, in: database, &report)
                }
            }
        }
        return report
    }

    private static func store(_ batch: inout SampleBatch, in database: Database, _ report: inout LoadReport) throws {
        let before = Cost.now()
        let stored = try database.append(batch).storedCount
        report.appendCost += Cost.now() - before
        guard stored == batch.count else {
            throw BenchError("the database took \(stored) of \(batch.count) samples of a batch")
        }
        report.samples += stored
        batch.removeAll()
    }
}
