import PrometheusClient
import TSDB

/// Both answers of a range query as curves, and their difference below, as SVG.
///
///     reference ───  test ┄┄┄      ╭──╮  ┄┄
///                              ╭───╯┄┄╰──╮
///     test − reference         ▁▁▃▇▃▁▁▁▁▁▁
///
/// Drawn for the series that differs most, or the first that only one server has. Missing values are gaps, and where
/// only one of the two has a value the strip below is marked.
struct DifferencePlot {
    private struct Curve {
        var points: [Int64: Double] = [:]

        init(_ series: QuerySeries?) {
            guard let series else { return }
            for (time, value) in zip(series.times, series.values) { points[time.milliseconds] = value }
        }
    }

    private static let width = 760.0, upper = 170.0, lower = 70.0, left = 84.0, gap = 26.0, edge = 8.0

    let title: String
    private let a: Curve
    private let b: Curve
    private let settings: Comparison.Settings

    /// `nil` where there are no curves: no range query, or an error on both sides.
    init?(_ answers: ComparedAnswers, _ settings: Comparison.Settings) {
        guard answers.form == .range else { return nil }
        let a = Self.matrix(answers.reference), b = Self.matrix(answers.test)
        guard !(a.isEmpty && b.isEmpty) else { return nil }
        var partners: [Labels: QuerySeries] = [:]
        for series in b { partners[series.labels] = series }
        var best: (apart: UInt64, a: QuerySeries?, b: QuerySeries?)?
        for series in a {
            let partner = partners.removeValue(forKey: series.labels)
            let apart = Self.apart(series, partner)
            if best.map({ apart > $0.apart }) ?? true { best = (apart, series, partner) }
        }
        if let alone = partners.values.min(by: { $0.labels < $1.labels }), best.map({ $0.apart < .max }) ?? true {
            best = (.max, nil, alone)
        }
        guard let best else { return nil }
        title = "\(best.a?.labels ?? best.b?.labels ?? Labels())"
        self.a = Curve(best.a)
        self.b = Curve(best.b)
        self.settings = settings
    }

    private static func matrix(_ answer: QueryAnswer) -> [QuerySeries] {
        if case .success(.matrix(let all)) = answer.outcome { all } else { [] }
    }

    private static func apart(_ a: QuerySeries, _ b: QuerySeries?) -> UInt64 {
        guard let b, a.times == b.times else { return .max }
        return zip(a.values, b.values).map { Tolerance.distance($0, $1) }.max() ?? 0
    }

    var svg: String {
        let right = Self.width - Self.edge
        let top = Scale(Array(a.points.values) + Array(b.points.values), from: Self.upper, to: Self.edge)
        let low = Self.upper + Self.gap
        let differences = times.compactMap { time -> (Int64, Double)? in
            guard let x = a.points[time], let y = b.points[time] else { return nil }
            return (time, x == y || (x.isNaN && y.isNaN) ? 0 : y - x)
        }
        let bottom = Scale(differences.map { $0.1 } + [0], from: low + Self.lower, to: low)
        var parts = ["<svg viewBox=\"0 0 \(number(Self.width)) \(number(low + Self.lower + 20))\" role=\"img\">"]
        parts += axis(top) + axis(bottom)
        parts.append("<path class=\"reference\" d=\"\(path(a.points, top))\"/>")
        parts.append("<path class=\"test\" d=\"\(path(b.points, top))\"/>")
        for (time, value) in differences where value.isFinite && value != 0 {
            let zero = bottom.place(0), y = bottom.place(value)
            let height = max(1, (zero - y).magnitude)
            parts.append(
                "<rect class=\"delta\" x=\"\(number(x(time) - 1))\" y=\"\(number(min(zero, y)))\" width=\"2\" height=\"\(number(height))\"/>"
            )
        }
        for time in times where (a.points[time] == nil) != (b.points[time] == nil) {
            parts.append(
                "<rect class=\"alone\" x=\"\(number(x(time) - 1))\" y=\"\(number(low))\" width=\"2\" height=\"\(number(Self.lower))\"/>"
            )
        }
        let legend = [("reference", "reference"), ("test", "test"), ("delta", "test − reference")]
        for (index, (style, text)) in legend.enumerated() {
            let at = Self.left + Double(index) * 110
            parts.append(
                "<rect class=\"key \(style)\" x=\"\(number(at))\" y=\"\(number(Self.upper + 9))\" width=\"14\" height=\"3\"/>"
                    + "<text x=\"\(number(at + 19))\" y=\"\(number(Self.upper + 14))\">\(text)</text>")
        }
        parts.append(
            "<text x=\"\(number(Self.left))\" y=\"\(number(low + Self.lower + 15))\">\(TimeOfDay.text(settings.start))</text>"
        )
        parts.append(
            "<text x=\"\(number(right))\" y=\"\(number(low + Self.lower + 15))\" class=\"end\">\(TimeOfDay.text(settings.time))</text>"
        )
        return parts.joined(separator: "\n") + "\n</svg>"
    }

    private var times: [Int64] { Set(a.points.keys).union(b.points.keys).sorted() }

    private func x(_ time: Int64) -> Double {
        let span = Double(max(1, (settings.time - settings.start).milliseconds))
        let part = Double(time - settings.start.milliseconds) / span
        return Self.left + min(max(part, 0), 1) * (Self.width - Self.edge - Self.left)
    }

    /// A new line begins behind every gap.
    private func path(_ points: [Int64: Double], _ scale: Scale) -> String {
        var text = ""
        var last: Int64?
        for (time, value) in points.sorted(by: { $0.key < $1.key }) where value.isFinite {
            let joins = last.map { time - $0 <= settings.step.milliseconds } ?? false
            let place = "\(number(x(time))) \(number(scale.place(value)))"
            // A lone point is drawn as a short stroke.
            text += joins ? "L\(place)" : "M\(place)h.1"
            last = time
        }
        return text
    }

    private func axis(_ scale: Scale) -> [String] {
        let left = number(Self.left), right = number(Self.width - Self.edge)
        var parts: [String] = []
        for (value, y) in [(scale.high, scale.to), (scale.low, scale.from)] {
            parts.append("<line x1=\"\(left)\" x2=\"\(right)\" y1=\"\(number(y))\" y2=\"\(number(y))\"/>")
            parts.append(
                "<text x=\"\(number(Self.left - 6))\" y=\"\(number(y + 4))\" class=\"end\">\(scale.label(value))</text>"
            )
        }
        return parts
    }
}

/// From values to heights.
private struct Scale {
    let low: Double
    let high: Double
    let from: Double
    let to: Double

    init(_ values: [Double], from: Double, to: Double) {
        let finite = values.filter(\.isFinite)
        low = finite.min() ?? 0
        high = max(finite.max() ?? 1, low)
        self.from = from
        self.to = to
    }

    func place(_ value: Double) -> Double {
        // Halved: the span of the largest numbers is larger than they are.
        let span = high / 2 - low / 2
        guard span > 0 else { return (from + to) / 2 }
        return from + (to - from) * min(max((value / 2 - low / 2) / span, 0), 1)
    }

    func label(_ value: Double) -> String {
        let digits = value == 0 ? 0 : value.magnitude
        guard digits != 0, digits.isFinite else { return "0" }
        if digits >= 1e-3, digits < 1e7 {
            let rounded = (value * 1000).rounded() / 1000
            return ValueText.string(rounded)
        }
        var exponent = 0
        var rest = digits
        while rest >= 10 && exponent < 400 { (rest, exponent) = (rest / 10, exponent + 1) }
        while rest < 1 && exponent > -400 { (rest, exponent) = (rest * 10, exponent - 1) }
        return (value < 0 ? "−" : "") + ValueText.string((rest * 100).rounded() / 100) + "e\(exponent)"
    }
}

/// One decimal is enough for a place on a screen.
private func number(_ value: Double) -> String { ValueText.string((value * 10).rounded() / 10) }
