import Histograms

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
            if let histogram = column.histogram(step) {
                column.values[step] = Self.part(name, of: histogram)
            } else {
                column.unset(step)
            }
        }
        column.dropHistograms()
    }

    private static func part(_ name: Name, of histogram: FloatHistogram) -> Double {
        switch name {
        case .count: histogram.count
        case .sum: histogram.sum
        case .average: histogram.sum / histogram.count
        case .deviation: histogram.standardVariance.squareRoot()
        case .variance: histogram.standardVariance
        }
    }
}
