import Numbers

/// What a verification's numbers must be: `< 0.2`, `== 1`, `>= 3`.
public struct Condition: Equatable, Sendable, CustomStringConvertible {
    public enum Comparison: String, Sendable, CaseIterable {
        case lessOrEqual = "<=", greaterOrEqual = ">=", equal = "==", different = "!=", less = "<", greater = ">"
    }

    public var comparison: Comparison
    public var bound: Double

    public init(_ comparison: Comparison, _ bound: Double) {
        self.comparison = comparison
        self.bound = bound
    }

    public init?(_ text: String) {
        guard let comparison = Comparison.allCases.first(where: { text.hasPrefix($0.rawValue) }),
            let bound = Double(text.dropFirst(comparison.rawValue.count).drop { $0 == " " }), bound.isFinite
        else { return nil }
        self.init(comparison, bound)
    }

    public func holds(_ value: Double) -> Bool {
        switch comparison {
        case .less: value < bound
        case .lessOrEqual: value <= bound
        case .greater: value > bound
        case .greaterOrEqual: value >= bound
        case .equal: value == bound
        case .different: value != bound
        }
    }

    /// Every element must do; NaN is the absence of a number.
    func verdict(_ values: [Double], emptyIsFine: Bool) -> (isMet: Bool, shown: Double?) {
        let numbers = values.filter { !$0.isNaN }
        guard let first = numbers.first else { return (emptyIsFine, nil) }
        if let wrong = numbers.first(where: { !holds($0) }) { return (false, wrong) }
        return (true, first)
    }

    public var description: String { "\(comparison.rawValue) \(NumberText.string(bound, style: .plain))" }
}
