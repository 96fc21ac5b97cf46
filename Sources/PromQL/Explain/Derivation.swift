import Numbers
import TSDB

/// The arithmetic behind one point: the value, the steps that led to it, and what went in, down to samples.
///
///     rate{job="api"} = 2.05 at 900
///         first sample    100            at 605
///         last sample     695            at 895
///         difference      695 - 100      = 595
///         …
///         result          595 * …        = 2.05
///
/// A formula is PromQL arithmetic with all digits: read by a person, pasted into a query field, or evaluated by a test, it
/// gives the value beside it to the last bit. What no formula says, a note says in words.
public struct Derivation: Sendable, Equatable {
    /// The function, operator or `select`.
    public var title: String
    /// The part of the query, as written.
    public var expression: String
    public var place: Range<Int>?
    /// The series that the point belongs to.
    public var labels: Labels
    /// The time at which the part is evaluated.
    public var time: Timestamp
    /// What the engine answers.
    public var value: Double
    /// In order; the last one is the value again, as the steps make it. Empty where the value is only mentioned.
    public var steps: [Step] = []
    /// Oldest first.
    public var samples: [Sample] = []
    /// Samples that went in and are not listed.
    public var omittedSamples = 0
    public var inputs: [Derivation] = []
    /// Inputs that went in and are not listed.
    public var omittedInputs = 0

    public struct Step: Sendable, Equatable {
        public var name: String
        /// PromQL arithmetic, or nothing.
        public var formula: String
        public var value: Double?
        public var note: String

        init(_ name: String, _ formula: String = "", _ value: Double? = nil, note: String = "") {
            self.name = name
            self.formula = formula
            self.value = value
            self.note = note
        }
    }

    public struct Sample: Sendable, Equatable {
        public var time: Timestamp
        public var value: Double
        public var note: String
    }

    /// Samples listed at most: the rest is counted.
    static let maximumSamples = 500
    /// Inputs listed at most, and derived in full at most.
    static let maximumInputs = 20
    static let maximumExpanded = 3
    /// Derivations in one answer at most.
    static let maximumParts = 200

    /// Samples at either end of a long list that lines show, beside those with a remark.
    private static let endsInLines = 3

    /// What the steps come to.
    public var outcome: Double? { steps.last?.value }
}

// MARK: Formulas

/// A number inside a formula: all its digits, in brackets where a sign stands before it.
func digits(_ value: Double) -> String {
    let text = NumberText.string(value, style: .plain)
    return value.sign == .minus && !value.isNaN ? "(\(text))" : text
}

/// Milliseconds as a number inside a formula.
func digits(milliseconds: Int64) -> String { milliseconds < 0 ? "(\(milliseconds))" : "\(milliseconds)" }

/// Steps of an arithmetic, written down as they are done.
struct Arithmetic {
    private(set) var steps: [Derivation.Step] = []

    mutating func note(_ name: String, _ note: String) { steps.append(.init(name, note: note)) }

    mutating func given(_ name: String, _ value: Double, _ note: String = "") {
        steps.append(.init(name, "", value, note: note))
    }

    /// A value, and how it was computed.
    @discardableResult
    mutating func step(_ name: String, _ formula: String, _ value: Double, _ note: String = "") -> Double {
        steps.append(.init(name, formula, value, note: note))
        return value
    }
}

// MARK: Lines

extension Derivation {
    /// The derivation as indented lines, for a terminal.
    public var lines: [String] {
        var out: [String] = []
        write(prefix: "", branch: "", to: &out)
        return out
    }

    private func write(prefix: String, branch: String, to out: inout [String]) {
        let number = NumberText.string(value, style: .plain)
        let series = labels.isEmpty ? "" : " \(labels)"
        out.append("\(prefix)\(branch)\(title)\(series) = \(number)  at \(Explanation.seconds(time.milliseconds))")
        let below = prefix + (branch.isEmpty ? "" : branch == "├─ " ? "│  " : "   ")
        let margin = below + (inputs.isEmpty && omittedInputs == 0 ? "     " : "│    ")
        if omittedSamples > 0 { out.append("\(margin)… \(omittedSamples) samples before") }
        var skipped = 0
        for (index, sample) in samples.enumerated() {
            let isShown = index < Self.endsInLines || index >= samples.count - Self.endsInLines || !sample.note.isEmpty
            guard isShown else {
                skipped += 1
                continue
            }
            if skipped > 0 { out.append("\(margin)… \(skipped) more") }
            skipped = 0
            let time = Explanation.seconds(sample.time.milliseconds)
            let value = NumberText.string(sample.value, style: .plain)
            out.append("\(margin)\(time)  \(value)\(sample.note.isEmpty ? "" : "  ← " + sample.note)")
        }
        let width = steps.map(\.name.count).max() ?? 0
        for step in steps {
            var line = margin + step.name.padded(to: width)
            if !step.formula.isEmpty { line += "  \(step.formula)" }
            if let value = step.value {
                line += "\(step.formula.isEmpty ? " " : "") = \(NumberText.string(value, style: .plain))"
            }
            if !step.note.isEmpty { line += "  \(step.note)" }
            out.append(line)
        }
        for (index, input) in inputs.enumerated() {
            let isLast = index + 1 == inputs.count && omittedInputs == 0
            input.write(prefix: below, branch: isLast ? "└─ " : "├─ ", to: &out)
        }
        if omittedInputs > 0 { out.append("\(below)└─ … \(omittedInputs) more") }
    }
}
