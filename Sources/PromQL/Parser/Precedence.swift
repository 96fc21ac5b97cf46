/// How tightly operators bind. Documentation: “Operator precedence”.
///
///     1  or
///     2  and  unless
///     3  ==  !=  <=  <  >=  >  </  >/
///     4  +  -
///     5  *  /  %  atan2        and the unary signs: -2 * 3 is (-2) * 3
///     6  ^                     from right to left, and tighter than a sign: -2 ^ 2 is -(2 ^ 2)
///
/// Offsets, `@` and brackets bind tighter than all of them.
enum Precedence {
    static let lowest = 1
    /// An operand of a sign may contain what binds tighter than multiplication.
    static let signOperand = 6
}

extension BinaryOperator {
    var precedence: Int {
        switch self {
        case .or: return 1
        case .and, .unless: return 2
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .trimUpper, .trimLower: return 3
        case .add, .subtract: return 4
        case .multiply, .divide, .modulo, .atan2: return 5
        case .power: return 6
        }
    }

    /// What the right operand may contain: operators from this precedence on.
    var rightOperandPrecedence: Int { self == .power ? precedence : precedence + 1 }

    /// Whether duration expressions know it.
    var isDurationArithmetic: Bool {
        switch self {
        case .add, .subtract, .multiply, .divide, .modulo, .power: return true
        default: return false
        }
    }
}
