import NIOCore

/// Counts the bytes of a connection that came in the open, as they leave the socket: long before somebody reads them.
///
///     socket ─▶ PlainByteCounter ─▶ what the channel holds for its reader ─▶ reader
///                      11                                                     11     TLS may begin
///                      43                                                     11     32 bytes lie in between: they would pass for TLS's
///
/// What a server, or somebody between us and it, says in the open behind its go-ahead would else be read as if it had come through TLS.
/// Source: CVE-2011-0411, and “Why TLS Is Better Without STARTTLS”, USENIX Security 2021, §4.1.
public final class PlainByteCounter: ChannelInboundHandler {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = ByteBuffer

    private var count = 0

    public init() {}

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        count &+= unwrapInboundIn(data).readableBytes
        context.fireChannelRead(data)
    }

    /// Whether bytes came of which a reader that has had `count` knows nothing yet. To be asked on the event loop, in the turn that puts TLS
    /// in front: then none can come in between.
    public static func hasUnread(in channel: any Channel, after count: Int) throws -> Bool {
        try channel.pipeline.syncOperations.handler(type: Self.self).count != count
    }
}
