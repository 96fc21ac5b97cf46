/// Why a benchmark does not run, in one line for the person at the terminal.
public struct BenchError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
