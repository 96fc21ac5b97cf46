import HTTPServer
import HTTPTypes

/// What a caller must know to be let at a guarded endpoint: `Authorization: Bearer TOKEN`.
struct BearerToken: Sendable {
    /// `nil`: nobody is let in.
    let token: String?

    /// What stands in the way of this request; `nil`: nothing.
    func refusal(of request: APIRequest) -> Reply? {
        guard let token, !token.isEmpty else {
            return .text("forbidden: no ADMIN_TOKEN is configured\n", .forbidden)
        }
        let given = request.headers[.authorization] ?? ""
        guard Self.equal(given, "Bearer " + token) else {
            var reply = Reply.text("unauthorized: a bearer token is needed\n", .unauthorized)
            reply.headers[.wwwAuthenticate] = "Bearer"
            return reply
        }
        return nil
    }

    /// Takes as long for any two texts of one length, so that time tells nothing about how much of a guess was right.
    static func equal(_ one: String, _ other: String) -> Bool {
        let (a, b) = (Array(one.utf8), Array(other.utf8))
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}
