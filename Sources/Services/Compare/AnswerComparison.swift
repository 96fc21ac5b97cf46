import Numbers
import PrometheusClient
import TSDB

/// Compares the answers of two servers to one query: outcome, type, labels, times, values, order, notes.
///
/// Elements are matched by their labels. Everything that differs is said, once per kind, with the first or the largest
/// case as example.
public struct AnswerComparison: Sendable {
    public var tolerance: Tolerance

    public init(tolerance: Tolerance = .exact) { self.tolerance = tolerance }

    public func differences(_ query: String, reference: QueryAnswer, test: QueryAnswer) -> [Difference] {
        var found: [Difference] = []
        switch (reference.outcome, test.outcome) {
        case (.success(let a), .success(let b)): found += compare(a, b, DefinedOrder(of: query))
        case (.failure(let typeA, let textA), .failure(let typeB, let textB)):
            if typeA != typeB { found.append(Difference(.errorType, "\(typeA) and \(typeB)")) }
            if reference.status != test.status {
                found.append(Difference(.errorType, "HTTP status \(reference.status) and \(test.status)"))
            }
            if textA != textB { found.append(Difference(.errorText, "“\(textA)” and “\(textB)”")) }
        case (.success, .failure(_, let text)):
            found.append(Difference(.outcome, "only the tested server fails: “\(text)”"))
        case (.failure(_, let text), .success):
            found.append(Difference(.outcome, "only the reference fails: “\(text)”"))
        }
        found += notes(reference.warnings, test.warnings, presence: .warnings, text: .warningText)
        found += notes(reference.infos, test.infos, presence: .infos, text: .infoText)
        return found
    }

    /// Notes are sets: servers collect them in any order.
    private func notes(_ a: [String], _ b: [String], presence: Difference.Kind, text: Difference.Kind) -> [Difference] {
        let onlyA = Set(a).subtracting(b).sorted(), onlyB = Set(b).subtracting(a).sorted()
        if onlyA.isEmpty && onlyB.isEmpty { return [] }
        if b.isEmpty { return [Difference(presence, "only the reference says “\(onlyA.first ?? "")”")] }
        if a.isEmpty { return [Difference(presence, "only the tested server says “\(onlyB.first ?? "")”")] }
        return [Difference(text, "“\(onlyA.first ?? "–")” and “\(onlyB.first ?? "–")”")]
    }

    // MARK: Data

    private func compare(_ a: QueryData, _ b: QueryData, _ order: DefinedOrder) -> [Difference] {
        switch (a, b) {
        case (.scalar(let timeA, let valueA), .scalar(let timeB, let valueB)):
            return times([timeA], [timeB]) + values([(Labels(), valueA, valueB)])
        case (.string(let timeA, let textA), .string(let timeB, let textB)):
            return times([timeA], [timeB]) + (textA == textB ? [] : [Difference(.values, "“\(textA)” and “\(textB)”")])
        case (.vector(let a), .vector(let b)): return compare(a, b, order)
        case (.matrix(let a), .matrix(let b)): return compare(a, b, order)
        default: return [Difference(.resultType, "\(a.typeName) and \(b.typeName)")]
        }
    }

    private func compare(_ a: [QueryElement], _ b: [QueryElement], _ order: DefinedOrder) -> [Difference] {
        let (pairs, difference) = match(a.map(\.labels), b.map(\.labels))
        if let difference {
            let isTie = order.chooses && a.count == b.count && zipAccepts(a.compactMap(\.float), b.compactMap(\.float))
            return isTie ? [] : [difference]
        }
        var found = times(pairs.map { a[$0.0].time }, pairs.map { b[$0.1].time })
        var points: [(Labels, Double, Double)] = []
        for (i, j) in pairs {
            if let x = a[i].float, let y = b[j].float { points.append((a[i].labels, x, y)) }
        }
        found += values(points)
        found += histograms(pairs.map { i, j in (a[i].labels, a[i].timedHistogram, b[j].timedHistogram) })
        if found.isEmpty, !isInOrder(a, b, order.sequence) {
            let at = zip(a, b).firstIndexOf { $0.labels != $1.labels } ?? 0
            found.append(Difference(.order, "element \(at + 1) is \(a[at].labels) and \(b[at].labels)"))
        }
        return found
    }

    private func isInOrder(_ a: [QueryElement], _ b: [QueryElement], _ sequence: DefinedOrder.Sequence) -> Bool {
        switch sequence {
        case .free: return true
        case .total: return zip(a, b).allSatisfy { $0.labels == $1.labels }
        // The same values at the same places: then only equal ones can have changed places.
        case .byValue:
            return zip(a, b).allSatisfy { x, y in tolerance.accepts(x.float ?? .nan, y.float ?? .nan) }
        }
    }

    private func compare(_ a: [QuerySeries], _ b: [QuerySeries], _ order: DefinedOrder) -> [Difference] {
        let (pairs, difference) = match(a.map(\.labels), b.map(\.labels))
        if order.chooses, difference != nil || pairs.contains(where: { a[$0.0].times != b[$0.1].times }) {
            if let difference, !haveSameValuesAtEachTime(a, b) { return [difference] }
            if difference == nil, !haveSameValuesAtEachTime(a, b) {
                return [Difference(.values, "other values are chosen")]
            }
            return []
        }
        if let difference { return [difference] }
        var found: [Difference] = []
        if let (i, j) = pairs.first(where: { a[$0.0].times != b[$0.1].times }) {
            found.append(Difference(.times, "\(a[i].labels) " + Self.describe(a[i].times, b[j].times)))
        }
        var points: [(Labels, Double, Double)] = []
        for (i, j) in pairs where a[i].times == b[j].times {
            for (x, y) in zip(a[i].values, b[j].values) where !tolerance.accepts(x, y) {
                points.append((a[i].labels, x, y))
            }
        }
        found += values(points)
        found += histograms(pairs.map { i, j in (a[i].labels, a[i].histograms, b[j].histograms) })
        if found.isEmpty, let at = zip(a, b).firstIndexOf({ $0.labels != $1.labels }) {
            found.append(Difference(.order, "series \(at + 1) is \(a[at].labels) and \(b[at].labels)"))
        }
        return found
    }

    /// At every time the same values, whosever they are.
    private func haveSameValuesAtEachTime(_ a: [QuerySeries], _ b: [QuerySeries]) -> Bool {
        func columns(_ all: [QuerySeries]) -> [Timestamp: [Double]] {
            var columns: [Timestamp: [Double]] = [:]
            for series in all {
                for (time, value) in zip(series.times, series.values) { columns[time, default: []].append(value) }
            }
            return columns
        }
        let a = columns(a), b = columns(b)
        return a.count == b.count && a.allSatisfy { time, values in b[time].map { zipAccepts(values, $0) } ?? false }
    }

    /// Equal as multisets.
    private func zipAccepts(_ a: [Double], _ b: [Double]) -> Bool {
        func sorted(_ values: [Double]) -> [Double] { values.sorted { $0.isNaN ? !$1.isNaN : $0 < $1 } }
        return a.count == b.count && zip(sorted(a), sorted(b)).allSatisfy { tolerance.accepts($0.0, $0.1) }
    }

    // MARK: Parts

    /// Pairs of indices with equal labels; a difference where a label set has no partner.
    private func match(_ a: [Labels], _ b: [Labels]) -> (pairs: [(Int, Int)], Difference?) {
        var places: [Labels: Int] = [:]
        for (index, labels) in b.enumerated() { places[labels] = index }
        var pairs: [(Int, Int)] = []
        var missing: [Labels] = []
        for (index, labels) in a.enumerated() {
            if let place = places.removeValue(forKey: labels) {
                pairs.append((index, place))
            } else {
                missing.append(labels)
            }
        }
        if missing.isEmpty && places.isEmpty && a.count == b.count { return (pairs, nil) }
        var parts: [String] = []
        if let first = missing.first { parts.append("\(missing.count) only in the reference, as \(first)") }
        if let first = places.keys.min() { parts.append("\(places.count) only in the tested server, as \(first)") }
        if parts.isEmpty { parts.append("\(a.count) and \(b.count), some label sets twice") }
        return (pairs, Difference(.series, parts.joined(separator: "; ")))
    }

    private func times(_ a: [Timestamp], _ b: [Timestamp]) -> [Difference] {
        a == b ? [] : [Difference(.times, Self.describe(a, b))]
    }

    private static func describe(_ a: [Timestamp], _ b: [Timestamp]) -> String {
        let onlyA = Set(a).subtracting(b), onlyB = Set(b).subtracting(a)
        var parts = ["has \(a.count) and \(b.count) points"]
        if let first = onlyA.min() { parts.append("\(onlyA.count) only in the reference, from \(first.seconds)") }
        if let first = onlyB.min() { parts.append("\(onlyB.count) only in the tested server, from \(first.seconds)") }
        return parts.joined(separator: "; ")
    }

    private func values(_ points: [(Labels, Double, Double)]) -> [Difference] {
        let wrong = points.filter { !tolerance.accepts($0.1, $0.2) }
        guard let worst = wrong.max(by: { Tolerance.distance($0.1, $0.2) < Tolerance.distance($1.1, $1.2) }) else {
            return []
        }
        let distance = Tolerance.distance(worst.1, worst.2)
        let apart = distance < 1_000_000 ? "\(distance) ULP apart" : "far apart"
        return [
            Difference(
                .values,
                "\(wrong.count) \(wrong.count == 1 ? "point" : "points"), most of all \(worst.0): "
                    + "\(ValueText.string(worst.1)) and \(ValueText.string(worst.2)), \(apart)")
        ]
    }
}

extension QueryElement {
    var float: Double? {
        if case .float(let value) = value { value } else { nil }
    }

    var histogram: QueryHistogram? {
        if case .histogram(let histogram) = value { histogram } else { nil }
    }

    fileprivate var timedHistogram: [(time: Timestamp, histogram: QueryHistogram)] { histogram.map { [(time, $0)] } ?? [] }
}

extension QueryData {
    var typeName: String {
        switch self {
        case .scalar: return "scalar"
        case .string: return "string"
        case .vector: return "vector"
        case .matrix: return "matrix"
        }
    }
}

/// Values as the API writes them.
enum ValueText {
    static func string(_ value: Double) -> String { NumberText.string(value, style: .plain) }
}

extension Sequence {
    fileprivate func firstIndexOf(_ condition: (Element) -> Bool) -> Int? {
        for (index, element) in self.enumerated() where condition(element) { return index }
        return nil
    }
}
