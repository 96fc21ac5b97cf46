import Histograms
import TSDB

/// `histogram_count(v)`, `histogram_sum`, `histogram_avg`, `histogram_stddev`, `histogram_stdvar`: a number that a native histogram says of
/// itself. Floats have no answer.
struct HistogramPart: ColumnTransform {
    enum Name: String, CaseIterable {
        case count = "histogram_count"
        case sum = "histogram_sum"
        case average = "histogram_avg"
        case deviation = "histogram_stddev"
        case variance = "histogram_stdvar"
    }

    let name: Name

    func apply(to column: inout StepColumn) { column.clear() }

    func apply(toMixed column: inout StepColumn) {
        for step in 0..<column.count where column.isPresent(step) {
            let row = column.histograms.row(of: step)
            if row < 0 {
                column.unset(step)
            } else {
                column.values[step] = part(row, of: column.histograms)
            }
        }
        column.dropHistograms()
    }

    private func part(_ row: Int, of rows: HistogramRows) -> Double {
        switch name {
        case .count: rows.rows[row].count
        case .sum: rows.rows[row].sum
        case .average: rows.rows[row].sum / rows.rows[row].count
        case .deviation: rows.histogram(row: row).standardVariance.squareRoot()
        case .variance: rows.histogram(row: row).standardVariance
        }
    }
}
