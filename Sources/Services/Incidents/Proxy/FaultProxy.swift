import NIOCore
import NIOPosix
import SelfMetrics
import ServiceNames
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A TCP proxy that can be told to fail: stands between two services and is, by itself, invisible.
///
///     api ─▶ :5433 FaultProxy ─▶ postgres_db:5432
///                    ▲ set(Fault) / clear()
///
/// It makes a network partition without root and without tc: what `drop` does to two processes is what a cut cable does. It reads no
/// protocol, so anything may be sent through it; what a client can take from it is bounded (connections, bytes held, time to connect).
///
/// Invariant: connections and faults are touched on `loop` only; one loop is plenty for a tool that copies bytes.
public final class FaultProxy: @unchecked Sendable {
    // Sendable: everything that changes is touched on `loop` only, or atomic.

    public struct Limits: Sendable {
        /// Open at once; further ones are reset.
        public var connections = 1024
        public var connectTime = TimeAmount.seconds(5)

        public init() {}
    }

    /// What it has done; read by `/metrics`.
    public struct Counts: Sendable {
        public let accepted = Counter(), refused = Counter(), broken = Counter(), failed = Counter()
        public let up = Counter(), down = Counter()
        public let faults = Labelled<Counter>(limit: 8) { Counter() }
        public let active = Gauge()
    }

    private struct Connection {
        var client: any Channel
        var clientEnd: RelayEnd
        var server: (channel: any Channel, end: RelayEnd)?
        var isConnecting = false
    }

    public let counts = Counts()
    private let loop: any EventLoop
    private let target: ServiceNames.Place
    private let limits: Limits
    private var listenAddress: SocketAddress
    private var listener: (any Channel)?
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var faults = FaultSwitch()
    private var timer: Scheduled<Void>?
    private var isStopped = false

    private static var now: Duration { .nanoseconds(Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }

    /// `listen` is where it really listens, `target` is looked up for each connection.
    public init(listen: SocketAddress, target: ServiceNames.Place, limits: Limits = Limits(), on loop: any EventLoop) {
        listenAddress = listen
        self.target = target
        self.limits = limits
        self.loop = loop
    }

    // MARK: From anywhere

    /// Begins to listen; the bound port. Throws where the address cannot be had.
    public func start() async throws -> Int {
        let channel = try await bind().get()
        return try await loop.submit { [self] in
            // Port 0 becomes the port that a later listener takes again.
            if let address = channel.localAddress { listenAddress = address }
            listener = channel
            return channel.localAddress?.port ?? 0
        }.get()
    }

    /// Closes everything.
    public func stop() async {
        let closing = try? await loop.submit { [self] () -> (any Channel)? in
            isStopped = true
            timer?.cancel()
            for connection in connections.values { breakOff(connection, reset: false) }
            defer { listener = nil }
            return listener
        }.get()
        try? await closing?.close()
    }

    public func set(_ fault: Fault) async {
        try? await loop.submit { [self] in
            faults.set(fault, at: Self.now)
            counts.faults[fault.mode.rawValue].increment()
            apply()
        }.get()
    }

    public func clear() async {
        try? await loop.submit { [self] in
            faults.clear()
            apply()
        }.get()
    }

    /// The fault there is now.
    public func fault() async -> Fault? {
        (try? await loop.submit { [self] in faults.current(at: Self.now) }.get()) ?? nil
    }

    func faultJSON() async -> String {
        (try? await loop.submit { [self] in faults.json(at: Self.now) }.get()) ?? "{\"mode\":null}"
    }

    // MARK: Faults, on the loop

    private var passage: RelayEnd.Passage {
        guard let fault = faults.current(at: Self.now) else { return .free }
        switch fault.mode {
        case .drop: return .stopped
        case .delay: return .delayed(.nanoseconds(Int64(clamping: fault.delay.microseconds) &* 1000))
        case .reset, .refuse: return .free
        }
    }

    /// Makes listener, connections and timer agree with the fault there is now.
    private func apply() {
        guard !isStopped else { return }
        timer?.cancel()
        let now = Self.now
        if let rest = faults.remaining(at: now) {
            timer = loop.scheduleTask(in: .nanoseconds(Int64(clamping: rest.microseconds) &* 1000 &+ 1000)) { [self] in apply() }
        }
        let fault = faults.current(at: now)
        let passage = passage
        switch fault?.mode {
        case .reset, .refuse: for connection in connections.values { breakOff(connection, reset: true) }
        case .drop, .delay, nil:
            for (key, connection) in connections {
                connection.clientEnd.change(to: passage)
                connection.server?.end.change(to: passage)
                if passage != .stopped { connect(key) }
            }
        }
        if fault?.mode == .refuse {
            listener?.close(promise: nil)
            listener = nil
        } else if listener == nil {
            listenAgain()
        }
    }

    private func listenAgain() {
        bind().hop(to: loop).whenComplete { [self] result in
            switch result {
            case .success(let channel):
                if listener == nil, !isStopped, faults.current(at: Self.now)?.mode != .refuse {
                    listener = channel
                } else {
                    channel.close(promise: nil)
                }
            case .failure:
                // Somebody has the port for the moment. Until we have it again, connections are refused: the fault stays, visibly.
                loop.scheduleTask(in: .milliseconds(200)) { [self] in
                    if listener == nil, !isStopped, faults.current(at: Self.now)?.mode != .refuse { listenAgain() }
                }
            }
        }
    }

    // MARK: Connections, on the loop

    private func bind() -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [self] channel in accept(channel) }
            .bind(to: listenAddress)
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        counts.accepted.increment()
        let mode = faults.current(at: Self.now)?.mode
        if connections.count >= limits.connections || mode == .reset || mode == .refuse || isStopped {
            counts.refused.increment()
            return Self.reset(channel)
        }
        let up = counts.up
        let end = RelayEnd(passage) { up.increment(by: $0) }
        let key = ObjectIdentifier(channel)
        connections[key] = Connection(client: channel, clientEnd: end)
        counts.active.set(Double(connections.count))
        channel.closeFuture.whenComplete { [self] _ in gone(key) }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(end)
            // A cut cable lets no SYN through either: the server hears of it when the cable is back.
            if mode != .drop { connect(key) }
        }
    }

    private func connect(_ key: ObjectIdentifier) {
        guard var connection = connections[key], connection.server == nil, !connection.isConnecting else { return }
        connection.isConnecting = true
        connections[key] = connection
        let down = counts.down
        let end = NIOLoopBound(RelayEnd(passage) { down.increment(by: $0) }, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(limits.connectTime)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(end.value) }
            }
            .connect(host: target.host, port: target.port)
            .hop(to: loop)
            .whenComplete { [self] result in
                switch result {
                case .success(let channel): connected(key, channel, end.value)
                case .failure:
                    counts.failed.increment()
                    // The client learns what we learned: nobody there.
                    if let connection = connections[key] { _ = Self.reset(connection.client) }
                }
            }
    }

    private func connected(_ key: ObjectIdentifier, _ channel: any Channel, _ end: RelayEnd) {
        guard var connection = connections[key] else {
            channel.close(promise: nil)
            return
        }
        connection.server = (channel, end)
        connections[key] = connection
        end.change(to: passage)
        RelayEnd.tie(connection.clientEnd, end)
    }

    private func gone(_ key: ObjectIdentifier) {
        guard let connection = connections.removeValue(forKey: key) else { return }
        if !connection.clientEnd.isDraining { connection.server?.channel.close(promise: nil) }
        counts.active.set(Double(connections.count))
    }

    private func breakOff(_ connection: Connection, reset: Bool) {
        counts.broken.increment()
        for channel in [connection.client, connection.server?.channel].compactMap({ $0 }) {
            if reset { _ = Self.reset(channel) } else { channel.close(promise: nil) }
        }
    }

    /// Closes with RST instead of FIN: lingering for no time throws away what was not sent.
    private static func reset(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let options = channel as? any SocketOptionProvider else { return channel.close() }
        return options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).flatMapErrorThrowing { _ in }
            .flatMap { channel.close() }
            .flatMapErrorThrowing { _ in }
    }
}
