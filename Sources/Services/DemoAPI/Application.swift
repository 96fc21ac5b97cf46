import DemoStore
import HTTPServer
import HTTPTypes
import JSON
import NIOCore
import Postgres

/// The routes of the demo's application and what they answer; knows nothing of metrics and faults but a delay for the database.
///
///     GET  /health                       {"status":"ok"}
///     GET  /transactions?limit=20        {"transactions":[{"id":1,"amount":"12.50","description":"…","created_at":"…"}]}
///     POST /transactions {"amount":12.5,"description":"coffee"}      201 and the row
///
/// A wrong request is answered with 400, a database that is away or too slow with 503. What we did not foresee is thrown: that is the
/// exception that the metrics count.
struct Application: Sendable {
    /// What no handler catches. Flask answers 500 to it.
    struct Exception: Error, Equatable {
        var message: String
        init(_ message: String) { self.message = message }
    }

    /// Bytes of a description.
    private static let maximumDescription = 500
    /// What `numeric(12,2)` holds.
    private static let maximumAmount = 9_999_999_999.0

    let store: TransactionStore

    /// Methods of a path, as `Allow` lists them; `nil` where no route has it.
    static func methods(of path: String) -> [String]? {
        switch path {
        case "/health": ["GET", "HEAD", "OPTIONS"]
        case "/transactions": ["GET", "HEAD", "OPTIONS", "POST"]
        case "/metrics": ["GET", "HEAD", "OPTIONS"]
        default: nil
        }
    }

    func answer(_ request: APIRequest, databaseDelay: Swift.Duration) async throws(Exception) -> Reply {
        guard let methods = Self.methods(of: request.path) else { return Self.error("not found", .notFound) }
        switch (request.path, request.method) {
        case (_, .options): return Self.allowing(methods, Reply.text(""))
        case ("/health", .get), ("/health", .head):
            var text = JSONText(capacity: 64)
            text.append("{\"status\":\"ok\"}\n" as StaticString)
            return .json(text.take())
        case ("/transactions", .get), ("/transactions", .head): return try await list(request, databaseDelay)
        case ("/transactions", .post): return try await insert(request, databaseDelay)
        default: return Self.allowing(methods, Self.error("method not allowed", .methodNotAllowed))
        }
    }

    private func list(_ request: APIRequest, _ delay: Swift.Duration) async throws(Exception) -> Reply {
        let asked = request.parameters["limit"]
        let limit = asked.isEmpty ? 100 : Int(asked)
        guard let limit, (1...TransactionStore.maximumRows).contains(limit) else {
            return Self.error("limit must be in 1…\(TransactionStore.maximumRows)", .badRequest)
        }
        do throws(PostgresError) {
            let rows = try await store.list(limit: limit, delay: delay)
            var text = JSONText(capacity: 64 + rows.count * 128)
            text.append(#"{"transactions":["#)
            for (index, row) in rows.enumerated() {
                if index > 0 { text.append(",") }
                Self.write(row, to: &text)
            }
            text.append("]}\n" as StaticString)
            return .json(text.take())
        } catch { return try Self.reply(to: error) }
    }

    private func insert(_ request: APIRequest, _ delay: Swift.Duration) async throws(Exception) -> Reply {
        let document = request.body.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
        }
        guard case .success(let value) = document, case .object = value else { return Self.error("a JSON object is wanted", .badRequest) }
        guard let amount = value["amount"]?.number, abs(amount) <= Self.maximumAmount else {
            return Self.error("amount must be a number of at most ten digits", .badRequest)
        }
        let description: String
        switch value["description"] {
        case nil, .null: description = ""
        case .string(let text) where text.utf8.count <= Self.maximumDescription && !text.utf8.contains(0): description = text
        default: return Self.error("description must be a text of at most \(Self.maximumDescription) bytes", .badRequest)
        }
        do throws(PostgresError) {
            var text = JSONText(capacity: 256)
            Self.write(try await store.insert(amount: amount, description: description, delay: delay), to: &text)
            text.append("\n" as StaticString)
            return .json(text.take(), .created)
        } catch { return try Self.reply(to: error) }
    }

    // MARK: Texts

    private static func write(_ row: TransactionStore.Transaction, to text: inout JSONText) {
        text.append(#"{"id":"#)
        text.append(row.id)
        text.append(#","amount":"#)
        text.appendQuoted(row.amount)
        text.append(#","description":"#)
        text.appendQuoted(row.description)
        text.append(#","created_at":"#)
        text.appendQuoted(row.createdAt)
        text.append("}")
    }

    static func error(_ message: String, _ status: HTTPResponse.Status) -> Reply {
        var text = JSONText(capacity: 128)
        text.append(#"{"error":"#)
        text.appendQuoted(message)
        text.append("}\n" as StaticString)
        return .json(text.take(), status)
    }

    private static func allowing(_ methods: [String], _ reply: Reply) -> Reply {
        var reply = reply
        reply.headers[.allow] = methods.joined(separator: ", ")
        return reply
    }

    /// Away, too slow and too busy are said; data that a column cannot hold (class 22) is the client's; the rest is a mistake of ours.
    private static func reply(to failure: PostgresError) throws(Exception) -> Reply {
        switch failure.code {
        case .lost, .busy: return error("the database is away: \(failure.message)", .serviceUnavailable)
        case .timeout: return error("the database took too long: \(failure.message)", .serviceUnavailable)
        case .refused where failure.sqlState.hasPrefix("22"): return error(failure.message, .badRequest)
        case .refused: throw Exception(failure.description)
        }
    }
}
