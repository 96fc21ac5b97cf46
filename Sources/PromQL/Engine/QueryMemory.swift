import Synchronization

/// The bytes that all running queries hold together, answers that are still being sent included.
///
/// Each query has a bound of its own (`QueryContext.maxBytes`); this one keeps twenty of them from adding up. Contexts
/// count here what they reserve, and give it back at the latest when they go.
public final class QueryMemory: Sendable {
    public let limit: Int
    private let held = Atomic<Int>(0)

    public init(limit: Int) { self.limit = limit }

    /// `false`, and nothing counted, where the bound would be passed.
    func reserve(_ count: Int) -> Bool {
        let sum = held.wrappingAdd(count, ordering: .relaxed).newValue
        if sum > limit || sum < 0 {
            held.wrappingSubtract(count, ordering: .relaxed)
            return false
        }
        return true
    }

    func release(_ count: Int) { held.wrappingSubtract(count, ordering: .relaxed) }

    /// Bytes held now.
    public var bytesHeld: Int { held.load(ordering: .relaxed) }
}
