import HTTPServer
import HTTPTypes
import NIOCore
import Synchronization

/// A server of a test: what it hears is kept, what it answers the test says.
public final class ScriptedService: HTTPService {
    public typealias Answer = @Sendable (_ request: String, _ count: Int) async -> Reply

    private let heard = Mutex<[String]>([])
    private let script: Answer
    public let packing = ThreadPool("packing", threads: 1)
    public var answers: ThreadPool { packing }

    public init(_ script: @escaping Answer) { self.script = script }

    /// `METHOD path?query [token] body`, in order.
    public var transcript: [String] { heard.withLock { $0 } }

    public func answer(_ request: APIRequest) async -> Reply {
        var line = "\(request.method.rawValue) \(request.path)"
        if !request.query.isEmpty { line += "?" + request.query }
        let short = line
        if let token = request.headers[.authorization] { line += " [\(token)]" }
        if request.body.readableBytes > 0 { line += " " + String(buffer: request.body) }
        let full = line
        let count = heard.withLock { heard in
            heard.append(full)
            return heard.count
        }
        return await script(short, count)
    }
}

extension Reply {
    public static func object(_ text: String, _ status: HTTPResponse.Status = .ok) -> Reply { .json(ByteBuffer(string: text), status) }
}
