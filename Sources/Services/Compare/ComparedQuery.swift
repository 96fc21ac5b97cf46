/// A query to ask two servers, under the heading where the report counts it.
public struct ComparedQuery: Sendable, Hashable {
    public var category: String
    public var text: String

    public init(_ category: String, _ text: String) {
        self.category = category
        self.text = text
    }
}

extension [ComparedQuery] {
    /// Of equal texts the first stays.
    public var withoutRepetitions: [ComparedQuery] {
        var seen: Set<String> = []
        return filter { seen.insert($0.text).inserted }
    }
}
