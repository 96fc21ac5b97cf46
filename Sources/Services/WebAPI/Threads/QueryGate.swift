import Synchronization

/// The places for heavy queries, and the queue in front of them: first come, first served, and nobody waits for long.
///
///     enter ──▶ free place? ── yes ──▶ run ──▶ leave ──▶ next of the queue
///                   │ no
///                   ▼
///               queue, bounded ──▶ refused after `patience`, or at once when the client goes
///
/// Waiting holds no thread.
///
/// Invariant: while anyone waits, every place is taken.
final class QueryGate: Sendable {
    enum Refusal: Error, Equatable {
        /// As many wait already as may.
        case full
        /// Waited for `patience` in vain.
        case tooLong
        /// The client has gone.
        case abandoned
    }

    /// One who wants in; also for saying that they no longer do.
    struct Ticket: Hashable, Sendable { fileprivate let number: Int }

    private struct Waiter {
        var ticket: Ticket
        var continuation: CheckedContinuation<Result<Void, Refusal>, Never>
    }

    private struct State {
        var running = 0
        var waiting: [Waiter] = []
        /// Who left before they stood in the queue.
        var abandoned: Set<Ticket> = []
        var tickets = 0
    }

    /// Places.
    let limit: Int
    /// Who may wait.
    let queueLimit: Int
    let patience: Swift.Duration
    private let state = Mutex(State())

    init(limit: Int, queueLimit: Int, patience: Swift.Duration) {
        self.limit = max(1, limit)
        self.queueLimit = queueLimit
        self.patience = patience
    }

    func ticket() -> Ticket {
        state.withLock { state in
            state.tickets += 1
            return Ticket(number: state.tickets)
        }
    }

    /// Returns with a place, which `leave` gives back.
    func enter(_ ticket: Ticket) async throws(Refusal) {
        // Most find a place at once and need no timer.
        let isInside = state.withLock { state in
            guard state.running < limit, !state.abandoned.contains(ticket) else { return false }
            state.running += 1
            return true
        }
        if isInside { return }
        let timer = Task { [patience] in
            do { try await Task.sleep(for: patience) } catch { return }
            refuse(ticket, .tooLong)
        }
        defer { timer.cancel() }
        let result: Result<Void, Refusal> = await withCheckedContinuation { continuation in
            let decided: Result<Void, Refusal>? = state.withLock { state in
                if state.abandoned.remove(ticket) != nil { return .failure(.abandoned) }
                if state.running < limit {
                    state.running += 1
                    return .success(())
                }
                if state.waiting.count >= queueLimit { return .failure(.full) }
                state.waiting.append(Waiter(ticket: ticket, continuation: continuation))
                return nil
            }
            if let decided { continuation.resume(returning: decided) }
        }
        try result.get()
    }

    /// Gives a place back, to the first who waits.
    func leave() {
        let next = state.withLock { state -> Waiter? in
            if state.waiting.isEmpty {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.continuation.resume(returning: .success(()))
    }

    /// The client has gone: out of the queue, or not into it.
    func abandon(_ ticket: Ticket) {
        if !refuse(ticket, .abandoned) { state.withLock { _ = $0.abandoned.insert(ticket) } }
    }

    /// Forgets a ticket that will not come back.
    func discard(_ ticket: Ticket) { state.withLock { _ = $0.abandoned.remove(ticket) } }

    @discardableResult
    private func refuse(_ ticket: Ticket, _ reason: Refusal) -> Bool {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.waiting.remove(at: index)
        }
        waiter?.continuation.resume(returning: .failure(reason))
        return waiter != nil
    }

    var load: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.waiting.count) } }
}
