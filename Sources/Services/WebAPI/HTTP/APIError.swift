import HTTPServer
import HTTPTypes
import NIOCore
import PromQL
import TSDB

/// What the API answers instead of data.
///
///     {"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": …"}
public struct APIError: Error, Equatable, Sendable {
    /// The word in `errorType`, and with it the HTTP status.
    public enum Kind: String, Sendable {
        case badData = "bad_data"
        case execution
        case timeout
        case canceled
        case notFound = "not_found"
        case notAcceptable = "not_acceptable"
        case unavailable
        case `internal`

        public var status: HTTPResponse.Status {
            switch self {
            case .badData: return .badRequest
            case .execution: return .unprocessableContent
            case .timeout, .canceled, .unavailable: return .serviceUnavailable
            case .notFound: return .notFound
            case .notAcceptable: return .notAcceptable
            case .internal: return .internalServerError
            }
        }
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public static func invalidParameter(_ name: String, _ message: String) -> APIError {
        APIError(.badData, "invalid parameter \"\(name)\": \(message)")
    }

    /// Storage failed while answering.
    public init(_ error: TSDBError) {
        self.init(error.code == .limit ? .execution : .internal, error.description)
    }

    public var reply: Reply { .json(body, kind.status) }

    var body: ByteBuffer {
        var json = JSONText()
        json.append("{\"status\":\"error\",\"errorType\":\"")
        json.append(kind.rawValue)
        json.append("\",\"error\":")
        json.appendQuoted(message)
        json.append("}")
        return json.take()
    }
}
