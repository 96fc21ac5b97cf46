import Numbers
import PrometheusClient
import TSDB

/// A comparison as one HTML file that needs nothing else: a table by category, and every difference with both answers
/// and a plot.
public struct HTMLReport {
    private let result: ComparisonResult
    private let reference: String
    private let test: String

    /// `reference` and `test` are the names shown.
    public init(_ result: ComparisonResult, reference: String, test: String) {
        self.result = result
        self.reference = reference
        self.test = test
    }

    public var html: String {
        let total = result.total
        let verdict = result.isEqual ? "No differences" : "\(total.different) of \(total.asked) answers differ"
        let tone = result.isEqual ? "good" : "bad"
        var about = "<p>Reference <code>\(reference.escaped)</code>, tested <code>\(test.escaped)</code>. "
        about += "Range \(TimeOfDay.text(result.settings.start)) to \(TimeOfDay.text(result.settings.time)), "
        about += "step \(DurationText.string(milliseconds: result.settings.step.milliseconds)); "
        about += "values are compared: \(result.settings.tolerance.description.escaped).</p>"
        var parts: [String] = [
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>\(verdict)</title>",
            "<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">",
            "<style>\(Self.style)</style></head><body><main>",
            "<h1 class=\"\(tone)\">\(verdict)</h1>",
            about,
            summary(),
        ]
        if !result.kinds.isEmpty {
            let kinds = Difference.Kind.allCases.compactMap { kind in
                result.kinds[kind].map { "<li><b>\($0)</b> \(kind.rawValue)</li>" }
            }
            parts.append("<h2>Kinds of differences</h2><ul class=\"kinds\">" + kinds.joined() + "</ul>")
        }
        if !result.kept.isEmpty { parts.append("<h2>Differences</h2>") }
        for (index, answers) in result.kept.enumerated() { parts.append(section(answers, isOpen: index < 10)) }
        if total.different > result.kept.count {
            parts.append("<p>\(total.different - result.kept.count) more are not shown.</p>")
        }
        parts.append("</main></body></html>\n")
        return parts.joined(separator: "\n")
    }

    private func summary() -> String {
        func row(_ name: String, _ tally: ComparisonResult.Tally, tag: String = "td") -> String {
            let part = tally.asked == 0 ? 1 : Double(tally.equal) / Double(tally.asked)
            let percent = ValueText.string((part * 1000).rounded() / 10)
            let tone = tally.different == 0 ? "" : "bad"
            return "<tr><\(tag)>\(name.escaped)</\(tag)><td>\(tally.asked)</td><td>\(tally.equal)</td>"
                + "<td class=\"\(tone)\">\(tally.different)</td><td>\(tally.bothEmpty)</td>"
                + "<td>\(tally.bothFailed)</td><td class=\"bar\"><i style=\"width:\(percent)%\"></i></td></tr>"
        }
        return "<table><thead><tr><th>category</th><th>answers</th><th>equal</th><th>different</th><th>both empty</th>"
            + "<th>both errors</th><th></th></tr></thead><tbody>"
            + result.categories.map { row($0.name, $0.tally) }.joined()
            + "</tbody><tfoot>\(row("all", result.total, tag: "th"))</tfoot></table>"
    }

    private func section(_ answers: ComparedAnswers, isOpen: Bool) -> String {
        let kinds = Set(answers.differences.map(\.kind.rawValue)).sorted().map { "<span>\($0)</span>" }.joined()
        var parts = [
            "<details\(isOpen ? " open" : "")><summary><code>\(answers.query.text.escaped)</code>"
                + "<small>\(answers.form.rawValue), \(answers.query.category.escaped)</small>\(kinds)</summary>",
            "<ul>" + answers.differences.map { "<li><b>\($0.kind.rawValue)</b>: \($0.detail.escaped)</li>" }.joined()
                + "</ul>",
        ]
        if let plot = DifferencePlot(answers, result.settings) {
            parts.append("<figure><figcaption>\(plot.title.escaped)</figcaption>\(plot.svg)</figure>")
        }
        parts.append(
            "<div class=\"answers\">" + pane("reference", answers.reference) + pane("test", answers.test)
                + "</div></details>")
        return parts.joined(separator: "\n")
    }

    private func pane(_ title: String, _ answer: QueryAnswer) -> String {
        let lines = AnswerText.lines(answer, series: 12, points: 8)
        let text = lines.isEmpty ? "(empty)" : lines.joined(separator: "\n")
        return "<section><h3>\(title)</h3><pre>\(text.escaped)</pre></section>"
    }

    private static let style = """
        :root { --back:#fff; --text:#1c2430; --soft:#5b6675; --line:#d9dee5; --panel:#f6f8fa; --a:#1f6feb; --b:#d9730d;
                --bad:#c02b2b; --good:#1a7f37 }
        @media (prefers-color-scheme: dark) { :root { --back:#12161c; --text:#e3e8ef; --soft:#95a1b1; --line:#2c3541;
                --panel:#1a2028; --a:#6ea8fe; --b:#f5a35c; --bad:#ff7b72; --good:#56d364 } }
        body { background:var(--back); color:var(--text); font:15px/1.5 system-ui,sans-serif; margin:0 }
        main { max-width:1080px; margin:0 auto; padding:24px 20px 60px }
        h1 { margin:0 0 4px; font-size:26px } h2 { font-size:18px; margin:32px 0 8px } h3 { font-size:13px; margin:0; color:var(--soft) }
        .bad { color:var(--bad) } .good { color:var(--good) } code, pre { font:13px/1.45 ui-monospace,monospace }
        table { border-collapse:collapse; width:100%; margin-top:16px; font-variant-numeric:tabular-nums }
        th, td { text-align:right; padding:3px 10px; border-bottom:1px solid var(--line); font-weight:400 }
        th:first-child, td:first-child { text-align:left; padding-left:0 } thead th { color:var(--soft) }
        tfoot th, tfoot td { font-weight:600 } .bar { width:18% } .bar i { display:block; height:8px; background:var(--good) }
        .bar { background:linear-gradient(var(--bad),var(--bad)) no-repeat 10px 50%/calc(100% - 20px) 8px }
        details { border:1px solid var(--line); border-radius:8px; margin:10px 0; padding:8px 12px }
        summary { cursor:pointer; overflow-wrap:anywhere } summary small { color:var(--soft); margin:0 8px }
        summary span { background:var(--panel); color:var(--bad); border-radius:4px; padding:1px 6px; margin-left:4px; font-size:12px }
        ul { margin:8px 0; padding-left:20px } ul.kinds { columns:3; list-style:none; padding:0 }
        figure { margin:8px 0 } figcaption { color:var(--soft); font:12px ui-monospace,monospace; overflow-wrap:anywhere }
        svg { width:100%; max-width:900px; display:block } svg text { font:11px system-ui,sans-serif; fill:var(--soft) }
        svg .end { text-anchor:end } svg line { stroke:var(--line) } svg path { fill:none; stroke-width:1.6; stroke-linecap:round }
        path.reference { stroke:var(--a); stroke-width:3.2 } path.test { stroke:var(--b); stroke-dasharray:5 3 }
        rect.delta { fill:var(--bad) } rect.alone { fill:var(--bad); opacity:.25 }
        rect.key.reference { fill:var(--a) } rect.key.test { fill:var(--b) }
        .answers { display:grid; grid-template-columns:1fr 1fr; gap:10px }
        .answers section { background:var(--panel); border-radius:6px; padding:8px 10px; min-width:0 }
        pre { margin:4px 0 0; white-space:pre-wrap; overflow-wrap:anywhere }
        @media (max-width:700px) { .answers { grid-template-columns:1fr } ul.kinds { columns:1 } }
        """
}

/// `2026-11-22 19:08:15`, in UTC.
enum TimeOfDay {
    static func text(_ time: Timestamp) -> String {
        let text = TimeText.string(milliseconds: time.milliseconds - (time.milliseconds % 1000))
        return String(text.prefix(19).map { $0 == "T" ? " " : $0 })
    }
}

extension String {
    /// For the text and the attributes of HTML.
    fileprivate var escaped: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
