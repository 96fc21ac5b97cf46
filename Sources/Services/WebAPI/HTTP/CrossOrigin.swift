import HTTPServer
import HTTPTypes
import RegularExpression

/// Which pages of other origins may read answers of the API: a browser asks with `Origin`, and keeps the answer from
/// the page unless it says who may see it. Source: the Fetch standard, “CORS protocol”.
struct CrossOrigin: Sendable {
    /// `--web.cors.origin`, matched against the whole origin; `nil` for nobody.
    let allowed: Pattern?

    /// Adds to an answer of the API what the page's browser wants to know.
    func mark(_ reply: inout Reply, for request: APIRequest) {
        reply.headers.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin = request.headers[.origin] else { return }
        reply.headers[.accessControlAllowHeaders] = "Accept, Authorization, Content-Type, Origin"
        reply.headers[.accessControlAllowMethods] = "GET, POST, OPTIONS"
        reply.headers[.accessControlExposeHeaders] = "Date"
        if isAllowed(origin) { reply.headers[.accessControlAllowOrigin] = origin }
    }

    func isAllowed(_ origin: String) -> Bool { allowed?.matches(origin) ?? false }

    /// Whether the request comes from a page of another site that may not send it. What can be asked by GET changes
    /// nothing, so there a page that may read the answer may also POST.
    func refuses(_ request: APIRequest, changesNothing: Bool) -> Bool {
        guard request.method != .get && request.method != .head else { return false }
        guard HTTPField.Name("Sec-Fetch-Site").flatMap({ request.headers[$0] }) == "cross-site" else { return false }
        return !(changesNothing && request.headers[.origin].map(isAllowed) ?? false)
    }
}
