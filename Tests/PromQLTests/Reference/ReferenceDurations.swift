import PromQL
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Duration expressions: arithmetic in seconds wherever a duration may stand, such as `[5m * 2]` or `offset -step()`.
///
/// Resolved against the whole query, so the value is the same at every step and inside subqueries.
extension ReferenceEvaluator {
    /// Whole milliseconds, cut off towards zero.
    func milliseconds(_ expr: DurationExpr, allowsNegative: Bool) throws -> Int64 {
        let seconds = try self.seconds(expr)
        guard seconds.isFinite else { throw fault(expr, "duration is NaN or infinite") }
        guard seconds > 0 || allowsNegative else { throw fault(expr, "duration must be greater than 0") }
        // Upstream counts in nanoseconds of 64 bits.
        guard abs(seconds) <= 9_223_372_036.854775807, let exact = Int64(exactly: (seconds * 1000).rounded(.towardZero))
        else { throw fault(expr, "duration is out of range") }
        return exact
    }

    private func seconds(_ expr: DurationExpr) throws -> Double {
        switch expr {
        case .number(let value, _, _): return value
        case .step: return Double(step) / 1000
        case .range: return Double(end.clampedSubtracting(start)) / 1000
        case .paren(let inner, _): return try seconds(inner)
        case .unary(let op, let operand, _): return op == .minus ? -(try seconds(operand)) : try seconds(operand)
        case .minOf(let a, let b, _): return smaller(try seconds(a), try seconds(b))
        case .maxOf(let a, let b, _): return larger(try seconds(a), try seconds(b))
        case .binary(let op, let left, let right, _):
            let a = try seconds(left), b = try seconds(right)
            switch op {
            case .add: return a + b
            case .subtract: return a - b
            case .multiply: return a * b
            case .divide:
                guard b != 0 else { throw fault(expr, "division by zero") }
                return a / b
            case .modulo:
                guard b != 0 else { throw fault(expr, "modulo by zero") }
                return a.truncatingRemainder(dividingBy: b)
            case .power: return pow(a, b)
            default: throw fault(expr, "unexpected duration expression operator \"\(op.rawValue)\"")
            }
        }
    }

    /// Upstream puts the byte offsets of the expression in front.
    private func fault(_ expr: DurationExpr, _ message: String) -> QueryError {
        let range: Range<Int>
        switch expr {
        case .number(_, _, let r), .step(let r), .range(let r), .unary(_, _, let r), .binary(_, _, _, let r),
            .minOf(_, _, let r), .maxOf(_, _, let r), .paren(_, let r):
            range = r
        }
        return QueryError(.evaluation, "\(range.lowerBound):\(range.upperBound): \(message)", range: range)
    }
}

/// The larger number; +Inf beats NaN, NaN beats all else (IEEE 754's `maximum`, but for +Inf).
func larger(_ a: Double, _ b: Double) -> Double {
    if a == .infinity || b == .infinity { return .infinity }
    if a.isNaN || b.isNaN { return .nan }
    return a > b || (a == b && b.sign == .minus) ? a : b
}

/// The smaller number; −Inf beats NaN, NaN beats all else.
func smaller(_ a: Double, _ b: Double) -> Double { -larger(-a, -b) }
