/// Sums, means and deviations of a list of values, for aggregations and `…_over_time` alike.
///
///     1e100 + 1 - 1e100     plain 0, and 1 was lost on the way: the compensation gives it back
enum SumArithmetic {
    /// Terms that a formula spells out.
    static let maximumTerms = 12

    /// `lists` names the terms where there are too many to write out.
    static func steps(_ values: [Double], isMean: Bool, lists: String) -> [Derivation.Step] {
        var steps = Arithmetic()
        var sum = CompensatedSum(values.first ?? 0)
        let isFinite = values.allSatisfy { $0.magnitude != .infinity }
        for value in values.dropFirst() {
            sum.add(value)
            // `avg` goes on with a running mean where a sum would leave the range of doubles.
            if isMean && isFinite && sum.sum.magnitude == .infinity {
                return steps.steps
            }
        }
        let isShort = values.count <= maximumTerms
        steps.step(
            "sum", isShort ? values.map(digits).joined(separator: " + ") : "", sum.sum,
            isShort ? "" : "of \(values.count) values: \(lists)")
        // Where nothing was lost there is nothing to tell.
        if sum.compensation != 0 {
            steps.given("compensation", sum.compensation, "what rounding took away (Kahan, Neumaier)")
        }
        guard isMean else {
            let total = sum.compensation == 0 ? sum.sum : sum.sum + sum.compensation
            let formula = sum.compensation == 0 ? "" : "\(digits(sum.sum)) + \(digits(sum.compensation))"
            steps.step("result", formula, total)
            return steps.steps
        }
        let n = Double(values.count)
        let formula = "\(digits(sum.sum)) / \(values.count)"
        steps.step(
            "result", sum.compensation == 0 ? formula : formula + " + \(digits(sum.compensation)) / \(values.count)",
            sum.sum / n + sum.compensation / n, "divided by the number of values")
        return steps.steps
    }
}

/// `stddev` and `stdvar`: the mean of the squared distances from the mean.
///
/// The engine adds up in one pass (Welford); by hand it is two, and the last digits may differ.
enum DeviationArithmetic {
    static func steps(_ values: [Double], isRoot: Bool) -> [Derivation.Step] {
        var steps = Arithmetic()
        var sum = CompensatedSum(), squares = CompensatedSum()
        for value in values { sum.add(value) }
        let mean = steps.step(
            "mean", "\(digits(sum.total)) / \(values.count)", sum.total / Double(values.count),
            "of \(values.count) values")
        for value in values { squares.add((value - mean) * (value - mean)) }
        steps.given("squares", squares.total, "Σ (x - mean)²")
        let variance = squares.total / Double(values.count)
        let formula = "\(digits(squares.total)) / \(values.count)"
        if isRoot {
            steps.step("variance", formula, variance)
            steps.step("result", "\(digits(variance)) ^ 0.5", variance.squareRoot(), "the root")
        } else {
            steps.step("result", formula, variance)
        }
        return steps.steps
    }
}

/// `quantile` and `quantile_over_time`: between the two nearest ranks.
enum QuantileArithmetic {
    static func steps(_ values: [Double], _ phi: Double) -> [Derivation.Step] {
        let sorted = values.sorted(by: Quantile.precedes)
        if phi.isNaN { return [.init("result", "", .nan, note: "the quantile is not a number")] }
        if phi < 0 { return [.init("result", "", -.infinity, note: "a quantile below 0")] }
        if phi > 1 { return [.init("result", "", .infinity, note: "a quantile above 1")] }
        guard !sorted.isEmpty else { return [] }
        var steps = Arithmetic()
        let last = Double(sorted.count - 1)
        let rank = steps.step(
            "rank", "\(digits(phi)) * \(sorted.count - 1)", phi * last,
            "\(sorted.count) values have ranks from 0 to \(sorted.count - 1)")
        let lower = Int(max(0, rank.rounded(.down))), upper = Int(min(last, Double(lower + 1)))
        let weight = rank - rank.rounded(.down)
        steps.given("below", sorted[lower], "the value of rank \(lower)")
        steps.given("above", sorted[upper], "the value of rank \(upper)")
        steps.step("weight", "\(digits(rank)) - \(lower)", weight)
        steps.step(
            "result",
            "\(digits(sorted[lower])) * (1 - \(digits(weight))) + \(digits(sorted[upper])) * \(digits(weight))",
            sorted[lower] * (1 - weight) + sorted[upper] * weight)
        return steps.steps
    }
}
