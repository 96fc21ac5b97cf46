import NIOCore

/// One end of a relayed connection; two of them, tied together on one event loop, are the connection.
///
///     client ─▶ RelayEnd ─ held: (due, bytes) … ─▶ its peer ─▶ server
///               reads only while the peer takes, little is held and no fault stops it
///
/// **Back-pressure.** Nothing is read that has no place to go: sockets read when asked (`autoRead` is off), and we ask when the peer's buffer
/// is below its mark and less than `maximumHeld` waits here. A slow reader so slows down its writer by TCP's own window.
///
/// **Half-close.** An end of input travels behind the bytes before it and closes only the peer's output; the other direction goes on.
///
/// Invariants: used on its event loop only; bytes leave in the order they came; with no fault, `held` is empty after each read.
final class RelayEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes that wait for their time, per direction. One read more may come on top.
    static let maximumHeld = 256 << 10

    /// What the fault means for bytes that pass here.
    enum Passage: Equatable {
        case free
        case delayed(TimeAmount)
        case stopped
    }

    private let count: @Sendable (Int) -> Void
    private var context: ChannelHandlerContext?
    private var passage: Passage
    /// The other end; `nil` until it is connected, and after the end.
    private var peer: RelayEnd?
    private var held = CircularBuffer<(due: NIODeadline, bytes: ByteBuffer)>()
    private var heldBytes = 0
    /// A read was asked for and has not come yet.
    private var isReading = false
    private var inputEnded = false
    private var outputEnded = false
    /// Writes that are not in the socket yet.
    private var unwritten = 0
    private var isClosed = false
    /// This side is gone, and what it said is still on its delayed way: the peer is closed behind it, not before.
    private(set) var isDraining = false
    private var timer: Scheduled<Void>?

    /// `count` is told the bytes that came in here and were passed on. (Behind an end of input the channel reads what there is without being asked.)
    init(_ passage: Passage, count: @escaping @Sendable (Int) -> Void) {
        self.passage = passage
        self.count = count
    }

    /// Both are on one event loop.
    static func tie(_ one: RelayEnd, _ other: RelayEnd) {
        one.peer = other
        other.peer = one
        one.pump()
        other.pump()
    }

    func change(to passage: Passage) {
        self.passage = passage
        // What is held for a delay that is over goes now.
        if passage == .free { for index in held.indices { held[index].due = .uptimeNanoseconds(0) } }
        pump()
    }

    /// Ends the connection from outside.
    func close() { context?.close(promise: nil) }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelActive(context: ChannelHandlerContext) {
        pump()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        heldBytes += bytes.readableBytes
        let due: NIODeadline = if case .delayed(let span) = passage { context.eventLoop.now + span } else { .uptimeNanoseconds(0) }
        held.append((due, bytes))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        pump()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { peer?.pump() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputEnded = true
            pump()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: Passing on

    /// Does all that can be done now: passes on what is due, ends the peer's output, asks for more.
    private func pump() {
        guard let context, !isClosed else { return }
        if let peer, passage != .stopped {
            var wrote = false
            let now = context.eventLoop.now
            while let first = held.first, first.due <= now, peer.isTaking {
                held.removeFirst()
                heldBytes -= first.bytes.readableBytes
                count(first.bytes.readableBytes)
                peer.take(first.bytes)
                wrote = true
            }
            if wrote { peer.context?.flush() }
            if let first = held.first, first.due > now { wake(at: first.due, on: context.eventLoop) }
            if held.isEmpty, inputEnded { peer.endOutput() }
        }
        if !isReading, !inputEnded, passage != .stopped, peer?.isTaking == true, heldBytes < Self.maximumHeld {
            isReading = true
            context.read()
        }
    }

    private func wake(at due: NIODeadline, on loop: any EventLoop) {
        timer?.cancel()
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(deadline: due) { bound.value.pump() }
    }

    private var isTaking: Bool { context?.channel.isWritable == true && !outputEnded && !isClosed }

    private func take(_ bytes: ByteBuffer) {
        guard let context else { return }
        unwritten += 1
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.write(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { _ in
            bound.value.unwritten -= 1
            bound.value.closeOutputIfWritten()
        }
    }

    private func endOutput() {
        guard !outputEnded, !isClosed else { return }
        outputEnded = true
        closeOutputIfWritten()
    }

    /// Not before the last byte is in the socket: where the input has ended as well, closing the output closes all and drops the rest.
    private func closeOutputIfWritten() {
        if outputEnded, unwritten == 0 { context?.close(mode: .output, promise: nil) }
    }

    /// This side is gone: what it had sent still goes to the other, each piece when it is due, and then the other is closed, too.
    private func ended() {
        guard !isClosed else { return }
        isClosed = true
        timer?.cancel()
        let other = peer
        peer = nil
        other?.peer = nil
        if let other {
            let rest = passage == .stopped ? [] : Array(held)
            for (_, bytes) in rest { count(bytes.readableBytes) }
            if let loop = context?.eventLoop, let last = rest.last?.due, last > loop.now {
                isDraining = true
                let bound = NIOLoopBound(other, eventLoop: loop)
                for (due, bytes) in rest {
                    loop.scheduleTask(deadline: due) {
                        bound.value.take(bytes)
                        bound.value.context?.flush()
                    }
                }
                loop.scheduleTask(deadline: last) { bound.value.close() }
            } else {
                for (_, bytes) in rest { other.take(bytes) }
                other.context?.flush()
                other.close()
            }
        }
        held.removeAll()
        heldBytes = 0
        context = nil
    }
}
