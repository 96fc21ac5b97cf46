import AsyncHTTPClient
import JSON
import NIOCore
import NIOPosix

/// Why there is no answer to use.
public struct ClientError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// The address is none.
        case address
        /// Nobody listens there, or the connection broke.
        case connection
        /// The answer took too long.
        case timeout
        /// The answer is larger than the limit.
        case tooLarge
        /// The answer is not what the API promises.
        case malformed
        /// The server answered with a status that means no.
        case refused
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: JSONError) { self.init(.malformed, "the answer is not what the API promises: \(error)") }

    /// What the HTTP client threw.
    init(_ error: any Error, base: String, limits: PrometheusClient.Limits) {
        if let error = error as? ClientError {
            self = error
        } else if error is NIOTooManyBytesError {
            self.init(.tooLarge, "\(base): the answer is larger than \(limits.answer) bytes")
        } else if let error = error as? HTTPClientError,
            [.deadlineExceeded, .readTimeout, .writeTimeout].contains(error)
        {
            self.init(.timeout, "\(base): no answer within \(limits.seconds) s")
        } else if let error = error as? HTTPClientError, error == .invalidURL {
            self.init(.address, "\(base): not an address")
        } else if let error = error as? NIOConnectionError {
            let reasons = error.connectionErrors.map { "\($0.error)" }
            self.init(.connection, "\(base): \(reasons.first ?? "no connection")")
        } else {
            self.init(.connection, "\(base): \(error)")
        }
    }

    public var description: String { message }
}
