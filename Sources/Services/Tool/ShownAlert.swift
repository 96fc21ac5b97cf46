import Alerter
import Histograms
import Numbers
import PromQL
import TSDB

/// PromQL has notes on queries of this name.
typealias Annotations = Alerter.Annotations

/// An alert as a test expects it, and as promtool prints it.
struct ShownAlert: Equatable {
    var labels: Annotations
    var annotations: Annotations

    static func sorted(_ alerts: [ShownAlert]) -> [ShownAlert] {
        alerts.sorted { a, b in
            let first = a.labels.asLabels, second = b.labels.asLabels
            return first == second ? a.annotations.asLabels < b.annotations.asLabels : first < second
        }
    }

    static func list(_ alerts: [ShownAlert]) -> String {
        if alerts.isEmpty { return "[]" }
        let items = alerts.enumerated().map { index, alert in
            "\(index):" + indented("\nLabels:\(braces(alert.labels))\nAnnotations:\(braces(alert.annotations))", "  ")
        }
        return "[\n" + items.joined(separator: ",\n") + "\n]"
    }

    /// `indent` in front of all lines but the first.
    static func indented(_ text: String, _ indent: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n" + indent)
    }

    /// `{a="b", c="d"}`.
    static func braces(_ pairs: Annotations) -> String {
        "{" + pairs.pairs.map { "\(name($0.name))=\(QuotedText.go($0.value))" }.joined(separator: ", ") + "}"
    }

    private static func name(_ name: String) -> String {
        let isPlain = name.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
            default: false
            }
        }
        return isPlain ? name : QuotedText.go(name)
    }
}

extension Annotations {
    /// In the order of labels; empty values are none.
    fileprivate var asLabels: Labels { Labels(pairs.map { (name: $0.name, value: $0.value) }) }

    /// What labels would keep.
    var withoutEmpty: Annotations {
        Annotations(pairs.filter { !$0.value.isEmpty }.map { (name: $0.name, value: $0.value) })
    }
}

/// A sample as a test expects it, and as promtool prints it.
struct ShownSample {
    var labels: Labels
    var value: Double
    /// A native histogram as scripts write it, `{{count:3 sum:10 buckets:[3]}}`; empty: it is a float.
    var histogram = ""

    /// `nil` for what is no vector and no scalar.
    static func samples(_ value: QueryResult.Value) -> [ShownSample]? {
        switch value {
        case .scalar(let number, _): return [ShownSample(labels: Labels(), value: number)]
        case .vector(let vector):
            return vector.labels.indices.map { row in
                let histogram = vector.histogram(row)
                return ShownSample(
                    labels: vector.labels[row], value: histogram == nil ? vector.values[row] : 0,
                    histogram: histogram?.testExpression ?? "")
            }
        case .string, .matrix, .samples: return nil
        }
    }

    /// `isFuzzy`: one unit in the last place apart is the same.
    func equals(_ other: ShownSample, isFuzzy: Bool) -> Bool {
        guard labels == other.labels, histogram == other.histogram else { return false }
        if !histogram.isEmpty || value == other.value { return true }
        return isFuzzy && (value.nextDown == other.value || value.nextUp == other.value)
    }

    static func list(_ samples: [ShownSample]) -> String {
        if samples.isEmpty { return "nil" }
        return samples.map { sample in
            ShownAlert.braces(Annotations(sample.labels.pairs)) + " "
                + (sample.histogram.isEmpty ? exponent(sample.value) : sample.histogram)
        }.joined(separator: ", ")
    }

    /// Go's `FormatFloat(x, 'E', -1)`: `1.5E+00`.
    static func exponent(_ value: Double) -> String {
        guard value.isFinite else { return NumberText.string(value, style: .plain) }
        let sign = value.sign == .minus ? "-" : ""
        let text = NumberText.string(value.magnitude, style: .fixed)
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let whole = parts[0], decimals = parts.count > 1 ? parts[1] : ""
        var digits = (whole + decimals)[...]
        var power = whole.utf8.count - 1
        while digits.first == "0" && digits.utf8.count > 1 {
            digits.removeFirst()
            power -= 1
        }
        while digits.last == "0" && digits.utf8.count > 1 { digits.removeLast() }
        if digits == "0" { power = 0 }
        let rest = digits.dropFirst()
        let mantissa = rest.isEmpty ? String(digits) : "\(digits.prefix(1)).\(rest)"
        let size = String(power.magnitude)
        return "\(sign)\(mantissa)E\(power < 0 ? "-" : "+")\(size.utf8.count < 2 ? "0" : "")\(size)"
    }
}

/// Two texts line by line: what both have, `-` what only the first has, `+` what only the second has.
enum LineDifference {
    /// Lines compared with each other; beyond that all of the first, then all of the second.
    private static let maximumLines = 2000

    static func text(_ first: String, _ second: String) -> String {
        let a = first.split(separator: "\n", omittingEmptySubsequences: false)
        let b = second.split(separator: "\n", omittingEmptySubsequences: false)
        guard a.count <= maximumLines, b.count <= maximumLines else {
            return (a.map { "- \($0)" } + b.map { "+ \($0)" }).joined(separator: "\n")
        }
        // Lengths of the longest common parts from each place on.
        var lengths = Array(repeating: Array(repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in a.indices.reversed() {
            for j in b.indices.reversed() {
                lengths[i][j] = a[i] == b[j] ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
            }
        }
        var lines: [String] = []
        var (i, j) = (0, 0)
        while i < a.count || j < b.count {
            if i < a.count, j < b.count, a[i] == b[j] {
                lines.append("  \(a[i])")
                (i, j) = (i + 1, j + 1)
            } else if j == b.count || (i < a.count && lengths[i + 1][j] >= lengths[i][j + 1]) {
                lines.append("- \(a[i])")
                i += 1
            } else {
                lines.append("+ \(b[j])")
                j += 1
            }
        }
        return lines.joined(separator: "\n")
    }
}
