import Synchronization

/// The wish that the process ends, from a signal or from `/-/quit`; asked any number of times, waited for once.
package final class StopRequest: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() { (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    package func ask() {
        continuation.yield()
        continuation.finish()
    }

    /// Returns when somebody has asked.
    package func wait() async {
        for await _ in stream { return }
    }
}
