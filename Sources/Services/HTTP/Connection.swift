import NIOCore
import Synchronization

/// One client connection: whether it works on a request, and what to stop when the client goes away.
public final class Connection: Sendable {
    private struct State {
        var requests = 0
        var isRunning = false
        var isGone = false
        var whenGone: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    public init() {}

    /// Runs `body`; when the client goes away meanwhile (or already has), `cancel` is called once.
    public func cancelling<Value>(
        _ cancel: @escaping @Sendable () -> Void, during body: () async throws -> Value
    ) async rethrows -> Value {
        let isGone = state.withLock { state in
            if !state.isGone { state.whenGone = cancel }
            return state.isGone
        }
        if isGone { cancel() }
        defer { state.withLock { $0.whenGone = nil } }
        return try await body()
    }

    /// The client has closed its side.
    public func clientIsGone() {
        let action = state.withLock { state in
            state.isGone = true
            defer { state.whenGone = nil }
            return state.whenGone
        }
        action?()
    }

    package func begin() {
        state.withLock {
            $0.requests += 1
            $0.isRunning = true
        }
    }

    package func end() { state.withLock { $0.isRunning = false } }

    package var isRunning: Bool { state.withLock { $0.isRunning } }
    /// Requests begun so far.
    package var requests: Int { state.withLock { $0.requests } }
}

/// All open connections, bounded: a new one past the bound makes the longest-open idle one close.
///
/// So a crowd of connections that say nothing cannot keep others out, and a connection that works is never cut.
package final class ConnectionTable: Sendable {
    private struct Entry {
        var connection: Connection
        var channel: any Channel
        var number: Int
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var accepted = 0
    }

    private let state = Mutex(State())
    let limit: Int

    package init(limit: Int) { self.limit = max(1, limit) }

    package func add(_ connection: Connection, on channel: any Channel) {
        let victim = state.withLock { state -> (any Channel)? in
            state.accepted += 1
            let key = ObjectIdentifier(channel)
            let victim =
                state.entries.count < limit
                ? nil
                : state.entries.values.filter { !$0.connection.isRunning }.min { $0.number < $1.number }
            state.entries[key] = Entry(connection: connection, channel: channel, number: state.accepted)
            return victim?.channel
        }
        victim?.close(promise: nil)
    }

    package func remove(_ channel: any Channel) {
        state.withLock { _ = $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    package func connection(on channel: any Channel) -> Connection? {
        state.withLock { $0.entries[ObjectIdentifier(channel)]?.connection }
    }

    package var count: Int { state.withLock { $0.entries.count } }
    package var accepted: Int { state.withLock { $0.accepted } }
}

/// Sits in a connection's pipeline and tells its `Connection` what happens.
///
/// Closes a connection that has not sent a whole request head in time: a client that sends a byte now and then (slowloris)
/// must not hold a place.
final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias InboundOut = NIOAny

    private let table: ConnectionTable
    private let headDeadline: TimeAmount
    private let connection = Connection()
    private var isRegistered = false

    init(table: ConnectionTable, headDeadline: TimeAmount) {
        self.table = table
        self.headDeadline = headDeadline
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { register(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        register(context)
        context.fireChannelActive()
    }

    private func register(_ context: ChannelHandlerContext) {
        guard !isRegistered else { return }
        isRegistered = true
        let channel = context.channel, connection = connection
        table.add(connection, on: channel)
        context.eventLoop.scheduleTask(in: headDeadline) {
            if connection.requests == 0 { channel.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        table.remove(context.channel)
        connection.clientIsGone()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { connection.clientIsGone() }
        context.fireUserInboundEventTriggered(event)
    }
}
