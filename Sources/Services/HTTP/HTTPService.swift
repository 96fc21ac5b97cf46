import NIOCore

/// What `WebServer` puts on a port: a function from request to reply, and the threads that long replies are made on.
public protocol HTTPService: Sendable {
    /// Answers; never throws: what goes wrong is an answer, too.
    func answer(_ request: APIRequest) async -> Reply
    /// Bytes that a body at `path` may have.
    func bodyLimit(_ path: String, _ limits: WebServer.Limits) -> Int
    /// What a larger body is answered with.
    func bodyTooLarge(_ path: String) -> Reply
    /// Packs short replies.
    var packing: ThreadPool { get }
    /// Makes and packs long replies while they are sent.
    var answers: ThreadPool { get }
}

extension HTTPService {
    public func bodyLimit(_ path: String, _ limits: WebServer.Limits) -> Int { limits.formBytes }

    public func bodyTooLarge(_ path: String) -> Reply { .text("request body too large\n", .contentTooLarge) }
}
