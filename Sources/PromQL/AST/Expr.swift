import TSDB

/// A PromQL expression as the parser leaves it. Printing it gives the expression back (`Printer`), checking types is
/// `TypeChecker`, running it is the planner's and the operators' work.
///
/// Every node knows its place in the query as a range of UTF-8 offsets: error texts and annotations point there.
/// The tree's height is bounded by `Parser.maximumHeight`, so walking an expression by recursion is safe.
public indirect enum Expr: Sendable {
    case number(NumberLiteral)
    case string(StringLiteral)
    case paren(Expr, range: Range<Int>)
    case unary(UnaryExpr)
    case binary(BinaryExpr)
    case aggregate(AggregateExpr)
    case call(Call)
    case vectorSelector(VectorSelector)
    case matrixSelector(MatrixSelector)
    case subquery(SubqueryExpr)

    /// Where the expression stands in the query, in UTF-8 offsets.
    public var range: Range<Int> {
        switch self {
        case .number(let node): return node.range
        case .string(let node): return node.range
        case .paren(_, let range): return range
        case .unary(let node): return node.range
        case .binary(let node): return node.range
        case .aggregate(let node): return node.range
        case .call(let node): return node.range
        case .vectorSelector(let node): return node.range
        case .matrixSelector(let node): return node.range
        case .subquery(let node): return node.range
        }
    }

    /// The expression without parentheses around it.
    public var unparenthesized: Expr {
        var expr = self
        while case .paren(let inner, _) = expr { expr = inner }
        return expr
    }

    public var type: ValueType {
        switch self {
        case .number: return .scalar
        case .string: return .string
        case .paren(let inner, _): return inner.type
        case .unary(let node): return node.operand.type
        case .binary(let node):
            // Down the left operands without recursion: chains can be long.
            var node = node
            while node.right.type == .scalar {
                guard case .binary(let inner) = node.left else { return node.left.type == .scalar ? .scalar : .vector }
                node = inner
            }
            return .vector
        case .aggregate: return .vector
        case .call(let node): return node.function.returns
        case .vectorSelector: return .vector
        case .matrixSelector, .subquery: return .matrix
        }
    }
}

/// The types of PromQL. Documentation: “Expression language data types”.
public enum ValueType: String, Sendable {
    case none = "none"
    case scalar = "scalar"
    case string = "string"
    case vector = "instant vector"
    case matrix = "range vector"
}

public struct NumberLiteral: Sendable {
    public var value: Double
    /// Written as a duration (`5m`); printing keeps it so.
    public var isDuration: Bool
    public var range: Range<Int>

    public init(_ value: Double, isDuration: Bool = false, range: Range<Int>) {
        self.value = value
        self.isDuration = isDuration
        self.range = range
    }
}

public struct StringLiteral: Sendable {
    public var value: String
    /// What was written, where that is no UTF-8 (`"a\xc5z"`) and `value` has U+FFFD in its place; else `nil`.
    public var bytes: [UInt8]?
    public var range: Range<Int>

    public init(_ value: String, bytes: [UInt8]? = nil, range: Range<Int>) {
        self.value = value
        self.bytes = bytes
        self.range = range
    }
}

public struct UnaryExpr: Sendable {
    public enum Operator: String, Sendable { case plus = "+", minus = "-" }
    public var op: Operator
    public var operand: Expr
    public var range: Range<Int>

    public init(_ op: Operator, _ operand: Expr, range: Range<Int>) {
        self.op = op
        self.operand = operand
        self.range = range
    }
}

public enum BinaryOperator: String, Sendable, CaseIterable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", modulo = "%", power = "^", atan2 = "atan2"
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    case and, or, unless
    /// Native histogram trimming, `</` and `>/`.
    case trimUpper = "</", trimLower = ">/"

    public var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: return true
        default: return false
        }
    }

    public var isSetOperator: Bool { self == .and || self == .or || self == .unless }
}

public struct BinaryExpr: Sendable {
    public var op: BinaryOperator
    public var left: Expr
    public var right: Expr
    /// Set where both sides are vectors.
    public var matching: VectorMatching?
    /// `bool`: a comparison answers 0 or 1 instead of filtering.
    public var returnsBool: Bool
    public var range: Range<Int>
    /// Where the operator itself stands; annotations about matching point at the whole expression.
    public var operatorRange: Range<Int>

    public init(
        _ op: BinaryOperator, _ left: Expr, _ right: Expr, matching: VectorMatching?, returnsBool: Bool,
        range: Range<Int>, operatorRange: Range<Int>
    ) {
        self.op = op
        self.left = left
        self.right = right
        self.matching = matching
        self.returnsBool = returnsBool
        self.range = range
        self.operatorRange = operatorRange
    }
}

extension BinaryExpr {
    /// This operator and those in its left operand, outermost first. Of `a + b + c` the second `+`, then the first. Chains
    /// can be long, so they are walked as lists.
    public var leftSpine: [BinaryExpr] {
        var chain = [self], left = self.left
        while case .binary(let inner) = left {
            chain.append(inner)
            left = inner.left
        }
        return chain
    }
}

/// How the elements of two vectors find each other. Documentation: “Vector matching”.
public struct VectorMatching: Sendable, Equatable {
    public enum Cardinality: String, Sendable {
        case oneToOne = "one-to-one"
        case manyToOne = "many-to-one"
        case oneToMany = "one-to-many"
        case manyToMany = "many-to-many"
    }

    public var cardinality: Cardinality
    /// Names behind `on` or `ignoring`.
    public var labels: [String]
    public var isOn: Bool
    /// Names in the brackets of `group_left(…)` or `group_right(…)`.
    public var include: [String]
    /// Values for elements without partner: `fill(…)`, `fill_left(…)`, `fill_right(…)`.
    public var fillLeft: Double?
    public var fillRight: Double?

    public init(
        _ cardinality: Cardinality = .oneToOne, labels: [String] = [], isOn: Bool = false, include: [String] = [],
        fillLeft: Double? = nil, fillRight: Double? = nil
    ) {
        self.cardinality = cardinality
        self.labels = labels
        self.isOn = isOn
        self.include = include
        self.fillLeft = fillLeft
        self.fillRight = fillRight
    }
}

public enum AggregateOperator: String, Sendable, CaseIterable {
    case sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk
    case countValues = "count_values"
    case quantile, limitk
    case limitRatio = "limit_ratio"

    /// Whether a parameter comes before the vector.
    public var takesParameter: Bool {
        switch self {
        case .topk, .bottomk, .countValues, .quantile, .limitk, .limitRatio: return true
        default: return false
        }
    }

    public var isExperimental: Bool { self == .limitk || self == .limitRatio }
}

public struct AggregateExpr: Sendable {
    public var op: AggregateOperator
    public var operand: Expr
    public var parameter: Expr?
    public var grouping: [String]
    public var isWithout: Bool
    public var range: Range<Int>

    public init(
        _ op: AggregateOperator, _ operand: Expr, parameter: Expr?, grouping: [String], isWithout: Bool,
        range: Range<Int>
    ) {
        self.op = op
        self.operand = operand
        self.parameter = parameter
        self.grouping = grouping
        self.isWithout = isWithout
        self.range = range
    }
}

public struct Call: Sendable {
    public var function: FunctionSignature
    public var arguments: [Expr]
    public var range: Range<Int>

    public init(_ function: FunctionSignature, _ arguments: [Expr], range: Range<Int>) {
        self.function = function
        self.arguments = arguments
        self.range = range
    }
}

/// What `@` fixes the evaluation time to.
public enum AtModifier: Sendable, Equatable {
    case timestamp(Timestamp)
    case start
    case end
}

/// A span as written: a literal, or an arithmetic expression (`[5m*2]`, `offset -min_of(step(), 1s)`) that is resolved
/// against the query's start, end and step before planning.
public indirect enum DurationExpr: Sendable {
    /// Seconds; `isDuration` tells `5m` from `300`.
    case number(Double, isDuration: Bool, range: Range<Int>)
    case step(range: Range<Int>)
    case range(range: Range<Int>)
    case unary(UnaryExpr.Operator, DurationExpr, range: Range<Int>)
    /// `+ - * / % ^`
    case binary(BinaryOperator, DurationExpr, DurationExpr, range: Range<Int>)
    case minOf(DurationExpr, DurationExpr, range: Range<Int>)
    case maxOf(DurationExpr, DurationExpr, range: Range<Int>)
    case paren(DurationExpr, range: Range<Int>)
}

public struct VectorSelector: Sendable {
    /// The metric name before the braces, empty where there is none. `matchers` includes it.
    public var name: String
    public var matchers: [Matcher]
    /// Positive looks back. From a literal; see `offsetExpr` for what must be computed first.
    public var offset: Duration
    public var offsetExpr: DurationExpr?
    public var at: AtModifier?
    public var isAnchored: Bool
    public var isSmoothed: Bool
    public var range: Range<Int>

    public init(
        name: String, matchers: [Matcher], offset: Duration = .zero, offsetExpr: DurationExpr? = nil,
        at: AtModifier? = nil, isAnchored: Bool = false, isSmoothed: Bool = false, range: Range<Int>
    ) {
        self.name = name
        self.matchers = matchers
        self.offset = offset
        self.offsetExpr = offsetExpr
        self.at = at
        self.isAnchored = isAnchored
        self.isSmoothed = isSmoothed
        self.range = range
    }
}

public struct MatrixSelector: Sendable {
    public var selector: VectorSelector
    /// The window's length, `(t - window, t]`.
    public var window: Duration
    public var windowExpr: DurationExpr?
    public var range: Range<Int>

    public init(_ selector: VectorSelector, window: Duration, windowExpr: DurationExpr? = nil, range: Range<Int>) {
        self.selector = selector
        self.window = window
        self.windowExpr = windowExpr
        self.range = range
    }
}

public struct SubqueryExpr: Sendable {
    public var operand: Expr
    public var window: Duration
    public var windowExpr: DurationExpr?
    /// Zero: the default step.
    public var step: Duration
    public var stepExpr: DurationExpr?
    public var offset: Duration
    public var offsetExpr: DurationExpr?
    public var at: AtModifier?
    public var range: Range<Int>

    public init(
        _ operand: Expr, window: Duration, windowExpr: DurationExpr? = nil, step: Duration = .zero,
        stepExpr: DurationExpr? = nil, offset: Duration = .zero, offsetExpr: DurationExpr? = nil,
        at: AtModifier? = nil, range: Range<Int>
    ) {
        self.operand = operand
        self.window = window
        self.windowExpr = windowExpr
        self.step = step
        self.stepExpr = stepExpr
        self.offset = offset
        self.offsetExpr = offsetExpr
        self.at = at
        self.range = range
    }
}
