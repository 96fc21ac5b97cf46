extension Expr {
    /// All vector selectors inside, in the order in which they are written; those of range selectors and subqueries
    /// included.
    public var selectors: [VectorSelector] {
        var result: [VectorSelector] = []
        collectSelectors(into: &result)
        return result
    }

    private func collectSelectors(into result: inout [VectorSelector]) {
        switch self {
        case .number, .string: break
        case .paren(let inner, _): inner.collectSelectors(into: &result)
        case .unary(let node): node.operand.collectSelectors(into: &result)
        case .binary(let node):
            node.left.collectSelectors(into: &result)
            node.right.collectSelectors(into: &result)
        case .aggregate(let node):
            node.parameter?.collectSelectors(into: &result)
            node.operand.collectSelectors(into: &result)
        case .call(let node): for argument in node.arguments { argument.collectSelectors(into: &result) }
        case .vectorSelector(let node): result.append(node)
        case .matrixSelector(let node): result.append(node.selector)
        case .subquery(let node): node.operand.collectSelectors(into: &result)
        }
    }
}
