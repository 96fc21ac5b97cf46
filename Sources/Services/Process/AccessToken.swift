import Digest
import HTTPServer
import HTTPTypes

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The word that guarded endpoints ask for: `Authorization: Bearer …`.
///
///     ADMIN_TOKEN=…                        in the environment, or
///     ADMIN_TOKEN_FILE=/run/secrets/admin  in a file
///
/// Without one nobody gets in: a forgotten variable must not open a door.
package struct AccessToken: Sendable {
    private let name: String
    /// Of the token; `nil` where none is set. Digests have one length, so comparing them tells nothing of the token's.
    private let digest: [UInt8]?

    package init(_ name: String, _ token: String?) {
        self.name = name
        digest = token.flatMap { $0.isEmpty ? nil : SHA256.digest($0.utf8) }
    }

    /// From `NAME`, or from the file that `NAME_FILE` names.
    package init(variable name: String) { self.init(name, EnvironmentValue.secret(name)) }

    /// `nil` when the request carries the token, else the answer it gets.
    package func refusal(of request: APIRequest) -> Reply? {
        guard let digest else { return .text("forbidden: no \(name) is configured\n", .forbidden) }
        let words = (request.headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            var reply = Reply.text("unauthorized: send Authorization: Bearer with the \(name)\n", .unauthorized)
            reply.headers[.wwwAuthenticate] = "Bearer"
            return reply
        }
        let given = SHA256.digest(words[1].utf8)
        // Every byte is looked at, so that time tells nothing.
        let difference = zip(digest, given).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) }
        return difference == 0 ? nil : .text("forbidden: wrong \(name)\n", .forbidden)
    }
}

/// Variables of the process' environment.
package enum EnvironmentValue {
    /// `nil` where it is not set, or empty.
    package static func text(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// From `NAME`, or, without blanks around, from the file that `NAME_FILE` names.
    package static func secret(_ name: String) -> String? {
        if let value = text(name) { return value }
        guard let path = text(name + "_FILE") else { return nil }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var block = [UInt8](repeating: 0, count: 64 << 10)
        let count = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        let text = String(decoding: block[..<count], as: UTF8.self).drop { $0.isWhitespace }
        return text.lastIndex { !$0.isWhitespace }.map { String(text[...$0]) }
    }
}
