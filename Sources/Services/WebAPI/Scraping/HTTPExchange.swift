import NIOCore

/// One request on its way, and who waits for the answer.
///
/// Everything here happens on the transport's event loop, which makes `@unchecked Sendable` true.
final class HTTPExchange: @unchecked Sendable {
    typealias Outcome = Result<HTTPResponseReader.Answer, Failure>

    enum Failure: Error {
        /// The connection ended before the answer was complete; `hasBegun` says whether any of it had come.
        case closed(hasBegun: Bool)
        case unreadable(HTTPResponseReader.Failure)
        case connecting(any Error)
        case timeout
        case cancelled
    }

    let address: HTTPAddress
    let request: ByteBuffer
    /// Bytes of the body as sent; 0: none.
    let limit: Int
    let deadline: NIODeadline
    /// The connection it is on, once it is on one.
    var connection: HTTPConnection?
    private(set) var isFinished = false
    private var waiting: UnsafeContinuation<Outcome, Never>?

    init(to address: HTTPAddress, _ request: ByteBuffer, limit: Int, deadline: NIODeadline) {
        self.address = address
        self.request = request
        self.limit = limit
        self.deadline = deadline
    }

    /// Resumes `continuation` with the outcome: at once where there is one.
    func await(_ continuation: UnsafeContinuation<Outcome, Never>) {
        if isFinished { continuation.resume(returning: .failure(.cancelled)) } else { waiting = continuation }
    }

    /// The first outcome counts; later ones are late.
    func finish(_ outcome: Outcome) {
        isFinished = true
        connection = nil
        waiting?.resume(returning: outcome)
        waiting = nil
    }

    /// Nobody waits any more: ends the connection, for its answer would be taken for the next one's.
    func abandon(_ failure: Failure) {
        let connection = connection
        finish(.failure(failure))
        connection?.drop()
    }
}

/// The client's end of a connection: sends an exchange's request, reads its answer.
///
/// Everything here happens on the channel's event loop, which makes `@unchecked Sendable` true.
///
/// Invariant: one exchange at a time. It is over before the next begins.
final class HTTPConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let address: HTTPAddress
    /// Called once per exchange, when the connection is rid of it.
    private let whenDone: (HTTPConnection, HTTPExchange, HTTPExchange.Outcome) -> Void
    private let whenClosed: (HTTPConnection) -> Void
    private var context: ChannelHandlerContext?
    private var exchange: HTTPExchange?
    private var reader = HTTPResponseReader(limit: 1)
    /// When it was last given back.
    var idleSince = NIODeadline.uptimeNanoseconds(0)
    /// Whether an exchange has gone well on it before.
    private(set) var isProven = false

    init(
        _ address: HTTPAddress, whenDone: @escaping (HTTPConnection, HTTPExchange, HTTPExchange.Outcome) -> Void,
        whenClosed: @escaping (HTTPConnection) -> Void
    ) {
        self.address = address
        self.whenDone = whenDone
        self.whenClosed = whenClosed
    }

    var isOpen: Bool { context != nil }

    func send(_ next: HTTPExchange) {
        guard let context, exchange == nil else {
            return whenDone(self, next, .failure(.closed(hasBegun: false)))
        }
        exchange = next
        next.connection = self
        reader = HTTPResponseReader(limit: next.limit)
        context.writeAndFlush(wrapOutboundOut(next.request), promise: nil)
    }

    /// Closes, and forgets the exchange: it has its outcome.
    func drop() {
        exchange = nil
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Bytes nobody asked for.
        guard exchange != nil else { return context.close(promise: nil) }
        let isComplete: Result<Bool, HTTPResponseReader.Failure> = unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
            Result { () throws(HTTPResponseReader.Failure) in try reader.read(bytes) }
        }
        switch isComplete {
        case .success(true): succeed()
        case .success(false): break
        case .failure(let failure): end(.failure(.unreadable(failure)))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        if exchange != nil, reader.end() { succeed() } else { end(.failure(.closed(hasBegun: reader.hasBegun))) }
        whenClosed(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.failure(.closed(hasBegun: reader.hasBegun)))
    }

    private func succeed() {
        guard let done = exchange else { return }
        let answer = reader.answer
        // The body goes to the scrape alone.
        reader = HTTPResponseReader(limit: 1)
        exchange = nil
        isProven = true
        if !answer.isReusable { context?.close(promise: nil) }
        whenDone(self, done, .success(answer))
    }

    private func end(_ outcome: HTTPExchange.Outcome) {
        let done = exchange
        drop()
        if let done { whenDone(self, done, outcome) }
    }
}
