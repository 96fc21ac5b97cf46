import Histograms
import Numbers
import PromQL
import TSDB

/// Aggregations: elements with equal values of the grouping labels become one.
///
///     sum by (job) (x)       groups by the labels named
///     sum without (pod) (x)  groups by all labels but those named and the metric name
///     topk by (job) (3, x)   chooses elements of each group and leaves them as they are
///
/// Source: Prometheus documentation, “Operators”, “Aggregation operators”.
extension ReferenceEvaluator {
    private struct Group {
        var labels: Labels
        /// In the order of the vector; not empty.
        var members: [Element]

        var floats: [Double] { members.filter { $0.histogram == nil }.map(\.value) }
        var histograms: [FloatHistogram] { members.compactMap(\.histogram) }
    }

    func aggregate(_ node: AggregateExpr, at t: Int64) throws -> [Element] {
        if node.op == .countValues { return try countValues(node, at: t) }
        let parameter = try node.parameter.map { try scalar($0, at: t) }
        let elements = try vector(node.operand, at: t)

        if let parameter, [.topk, .bottomk, .limitk].contains(node.op) {
            guard let count = try elementCount(parameter) else { return [] }
            return groups(elements, node).flatMap { choose(node.op, count, of: $0.members) }
        }
        if let parameter, node.op == .limitRatio { return try share(parameter, of: elements) }
        return groups(elements, node).compactMap { group in
            guard let amount = aggregated(node.op, group, parameter) else { return nil }
            return Element(
                labels: group.labels, value: amount.value, histogram: amount.histogram,
                dropsName: group.members.contains(where: \.dropsName))
        }
    }

    /// Groups in order of first appearance.
    private func groups(_ elements: [Element], _ node: AggregateExpr, also label: String? = nil) -> [Group] {
        let names = node.grouping + (node.isWithout ? [MetricName.label] : label.map { [$0] } ?? [])
        let grouping: Grouping = node.isWithout ? .without(names) : .by(names)
        var result: [Group] = []
        var numbers: [Labels: Int] = [:]
        for element in elements {
            let key = grouping.project(element.labels)
            if let number = numbers[key] {
                result[number].members.append(element)
            } else {
                numbers[key] = result.count
                result.append(Group(labels: key, members: [element]))
            }
        }
        return result
    }

    /// Sums and means are of floats or of histograms, not of both; order and spread are of floats.
    private func aggregated(_ op: AggregateOperator, _ group: Group, _ parameter: Double?) -> Amount? {
        let histograms = group.histograms, floats = group.floats
        switch op {
        case .count, .group: return Amount(aggregated(op, group.members.map(\.value), parameter))
        case .sum where !histograms.isEmpty: return floats.isEmpty ? compacted(referenceSum(histograms)) : nil
        case .avg where !histograms.isEmpty: return floats.isEmpty ? compacted(referenceMean(histograms)) : nil
        default: return floats.isEmpty ? nil : Amount(aggregated(op, floats, parameter))
        }
    }

    private func compacted(_ histogram: FloatHistogram?) -> Amount? {
        guard var histogram else { return nil }
        histogram.compact()
        return Amount(histogram)
    }

    private func aggregated(_ op: AggregateOperator, _ values: [Double], _ parameter: Double?) -> Double {
        switch op {
        case .sum:
            var sum = ReferenceSum(sum: values[0], lost: 0)
            for value in values.dropFirst() { sum.add(value) }
            return sum.sum + sum.lost
        case .avg:
            var mean = ReferenceMean(first: values[0])
            for value in values.dropFirst() { mean.add(value) }
            return mean.mean
        case .count: return Double(values.count)
        case .group: return 1
        // NaN only where there is nothing else.
        case .min: return values.reduce(values[0]) { $0 > $1 || $0.isNaN ? $1 : $0 }
        case .max: return values.reduce(values[0]) { $0 < $1 || $0.isNaN ? $1 : $0 }
        case .stdvar: return variance(values)
        case .stddev: return variance(values).squareRoot()
        case .quantile: return referenceQuantile(parameter ?? .nan, of: values)
        case .topk, .bottomk, .limitk, .limitRatio, .countValues: return .nan
        }
    }

    /// Population variance after Welford, uncompensated; a group that starts with NaN or infinity has none.
    private func variance(_ values: [Double]) -> Double {
        var mean = values[0], squares = values[0].isFinite ? 0 : Double.nan, count = 1.0
        for value in values.dropFirst() {
            count += 1
            let before = value - mean
            mean += before / count
            squares += before * (value - mean)
        }
        return squares / count
    }

    // MARK: - Choosing elements

    /// The elements whose hash falls below the ratio; of a negative one, those that the ratio plus one leaves.
    private func share(_ ratio: Double, of elements: [Element]) throws -> [Element] {
        if ratio.isNaN { throw QueryError(.evaluation, "Ratio value is NaN") }
        return elements.filter { element in
            let place = Double(element.labels.upstreamHash) / 18_446_744_073_709_551_615
            return ratio < 0 ? place >= 1 + larger(-1, ratio) : place < smaller(1, ratio)
        }
    }

    /// The `k` of `topk`, or `nil` where it chooses nothing.
    private func elementCount(_ k: Double) throws -> Int? {
        if k < 1 { return nil }
        if k.isNaN { throw QueryError(.evaluation, "Parameter value is NaN") }
        guard let count = Int(exactly: k.rounded(.towardZero)) else {
            throw QueryError(
                .evaluation, "Scalar value \(NumberText.string(k, style: .general)) overflows int64")
        }
        return count
    }

    /// The `count` largest, smallest, or first elements; NaN loses against every number. The best come first.
    private func choose(_ op: AggregateOperator, _ count: Int, of members: [Element]) -> [Element] {
        if op == .limitk { return Array(members.prefix(count)) }
        var chosen = ChosenElements(limit: count) { op == .topk ? $0 < $1 : $0 > $1 }
        for member in members where member.histogram == nil { chosen.offer(member) }
        let elements = chosen.elements
        return elements.filter { !$0.value.isNaN }.sorted { op == .topk ? $0.value > $1.value : $0.value < $1.value }
            + elements.filter(\.value.isNaN)
    }

    /// `count_values("v", x)`: how many elements have each value; the value becomes the label `v`.
    private func countValues(_ node: AggregateExpr, at t: Int64) throws -> [Element] {
        if case .string(let literal)? = node.parameter?.unparenthesized, let bytes = literal.bytes {
            throw QueryError(.evaluation, "invalid label name \(QuotedText.go(bytes))", range: node.range)
        }
        let label = try node.parameter.map { try string($0) } ?? ""
        guard label.isLabelName else {
            throw QueryError(.evaluation, "invalid label name \(QuotedText.go(label))", range: node.range)
        }
        let labelled = try vector(node.operand, at: t).map { element in
            var labels = LabelsBuilder(element.labels)
            labels.set(
                label, to: element.histogram.map { "\($0)" } ?? NumberText.string(element.value, style: .fixed))
            return Element(labels: labels.labels(), value: element.value)
        }
        return groups(labelled, node, also: label).map {
            Element(labels: $0.labels, value: Double($0.members.count))
        }
    }
}

/// The best elements of those offered, in a binary heap with the worst of them on top.
///
/// A sorted list would do, but for elements of equal value: which of them stay is decided by their places in the heap, and
/// upstream has one.
/// Invariant: no element is worse than its parent, `elements[(i − 1) / 2]`.
private struct ChosenElements {
    private(set) var elements: [ReferenceEvaluator.Element] = []
    private let limit: Int
    private let gives: (_ way: Double, _ to: Double) -> Bool

    init(limit: Int, gives: @escaping (Double, Double) -> Bool) {
        self.limit = limit
        self.gives = gives
    }

    mutating func offer(_ element: ReferenceEvaluator.Element) {
        if elements.count < limit {
            elements.append(element)
            rise(from: elements.count - 1)
        } else if gives(elements[0].value, element.value) || elements[0].value.isNaN && !element.value.isNaN {
            elements[0] = element
            sink(from: 0)
        }
    }

    /// NaN is worse than everything, itself included.
    private func isWorse(_ a: Int, _ b: Int) -> Bool {
        elements[a].value.isNaN || gives(elements[a].value, elements[b].value)
    }

    private mutating func rise(from start: Int) {
        var child = start
        while child > 0, isWorse(child, (child - 1) / 2) {
            elements.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func sink(from start: Int) {
        var parent = start
        while 2 * parent + 1 < elements.count {
            var child = 2 * parent + 1
            if child + 1 < elements.count, isWorse(child + 1, child) { child += 1 }
            guard isWorse(child, parent) else { return }
            elements.swapAt(child, parent)
            parent = child
        }
    }
}
