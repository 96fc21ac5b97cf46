import Synchronization
import TSDB

/// The incident log on the disk: one writer, lines at the end, every line durable before `append` returns.
///
///     open:    lock ─▶ read and check every line ─▶ cut what a crash tore off the last one
///     append:  write ─▶ fdatasync ─▶ return              (a write that fails is cut off again)
///
/// Invariant: the file holds whole lines only, but between a crash and the next start.
public final class IncidentLog: IncidentSink {
    /// Bytes of a log that are read at the start: some 500,000 lines. A larger one is moved away and begun again.
    public static let maximumBytes = 512 << 20

    private struct State {
        var file: any WritableFile
        var isBroken = false
    }

    private let state: Mutex<State>
    private let lock: any FileLock
    public let path: String

    /// Opens, or begins, a log; also gives what it holds.
    public static func open(_ path: String, _ files: any FileStore) throws(BotError) -> (IncidentLog, IncidentLogFile) {
        do throws(TSDBError) {
            let lock = try files.lock(path + ".lock")
            let bytes = files.exists(path) ? try files.readAll(path, limit: maximumBytes) : []
            let content: IncidentLogFile
            do throws(BotError) { content = try IncidentLogFile(bytes) } catch {
                throw TSDBError(.io, "\(path): \(error.message); move it away to begin a new one")
            }
            let file = try files.openForAppending(path)
            if content.tornBytes > 0 {
                try file.truncate(to: content.length)
                try file.synchronize()
            }
            return (IncidentLog(path, file, lock), content)
        } catch { throw BotError(.log, error.message) }
    }

    private init(_ path: String, _ file: any WritableFile, _ lock: any FileLock) {
        self.path = path
        self.lock = lock
        state = Mutex(State(file: file))
    }

    public func append(_ line: [UInt8]) throws(BotError) {
        let failure = state.withLock { state -> String? in
            let size = state.file.size
            // After a sync that failed nobody knows what is on the disk: only a restart reads it again.
            if state.isBroken { return "an earlier sync failed; start again" }
            do throws(TSDBError) {
                try line.withUnsafeBytes { bytes in Result { () throws(TSDBError) in try state.file.append(bytes) } }.get()
            } catch {
                do throws(TSDBError) { try state.file.truncate(to: size) } catch { state.isBroken = true }
                return error.message
            }
            do throws(TSDBError) { try state.file.synchronize() } catch {
                state.isBroken = true
                return error.message
            }
            return nil
        }
        if let failure { throw BotError(.log, "\(path): \(failure)") }
    }

    public func close() {
        state.withLock { $0.file.close() }
        lock.release()
    }
}
