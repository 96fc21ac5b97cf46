import HTTPTypes
import NIOCore

/// The answer to one request, before it becomes bytes on a connection.
///
/// Endpoints make replies and know no server, so tests ask for them without a socket.
public struct Reply: Sendable {
    public var status: HTTPResponse.Status
    public var contentType: String
    public var headers: HTTPFields = [:]
    public var body: Body

    public enum Body: Sendable {
        case buffer(ByteBuffer)
        /// Pieces are asked for one at a time, outside the event loops, until there is none.
        case pieces(PieceSource)
    }

    public init(_ status: HTTPResponse.Status, contentType: String, body: ByteBuffer) {
        self.status = status
        self.contentType = contentType
        self.body = .buffer(body)
    }

    public init(_ status: HTTPResponse.Status, contentType: String, pieces: PieceSource) {
        self.status = status
        self.contentType = contentType
        self.body = .pieces(pieces)
    }

    /// Plain text, as `/-/healthy` and errors outside the API give it.
    public static func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> Reply {
        var buffer = ByteBuffer()
        buffer.writeString(text)
        return Reply(status, contentType: "text/plain; charset=utf-8", body: buffer)
    }

    public static func json(_ body: ByteBuffer, _ status: HTTPResponse.Status = .ok) -> Reply {
        Reply(status, contentType: "application/json", body: body)
    }

    /// Unknown paths: text, and never the web page, or clients that probe for features take it for an answer.
    public static var notFound: Reply { text("404 page not found\n", .notFound) }

    public static func redirect(to location: String) -> Reply {
        var reply = text("", .found)
        reply.headers[.location] = location
        return reply
    }
}

/// Gives the pieces of a body that is too large to be made at once.
public protocol PieceSource: AnyObject, Sendable {
    /// The next piece, or `nil` at the end. Computes; called on a thread of the pool, never twice at a time.
    func next() -> ByteBuffer?
}

/// Pieces that are there already.
package final class ReadyPieces: PieceSource, @unchecked Sendable {
    // Sendable: used by one thread at a time (`PieceSource.next`), and handed over by the pool's lock.
    private var pieces: ArraySlice<ByteBuffer>

    package init(_ pieces: [ByteBuffer]) { self.pieces = pieces[...] }

    package func next() -> ByteBuffer? { pieces.popFirst() }
}
