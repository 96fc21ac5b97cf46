import TSDB

/// Counts label sets as they are gathered. Asks the query's budget for 64 KiB at a time, and looks at the clock then:
/// making labels is work like decoding samples.
struct LabelBudget {
    /// Of one label set, beside its bytes: the array's head and its place in a list.
    static let overhead = 64
    private static let portion = 64 << 10
    private let context: QueryContext
    private var pending = 0

    init(_ context: QueryContext) { self.context = context }

    mutating func add(_ labels: Labels) throws(QueryError) { try add(bytes: labels.packed.count &+ Self.overhead) }

    /// Counts what is kept beside them.
    mutating func add(bytes count: Int) throws(QueryError) {
        pending &+= count
        if pending > Self.portion { try settle() }
    }

    /// Counts what is left over.
    mutating func settle() throws(QueryError) {
        let bytes = pending
        pending = 0
        try context.reserve(bytes: bytes)
        try context.check()
    }
}

extension QueryContext {
    /// Counts the labels of groups that have just been made: at most as many bytes as the series they are made from,
    /// which were counted before.
    func reserve(labelsOf groups: Groups) throws(QueryError) {
        var budget = LabelBudget(self)
        for labels in groups.labels { try budget.add(labels) }
        try budget.settle()
        try reserve(bytes: groups.assignment.count * MemoryLayout<UInt32>.stride)
    }
}

/// Sorting that can be stopped.
enum CheckedSort {
    /// `numbers` in the order of `precedes`, stable where it is total. Looks whether to stop every few thousand
    /// comparisons.
    static func sorted(
        _ numbers: Range<Int>, _ context: QueryContext, by precedes: (Int, Int) -> Bool
    ) throws(QueryError) -> [Int] {
        try context.reserve(bytes: numbers.count * MemoryLayout<Int>.stride)
        var comparisons = 0
        do {
            return try numbers.sorted { a, b in
                comparisons &+= 1
                if comparisons & 4095 == 0 { try context.check() }
                return precedes(a, b)
            }
        } catch let error as QueryError {
            throw error
        } catch {
            throw QueryError(.evaluation, "\(error)")
        }
    }
}
