import TSDB

/// Which parts of the language a query may use.
public struct ParserOptions: Sendable, Equatable {
    /// `limitk`, `limit_ratio`, `mad_over_time`, `info`, … (upstream: `promql-experimental-functions`)
    public var experimentalFunctions: Bool
    /// `[5m * 2]`, `offset -step()`. On by default since upstream's 3.14.
    public var durationExpressions: Bool
    /// `fill(0)`, `fill_left(0)`, `fill_right(0)`.
    public var fillModifiers: Bool
    /// `anchored`, `smoothed`.
    public var extendedRangeSelectors: Bool

    public init(
        experimentalFunctions: Bool = false, durationExpressions: Bool = true, fillModifiers: Bool = false,
        extendedRangeSelectors: Bool = false
    ) {
        self.experimentalFunctions = experimentalFunctions
        self.durationExpressions = durationExpressions
        self.fillModifiers = fillModifiers
        self.extendedRangeSelectors = extendedRangeSelectors
    }

    /// The whole language.
    public static let everything = ParserOptions(
        experimentalFunctions: true, durationExpressions: true, fillModifiers: true, extendedRangeSelectors: true)
}

/// From text to checked expression: `Lexer` ▶ `ExpressionParser` ▶ `TypeChecker`.
///
///     Parser.parse("sum by (le) (rate(x[5m]))")
///       → aggregate(sum, by: [le], call(rate, matrixSelector(x, 5m)))
///
/// Texts and positions of errors are upstream's, except where a bound of our own is reached. No input traps: queries are
/// bounded in length and depth.
public enum Parser {
    /// How deep an expression may be nested, counted in nodes from its root. Of a chain `a + b + c …`, which leans to the left,
    /// all operators stand at one level. The parser's own recursion is no deeper than this.
    public static let maximumDepth = 250

    /// How deep its tree may be with every operator of a chain counted. Whatever walks or frees trees recursively relies on it,
    /// on threads with small stacks too.
    public static let maximumHeight = 1000

    /// Bytes of a query.
    public static let maximumLength = 65_536

    /// Parses and type-checks a query. Errors are of code `.syntax`.
    public static func parse(_ query: String, options: ParserOptions = ParserOptions()) throws(QueryError) -> Expr {
        var parser = try ExpressionParser(query, options: options)
        let expr = try parser.wholeExpression()
        try TypeChecker.check(expr)
        return expr
    }

    /// `http_requests_total{code=~"5.."}` as conditions, as the series APIs' `match[]` takes it. The metric name comes last.
    /// Does not ask for a matcher that excludes the empty value; the APIs do that themselves.
    public static func parseMetricSelector(_ text: String) throws(QueryError) -> [Matcher] {
        var parser = try ExpressionParser(text, options: ParserOptions())
        return try parser.wholeMetricSelector().matchers
    }

    /// `http_requests_total{code="200"}` as a label set.
    public static func parseMetric(_ text: String) throws(QueryError) -> Labels {
        var parser = try ExpressionParser(text, options: ParserOptions())
        return try parser.wholeMetric()
    }

    /// The metric in front of a series description of a test script, and the UTF-8 offset at which its values begin:
    /// `http_requests{job="api"} 0+10x5`.
    public static func parseSeriesDescription(
        _ text: String
    ) throws(QueryError) -> (labels: Labels, valuesStart: Int) {
        var parser = try ExpressionParser(text, options: ParserOptions())
        return try parser.seriesDescription()
    }

    static func checkLength(_ query: String) throws(QueryError) {
        if query.utf8.count > maximumLength {
            throw QueryError(.syntax, "query is longer than \(maximumLength) bytes", range: 0..<query.utf8.count)
        }
    }
}

extension QueryError {
    /// The error as upstream's API prints it: `1:5: parse error: unexpected …`. Lines and columns (in bytes) count from 1.
    public func positioned(in query: String) -> String {
        "\(QueryError.position(range.lowerBound, in: query)): parse error: \(message)"
    }

    /// `line:column` of a UTF-8 offset, as errors and annotations show it.
    public static func position(_ offset: Int, in query: String) -> String {
        let bytes = query.utf8
        if bytes.isEmpty { return "unknown position" }
        if offset < 0 || offset > bytes.count { return "invalid position" }
        var line = 1
        var lineStart = 0
        for (index, byte) in bytes.prefix(offset).enumerated() where byte == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        return "\(line):\(offset - lineStart + 1)"
    }
}
