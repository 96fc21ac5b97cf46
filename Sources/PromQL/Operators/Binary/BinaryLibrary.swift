import TSDB

/// From a binary expression and its running operands to the operator that evaluates it.
enum BinaryLibrary {
    /// `left` and `right` evaluate the operands, of the types named; work that needs to see a whole side is done here.
    static func make(
        _ expr: BinaryExpr, left: any VectorOperator, right: any VectorOperator, leftType: ValueType,
        rightType: ValueType, grid: StepGrid, names: NameTreatment, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        switch (leftType, rightType) {
        case (.scalar, .scalar):
            guard expr.op != .trimUpper, expr.op != .trimLower else {
                throw QueryError(
                    .evaluation, "operator \"\(expr.op.rawValue)\" not allowed for Scalar operations", range: expr.range)
            }
            return ScalarOperation(
                left: left, right: right, kernel: BinaryKernel(op: expr.op, returnsBool: expr.op.isComparison))
        case (.vector, .scalar):
            return try withScalar(
                expr, vector: left, scalar: right, scalarIsLeft: false, grid: grid, names: names,
                context: context)
        case (.scalar, .vector):
            return try withScalar(
                expr, vector: right, scalar: left, scalarIsLeft: true, grid: grid, names: names,
                context: context)
        case (.vector, .vector):
            if expr.op.isSetOperator {
                return try SetOperation(
                    expr.op, left, right, matching: expr.matching ?? VectorMatching(.manyToMany), grid: grid,
                    context: context)
            }
            return try VectorJoin(
                expr, left: left, right: right, grid: grid, names: names, context: context)
        default:
            throw QueryError(
                .evaluation, "binary expression must contain only scalar and instant vector types", range: expr.range)
        }
    }

    private static func withScalar(
        _ expr: BinaryExpr, vector: any VectorOperator, scalar: any VectorOperator, scalarIsLeft: Bool,
        grid: StepGrid, names: NameTreatment, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        let transform = WithScalar(
            kernel: BinaryKernel(op: expr.op, returnsBool: expr.returnsBool, keepsRight: scalarIsLeft),
            scalar: try ScalarColumn(scalar, stepCount: grid.count), scalarIsLeft: scalarIsLeft,
            note: { $0.annotate(expr.op, at: expr.range, context) })
        let losesName = expr.op.changesMeaning || expr.returnsBool
        return MappedSeries.make(vector, transform, names: losesName ? names : .kept)
    }
}
