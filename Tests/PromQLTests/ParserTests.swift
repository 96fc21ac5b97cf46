import Support
import TSDB
import Testing

@testable import PromQL

/// What parses, how it prints, and what errors say.
@Suite struct ParserTests {
    @Test("every error has upstream's text and position")
    func errors() throws {
        for (query, expected) in try rows(ParserErrorTable.all) {
            do {
                let expr = try Parser.parse(query, options: .everything)
                Issue.record("\(query) parses as \(expr), expected \(expected)")
            } catch {
                #expect(error.positioned(in: query) == expected, "\(query)")
                #expect(error.code == .syntax)
                #expect(error.range.lowerBound >= 0 && error.range.upperBound <= query.utf8.count, "\(query)")
            }
        }
    }

    @Test("every query prints in its canonical form, which is a fixed point")
    func printing() throws {
        for (query, expected) in try rows(ParserPrintTable.all) {
            let expr = try Parser.parse(query, options: .everything)
            #expect(expr.description == expected, "\(query)")
            let again = try Parser.parse(expected, options: .everything)
            #expect(again.description == expected, "\(query)")
        }
    }

    @Test("strings that are no UTF-8 print as they were written; in a matcher they hold the replacement character")
    func brokenStrings() throws {
        for (query, printed) in [(#""\xff""#, #""\xff""#), (#""a\204é""#, #""a\x84é""#), (#""\ufffd""#, #""\ufffd""#)] {
            #expect(try Parser.parse(query).description == printed)
        }
        #expect(try Parser.parse(#"{a="\xff"}"#).description == #"{a="\ufffd"}"#)
    }

    @Test("nodes know their place in the query")
    func ranges() throws {
        let query = "  sum by (a) (rate(foo{a=\"b\"}[5m] offset 1m)) / (bar[5m:1m] @ 5) "
        guard case .binary(let division) = try Parser.parse("vector(1) + time()"),
            case .call(let vector) = division.left
        else { return #expect(Bool(false)) }
        #expect(division.operatorRange == 10..<11)
        #expect(vector.range == 0..<9)

        let text = Array(query.utf8)
        func slice(_ expr: Expr) -> String { String(decoding: text[expr.range], as: UTF8.self) }
        var parser = try ExpressionParser(query, options: .everything)
        guard case .binary(let binary) = try parser.wholeExpression(), case .aggregate(let sum) = binary.left,
            case .call(let rate) = sum.operand, let matrix = rate.arguments.first,
            case .paren(let subquery, _) = binary.right
        else { return #expect(Bool(false)) }
        #expect(slice(binary.left) == "sum by (a) (rate(foo{a=\"b\"}[5m] offset 1m))")
        #expect(slice(sum.operand) == "rate(foo{a=\"b\"}[5m] offset 1m)")
        #expect(slice(matrix) == "foo{a=\"b\"}[5m] offset 1m")
        #expect(slice(binary.right) == "(bar[5m:1m] @ 5)")
        #expect(slice(subquery) == "bar[5m:1m] @ 5")
    }

    @Test("the metric name is the last matcher; quoted names are matchers alone")
    func matchers() throws {
        #expect(
            try Parser.parseMetricSelector(#"foo{a!="b"}"#) == [.notEqual("a", "b"), .equal("__name__", "foo")])
        #expect(
            try Parser.parseMetricSelector(#"{"my.metric", "a b"="c"}"#) == [
                .equal("__name__", "my.metric"), .equal("a b", "c"),
            ])
        #expect(try Parser.parseMetricSelector("{}") == [])
        #expect(throws: QueryError.self) { try Parser.parseMetricSelector("foo + bar") }
        #expect(throws: QueryError.self) { try Parser.parseMetricSelector("") }
        #expect(throws: QueryError.self) { try Parser.parseMetricSelector("5") }
    }

    @Test("metrics read as label sets, and a series description tells where its values begin")
    func metrics() throws {
        #expect(
            try Parser.parseMetric(#"foo{b="2", "a.b"="1"}"#) == ["__name__": "foo", "b": "2", "a.b": "1"])
        #expect(try Parser.parseMetric(#"{"my metric"}"#) == ["__name__": "my metric"])
        #expect(try Parser.parseMetric("foo") == ["__name__": "foo"])
        let series = try Parser.parseSeriesDescription(#"foo{a="b"} 0+1x5 _ stale"#)
        #expect(series.labels == ["__name__": "foo", "a": "b"])
        #expect(series.valuesStart == 10)
        let bare = try Parser.parseSeriesDescription("sum {{schema:1}}")
        #expect(bare.labels == ["__name__": "sum"] && bare.valuesStart == 3)
        for bad in ["foo{a}", "foo{a=b}", "foo{a!=\"b\"}", "foo{a=\"b\" c=\"d\"}", "foo bar", "{5}"] {
            #expect(throws: QueryError.self) { try Parser.parseMetric(bad) }
        }
    }

    @Test("a part of the language that is not enabled is refused by name")
    func options() {
        let none = ParserOptions(durationExpressions: false)
        let cases = [
            ("mad_over_time(x[5m])", #"1:1: parse error: function "mad_over_time" is not enabled"#),
            (
                "sum(limitk(1, x))",
                "1:5: parse error: limitk() is experimental and must be enabled with "
                    + "--enable-feature=promql-experimental-functions"
            ),
            ("x[5m * 2]", "1:3: parse error: experimental duration expression is not enabled"),
            ("x[(5m)]", "1:4: parse error: experimental duration expression is not enabled"),
            ("x offset step()", "1:10: parse error: experimental duration expression is not enabled"),
            ("x + fill(0) y", "1:1: parse error: binop fill modifiers are experimental and not enabled"),
            ("1 + x anchored", "1:5: parse error: anchored modifier is experimental and not enabled"),
            ("x[5m] smoothed", "1:1: parse error: smoothed modifier is experimental and not enabled"),
        ]
        for (query, expected) in cases {
            let error = #expect(throws: QueryError.self) { try Parser.parse(query, options: none) }
            #expect(error?.positioned(in: query) == expected)
        }
        #expect(throws: Never.self) { try Parser.parse("x[5m:30s] offset -1h @ 5", options: none) }
    }

    @Test("there are 73 stable functions and 17 experimental ones")
    func functionTable() {
        #expect(FunctionTable.all.filter { !$0.isExperimental }.count == 73)
        #expect(FunctionTable.all.filter(\.isExperimental).count == 17)
    }

    @Test("literal spans are milliseconds, computed ones stay expressions")
    func spans() throws {
        guard case .matrixSelector(let literal) = try Parser.parse("x[90] offset -1h30m"),
            case .matrixSelector(let computed) = try Parser.parse("x[5m*2] offset -(1m)")
        else { return #expect(Bool(false)) }
        #expect(literal.window == .seconds(90) && literal.windowExpr == nil)
        #expect(literal.selector.offset == .minutes(-90) && literal.selector.offsetExpr == nil)
        #expect(computed.window == .zero && computed.windowExpr?.description == "5m * 2")
        #expect(computed.selector.offset == .zero && computed.selector.offsetExpr?.description == "-(1m)")
    }

    /// `query  →  expected`, one per line.
    private func rows(_ tables: [String]) throws -> [(query: String, expected: String)] {
        try tables.flatMap { $0.split(separator: "\n") }.map { line in
            let parts = line.split(separator: "→", omittingEmptySubsequences: false)
            try #require(parts.count == 2, "\(line)")
            func undrawn(_ text: Substring) -> String {
                String(
                    String.UnicodeScalarView(
                        text.unicodeScalars.map { scalar in
                            switch scalar {
                            case "␤": return "\n"
                            case "␉": return "\t"
                            case "␍": return "\r"
                            default: return scalar
                            }
                        }))
            }
            return (undrawn(parts[0].dropLast(2)), undrawn(parts[1].dropFirst(2)))
        }
    }
}
