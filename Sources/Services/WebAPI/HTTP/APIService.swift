import HTTPServer

/// `WebAPI` on a port: its threads, and how large its bodies may be.
extension WebAPI: HTTPService {
    public var packing: ThreadPool { lanes.light }
    public var answers: ThreadPool { lanes.answers }

    public func bodyLimit(_ path: String, _ limits: WebServer.Limits) -> Int {
        path.hasSuffix("/write") ? limits.writeBodyBytes : limits.formBytes
    }

    public func bodyTooLarge(_ path: String) -> Reply {
        let text = "request body too large"
        let isAPI = path.hasPrefix("/api/v1/") && !path.hasSuffix("/write")
        return isAPI ? .json(APIError(.badData, text).body, .contentTooLarge) : .text(text + "\n", .contentTooLarge)
    }
}
