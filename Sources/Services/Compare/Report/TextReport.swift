import PrometheusClient
import TSDB

/// What a comparison has found, for a terminal.
///
///     category          queries  equal  different
///     rates                  34     34          0
///     …
///     ✗ rate(c_total[1m])  (range)
///         values: 12 points, most of all {job="a"}: 1.5 and 1.25, far apart
///         reference  {job="a"} 1.5 @1000 …
///         test       {job="a"} 1.25 @1000 …
public struct TextReport {
    /// Differences shown in full.
    public var maximumShown = 20

    private let result: ComparisonResult

    public init(_ result: ComparisonResult) { self.result = result }

    public var text: String {
        var lines: [String] = []
        let width = max(8, result.categories.map { $0.name.count }.max() ?? 0)
        func row(_ name: String, _ cells: [String]) -> String {
            name.padded(to: width) + cells.map { "  " + $0.padded(to: 9, atEnd: false) }.joined()
        }
        lines.append(row("category", ["answers", "equal", "different"]))
        for (name, tally) in result.categories {
            lines.append(row(name, ["\(tally.asked)", "\(tally.equal)", "\(tally.different)"]))
        }
        let total = result.total
        lines.append(row("all", ["\(total.asked)", "\(total.equal)", "\(total.different)"]))
        lines.append(
            "Of the equal ones, \(total.bothEmpty) are empty and \(total.bothFailed) errors. "
                + "Values are compared: \(result.settings.tolerance).")
        if !result.kinds.isEmpty {
            let kinds = Difference.Kind.allCases.compactMap { kind in
                result.kinds[kind].map { "\(kind.rawValue) \($0)" }
            }
            lines.append("Differences: " + kinds.joined(separator: ", ") + ".")
        }
        for answers in result.kept.prefix(maximumShown) {
            lines.append("✗ \(answers.query.text)  (\(answers.form.rawValue))")
            for difference in answers.differences {
                lines.append("    \(difference.kind.rawValue): \(difference.detail)")
            }
            lines.append("    reference  \(AnswerText.line(answers.reference))")
            lines.append("    test       \(AnswerText.line(answers.test))")
        }
        if result.total.different > maximumShown { lines.append("… and \(result.total.different - maximumShown) more") }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Answers in a few words.
enum AnswerText {
    static func line(_ answer: QueryAnswer) -> String {
        let lines = self.lines(answer, series: 2, points: 3)
        return lines.isEmpty ? "(empty)" : lines.joined(separator: " │ ")
    }

    /// One line per series, bounded.
    static func lines(_ answer: QueryAnswer, series maximum: Int, points: Int) -> [String] {
        var lines: [String]
        switch answer.outcome {
        case .failure(let type, let text): lines = ["\(answer.status) \(type): \(text)"]
        case .success(.scalar(let time, let value)): lines = ["\(ValueText.string(value)) @\(time.seconds)"]
        case .success(.string(let time, let text)): lines = ["“\(text)” @\(time.seconds)"]
        case .success(.vector(let elements)):
            lines = elements.prefix(maximum).map { element in
                "\(element.labels) \(element.float.map(ValueText.string) ?? element.histogram.map(HistogramComparison.text) ?? "") @\(element.time.seconds)"
            }
            if elements.count > maximum { lines.append("… \(elements.count) elements") }
        case .success(.matrix(let all)):
            lines = all.prefix(maximum).map { series in
                let shown = zip(series.times, series.values).prefix(points)
                    .map { "\(ValueText.string($0.1)) @\($0.0.seconds)" }.joined(separator: " ")
                let histograms = series.histograms.prefix(points)
                    .map { " \(HistogramComparison.text($0.histogram)) @\($0.time.seconds)" }.joined()
                let count = series.values.count + series.histograms.count
                return "\(series.labels) \(shown)\(histograms)" + (count > points ? " … \(count) points" : "")
            }
            if all.count > maximum { lines.append("… \(all.count) series") }
        }
        lines += (answer.warnings + answer.infos).prefix(3).map { "note: \($0)" }
        return lines
    }
}

extension String {
    fileprivate func padded(to width: Int, atEnd: Bool = true) -> String {
        let space = String(repeating: " ", count: max(0, width - count))
        return atEnd ? self + space : space + self
    }
}
