import TSDB

/// Where alerts go: an Alertmanager behind HTTP, or the one in this process.
public protocol AlertSink: Sendable {
    /// Hands over a batch and returns once it was taken.
    func send(_ alerts: [Alert]) async throws(AlertSinkError)
}

/// A batch was not taken; the next reports of its alerts take its place, so nobody sends it again.
public struct AlertSinkError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
