/// Why something about an incident could not be done, in one line.
public struct IncidentError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// The question makes no sense: a flag, an address.
        case usage
        /// Nobody there, or the connection broke.
        case connection
        case timeout
        /// The service said no.
        case refused
        /// The answer is not what was agreed on.
        case malformed
        /// The operating system said no.
        case system
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
