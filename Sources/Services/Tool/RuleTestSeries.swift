import ConfigurationFile
import PromQL
import TSDB

/// The series of a test, given out step by step as time goes by: rules see nothing of what is to come.
struct RuleTestSeries {
    private struct Row {
        var labels: Labels
        var values: [SeriesNotation.Item]
        var next = 0
    }

    private let start: Timestamp
    private let interval: Duration
    private var rows: [Row] = []

    init(_ test: RuleTestFile.Test) throws(RuleTestError) {
        start = test.start
        interval = test.interval
        for series in test.series {
            do throws(SeriesNotation.Fault) {
                let labels = try SeriesNotation.labels(series.series)
                rows.append(Row(labels: labels, values: try SeriesNotation.values(series.values)))
            } catch {
                throw RuleTestError(message: "series \(series.series) \(series.values): \(error.message)")
            }
        }
    }

    /// Appends the samples of up to `passed` after the start that were not appended yet.
    mutating func append(through passed: Duration, to database: Database) throws(RuleTestError) {
        let step = passed.milliseconds / max(interval.milliseconds, 1)
        var batch = SampleBatch()
        do throws(TSDBError) {
            for index in rows.indices {
                let end = min(Int(clamping: step) + 1, rows[index].values.count)
                guard rows[index].next < end else { continue }
                let reference = try database.reference(for: rows[index].labels)
                for place in rows[index].next..<end {
                    switch rows[index].values[place] {
                    case .value(let value):
                        batch.append(
                            reference, at: start + Duration.milliseconds(Int64(place) * interval.milliseconds),
                            value: value)
                    case .gap: break
                    case .histogram(let histogram, _):
                        batch.append(
                            reference, at: start + Duration.milliseconds(Int64(place) * interval.milliseconds),
                            histogram: .float(histogram))
                    }
                }
                rows[index].next = end
            }
            _ = try database.append(batch)
        } catch {
            throw RuleTestError(message: error.message)
        }
    }
}
