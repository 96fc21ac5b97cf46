import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Durations that are computed: `[5m * 2]`, `offset -min_of(step(), 1m)`.
///
/// Seconds as doubles until the end, then milliseconds. `step()` and `range()` are the query's own; both are 0 in an instant query.
struct DurationArithmetic {
    /// Seconds.
    let step: Double
    /// Seconds from the first to the last step.
    let range: Double

    /// The literal, or what its expression comes to. Ranges and steps must be positive, offsets may be anything.
    func resolve(_ literal: Duration, _ expr: DurationExpr?, allowsNegative: Bool) throws(QueryError) -> Duration {
        guard let expr else { return literal }
        let seconds = try value(expr)
        let place = expr.place
        func failure(_ text: String) -> QueryError {
            QueryError(.syntax, "\(place.lowerBound):\(place.upperBound): \(text)", range: place)
        }
        guard seconds.isFinite else { throw failure("duration is NaN or infinite") }
        guard seconds > 0 || allowsNegative else { throw failure("duration must be greater than 0") }
        // Upstream's durations are nanoseconds in 64 bits.
        guard seconds.magnitude <= 9_223_372_036.854775807 else { throw failure("duration is out of range") }
        return Duration(milliseconds: Int64(seconds * 1000))
    }

    private func value(_ expr: DurationExpr) throws(QueryError) -> Double {
        switch expr {
        case .number(let value, _, _): return value
        case .step: return step
        case .range: return range
        case .paren(let inner, _): return try value(inner)
        case .unary(.plus, let inner, _): return try value(inner)
        case .unary(.minus, let inner, _): return -(try value(inner))
        // Go's Min and Max: NaN wins.
        case .minOf(let left, let right, _): return Double.goMinimum(try value(left), try value(right))
        case .maxOf(let left, let right, _): return -Double.goMinimum(-(try value(left)), -(try value(right)))
        case .binary(let op, let leftExpr, let rightExpr, let place):
            let left = try value(leftExpr), right = try value(rightExpr)
            func byZero(_ text: String) -> QueryError {
                QueryError(.syntax, "\(place.lowerBound):\(place.upperBound): \(text) by zero", range: place)
            }
            switch op {
            case .add: return left + right
            case .subtract: return left - right
            case .multiply: return left * right
            case .divide:
                if right == 0 { throw byZero("division") }
                return left / right
            case .modulo:
                if right == 0 { throw byZero("modulo") }
                return fmod(left, right)
            case .power: return pow(left, right)
            default: throw QueryError(.syntax, "unexpected duration expression operator \(op.rawValue.goQuoted)", range: place)
            }
        }
    }
}

extension Double {
    fileprivate static func goMinimum(_ a: Double, _ b: Double) -> Double {
        if a == -.infinity || b == -.infinity { return -.infinity }
        return a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
    }
}

extension DurationExpr {
    var place: Range<Int> {
        switch self {
        case .number(_, _, let range), .step(let range), .range(let range), .unary(_, _, let range),
            .binary(_, _, _, let range), .minOf(_, _, let range), .maxOf(_, _, let range), .paren(_, let range):
            return range
        }
    }
}
