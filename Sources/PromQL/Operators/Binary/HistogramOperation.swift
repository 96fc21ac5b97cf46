import Histograms
import TSDB

/// A binary operation at one step at which a native histogram stands on either side.
///
///                 histogram, histogram      histogram, float      float, histogram
///     +           sum                       –                     –
///     −           difference, a gauge       –                     –
///     *                –                    scaled                scaled
///     /                –                    scaled                –
///     == !=       equal bucket by bucket    –                     –
///     </ >/            –                    trimmed               –
///     others           –                    –                     –             – : no value, and an info that says so
///
/// Source: promql/engine.go, `vectorElemBinop`.
struct HistogramOperation {
    enum Operand {
        case float(Double)
        case histogram(FloatHistogram)
    }

    enum Outcome {
        /// Not defined on these: as if they had not met.
        case undefined
        /// A comparison that does not hold.
        case nothing
        case histogram(FloatHistogram)
        /// A comparison with `bool`.
        case float(Double)
    }

    let op: BinaryOperator
    let returnsBool: Bool

    /// Whether these make a match.
    func isDefined(_ left: Operand, _ right: Operand) -> Bool {
        if case .float = left, case .float = right { return true }
        var remarks: BinaryRemarks = []
        if case .undefined = apply(left, right, &remarks) { return false }
        return true
    }

    /// At least one of the operands is a histogram.
    func apply(_ left: Operand, _ right: Operand, _ remarks: inout BinaryRemarks) -> Outcome {
        switch (left, right) {
        case (.histogram(let a), .histogram(let b)): return apply(a, b, &remarks)
        case (.histogram(let a), .float(let x)): return apply(a, x, &remarks)
        case (.float(let x), .histogram(let b)):
            guard op == .multiply else {
                remarks.insert(.floatHistogram)
                return .undefined
            }
            return .histogram(scaled(b) { $0.multiply(by: x) })
        case (.float, .float):
            remarks.insert(.floatFloat)
            return .undefined
        }
    }

    private func apply(_ a: FloatHistogram, _ x: Double, _ remarks: inout BinaryRemarks) -> Outcome {
        switch op {
        case .multiply: return .histogram(scaled(a) { $0.multiply(by: x) })
        case .divide: return .histogram(scaled(a) { $0.divide(by: x) })
        case .trimUpper: return .histogram(a.trimmed(keepingUpTo: x))
        case .trimLower: return .histogram(a.trimmed(keepingFrom: x))
        default:
            remarks.insert(.histogramFloat)
            return .undefined
        }
    }

    private func scaled(_ histogram: FloatHistogram, _ scale: (inout FloatHistogram) -> Void) -> FloatHistogram {
        var result = histogram
        scale(&result)
        result.compact()
        return result
    }

    private func apply(_ a: FloatHistogram, _ b: FloatHistogram, _ remarks: inout BinaryRemarks) -> Outcome {
        switch op {
        case .add, .subtract:
            var result = a
            let notes: AdditionNotes
            do throws(HistogramError) {
                notes = op == .add ? try result.add(b) : try result.subtract(b)
            } catch {
                remarks.insert(.layout)
                return .undefined
            }
            // As upstream: where it is unclear which resets happened, a warning takes the place of the value.
            if notes.resetCollision {
                remarks.insert(.collision)
                return .undefined
            }
            if notes.boundsReconciled { remarks.insert(.reconciled) }
            if op == .subtract { result.hint = .gauge }
            result.compact()
            return .histogram(result)
        case .equal, .notEqual:
            let holds = a.isEquivalent(to: b) == (op == .equal)
            if returnsBool { return .float(holds ? 1 : 0) }
            return holds ? .histogram(a) : .nothing
        default:
            remarks.insert(.histogramHistogram)
            return .undefined
        }
    }
}

/// What is to be said about the operations on one column, each remark once.
struct BinaryRemarks: OptionSet, Sendable {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// An operation that these types do not have, left and right.
    static let floatFloat = BinaryRemarks(rawValue: 1)
    static let floatHistogram = BinaryRemarks(rawValue: 2)
    static let histogramFloat = BinaryRemarks(rawValue: 4)
    static let histogramHistogram = BinaryRemarks(rawValue: 8)
    /// Exponential buckets met custom ones.
    static let layout = BinaryRemarks(rawValue: 16)
    /// One followed a reset, the other did not.
    static let collision = BinaryRemarks(rawValue: 32)
    /// Custom bounds differed.
    static let reconciled = BinaryRemarks(rawValue: 64)

    func annotate(_ op: BinaryOperator, at range: Range<Int>, _ context: QueryContext) {
        guard !isEmpty else { return }
        let types: [(BinaryRemarks, String, String)] = [
            (.floatFloat, "float", "float"), (.floatHistogram, "float", "histogram"),
            (.histogramFloat, "histogram", "float"), (.histogramHistogram, "histogram", "histogram"),
        ]
        for (remark, left, right) in types where contains(remark) {
            context.annotate(HistogramNotes.incompatibleTypes(left, op, right, at: range))
        }
        let operation = op == .add ? HistogramNotes.Operation.addition : .subtraction
        if contains(.layout) { context.annotate(HistogramNotes.incompatibleLayout(op, at: range)) }
        if contains(.collision) { context.annotate(HistogramNotes.resetCollision(operation, at: range)) }
        if contains(.reconciled) { context.annotate(HistogramNotes.boundsReconciled(operation, at: range)) }
    }
}

extension StepColumn {
    /// What stands at `step`, which is present.
    func operand(_ step: Int) -> HistogramOperation.Operand {
        histogram(step).map { .histogram($0) } ?? .float(values[step])
    }
}

extension BinaryKernel {
    /// As `run`, where some of the steps are histograms: those are worked on one by one, the others go the kernel's way.
    ///
    /// `left` and `right` are the values of both sides, each with its histograms. The result is
    /// `column`, whose values may be one of the sides; its presence holds the steps at which both sides have a value. `defined` loses those at
    /// which the operation does not exist.
    func runMixed(
        _ left: UnsafePointer<Double>, _ leftHistograms: HistogramRows, _ right: UnsafePointer<Double>,
        _ rightHistograms: HistogramRows, result column: inout StepColumn, defined: UnsafeMutablePointer<UInt64>? = nil
    ) -> BinaryRemarks {
        let operation = HistogramOperation(op: op, returnsBool: returnsBool)
        var remarks: BinaryRemarks = []
        var floats: [(step: Int, value: Double)] = []
        var histograms = HistogramRows()
        var mixed = [UInt64](repeating: 0, count: column.wordCount)
        // Before the kernel runs, which writes over values.
        for step in 0..<column.count where column.isPresent(step) {
            let a = leftHistograms.histogram(sample: step), b = rightHistograms.histogram(sample: step)
            guard a != nil || b != nil else { continue }
            mixed[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
            let outcome = operation.apply(
                a.map { .histogram($0) } ?? .float(left[step]), b.map { .histogram($0) } ?? .float(right[step]), &remarks)
            switch outcome {
            case .undefined: defined?[step >> 6] &= ~(1 << UInt64(truncatingIfNeeded: step & 63))
            case .nothing: break
            case .float(let value): floats.append((step, value))
            case .histogram(let histogram): histograms.append(sample: step, histogram)
            }
        }
        for word in mixed.indices { column.presence[word] &= ~mixed[word] }
        if !run(left, right, result: column.values, presence: column.presence, count: column.count) {
            remarks.insert(.floatFloat)
        }
        column.dropHistograms()
        for (step, value) in floats { column.set(step, value) }
        for step in 0..<column.count {
            let row = histograms.row(of: step)
            if row >= 0 { column.set(step, histograms.rows[row].sum) }
        }
        column.take(histograms: histograms)
        return remarks
    }
}
