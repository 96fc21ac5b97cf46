import Numbers
import TSDB

/// An answer as lines for a terminal.
///
///     up{job="node"}  1           a vector: series and values in columns
///
///     up{job="node"}              a matrix: a series, and its points beneath
///       2026-11-22T21:00:00Z  1
///
/// Native histograms are pictures of their buckets: bars beneath a vector's series, one line each in a matrix (`HistogramText`).
extension QueryData {
    public var lines: [String] {
        switch self {
        case .scalar(_, let value): return [NumberText.string(value, style: .plain)]
        case .string(_, let text): return [text]
        case .vector(let elements):
            let names = elements.map(\.labels.description)
            let width = names.map(\.count).max() ?? 0
            return zip(names, elements).flatMap { name, element -> [String] in
                var lines = element.value.lines
                let space = String(repeating: " ", count: width - name.count + 2)
                lines[0] = name + space + lines[0]
                return lines
            }
        case .matrix(let series):
            return series.flatMap { series in
                var lines = [series.labels.description]
                for (time, value) in zip(series.times, series.values) {
                    lines.append(
                        "  \(TimeText.string(milliseconds: time.milliseconds))  \(NumberText.string(value, style: .plain))"
                    )
                }
                for histogram in series.histograms {
                    lines.append("  \(TimeText.string(milliseconds: histogram.time.milliseconds))  \(histogram.histogram.line)")
                }
                return lines
            }
        }
    }
}

extension QueryValue {
    /// One at least.
    fileprivate var lines: [String] {
        switch self {
        case .float(let value): return [NumberText.string(value, style: .plain)]
        case .histogram(let histogram): return histogram.lines
        }
    }
}
