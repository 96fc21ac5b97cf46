import Numbers
import TSDB

/// An answer as lines for a terminal.
///
///     up{job="node"}  1           a vector: series and values in columns
///
///     up{job="node"}              a matrix: a series, and its points beneath
///       2026-11-22T21:00:00Z  1
extension QueryData {
    public var lines: [String] {
        switch self {
        case .scalar(_, let value): return [NumberText.string(value, style: .plain)]
        case .string(_, let text): return [text]
        case .vector(let elements):
            let names = elements.map(\.labels.description)
            let width = names.map(\.count).max() ?? 0
            return zip(names, elements).map { name, element in
                name + String(repeating: " ", count: width - name.count + 2) + element.value.text
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
                    lines.append("  \(TimeText.string(milliseconds: histogram.time.milliseconds))  \(histogram.text)")
                }
                return lines
            }
        }
    }
}

extension QueryValue {
    fileprivate var text: String {
        switch self {
        case .float(let value): return NumberText.string(value, style: .plain)
        case .histogram(let text): return text
        }
    }
}
