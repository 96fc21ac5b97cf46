import HTTPServer
import HTTPTypes
import NIOCore

/// What Alertmanager's API answers instead of data, in one of the two forms that upstream has: a JSON string from its own
/// code, or an object from the code generated out of its specification.
///
///     400  "bad matcher format: x"
///     422  {"code":602,"message":"0.labels in body is required"}
enum V2Failure: Error, Equatable, Sendable {
    /// A sentence, with the status it comes with.
    case sentence(String, HTTPResponse.Status)
    /// A refusal by the specification: its number, and the status where that is not 422.
    case refused(code: Int, String, HTTPResponse.Status)
    /// A status that says it all.
    case status(HTTPResponse.Status)

    static func badRequest(_ text: String) -> V2Failure { .sentence(text, .badRequest) }

    /// The body is not the JSON that was expected.
    static func unreadable(_ what: String, _ why: String) -> V2Failure {
        .refused(code: 400, "parsing \(what) body from \"\" failed, because \(why)", .badRequest)
    }

    /// A member that must be there.
    static func required(_ member: String) -> V2Failure {
        .refused(code: 602, "\(member) in body is required", .unprocessableContent)
    }

    var reply: Reply {
        switch self {
        case .sentence(let text, let status):
            var json = JSONText()
            json.appendQuoted(text)
            return Self.reply(&json, status)
        case .refused(let code, let text, let status):
            var json = JSONText()
            json.append("{\"code\":")
            json.append(code)
            json.append("message", string: text)
            json.append("}")
            return Self.reply(&json, status)
        case .status(let status): return Reply(status, contentType: "", body: ByteBuffer())
        }
    }

    private static func reply(_ json: inout JSONText, _ status: HTTPResponse.Status) -> Reply {
        json.append("\n")
        return .json(json.take(), status)
    }
}
