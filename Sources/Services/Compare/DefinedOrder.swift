import PromQL

/// Which order of an instant vector PromQL defines, and which freedom it leaves.
///
///     sort(x)              by value; equal values in any order
///     topk(3, x)           by value, and which of equal values are chosen is free
///     topk by (a) (3, x)   by value within each group only: not looked at
///     x + y                none
struct DefinedOrder: Equatable {
    enum Sequence: Equatable { case free, byValue, total }

    var sequence = Sequence.free
    /// Somewhere in the query elements are chosen by value: of equal ones any may be in the answer.
    var chooses = false

    init(of query: String) {
        var options = ParserOptions()
        options.experimentalFunctions = true
        // What we cannot parse has no order that we know of.
        guard let expr = try? Parser.parse(query, options: options) else { return }
        chooses = Self.chooses(query)
        switch expr.unparenthesized {
        case .call(let call) where ["sort", "sort_desc"].contains(call.function.name): sequence = .byValue
        case .call(let call) where call.function.name.hasPrefix("sort_by_label"): sequence = .total
        case .aggregate(let aggregate) where [.topk, .bottomk].contains(aggregate.op):
            if aggregate.grouping.isEmpty && !aggregate.isWithout { sequence = .byValue }
        default: break
        }
    }

    /// By the words alone; one too many only forgives a tie.
    private static func chooses(_ query: String) -> Bool {
        let words = query.split { !($0.isLetter || $0 == "_") }
        return words.contains { ["topk", "bottomk", "limitk", "limit_ratio"].contains($0.lowercased()) }
    }
}
