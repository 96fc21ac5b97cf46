import NIOCore
import NIOHTTP1
import Scraper

/// One request on one connection, and the promise of its answer.
final class HTTPExchange: Sendable {
    struct Answer: Sendable {
        var status: Int
        var reason: String
        var headers: HTTPHeaders
        /// As sent: still compressed where the headers say so.
        var body: [UInt8]
        /// The connection may carry another request.
        var isReusable: Bool
    }

    enum Failure: Error, Equatable {
        /// The connection ended before the answer was complete; `hasBegun` says whether any of it had come.
        case closed(hasBegun: Bool)
        case bodyTooLarge
        case notHTTP
        case timeout
    }

    let head: HTTPRequestHead
    /// Bytes of the body as sent; 0: none.
    let limit: Int
    let promise: EventLoopPromise<Answer>

    init(_ head: HTTPRequestHead, limit: Int, promise: EventLoopPromise<Answer>) {
        self.head = head
        self.limit = limit
        self.promise = promise
    }
}

/// The client's end of a connection: takes an exchange, writes its request, gathers the answer.
///
/// Invariant: one exchange at a time; its promise is fulfilled exactly once.
final class HTTPExchangeHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPExchange
    typealias OutboundOut = HTTPClientRequestPart

    /// Without a limit of its own a body still has one.
    private static let hardLimit = 1 << 30

    private var exchange: HTTPExchange?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let next = unwrapOutboundIn(data)
        guard exchange == nil, context.channel.isActive else {
            next.promise.fail(HTTPExchange.Failure.closed(hasBegun: false))
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        exchange = next
        head = nil
        body = []
        context.write(wrapOutboundOut(.head(next.head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange else {
            // Bytes nobody asked for.
            context.close(promise: nil)
            return
        }
        let limit = exchange.limit > 0 ? exchange.limit : Self.hardLimit
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            if let declared = head.headers.first(name: "content-length").flatMap({ Int($0) }) {
                if declared > limit { return fail(.bodyTooLarge, context) }
                body.reserveCapacity(declared)
            }
        case .body(let piece):
            if body.count + piece.readableBytes > limit { return fail(.bodyTooLarge, context) }
            piece.withUnsafeReadableBytes { body.append(contentsOf: $0) }
        case .end:
            guard let head else { return fail(.notHTTP, context) }
            let answer = HTTPExchange.Answer(
                status: Int(head.status.code), reason: head.status.reasonPhrase, headers: head.headers, body: body,
                isReusable: head.isKeepAlive)
            body = []
            self.exchange = nil
            if !answer.isReusable { context.close(promise: nil) }
            exchange.promise.succeed(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed(hasBegun: head != nil), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser's word for a connection that ends inside an answer.
        let hasEnded = (error as? HTTPParserError) == .invalidEOFState
        fail(error is HTTPParserError && !hasEnded ? .notHTTP : .closed(hasBegun: head != nil), context)
    }

    private func fail(_ failure: HTTPExchange.Failure, _ context: ChannelHandlerContext) {
        let failed = exchange
        exchange = nil
        body = []
        context.close(promise: nil)
        failed?.promise.fail(failure)
    }
}
