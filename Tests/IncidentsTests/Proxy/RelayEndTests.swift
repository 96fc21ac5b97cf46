import NIOCore
import NIOEmbedded
import Testing

@testable import Incidents

@Suite("A relayed connection, event by event")
struct RelayEndTests {
    /// Counts how often more is asked for.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var count = 0
        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    private final class Pair {
        let loop = EmbeddedEventLoop()
        let client: EmbeddedChannel, server: EmbeddedChannel
        let clientEnd: RelayEnd, serverEnd: RelayEnd
        let reads = Reads()

        init(_ passage: RelayEnd.Passage = .free) throws {
            clientEnd = RelayEnd(passage) { _ in }
            serverEnd = RelayEnd(passage) { _ in }
            client = EmbeddedChannel(handlers: [reads, clientEnd], loop: loop)
            server = EmbeddedChannel(handler: serverEnd, loop: loop)
            for channel in [client, server] {
                try channel.setOption(.autoRead, value: false).wait()
                try channel.setOption(.allowRemoteHalfClosure, value: true).wait()
                try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
            }
            RelayEnd.tie(clientEnd, serverEnd)
        }

        func say(_ text: String) throws {
            client.pipeline.fireChannelRead(ByteBuffer(string: text))
            client.pipeline.fireChannelReadComplete()
            try client.throwIfErrorCaught()
        }

        var arrived: String {
            var text = ""
            while let buffer = try? server.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
            return text
        }
    }

    @Test("bytes go through, and only then more is asked for")
    func free() throws {
        let pair = try Pair()
        let before = pair.reads.count
        try pair.say("one")
        #expect(pair.arrived == "one" && pair.reads.count == before + 1)
    }

    @Test("a side that does not take stops the other's reading; when it takes again, reading goes on")
    func backPressure() throws {
        let pair = try Pair()
        pair.server.isWritable = false
        let before = pair.reads.count
        try pair.say("one")
        #expect(pair.arrived == "" && pair.reads.count == before)
        pair.server.isWritable = true
        pair.server.pipeline.fireChannelWritabilityChanged()
        #expect(pair.arrived == "one" && pair.reads.count == before + 1)
    }

    @Test("delayed bytes come later, in order, and the delay does not add up")
    func delayed() throws {
        let pair = try Pair(.delayed(.milliseconds(100)))
        try pair.say("a")
        pair.loop.advanceTime(by: .milliseconds(60))
        try pair.say("b")
        #expect(pair.arrived == "")
        pair.loop.advanceTime(by: .milliseconds(40))
        #expect(pair.arrived == "a")
        pair.loop.advanceTime(by: .milliseconds(60))
        #expect(pair.arrived == "b")
    }

    @Test("no more is held than the bound says")
    func bounded() throws {
        let pair = try Pair(.delayed(.seconds(10)))
        let piece = String(repeating: "x", count: RelayEnd.maximumHeld / 4)
        for _ in 0..<3 { try pair.say(piece) }
        let before = pair.reads.count
        try pair.say(piece)
        #expect(pair.reads.count == before)
        pair.loop.advanceTime(by: .seconds(10))
        #expect(pair.arrived.utf8.count == RelayEnd.maximumHeld && pair.reads.count == before + 1)
    }

    @Test("a cut holds what comes and loses nothing; the end of input travels behind the bytes")
    func stopped() throws {
        let pair = try Pair(.stopped)
        let before = pair.reads.count
        try pair.say("held")
        pair.client.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        pair.loop.run()
        #expect(pair.arrived == "" && pair.reads.count == before && pair.server.isActive)
        pair.serverEnd.change(to: .free)
        pair.clientEnd.change(to: .free)
        #expect(pair.arrived == "held")
    }

    @Test("what is delayed when the delay ends goes at once")
    func ends() throws {
        let pair = try Pair(.delayed(.seconds(100)))
        try pair.say("a")
        pair.clientEnd.change(to: .free)
        try pair.say("b")
        #expect(pair.arrived == "ab")
    }

    @Test("when one side is gone the other is closed, after what was said")
    func gone() throws {
        let pair = try Pair(.free)
        try pair.say("last words")
        pair.client.close(promise: nil)
        pair.loop.run()
        #expect(pair.arrived == "last words" && !pair.server.isActive)
    }

    @Test("what one side said before it went keeps its delay, and the other is closed behind it")
    func goneWhileDelayed() throws {
        let pair = try Pair(.delayed(.seconds(100)))
        try pair.say("last words")
        pair.client.close(promise: nil)
        pair.loop.advanceTime(by: .seconds(99))
        #expect(pair.arrived == "" && pair.server.isActive)
        pair.loop.advanceTime(by: .seconds(1))
        #expect(pair.arrived == "last words" && !pair.server.isActive)
    }
}
