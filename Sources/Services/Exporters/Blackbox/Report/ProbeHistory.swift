import Synchronization

/// The last probes, and of those before them the last that failed: what `/` and `/logs` show.
///
///     preserved failures │ recent            a failure that leaves `recent` goes to the left, a success is forgotten
///
/// Invariant: no more than `limit` of each.
final class ProbeHistory: Sendable {
    struct Entry: Sendable {
        var id: Int
        var module: String
        var target: String
        var report: String
        var succeeded: Bool
    }

    private struct State {
        var nextID = 0
        var recent: [Entry] = []
        var failures: [Entry] = []
    }

    private let state = Mutex(State())
    let limit: Int

    init(limit: Int) { self.limit = limit }

    func add(module: String, target: String, report: String, succeeded: Bool) {
        state.withLock { state in
            state.recent.append(Entry(id: state.nextID, module: module, target: target, report: report, succeeded: succeeded))
            state.nextID += 1
            guard state.recent.count > limit else { return }
            let oldest = state.recent.removeFirst()
            guard !oldest.succeeded else { return }
            state.failures.append(oldest)
            if state.failures.count > limit { state.failures.removeFirst() }
        }
    }

    /// Oldest first.
    var entries: [Entry] { state.withLock { $0.failures + $0.recent } }

    subscript(id: Int) -> Entry? { entries.first { $0.id == id } }

    /// The oldest of a target; of any module where that is empty.
    func entry(target: String, module: String) -> Entry? {
        entries.first { $0.target == target && (module.isEmpty || $0.module == module) }
    }
}
