import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP server that tells the same sequence of pages to every path, each at its own pace.
///
///     GET /reference   ─▶ page 1, page 2, … , empty, empty
///     GET /test        ─▶ page 1, page 2, … , empty
///
/// A path is done once it was asked again after the last page: then that page has been taken in, for a server scrapes
/// one target one scrape at a time.
final class PageServer: Sendable {
    private let pages: [String]
    private let asked = Mutex<[String: Int]>([:])
    private let channel = Mutex<(any Channel)?>(nil)

    init(_ pages: [String]) { self.pages = pages }

    /// Listens on a free port of the loopback address; the port.
    func start() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(PageHandler(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.channel.withLock { $0 = channel }
        return channel.localAddress?.port ?? 0
    }

    func stop() async {
        let channel = channel.withLock { $0 }
        try? await channel?.close()
    }

    /// Whether `path` has got everything.
    func isDone(_ path: String) -> Bool { asked.withLock { $0[path, default: 0] } > pages.count }

    func page(_ path: String) -> String {
        let index = asked.withLock { asked in
            let index = asked[path, default: 0]
            asked[path] = index + 1
            return index
        }
        return index < pages.count ? pages[index] : ""
    }
}

private final class PageHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: PageServer
    private var path = ""

    init(_ server: PageServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): path = head.uri
        case .body: break
        case .end:
            let body = context.channel.allocator.buffer(string: server.page(path))
            let headers: HTTPHeaders = [
                "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Content-Length": "\(body.readableBytes)",
            ]
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil
            )
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
