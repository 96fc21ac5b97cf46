import Numbers
import TSDB

/// A precedence-climbing parser: one token of lookahead, one method per construct.
///
///     expression = operand { operator modifiers expression }       as long as the operator binds tightly enough
///     operand    = sign expression | primary { "[…]" | offset … | @ … | anchored | smoothed }
///     primary    = number | string | ( expression ) | aggregation | call | selector
///
/// The first error ends the parse. How it is worded depends on the innermost construct around it (`ErrorContext`), as in
/// upstream's grammar. Tokens are read as late as possible, so that of an error in a construct and an error in the characters
/// behind it the same one comes first as upstream.
///
/// Source: T. Norvell, “Parsing Expressions by Recursive Descent” (1999), precedence climbing.
///
/// Invariants: recursion is no deeper than `Parser.maximumDepth`, and the tree that comes out no higher than
/// `Parser.maximumHeight`.
struct ExpressionParser {
    var lexer: Lexer
    let options: ParserOptions
    private var lookahead: Token?
    /// End of the token consumed last.
    private(set) var lastEnd = 0
    /// The construct that words the next “unexpected …”.
    var context = ErrorContext.none
    private var depth = 0

    /// An expression, its depth as a tree, and the same with the operators of a chain counted once.
    struct Node {
        var expr: Expr
        var height: Int
        var nesting: Int

        init(expr: Expr, height: Int, nesting: Int? = nil) {
            self.expr = expr
            self.height = height
            self.nesting = nesting ?? height
        }
    }

    init(_ query: String, options: ParserOptions) throws(QueryError) {
        try Parser.checkLength(query)
        lexer = Lexer(query)
        self.options = options
    }

    // MARK: Entries

    mutating func wholeExpression() throws(QueryError) -> Expr {
        if try peek().kind == .endOfInput { throw QueryError(.syntax, "no expression found in input") }
        let node = try expression(from: Precedence.lowest)
        try expectEnd()
        return node.expr
    }

    mutating func wholeMetricSelector() throws(QueryError) -> VectorSelector {
        let first = try peek()
        guard first.canNameMetric || first.kind == .leftBrace else { throw unexpected(first) }
        let selector = try vectorSelector(name: first.canNameMetric ? advance() : nil)
        try expectEnd()
        return selector
    }

    mutating func expectEnd() throws(QueryError) {
        let token = try peek()
        if token.kind != .endOfInput { throw unexpected(token) }
    }

    // MARK: Operators

    /// An expression whose operators bind at least as tightly as `minimum`.
    mutating func expression(from minimum: Int) throws(QueryError) -> Node {
        try enter()
        defer { leave() }
        var left = try operand()
        while case .binary(let op) = try peek().kind, op.precedence >= minimum {
            left = try binary(left, op)
        }
        return left
    }

    private mutating func binary(_ left: Node, _ op: BinaryOperator) throws(QueryError) -> Node {
        let token = try advance()
        let modifiers = try binaryModifiers()
        let right = try expression(from: op.rightOperandPrecedence)
        let expr = try binaryExpr(left.expr, op, right.expr, modifiers, token.range)
        var result = try node(expr, above: left, right)
        // `a + b + c` is `(a + b) + c`: one level.
        if op.rightOperandPrecedence > op.precedence { result.nesting = max(left.nesting, right.nesting + 1) }
        if result.nesting > Parser.maximumDepth { throw tooDeep(range: expr.range) }
        return result
    }

    private mutating func operand() throws(QueryError) -> Node {
        switch try peek().kind {
        case .binary(.add): return try signed(.plus)
        case .binary(.subtract): return try signed(.minus)
        default: return try postfixed(primary())
        }
    }

    /// A sign in front of a literal becomes part of it.
    private mutating func signed(_ op: UnaryExpr.Operator) throws(QueryError) -> Node {
        let sign = try advance()
        let operand = try expression(from: Precedence.signOperand)
        let range = sign.range.lowerBound..<operand.expr.range.upperBound
        if case .number(var literal) = operand.expr {
            if op == .minus { literal.value = -literal.value }
            literal.range = range
            return Node(expr: .number(literal), height: 1)
        }
        return try node(.unary(UnaryExpr(op, operand.expr, range: range)), above: operand)
    }

    // MARK: Primaries

    private mutating func primary() throws(QueryError) -> Node {
        let token = try peek()
        switch token.kind {
        case .number, .duration:
            return Node(expr: .number(try numberLiteral()), height: 1)
        case .string:
            return Node(expr: .string(try Lexer.literal(advance(), in: lexer.bytes)), height: 1)
        case .leftParen:
            return try parenthesized()
        case .leftBrace:
            return Node(expr: .vectorSelector(try vectorSelector(name: nil)), height: 1)
        case .aggregator(let op):
            try advance()
            switch try peek().kind {
            case .leftParen, .keyword(.by), .keyword(.without): return try aggregation(op, start: token)
            default: return Node(expr: .vectorSelector(try vectorSelector(name: token)), height: 1)
            }
        case .identifier, .timeWord:
            try advance()
            if try peek().kind == .leftParen { return try call(token) }
            return Node(expr: .vectorSelector(try vectorSelector(name: token)), height: 1)
        default:
            guard token.canNameMetric else { throw unexpected(token) }
            try advance()
            return Node(expr: .vectorSelector(try vectorSelector(name: token)), height: 1)
        }
    }

    private mutating func parenthesized() throws(QueryError) -> Node {
        let open = try advance()
        let inner = try expression(from: Precedence.lowest)
        let close = try expect(.rightParen)
        return try node(.paren(inner.expr, range: open.range.lowerBound..<close.range.upperBound), above: inner)
    }

    private mutating func call(_ name: Token) throws(QueryError) -> Node {
        let arguments = try argumentList()
        let text = lexer.text(name.range)
        guard let signature = FunctionTable.signature(text) else {
            throw QueryError(.syntax, "unknown function with name \(QuotedText.go(text))", range: name.range)
        }
        if signature.isExperimental, !options.experimentalFunctions {
            throw QueryError(.syntax, "function \(QuotedText.go(text)) is not enabled", range: name.range)
        }
        let call = Call(signature, arguments.map(\.expr), range: name.range.lowerBound..<lastEnd)
        return try node(.call(call), above: arguments)
    }

    /// `( expression, … )`
    mutating func argumentList() throws(QueryError) -> [Node] {
        try expect(.leftParen)
        if try peek().kind == .rightParen {
            try advance()
            return []
        }
        var arguments = [try expression(from: Precedence.lowest)]
        while try peek().kind == .comma {
            let comma = try advance()
            guard try peek().canStartExpression else {
                throw QueryError(.syntax, "trailing commas not allowed in function call args", range: comma.range)
            }
            arguments.append(try expression(from: Precedence.lowest))
        }
        try expect(.rightParen)
        return arguments
    }

    /// `5`, `-5`, `+5m`: where nothing but a number may stand.
    mutating func signedNumber() throws(QueryError) -> Double {
        var isNegative = false
        switch try peek().kind {
        case .binary(.subtract):
            try advance()
            isNegative = true
        case .binary(.add): try advance()
        default: break
        }
        let token = try peek()
        guard token.kind == .number || token.kind == .duration else { throw unexpected(token) }
        let value = try numberLiteral().value
        return isNegative ? -value : value
    }

    /// `5`, `5m`
    mutating func numberLiteral() throws(QueryError) -> NumberLiteral {
        let token = try advance()
        let text = lexer.text(token.range)
        if token.kind == .duration {
            do {
                let milliseconds = try DurationText.parse(text)
                let seconds = Double(milliseconds / 1000) + Double(milliseconds % 1000) / 1000
                return NumberLiteral(seconds, isDuration: true, range: token.range)
            } catch {
                throw QueryError(.syntax, error.message, range: token.range)
            }
        }
        guard let value = NumberText.parseLiteral(text) else {
            let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
            let isTooLarge = !isHexadecimal && !text.hasSuffix("_") && Double(text.filter { $0 != "_" }) == .infinity
            let reason = isTooLarge ? "value out of range" : "invalid syntax"
            throw QueryError(
                .syntax, "error parsing number: strconv.ParseFloat: parsing \(QuotedText.go(text)): \(reason)",
                range: token.range)
        }
        return NumberLiteral(value, range: token.range)
    }

    /// The content of a string token.
    func string(_ token: Token) throws(QueryError) -> String { try Lexer.value(of: token, in: lexer.bytes) }

    // MARK: Tokens

    mutating func peek() throws(QueryError) -> Token {
        if let lookahead { return lookahead }
        let token = try lexer.next()
        lookahead = token
        return token
    }

    @discardableResult
    mutating func advance() throws(QueryError) -> Token {
        let token = try peek()
        lookahead = nil
        lastEnd = token.range.upperBound
        return token
    }

    @discardableResult
    mutating func expect(_ kind: Token.Kind) throws(QueryError) -> Token {
        let token = try peek()
        guard token.kind == kind else { throw unexpected(token) }
        return try advance()
    }

    func unexpected(_ token: Token) -> QueryError {
        let what = token.description(text: lexer.text(token.range))
        return QueryError(.syntax, "unexpected \(what)\(context.suffix)", range: token.range)
    }

    func unexpected(_ token: Token, _ context: ErrorContext) -> QueryError {
        var parser = self
        parser.context = context
        return parser.unexpected(token)
    }

    // MARK: Depth

    mutating func enter() throws(QueryError) {
        depth += 1
        if depth > Parser.maximumDepth { throw tooDeep(range: lexer.start..<lexer.start) }
    }

    mutating func leave() { depth -= 1 }

    func node(_ expr: Expr, above children: Node...) throws(QueryError) -> Node {
        try node(expr, above: children)
    }

    func node(_ expr: Expr, above children: [Node]) throws(QueryError) -> Node {
        var height = 1, nesting = 1
        for child in children {
            height = max(height, child.height + 1)
            nesting = max(nesting, child.nesting + 1)
        }
        if height > Parser.maximumHeight { throw tooDeep(range: expr.range, bound: Parser.maximumHeight) }
        var isOperator = false
        if case .binary = expr { isOperator = true }
        // Of an operator the caller knows better.
        if nesting > Parser.maximumDepth && !isOperator { throw tooDeep(range: expr.range) }
        return Node(expr: expr, height: height, nesting: nesting)
    }

    func tooDeep(range: Range<Int>, bound: Int = Parser.maximumDepth) -> QueryError {
        QueryError(.syntax, "expression is nested deeper than \(bound) levels", range: range)
    }
}

/// Where an unexpected token was met and what could have stood there: ` in grouping opts, expected "("`.
struct ErrorContext {
    let suffix: String

    init(_ place: String, expected: String? = nil) {
        suffix = " in \(place)" + (expected.map { ", expected \($0)" } ?? "")
    }

    private init() { suffix = "" }

    static let none = ErrorContext()
    static let aggregation = ErrorContext("aggregation")
    static let groupingOpen = ErrorContext("grouping opts", expected: "\"(\"")
    static let groupingLabel = ErrorContext("grouping opts", expected: "label")
    static let groupingMore = ErrorContext("grouping opts", expected: "\",\" or \")\"")
    static let matcher = ErrorContext("label matching", expected: "identifier or \"}\"")
    static let matcherOperator = ErrorContext("label matching", expected: "label matching operator")
    static let matcherValue = ErrorContext("label matching", expected: "string")
    static let matcherMore = ErrorContext("label matching", expected: "\",\" or \"}\"")
    static let labelSet = ErrorContext("label set", expected: "identifier or \"}\"")
    static let labelSetAssign = ErrorContext("label set", expected: "\"=\"")
    static let labelSetValue = ErrorContext("label set", expected: "string")
    static let labelSetMore = ErrorContext("label set", expected: "\",\" or \"}\"")
    static let offset = ErrorContext("offset", expected: "number, duration, step(), or range()")
    static let at = ErrorContext("@", expected: "timestamp")
    static let window = ErrorContext(
        "subquery or range selector", expected: "number, duration, step(), or range()")
    static let windowEnd = ErrorContext("subquery or range", expected: "\":\" or \"]\"")
    static let subqueryStep = ErrorContext(
        "subquery selector", expected: "number, duration, step(), range(), or \"]\"")
    static let subqueryEnd = ErrorContext("subquery selector", expected: "\"]\"")
}
