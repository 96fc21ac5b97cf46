import Numbers
import TSDB

/// The series of a vector, sorted into histograms by their labels: those with a number as `le` are buckets of classic ones, any other may
/// have native ones.
///
///     x{job="a", le="1"}  x{job="a", le="+Inf"}   ▶   classic {job="a"} of two buckets  ◄─┐
///     x{job="a"}                                  ▶   native                            ◄─┘ twins: the same labels without `le`
struct HistogramSeries: Sendable {
    enum Histogram: Sendable {
        /// Its buckets are `members[range]`. `twin`: the series that may have native histograms under the same labels.
        case classic(Labels, range: Range<Int>, twin: Int?)
        /// `twin`: the classic histogram (its index) of the same labels.
        case native(series: Int, twin: Int?)
    }

    private(set) var all: [Histogram] = []
    /// Series of all classic histograms behind each other, each histogram's by ascending bound.
    private(set) var members: [(series: Int, bound: Double)] = []
    private(set) var hasBothKinds = false

    init(_ input: any VectorOperator) {
        let byBound = input.groups(.by(["le"]))
        // `nil`: not a number.
        let bounds = byBound.labels.map { Numbers.NumberText.parse($0["le"] ?? "", allowing: .go) }
        if bounds.contains(where: { $0 != nil }) { addClassic(input, byBound, bounds) }
        guard bounds.contains(where: { $0 == nil }) else { return }
        let classicCount = all.count
        hasBothKinds = classicCount > 0
        var known: [Labels: Int] = [:]
        for (index, histogram) in all.enumerated() {
            if case .classic(let labels, _, _) = histogram { known[labels] = index }
        }
        for series in 0..<input.count where bounds[Int(byBound.assignment[series])] == nil {
            let twin = hasBothKinds ? known[input.labels(at: series)] : nil
            if let twin, case .classic(let labels, let range, _) = all[twin] {
                all[twin] = .classic(labels, range: range, twin: series)
            }
            all.append(.native(series: series, twin: twin))
        }
    }

    private mutating func addClassic(_ input: any VectorOperator, _ byBound: Groups, _ bounds: [Double?]) {
        let groups = input.groups(.without(["le"]))
        let byGroup = GroupMembers(groups.assignment, groupCount: groups.labels.count)
        members.reserveCapacity(input.count)
        for (group, labels) in groups.labels.enumerated() {
            var buckets: [(series: Int, bound: Double)] = []
            for series in byGroup[group] {
                if let bound = bounds[Int(byBound.assignment[series])] { buckets.append((series, bound)) }
            }
            if buckets.isEmpty { continue }
            buckets.sort {
                $0.bound == $1.bound ? $0.series < $1.series : Quantile.precedes($0.bound, $1.bound)
            }
            all.append(.classic(labels, range: members.count..<(members.count + buckets.count), twin: nil))
            members += buckets
        }
    }

    /// Labels of histogram `index`, with the name.
    func labels(_ index: Int, _ input: any VectorOperator) -> Labels {
        switch all[index] {
        case .classic(let labels, _, _): labels
        case .native(let series, _): input.labels(at: series)
        }
    }
}
