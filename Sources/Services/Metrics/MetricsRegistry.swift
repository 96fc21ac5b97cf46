import Synchronization

/// What stands on a `/metrics` page: a list of writers, called in order for every scrape.
///
/// The core keeps plain numbers and knows no metrics; whoever wires the process adds a writer that reads those numbers. So a
/// metric's name, its help text and the place it is read from stand in one line of code.
public final class MetricsRegistry: Sendable {
    public typealias Writer = @Sendable (inout MetricsPage) -> Void

    private let writers = Mutex<[Writer]>([])

    public init() {}

    public func add(_ writer: @escaping Writer) { writers.withLock { $0.append(writer) } }

    /// The whole page.
    public func page(_ format: PageFormat = .text) -> [UInt8] {
        let current = writers.withLock { $0 }
        var page = MetricsPage(format)
        for writer in current { writer(&page) }
        return page.finish()
    }
}
