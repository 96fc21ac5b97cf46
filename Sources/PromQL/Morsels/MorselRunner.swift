/// Where a query finds other threads. The engine starts none: whoever has a pool hands it in.
///
///     query's thread   body ────────────────────────▶ done, waits for the helpers that have begun
///     a thread of           helper ─────────────▶
///     the pool, if free     helper ─────────▶
///
/// A promise of help, not of parallel work: with no free thread the body does everything itself, so nothing can wait for
/// something that never starts.
public protocol MorselRunner: Sendable {
    /// Threads that may work on one query at the same time, the query's own included.
    var width: Int { get }

    /// Values in a morsel. No answer depends on it.
    var morselCells: Int { get }

    /// Runs `body` on the calling thread while up to `width - 1` other threads run `helper`, each at most once. Returns when
    /// the body has and every helper that had begun by then has; a helper that has not begun by then is never run.
    func assist<Result>(
        _ helper: @escaping @Sendable () -> Void, while body: () throws(QueryError) -> Result
    ) throws(QueryError) -> Result
}

extension MorselRunner {
    /// 128 kB of columns, about a third of a millisecond of rates: a hundred times what handing it over costs.
    public var morselCells: Int { 16_384 }
}

/// No help: everything happens on the query's own thread.
public struct SerialRunner: MorselRunner {
    public init() {}

    public var width: Int { 1 }

    public func assist<Result>(
        _ helper: @escaping @Sendable () -> Void, while body: () throws(QueryError) -> Result
    ) throws(QueryError) -> Result {
        try body()
    }
}
