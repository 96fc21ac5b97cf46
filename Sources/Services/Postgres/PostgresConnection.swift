import CPostgres
import ServiceNames

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A session with PostgreSQL by libpq: the one file that calls it.
///
///     PQconnectStartParams ─▶ poll(2) ─▶ PQconnectPoll … ─▶ PQsendQueryParams ─▶ poll(2) ─▶ PQconsumeInput … ─▶ PQgetResult
///
/// libpq's simple calls wait for the server as long as it takes; behind a partition that is for ever. So we use the ones that do not
/// wait, and wait ourselves, with a deadline: the statement timeout, which the server keeps, and a second for the way.
/// Source: PostgreSQL documentation, “libpq – C Library”, §34.1 and §34.4.
///
/// Invariant: used by one thread at a time. After an error with code `lost` or a deadline that passed here the session is closed.
public final class PostgresConnection: DatabaseConnection {
    private var handle: OpaquePointer?
    private let deadline: Swift.Duration

    /// Connects, within `settings.connectTimeout`.
    public init(_ settings: PostgresSettings) throws(PostgresError) {
        deadline = settings.statementTimeout + .seconds(1)
        let keywords = settings.keywords()
        let handle = withCStrings(keywords.map(\.name)) { names in
            withCStrings(keywords.map(\.value)) { values in PQconnectStartParams(names, values, 0) }
        }
        guard let handle else { throw PostgresError(.lost, "no memory for a connection") }
        self.handle = handle
        do throws(PostgresError) {
            try connect(until: .now + settings.connectTimeout)
            // After the start, so that `pg_settings.reset_val` still says what the server's own timeout is.
            _ = try query(
                "SELECT set_config('statement_timeout', $1, false)", [.number(Int(PostgresSettings.milliseconds(settings.statementTimeout)))])
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    private func close() {
        if let handle { PQfinish(handle) }
        handle = nil
    }

    private func connect(until end: ContinuousClock.Instant) throws(PostgresError) {
        // PQconnectPoll is to be called as if it had asked to write first.
        var wanted = PGRES_POLLING_WRITING
        while true {
            guard let handle, PQstatus(handle) != CONNECTION_BAD else { throw lost() }
            switch wanted {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING:
                guard wait(for: POLLIN, until: end) else { throw PostgresError(.lost, "no connection within the connect timeout") }
            case PGRES_POLLING_WRITING:
                guard wait(for: POLLOUT, until: end) else { throw PostgresError(.lost, "no connection within the connect timeout") }
            default: throw lost()
            }
            wanted = PQconnectPoll(handle)
        }
    }

    public func query(_ statement: StaticString, _ parameters: [Parameter]) throws(PostgresError) -> Rows {
        guard let handle else { throw PostgresError(.lost, "the connection is closed") }
        let values = parameters.map { if case .text(let text) = $0 { text } else { nil as String? } }
        // libpq takes C strings; a NUL would end the value early.
        guard !values.contains(where: { $0?.utf8.contains(0) ?? false }) else {
            throw PostgresError(.refused, sqlState: "22021", "a text may not have a NUL in it")
        }
        let sent = withCStrings(values) { pointers in
            statement.withUTF8Buffer { text in
                // A static string ends with a NUL.
                text.withMemoryRebound(to: CChar.self) {
                    PQsendQueryParams(handle, $0.baseAddress, Int32(parameters.count), nil, pointers, nil, nil, 0)
                }
            }
        }
        guard sent == 1 else { throw lost() }
        let end = ContinuousClock.now + deadline
        var answer: Result<Rows, PostgresError> = .success(Rows())
        while let result = try nextResult(until: end) {
            defer { PQclear(result) }
            let read = Self.read(result)
            // The first error is the reason; a later result never mends it.
            if case .success = answer { answer = read }
        }
        if case .failure(let error) = answer, error.code == .lost { close() }
        return try answer.get()
    }

    /// The next result of the statement, or `nil` at its end.
    private func nextResult(until end: ContinuousClock.Instant) throws(PostgresError) -> OpaquePointer? {
        guard let handle else { return nil }
        while PQisBusy(handle) == 1 {
            guard wait(for: POLLIN, until: end) else {
                close()
                throw PostgresError(.timeout, "no answer within the statement timeout")
            }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle)
    }

    /// Nothing is on its way while the session is idle, so something to read is its end.
    public var isAlive: Bool {
        guard let handle, PQstatus(handle) == CONNECTION_OK else { return false }
        guard wait(for: POLLIN, until: .now) else { return true }
        return PQconsumeInput(handle) == 1 && PQstatus(handle) == CONNECTION_OK && !hasHungUp
    }

    private var hasHungUp: Bool {
        guard let handle else { return true }
        var entry = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Waits until the socket is ready; `false` when the time is over.
    private func wait(for event: Int32, until end: ContinuousClock.Instant) -> Bool {
        guard let handle else { return false }
        // Output that did not fit goes first, or the server waits for us as we wait for it.
        var events = event
        if PQflush(handle) == 1 { events |= POLLOUT }
        var entry = pollfd(fd: PQsocket(handle), events: Int16(truncatingIfNeeded: events), revents: 0)
        while true {
            let left = PostgresSettings.milliseconds(ContinuousClock.now.duration(to: end))
            let count = poll(&entry, 1, Int32(clamping: max(0, left)))
            if count > 0 { return true }
            if count == 0 || errno != EINTR { return false }
        }
    }

    /// What libpq last complained of; the session is over.
    private func lost() -> PostgresError {
        var message = "the connection was lost"
        if let handle, let text = PQerrorMessage(handle), text.pointee != 0 { message = String(cString: text) }
        close()
        return PostgresError(.lost, message)
    }

    private static func read(_ result: OpaquePointer) -> Result<Rows, PostgresError> {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            let width = PQnfields(result)
            let columns = (0..<width).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
            let cells = (0..<PQntuples(result)).map { row in
                (0..<width).map { column -> String? in
                    guard PQgetisnull(result, row, column) == 0, let text = PQgetvalue(result, row, column) else { return nil }
                    return String(cString: text)
                }
            }
            let affected = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
            return .success(Rows(columns: columns, cells: cells, affected: affected))
        default:
            let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
            let text = PQresultErrorField(result, Int32(UInt8(ascii: "M"))) ?? PQresultErrorMessage(result)
            // Without a state no server spoke: libpq saw the connection end.
            return .failure(
                PostgresError(
                    state.isEmpty ? .lost : PostgresError.code(ofState: state), sqlState: state,
                    text.map { String(cString: $0) } ?? "the server gave no reason"))
        }
    }
}

/// Calls `body` with an array of C strings that ends with a null pointer, as C wants it; `nil` stays a null pointer.
private func withCStrings<Answer>(
    _ texts: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Answer
) -> Answer {
    var offsets: [Int?] = [], bytes: [CChar] = []
    for text in texts {
        guard let text else {
            offsets.append(nil)
            continue
        }
        offsets.append(bytes.count)
        bytes += text.utf8.map { CChar(bitPattern: $0) }
        bytes.append(0)
    }
    return bytes.withUnsafeBufferPointer { buffer in
        var pointers = offsets.map { offset in offset.flatMap { buffer.baseAddress?.advanced(by: $0) } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
