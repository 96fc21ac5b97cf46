import JSON
import NIOHTTP1
import TSDB

/// A client of Alertmanager's API v2, for the tools that talk to one: ours or the original.
///
///     let client = try AlertmanagerClient("http://localhost:9093")
///     let alerts = try await client.alerts(AlertQuery(filter: ["severity=\"page\""]))
///     await client.shutdown()
///
/// Lists keep the text of each element as it was answered, so that it can be handed on byte for byte.
public final class AlertmanagerClient: Sendable {
    private let http: PrometheusClient

    /// `address` is `http://host:port/prefix`; see `PrometheusClient`.
    public init(_ address: String, seconds: Int64 = 30) throws(ClientError) {
        var limits = PrometheusClient.Limits()
        limits.seconds = seconds
        http = try PrometheusClient(address, limits: limits)
    }

    public var base: String { http.base }

    /// Closes all connections. Call it once, after the last request.
    public func shutdown() async { await http.shutdown() }

    // MARK: Alerts

    public func alerts(_ query: AlertQuery) async throws(ClientError) -> [ListedAlert] {
        var parameters = query.filter.map { ("filter", $0) }
        parameters += [
            ("active", "\(query.active)"), ("inhibited", "\(query.inhibited)"), ("silenced", "\(query.silenced)"),
            ("unprocessed", "\(query.unprocessed)"),
        ]
        if !query.receiver.isEmpty { parameters.append(("receiver", query.receiver)) }
        return try elements(try await get("/alerts", parameters)).map { (value, text) throws(ClientError) in
            try ListedAlert(value, text)
        }
    }

    public func add(_ alert: PostedAlert) async throws(ClientError) {
        _ = try await post("/alerts", "[" + alert.json + "]")
    }

    // MARK: Silences

    public func silences(filter: [String]) async throws(ClientError) -> [ListedSilence] {
        let answer = try await get("/silences", filter.map { ("filter", $0) })
        return try elements(answer).map { (value, text) throws(ClientError) in try ListedSilence(value, text) }
    }

    public func silence(_ id: String) async throws(ClientError) -> ListedSilence {
        let text = try await get("/silence/" + PercentEncoding.encode(id), []).text
        return try ListedSilence(try Self.tree(text), text)
    }

    /// Makes a silence, or changes the one of the same id; answers the id it has now.
    public func set(_ silence: PostedSilence) async throws(ClientError) -> String {
        try id(of: try await post("/silences", silence.json))
    }

    /// As `set`, with the silence as JSON; where its id is unknown there, a new one is made.
    public func importSilence(_ silence: JSONValue) async throws(ClientError) -> String {
        let answer = try await sendJSON("/silences", JSONOutput.text(silence))
        if answer.status == 404 {
            return try id(of: try await post("/silences", JSONOutput.text(silence.without("id"))))
        }
        try answer.requireSuccess()
        return try id(of: answer)
    }

    public func expire(_ id: String) async throws(ClientError) {
        try await http.send(.DELETE, "/api/v2/silence/" + PercentEncoding.encode(id), body: []) { _ in }
            .requireSuccess()
    }

    private func id(of answer: ClientAnswer) throws(ClientError) -> String {
        guard let value = try? JSONValue(parsing: answer.text), let id = value["silenceID"]?.string else {
            throw ClientError(.malformed, "\(base): the answer has no silenceID")
        }
        return id
    }

    // MARK: The server

    public func status() async throws(ClientError) -> AlertmanagerState {
        let text = try await get("/status", []).text
        return try AlertmanagerState(try Self.tree(text), text)
    }

    // MARK: Requests

    private static func tree(_ text: String) throws(ClientError) -> JSONValue {
        do throws(JSONError) { return try JSONValue(parsing: text) } catch { throw ClientError(error) }
    }

    private func get(_ path: String, _ parameters: [(String, String)]) async throws(ClientError) -> ClientAnswer {
        let answer = try await http.get("/api/v2" + path, parameters)
        try answer.requireSuccess()
        return answer
    }

    private func post(_ path: String, _ json: String) async throws(ClientError) -> ClientAnswer {
        let answer = try await sendJSON(path, json)
        try answer.requireSuccess()
        return answer
    }

    private func sendJSON(_ path: String, _ json: String) async throws(ClientError) -> ClientAnswer {
        try await http.send(.POST, "/api/v2" + path, body: Array(json.utf8)) {
            $0.add(name: "Content-Type", value: "application/json")
        }
    }

    /// The elements of an answered list, each as a tree and as it was written.
    private func elements(_ answer: ClientAnswer) throws(ClientError) -> [(JSONValue, String)] {
        let outcome = answer.body.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONError) in
                var reader = JSONReader(bytes), list: [(JSONValue, String)] = []
                if try reader.kind() == .null { return list }
                try reader.beginArray()
                while try reader.nextElement() {
                    let text = reader.text(try reader.skip())
                    list.append((try JSONValue(parsing: text), text))
                }
                try reader.finish()
                return list
            }
        }
        do throws(JSONError) { return try outcome.get() } catch { throw ClientError(error) }
    }
}

/// Which alerts are asked for.
public struct AlertQuery: Sendable {
    /// Matchers, each a text of its own; all must match.
    public var filter: [String]
    public var active: Bool, inhibited: Bool, silenced: Bool, unprocessed: Bool
    /// A regular expression for the receiver's name; empty for any.
    public var receiver: String

    public init(
        filter: [String] = [], active: Bool = true, inhibited: Bool = false, silenced: Bool = false,
        unprocessed: Bool = false,
        receiver: String = ""
    ) {
        self.filter = filter
        self.active = active
        self.inhibited = inhibited
        self.silenced = silenced
        self.unprocessed = unprocessed
        self.receiver = receiver
    }
}
