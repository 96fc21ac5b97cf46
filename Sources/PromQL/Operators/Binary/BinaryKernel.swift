#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A binary operation on two columns of values: the arithmetic beneath every binary operator.
///
///     left    3 1 4 1        +  →  5 8 5 9                  >  →  3 _ 4 _    (filter: clears presence bits)
///     right   2 7 1 8                                  > bool  →  1 0 1 0
///
/// Dispatched once per column; each operation has a loop of its own. Steps without a value are computed along with the
/// others and stay absent. Division and remainder by zero follow IEEE 754 (±Inf, NaN), as upstream.
struct BinaryKernel: Sendable {
    let op: BinaryOperator
    /// Comparisons answer 0 or 1 instead of filtering.
    let returnsBool: Bool
    /// A filter keeps the value of the right side: the vector's, where a scalar stands left.
    var keepsRight = false

    /// `presence` holds the steps at which both sides have a value and may lose some. `result` may be one of the
    /// inputs. `false` where the operation does not exist for floats (trimming) and there was something to do.
    /// Where histograms are among them it is `runMixed`.
    func run(
        _ left: UnsafePointer<Double>, _ right: UnsafePointer<Double>, result: UnsafeMutablePointer<Double>,
        presence: UnsafeMutablePointer<UInt64>, count: Int
    ) -> Bool {
        @inline(__always)
        func each(_ operation: (Double, Double) -> Double) {
            for step in 0..<count { result[step] = operation(left[step], right[step]) }
        }
        @inline(__always)
        func compare(_ holds: (Double, Double) -> Bool) {
            if returnsBool {
                for step in 0..<count { result[step] = holds(left[step], right[step]) ? 1 : 0 }
                return
            }
            var base = 0
            while base < count {
                let length = min(64, count &- base)
                var bits: UInt64 = 0
                for bit in 0..<length {
                    let holding: UInt64 = holds(left[base &+ bit], right[base &+ bit]) ? 1 : 0
                    bits |= holding << UInt64(truncatingIfNeeded: bit)
                }
                presence[base >> 6] &= bits
                base &+= 64
            }
            let kept = keepsRight ? right : left
            if UnsafePointer(result) != kept { result.update(from: kept, count: count) }
        }

        switch op {
        case .add: each { $0 + $1 }
        case .subtract: each { $0 - $1 }
        case .multiply: each { $0 * $1 }
        case .divide: each { $0 / $1 }
        case .modulo: each { fmod($0, $1) }
        case .power: each { pow($0, $1) }
        case .atan2: each { atan2($0, $1) }
        case .equal: compare { $0 == $1 }
        case .notEqual: compare { $0 != $1 }
        case .less: compare { $0 < $1 }
        case .lessOrEqual: compare { $0 <= $1 }
        case .greater: compare { $0 > $1 }
        case .greaterOrEqual: compare { $0 >= $1 }
        case .trimUpper, .trimLower:
            var any: UInt64 = 0
            for word in 0..<((count + 63) >> 6) {
                any |= presence[word]
                presence[word] = 0
            }
            return any == 0
        case .and, .or, .unless:
            preconditionFailure("\(op) is not an operation on values")
        }
        return true
    }
}

extension BinaryOperator {
    /// The result is another metric than the operands: their names go.
    var changesMeaning: Bool {
        switch self {
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2: return true
        default: return false
        }
    }
}
