import Synchronization
import TSDB

/// Lines of the Docker filter, in a chain like the incident log's: `minprom bot verify-log` checks both.
public final class AuditLog: Sendable {
    private let state: Mutex<HashChain>
    private let log: IncidentLog?

    /// An empty path keeps nothing.
    public init(path: String, _ files: any FileStore) throws(BotError) {
        if path.isEmpty {
            log = nil
            state = Mutex(HashChain())
        } else {
            let (log, content) = try IncidentLog.open(path, files)
            self.log = log
            state = Mutex(content.chain)
        }
    }

    /// Why it could not be written, if so.
    public func write(_ method: String, _ path: String, _ client: String, _ result: String, at now: Timestamp) -> String? {
        guard let log else { return nil }
        var record = IncidentRecord(.decision, at: now)
        record.action = String(method.prefix(32))
        record.target = String(path.prefix(512))
        record.source = client
        record.result = result
        return state.withLock { chain in
            let (bytes, hash) = chain.line(record)
            do throws(BotError) { try log.append(bytes) } catch { return error.message }
            chain.accept(hash)
            return nil
        }
    }

    public func close() { log?.close() }
}
