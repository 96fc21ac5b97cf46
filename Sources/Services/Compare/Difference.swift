/// One way in which two answers to the same query differ.
public struct Difference: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// One server answers, the other reports an error.
        case outcome
        case errorType = "error type"
        case errorText = "error text"
        case resultType = "result type"
        /// A label set that only one server has.
        case series
        case times
        case values
        /// The same elements, where PromQL defines their order.
        case order
        /// Only one server warns.
        case warnings
        case warningText = "warning text"
        case infos
        case infoText = "info text"
    }

    public var kind: Kind
    /// What exactly, for a reader.
    public var detail: String

    public init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

/// How far two values may be apart and still count as equal. NaN equals NaN.
public enum Tolerance: Sendable, Equatable, CustomStringConvertible {
    /// Bit by bit: 0 and −0 differ.
    case exact
    /// Representable doubles between them.
    case ulps(UInt64)
    /// Part of the larger one.
    case relative(Double)

    /// `0`, `4ulp` or `1e-9`; `nil` where it is none of them.
    public init?(_ text: String) {
        if text.hasSuffix("ulp"), let count = UInt64(text.dropLast(3)) {
            self = count == 0 ? .exact : .ulps(count)
        } else if let part = Double(text), part >= 0, part < 1 {
            self = part == 0 ? .exact : .relative(part)
        } else {
            return nil
        }
    }

    public func accepts(_ a: Double, _ b: Double) -> Bool {
        if a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) { return true }
        switch self {
        case .exact: return false
        case .ulps(let count): return Self.distance(a, b) <= count
        case .relative(let part):
            return a == b || (a.isFinite && b.isFinite && (a - b).magnitude <= part * max(a.magnitude, b.magnitude))
        }
    }

    /// Steps from one double to the next between `a` and `b`; the largest number where one is NaN.
    public static func distance(_ a: Double, _ b: Double) -> UInt64 {
        if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .max }
        let x = position(a), y = position(b)
        return x > y ? x &- y : y &- x
    }

    /// Doubles in their order, as integers.
    private static func position(_ value: Double) -> UInt64 {
        let bits = value.bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits &+ 1
    }

    public var description: String {
        switch self {
        case .exact: return "exact"
        case .ulps(let count): return "up to \(count) ULP"
        case .relative(let part): return "up to \(part) of the value"
        }
    }
}
