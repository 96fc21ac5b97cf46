import Synchronization
import TSDB

/// Turns alerts into notifications: grouped, inhibited, silenced, told once.
///
///     receive ─▶ AlertStore ─▶ RouteTree ─▶ AggregationGroup ──(its timer)──▶ flush
///                                                                              │ inhibited? in its hours? silenced?
///                                                                              ▼ each integration: told already?
///     finish ◀── somebody with a network ◀── [Delivery] ◀── advance            NotificationLog
///
/// It reads no clock and opens no socket: time is handed in, attempts are handed out. Who drives it does, for ever:
///
///     sleep until nextWake (which moves with every call)
///     for delivery in advance(to: now) { send it elsewhere, then finish(delivery.id, outcome, at: now) }
///
/// An alert is on disk before `receive` returns, a silence before `setSilence` does, a notification before `finish` does.
/// Same calls with the same times give the same deliveries in the same order.
///
/// Locks: `state` for computing only, never while a file is written; one for each file, taken before `state`.
/// Source: Alertmanager 0.33, `dispatch`, `notify`, `silence`, `inhibit`, `nflog`, `provider/mem`.
public final class Alertmanager: Sendable {
    public typealias Options = AlertmanagerOptions

    private let state: Mutex<AlertmanagerState>
    /// `nil`: in memory only. Held over a whole change of silences, which therefore come one after the other.
    private let silenceFile: Mutex<StateFile?>
    private let logFile: Mutex<StateFile?>
    private let alertFile: Mutex<StateFile?>
    private let historyFile: Mutex<HistoryFile?>

    /// Reads what an earlier run left in the options' directory. What is damaged there is left out and counted.
    public init(
        _ config: AlertmanagerConfig, options: Options = Options(), files: any FileStore,
        random: some RandomNumberGenerator & Sendable, at now: Timestamp
    ) throws(TSDBError) {
        var initial = AlertmanagerState(config, options: options, random: random, at: now)
        guard let directory = options.directory else {
            state = Mutex(initial)
            silenceFile = Mutex(nil)
            logFile = Mutex(nil)
            alertFile = Mutex(nil)
            historyFile = Mutex(nil)
            return
        }
        try files.createDirectory(directory)
        var silences = StateFile(directory: directory, name: "silences", files: files)
        let silenceRecords = try silences.read { bytes throws(TSDBError) in try SilenceRecord(decoding: bytes) }
        for record in silenceRecords.records { initial.silences.load(record) }
        initial.statistics.silenceFile.note(silenceRecords.damagedRecords, silenceRecords.damagedBytes)

        var log = StateFile(directory: directory, name: "nflog", files: files)
        let logRecords = try log.read { bytes throws(TSDBError) in try NotificationRecord(decoding: bytes) }
        for record in logRecords.records { initial.log.load(record) }
        initial.statistics.notificationLogFile.note(logRecords.damagedRecords, logRecords.damagedBytes)

        var alerts = StateFile(directory: directory, name: "alerts", files: files)
        let alertRecords = try alerts.read { bytes throws(TSDBError) in try AlertRecord(decoding: bytes) }
        for record in alertRecords.records { initial.saved.load(record) }
        initial.statistics.alertFile.note(alertRecords.damagedRecords, alertRecords.damagedBytes)

        // Where that fails the file stays doubtful and the next change tries again.
        if silences.isDoubtful { try? silences.replace(with: initial.silences.encoded()) }
        if log.isDoubtful { try? log.replace(with: initial.log.encoded()) }
        if alerts.isDoubtful { try? alerts.replace(with: initial.saved.snapshot()) }

        let history = HistoryFile(directory: directory, limit: options.historyFileBytes, files: files)
        for entry in history.read(last: options.historyEntries) { initial.history.load(entry) }
        initial.restoreAlerts(at: now)
        state = Mutex(initial)
        silenceFile = Mutex(silences)
        logFile = Mutex(log)
        alertFile = Mutex(alerts)
        historyFile = Mutex(history)
    }

    // MARK: Configuration and time

    /// Takes a new configuration: groups are made anew from the alerts there are. Attempts under way still count when they
    /// finish, and a group that waits for one is looked at only then, so a reload repeats nothing.
    public func apply(_ config: AlertmanagerConfig, at now: Timestamp) {
        state.withLock { $0.apply(config, at: now) }
    }

    /// When `advance` has something to do; may have moved after any other call.
    public var nextWake: Timestamp? { state.withLock { $0.nextWake() } }

    /// Does what is due at `now`; returns the attempts to make, in order.
    public func advance(to now: Timestamp) -> [Delivery] {
        let (deliveries, isMaintenanceDue) = state.withLock { state in
            let deliveries = state.advance(to: now)
            defer { state.isMaintenanceDue = false }
            return (deliveries, state.isMaintenanceDue)
        }
        writeAll()
        if isMaintenanceDue { maintain(at: now) }
        writeHistory()
        return deliveries
    }

    /// Says how an attempt went. Success goes to the notification log; failure is tried again if that may help and time is left.
    public func finish(_ id: Delivery.ID, _ outcome: NotificationOutcome, at now: Timestamp) {
        state.withLock { $0.finish(id, outcome, at: now) }
        writeAll()
        writeHistory()
    }

    /// Writes both state files anew and closes all. Nothing may be called afterwards.
    public func close(at now: Timestamp) {
        maintain(at: now)
        writeHistory()
        silenceFile.withLock { $0?.close() }
        logFile.withLock { $0?.close() }
        alertFile.withLock { $0?.close() }
        historyFile.withLock { $0?.close() }
    }

    // MARK: Alerts

    /// Takes in every report that is in order, and says what is wrong with the others.
    public func receive(_ reports: [AlertReport], at now: Timestamp) -> [AlertRefusal] {
        let refusals = state.withLock { $0.receive(reports, at: now) }
        writeAlerts()
        writeHistory()
        return refusals
    }

    /// Alerts that are not over, by fingerprint.
    public func alerts(_ filter: AlertFilter = AlertFilter(), at now: Timestamp) -> [AlertView] {
        state.withLock { $0.alertViews(filter, at: now) }
    }

    /// Groups with at least one alert that the filter shows, by labels and receiver.
    public func groups(_ filter: AlertFilter = AlertFilter(), at now: Timestamp) -> [GroupView] {
        state.withLock { $0.groupViews(filter, at: now) }
    }

    /// Names of receivers, as the configuration has them.
    public var receivers: [String] { state.withLock { $0.config.receivers.map(\.name) } }

    // MARK: Silences

    /// Makes a silence, or changes the one with the draft's id; where that would rewrite the past, the old one is ended and a new
    /// one made. Returns the id of the one that holds; it is on disk.
    public func setSilence(_ draft: SilenceDraft, at now: Timestamp) throws(SilenceError) -> String {
        let id = try change(at: now) { state throws(SilenceError) in
            var random = state.random
            defer { state.random = random }
            return try state.silences.plan(draft, newID: { RandomUUID.text(using: &random) }, at: now)
        }
        return id ?? draft.id
    }

    /// Ends a silence now; no error if it is over already.
    public func expireSilence(_ id: String, at now: Timestamp) throws(SilenceError) {
        _ = try change(at: now) { state throws(SilenceError) in try state.silences.planEnd(id, at: now) }
    }

    public func silence(_ id: String) -> Silence? { state.withLock { $0.silences[id] } }

    /// Silences with all these matchers in one of their sets: active ones (next to end first), pending (next to begin first),
    /// expired (last ended first).
    public func silences(
        matching matchers: [Matcher] = [], in states: Set<Silence.State> = Set(Silence.State.allCases), at now: Timestamp
    ) -> [Silence] {
        state.withLock { $0.silences.list(matching: matchers, in: states, at: now) }
    }

    // MARK: Looking in

    /// Why is, or is not, somebody told about this alert?
    public func explain(_ labels: Labels, at now: Timestamp) -> NotificationExplanation {
        state.withLock { $0.explain(labels, at: now) }
    }

    /// What happened, newest first.
    public func history(_ query: AlertHistoryQuery = AlertHistoryQuery()) -> [AlertHistoryEntry] {
        state.withLock { $0.history.entries(query) }
    }

    public func statistics(at now: Timestamp) -> AlertmanagerStatistics {
        state.withLock { $0.currentStatistics(at: now) }
    }
}

// MARK: - Files

extension Alertmanager {
    /// Plans a change of silences, writes it, and only then lets it hold. Returns the id of the silence, `nil` if nothing changes.
    private func change(
        at now: Timestamp, plan: (inout AlertmanagerState) throws(SilenceError) -> Silences.Change?
    ) throws(SilenceError) -> String? {
        let result: Result<String?, SilenceError> = silenceFile.withLock { file in
            do throws(SilenceError) {
                let (planned, everything) = try locked { state throws(SilenceError) in
                    let change = try plan(&state)
                    return (change, file?.isDoubtful ?? false ? state.silences.encoded() : [])
                }
                guard let planned else { return .success(nil) }
                var bytes = everything
                for record in planned.records { bytes.appendDelimited(record.encoded()) }
                try write(bytes, to: &file)
                state.withLock { $0.apply(planned, at: now) }
                return .success(planned.id)
            } catch { return .failure(error) }
        }
        writeHistory()
        return try result.get()
    }

    private func write(_ bytes: [UInt8], to file: inout StateFile?) throws(SilenceError) {
        do throws(TSDBError) {
            if file?.isDoubtful ?? false { try file?.replace(with: bytes) } else { try file?.append(bytes) }
        } catch {
            state.withLock { $0.statistics.silenceFile.writeErrors += 1 }
            throw SilenceError(.storage, "the silence could not be stored: \(error)")
        }
    }

    /// What is over before the log that says it was told; what has been told, and may be forgotten, behind it.
    private func writeAll() {
        writeAlerts()
        writeLog()
        writeAlerts()
    }

    /// Writes what the notification log has to say. Calls that come at once share one sync: the first takes what all have entered.
    private func writeLog() {
        logFile.withLock { file in
            if file == nil { return }
            let leaving = state.withLock { $0.saved.takeLeaving() }
            defer { if !leaving.isEmpty { state.withLock { $0.forget(leaving) } } }
            let isDoubtful = file?.isDoubtful ?? false
            let bytes = state.withLock { state in
                let unwritten = state.unwrittenLog
                state.unwrittenLog = []
                return isDoubtful ? state.log.encoded() : unwritten
            }
            if bytes.isEmpty && !isDoubtful { return }
            do throws(TSDBError) {
                if isDoubtful { try file?.replace(with: bytes) } else { try file?.append(bytes) }
            } catch {
                // The records are in memory; the file is written anew from there.
                file?.doubt()
                state.withLock { $0.statistics.notificationLogFile.writeErrors += 1 }
            }
        }
    }

    /// Writes what has become of alerts. A disk that takes nothing keeps nobody from being told.
    private func writeAlerts() {
        alertFile.withLock { file in
            if file == nil { return }
            // Between two maintenances it grows to a few times its content at most.
            let isFull = file?.hasOutgrown ?? false
            let isWhole = isFull || file?.isDoubtful ?? false
            let bytes = state.withLock { isWhole ? $0.saved.snapshot() : $0.saved.takeUnwritten() }
            if bytes.isEmpty && !isWhole { return }
            do throws(TSDBError) {
                if isWhole { try file?.replace(with: bytes) } else { try file?.append(bytes) }
            } catch {
                file?.doubt()
                state.withLock { $0.statistics.alertFile.writeErrors += 1 }
            }
        }
    }

    private func writeHistory() {
        historyFile.withLock { file in
            if file == nil { return }
            let entries = state.withLock { $0.history.takeUnwritten() }
            do throws(TSDBError) { try file?.append(entries) } catch {
                file?.close()
                state.withLock { $0.statistics.historyWriteErrors += 1 }
            }
        }
    }

    /// Forgets what is too old and writes the state files anew, without what was said twice.
    private func maintain(at now: Timestamp) {
        silenceFile.withLock { file in
            let bytes = state.withLock { state in
                state.statistics.silenceFile.maintenances += 1
                let gone = state.silences.collect(at: now)
                return gone > 0 || file?.isWorthRewriting ?? false ? state.silences.encoded() : nil
            }
            guard let bytes else { return }
            let failed = rewrite(&file, bytes)
            state.withLock { $0.statistics.silenceFile.note(snapshot: bytes.count, failed: failed) }
        }
        logFile.withLock { file in
            let bytes = state.withLock { state in
                state.statistics.notificationLogFile.maintenances += 1
                let gone = state.log.collect(keeping: state.waitingKeys, at: now)
                guard gone > 0 || file?.isWorthRewriting ?? false || !state.unwrittenLog.isEmpty else { return nil as [UInt8]? }
                state.unwrittenLog = []
                return state.log.encoded()
            }
            guard let bytes else { return }
            let failed = rewrite(&file, bytes)
            if failed { file?.doubt() }
            state.withLock { $0.statistics.notificationLogFile.note(snapshot: bytes.count, failed: failed) }
        }
        alertFile.withLock { file in
            let bytes = state.withLock { state in
                state.statistics.alertFile.maintenances += 1
                guard file?.isWorthRewriting ?? false || state.saved.hasChanged else { return nil as [UInt8]? }
                return state.saved.snapshot()
            }
            guard let bytes else { return }
            let failed = rewrite(&file, bytes)
            if failed { file?.doubt() }
            state.withLock { $0.statistics.alertFile.note(snapshot: bytes.count, failed: failed) }
        }
    }

    /// Whether it failed.
    private func rewrite(_ file: inout StateFile?, _ bytes: [UInt8]) -> Bool {
        do throws(TSDBError) {
            try file?.replace(with: bytes)
            return false
        } catch { return true }
    }

    /// `withLock` with typed errors.
    private func locked<R: Sendable>(
        _ body: (inout AlertmanagerState) throws(SilenceError) -> R
    ) throws(SilenceError) -> R {
        let result: Result<R, SilenceError> = state.withLock { state in
            do throws(SilenceError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

extension AlertmanagerState {
    mutating func apply(_ change: Silences.Change, at now: Timestamp) {
        silences.apply(change)
        guard let silence = silences[change.id] else { return }
        history.add(.silence(id: change.id, change: change.kind, by: silence.createdBy, comment: silence.comment), at: now)
    }
}

extension AlertmanagerStatistics.StateFileCounts {
    mutating func note(_ damagedRecords: Int, _ damagedBytes: Int) {
        self.damagedRecords += damagedRecords
        self.damagedBytes += damagedBytes
    }

    mutating func note(snapshot bytes: Int, failed: Bool) {
        if failed { maintenanceErrors += 1 } else { snapshotBytes = bytes }
    }
}
