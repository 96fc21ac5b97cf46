import HTTPTypes
import NIOCore

/// One request, with its body collected: what endpoints see.
public struct APIRequest: Sendable {
    public var method: HTTPRequest.Method
    /// Percent-decoded, without the route prefix.
    public var path: String
    public var query: String
    public var headers: HTTPFields
    public var body: ByteBuffer
    /// Called once when the client goes away before the answer; one action at a time.
    public var connection: Connection?
    /// Without the port, for logs.
    public var clientAddress = ""

    public init(
        _ method: HTTPRequest.Method, _ path: String, query: String = "", headers: HTTPFields = [:],
        body: ByteBuffer = ByteBuffer(), connection: Connection? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.connection = connection
    }

    /// Parameters of the URL, behind those of the form body where there is one.
    public var parameters: Parameters {
        var result = Parameters()
        let type = headers[.contentType] ?? ""
        let media = type.prefix { $0 != ";" }.lowercased()
        if method != .get && method != .head && media == "application/x-www-form-urlencoded" {
            result.append(urlEncoded: String(buffer: body))
        }
        result.append(urlEncoded: query)
        return result
    }
}
