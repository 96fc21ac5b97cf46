import Histograms
import Support

/// Two histograms that should be the same: equal layouts, nearly equal counts. Empty buckets do not matter, nor how spans are cut.
extension FloatHistogram {
    func isNearlyEqual(to other: FloatHistogram, within epsilon: Double, comparingHints: Bool) -> Bool {
        schema == other.schema && zeroThreshold == other.zeroThreshold && customBounds == other.customBounds
            && nearlyEqual(count, other.count, within: epsilon) && nearlyEqual(sum, other.sum, within: epsilon)
            && nearlyEqual(zeroCount, other.zeroCount, within: epsilon)
            && Self.agree(positivePlaces, other.positivePlaces, epsilon)
            && Self.agree(negativePlaces, other.negativePlaces, epsilon)
            && (!comparingHints || hint == other.hint)
    }

    private static func agree(_ a: [Int: Double], _ b: [Int: Double], _ epsilon: Double) -> Bool {
        Set(a.keys).union(b.keys).allSatisfy { nearlyEqual(a[$0] ?? 0, b[$0] ?? 0, within: epsilon) }
    }
}

extension Script.Item {
    /// What is wrong with a value given in the place of this one, or `nil`. Counter-reset hints count where the script states one.
    func complaint(about value: Double, _ histogram: FloatHistogram?, within epsilon: Double) -> String? {
        switch (self, histogram) {
        case (.gap, _): return "unexpected \(histogram?.testExpression ?? "\(value)")"
        case (.value(let wanted), nil):
            return nearlyEqual(wanted, value, within: epsilon) ? nil : "\(value) instead of \(wanted)"
        case (.value(let wanted), let histogram?): return "\(histogram.testExpression) instead of \(wanted)"
        case (.histogram(let wanted, _), nil): return "\(value) instead of \(wanted.testExpression)"
        case (.histogram(let wanted, let isHinted), let histogram?):
            let isEqual = wanted.isNearlyEqual(to: histogram, within: epsilon, comparingHints: isHinted)
            return isEqual ? nil : "\(histogram.testExpression) instead of \(wanted.testExpression)"
        }
    }
}
