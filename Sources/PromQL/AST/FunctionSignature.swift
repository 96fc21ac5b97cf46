/// Name, argument types and result type of a PromQL function: what the parser checks. What it computes stands in
/// `Functions/`, under the same name.
public struct FunctionSignature: Sendable, Equatable {
    public let name: String
    public let arguments: [ValueType]
    /// 0: exactly `arguments`. n > 0: up to n further or fewer optional arguments at the end, as upstream counts them.
    /// −1: the last one may be repeated any number of times, or left out.
    public let variadic: Int
    public let returns: ValueType
    public let isExperimental: Bool

    public init(
        _ name: String, _ arguments: [ValueType], variadic: Int = 0, returns: ValueType = .vector,
        isExperimental: Bool = false
    ) {
        self.name = name
        self.arguments = arguments
        self.variadic = variadic
        self.returns = returns
        self.isExperimental = isExperimental
    }
}
