/// Why histograms could not be worked with.
public enum HistogramError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One has exponential buckets, the other bounds of its own: there is no layout for both.
    case incompatibleSchemas
    /// Refused by `validate`, with Prometheus' words.
    case invalid(String)

    public var description: String {
        switch self {
        case .incompatibleSchemas:
            "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
        case .invalid(let reason): reason
        }
    }
}

/// What the reader of a query is to be told about an addition or subtraction.
public struct AdditionNotes: Equatable, Sendable {
    /// One side said “reset”, the other “no reset”: the result knows nothing.
    public var resetCollision = false
    /// Custom bounds differed: only those that both have are left.
    public var boundsReconciled = false

    public init(resetCollision: Bool = false, boundsReconciled: Bool = false) {
        self.resetCollision = resetCollision
        self.boundsReconciled = boundsReconciled
    }
}
