import TSDB

/// What the file `alerts` says, and what it has to say next.
///
///     reported, begins to fire     ─▶ fires    before the sender has its answer
///     reported again               ─▶ nothing: after a restart the end is counted anew (`Restoring`)
///     over                         ─▶ over     before anybody is told
///     everybody has been told      ─▶ gone     behind the log that says so, before the next notification is entered into it
///
/// Words that change while an alert fires go along with the next record, at the latest with the next snapshot.
///
/// Invariant: what is `urgent` is in `changed`.
struct SavedAlerts: Sendable {
    private(set) var records: [Fingerprint: AlertRecord] = [:]
    /// Differ from the file; of those without a record their labels.
    private var changed: [Fingerprint: Labels] = [:]
    private var isUrgent = false
    /// Told to everybody, as the log will say when it is next written.
    private var leaving: [Fingerprint] = []
    private let isWritten: Bool

    /// `isWritten`: there is a file.
    init(isWritten: Bool) { self.isWritten = isWritten }

    /// Takes a record as it was read.
    mutating func load(_ record: AlertRecord) {
        records[record.alert.fingerprint] = record.state == .gone ? nil : record
    }

    /// Notes an alert as it is now.
    mutating func save(_ alert: Alert, _ fingerprint: Fingerprint, isOver: Bool) {
        if !isWritten { return }
        let state = isOver ? AlertRecord.State.over : .fires
        let old = records[fingerprint]
        let isNews = old?.state != state || old?.alert.startsAt != alert.startsAt || isOver && old?.alert.endsAt != alert.endsAt
        if isNews || old?.alert.annotations != alert.annotations { changed[fingerprint] = alert.labels }
        isUrgent = isUrgent || isNews
        records[fingerprint] = AlertRecord(alert, state)
    }

    /// Nobody has to hear of the alert any more, once the log is written.
    mutating func leave(_ fingerprint: Fingerprint) { if isWritten { leaving.append(fingerprint) } }

    mutating func takeLeaving() -> [Fingerprint] {
        defer { leaving = [] }
        return leaving
    }

    /// The log is written. An alert that fires again meanwhile stays.
    mutating func forget(_ fingerprint: Fingerprint) {
        guard let old = records[fingerprint], old.state == .over else { return }
        records[fingerprint] = nil
        changed[fingerprint] = old.alert.labels
        isUrgent = true
    }

    /// Records to append, if there is something that must not wait.
    mutating func takeUnwritten() -> [UInt8] {
        guard isUrgent else { return [] }
        var bytes: [UInt8] = []
        for (fingerprint, labels) in changed.sorted(by: { $0.key < $1.key }) {
            let record = records[fingerprint] ?? AlertRecord(Alert(labels: labels, startsAt: .min), .gone)
            bytes.appendDelimited(record.encoded())
        }
        written()
        return bytes
    }

    /// All records, for a snapshot.
    mutating func snapshot() -> [UInt8] {
        var bytes: [UInt8] = []
        for (_, record) in records.sorted(by: { $0.key < $1.key }) { bytes.appendDelimited(record.encoded()) }
        written()
        return bytes
    }

    var hasChanged: Bool { !changed.isEmpty }

    private mutating func written() {
        changed.removeAll(keepingCapacity: changed.count < 1024)
        isUrgent = false
    }
}
