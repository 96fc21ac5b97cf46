import Numbers
import TSDB

/// `histogram_quantile` by hand: the buckets, the rank, the bucket it falls into, and how far.
///
///     le      0.1    0.5    1     +Inf         0.5 of 100 observations: rank 50
///     count    10     40    80     100         first bucket with at least 50: (0.5, 1], which has 40
///                     └─ 10 of 40 ─┘           0.5 + (1 - 0.5) * (10 / 40) = 0.625
extension PointExplainer {
    private struct Bucket {
        var row: Row
        var bound: Double
    }

    func explainHistogram(_ plan: FunctionPlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        let name = plan.call.function.name
        let vectorIndex = name == "histogram_quantile" ? 1 : name == "histogram_fraction" ? 2 : 0
        var scalars: [Double] = []
        for (index, argument) in plan.arguments.enumerated() where index != vectorIndex {
            if case .string = argument { continue }
            guard let scalar = try part.operand(index, argument).rows(self).first else { return result }
            scalars.append(scalar.value)
            if !argument.isNumber { result.inputs.append(try derive(part.operand(index, argument), scalar)) }
        }
        var labels = row.labels
        if name == "histogram_quantiles", case .string(let label) = plan.arguments[1] {
            let wanted = labels[label] ?? ""
            scalars = scalars.filter { OpenMetricsNumber.text($0) == wanted }
            labels = labels.dropping([label])
        }
        let operand = part.operand(vectorIndex, plan.arguments[vectorIndex])
        // Without names several histograms can look alike: the one that comes to the value is meant.
        var chosen: (buckets: [Bucket], steps: [Derivation.Step])?
        for buckets in histograms(try operand.rows(self), labels) {
            let steps: [Derivation.Step]
            if name == "histogram_fraction" {
                steps = fractionSteps(buckets, from: scalars[0], to: scalars[1])
            } else {
                steps = quantileSteps(buckets, scalars.first ?? .nan)
            }
            if chosen == nil || steps.last?.value?.isSame(as: row.value) == true { chosen = (buckets, steps) }
        }
        guard let chosen else { return result }
        result.steps = chosen.steps
        result.inputs += try bucketInputs(operand, chosen.buckets, scalars.first ?? .nan)
        result.omittedInputs = max(0, chosen.buckets.count - Derivation.maximumInputs)
        return result
    }

    /// The buckets of every histogram with these labels, each by ascending bound.
    private func histograms(_ rows: [Row], _ labels: Labels) -> [[Bucket]] {
        var order: [Labels] = []
        var found: [Labels: [Bucket]] = [:]
        for row in rows {
            let key = row.labels.dropping(["le"])
            guard key == labels || key.droppingName() == labels else { continue }
            guard let bound = NumberText.parse(row.labels["le"] ?? "", allowing: .go) else { continue }
            if found[key] == nil { order.append(key) }
            found[key, default: []].append(Bucket(row: row, bound: bound))
        }
        return order.map { key in
            (found[key] ?? []).enumerated().sorted { a, b in
                a.element.bound == b.element.bound
                    ? a.offset < b.offset : Quantile.precedes(a.element.bound, b.element.bound)
            }.map(\.element)
        }
    }

    /// Buckets as the definition wants them: one per bound, never falling.
    private func levelled(
        _ buckets: [Bucket], repairs: Bool, _ steps: inout Arithmetic
    ) -> ClassicHistogram {
        var histogram = ClassicHistogram()
        for bucket in buckets { histogram.append(.init(upperBound: bucket.bound, count: bucket.row.value)) }
        let before = histogram.buckets
        if repairs { _ = histogram.makeMonotonic() }
        for (old, new) in zip(before, histogram.buckets) {
            let isChanged = old.count != new.count && !(old.count.isNaN && new.count.isNaN)
            steps.given(
                "le \(NumberText.string(new.upperBound, style: .general))", new.count,
                isChanged
                    ? "it had \(digits(old.count)), but counts up to a bound cannot fall: the count before is taken"
                    : "")
        }
        return histogram
    }

    private func quantileSteps(_ buckets: [Bucket], _ phi: Double) -> [Derivation.Step] {
        var steps = Arithmetic()
        let isWithin = phi >= 0 && phi <= 1
        let histogram = levelled(buckets, repairs: isWithin && buckets.last?.bound == .infinity, &steps)
        let counts = histogram.buckets
        func end(_ value: Double, _ note: String) -> [Derivation.Step] {
            steps.given("result", value, note)
            return steps.steps
        }
        if phi.isNaN { return end(.nan, "the quantile is not a number") }
        if phi < 0 { return end(-.infinity, "a quantile below 0") }
        if phi > 1 { return end(.infinity, "a quantile above 1") }
        guard histogram.isComplete else { return end(.nan, "there is no bucket +Inf") }
        guard counts.count >= 2 else { return end(.nan, "there is only one bucket") }
        let last = counts.count - 1, total = counts[last].count
        if total == 0 { return end(.nan, "nothing was observed") }
        let rank = steps.step(
            "rank", "\(digits(phi)) * \(digits(total))", phi * total,
            "of the observations, which the +Inf bucket counts")
        // The first that reaches the rank; by halves, as the engine looks, since NaN has no order.
        var low = 0, high = last
        while low < high {
            let middle = (low + high) / 2
            if counts[middle].count >= rank { high = middle } else { low = middle + 1 }
        }
        if low == last { return end(counts[last - 1].upperBound, "the rank lies in +Inf: the highest finite bound") }
        let upper = counts[low].upperBound
        if low == 0 && upper <= 0 {
            return end(upper, "the rank lies in the lowest bucket, whose bound is not positive")
        }
        let lower = low == 0 ? 0 : counts[low - 1].upperBound
        let below = low == 0 ? 0 : counts[low - 1].count
        steps.note("bucket", "(\(digits(lower)), \(digits(upper))] is the first to reach the rank")
        let inside = low == 0 ? rank : rank - below
        if low > 0 { steps.step("rank in the bucket", "\(digits(rank)) - \(digits(below))", inside) }
        let count = low == 0 ? counts[low].count : counts[low].count - below
        if low > 0 { steps.step("count in the bucket", "\(digits(counts[low].count)) - \(digits(below))", count) }
        steps.step(
            "result",
            "\(digits(lower)) + (\(digits(upper)) - \(digits(lower))) * (\(digits(inside)) / \(digits(count)))",
            lower + (upper - lower) * (inside / count), "as if observations were spread evenly in the bucket")
        return steps.steps
    }

    private func fractionSteps(_ buckets: [Bucket], from lower: Double, to upper: Double) -> [Derivation.Step] {
        var steps = Arithmetic()
        let histogram = levelled(buckets, repairs: false, &steps)
        steps.given("from", lower)
        steps.given("to", upper)
        steps.given(
            "result", histogram.fraction(from: lower, to: upper),
            "the share of the observations between the two, spread evenly inside each bucket")
        return steps.steps
    }

    /// All buckets; the one the rank falls into and its neighbour below are derived in full.
    private func bucketInputs(_ part: Part, _ buckets: [Bucket], _ phi: Double) throws(QueryError) -> [Derivation] {
        let total = buckets.last?.row.value ?? 0
        let found = buckets.firstIndex { $0.row.value >= phi * total } ?? buckets.count - 1
        var result: [Derivation] = []
        for (index, bucket) in buckets.enumerated().prefix(Derivation.maximumInputs) {
            let isNear = index == found || index == found - 1
            result.append(isNear ? try derive(part, bucket.row) : mention(part, bucket.row))
        }
        return result
    }
}
