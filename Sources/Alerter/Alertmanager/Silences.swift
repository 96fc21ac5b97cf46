import Numbers
import RegularExpression
import TSDB

/// All silences, and which of them hold for an alert.
///
///     set ──▶ new, or changed in place, or (where that would rewrite the past) ended and made anew
///     silencing(alert) ──▶ ids; each alert is matched against a silence once: what was found is kept with the version
///                          up to which was looked, and only newer silences are matched next time
///
/// A change is planned first and applied when it is on disk. A silence that changes in place keeps its matchers, so what was
/// found for an alert stays true.
/// Source: Alertmanager, `silence/silence.go`; error texts are upstream's.
struct Silences: Sendable {
    struct Limits: Sendable {
        var retention: Duration
        var maximumCount: Int
        var maximumBytes: Int
    }

    /// What a call wants to change: records to write, in order.
    struct Change: Sendable {
        var records: [SilenceRecord]
        var id: String
        var kind: AlertHistoryEntry.SilenceChange
    }

    private let limits: Limits
    private var stored: [String: SilenceRecord] = [:]
    /// Ids by the version at which they came, ascending.
    private var order: [(version: Int, id: String)] = []
    private var version = 0
    private var found: [Fingerprint: Found] = [:]

    private struct Found: Sendable {
        var version: Int
        /// Silences that match, pending ones included.
        var ids: [String]
    }

    init(_ limits: Limits) { self.limits = limits }

    var count: Int { stored.count }

    subscript(id: String) -> Silence? { stored[id]?.silence }

    // MARK: Changing

    /// What `draft` changes, or why it cannot be.
    func plan(_ draft: SilenceDraft, newID: () -> String, at now: Timestamp) throws(SilenceError) -> Change {
        var silence = try Self.checked(draft, at: now)
        let previous = stored[draft.id]?.silence
        if !draft.id.isEmpty && previous == nil { throw .notFound }
        silence.updatedAt = now

        if let previous, Self.canUpdate(previous, to: silence, at: now) {
            silence.unknownFields = previous.unknownFields
            return Change(records: [try record(silence)], id: silence.id, kind: .updated)
        }
        if limits.maximumCount > 0 && stored.count + 1 > limits.maximumCount {
            throw SilenceError(
                .invalid, "exceeded maximum number of silences: \(stored.count) (limit: \(limits.maximumCount))")
        }
        silence.id = newID()
        silence.startsAt = max(silence.startsAt, now)
        var records: [SilenceRecord] = []
        let new = try record(silence)
        if let previous, let ended = Self.ended(previous, at: now) { records.append(keeping(ended)) }
        records.append(new)
        return Change(records: records, id: silence.id, kind: .created)
    }

    /// What ending a silence changes; nothing where it is over.
    func planEnd(_ id: String, at now: Timestamp) throws(SilenceError) -> Change? {
        guard let silence = stored[id]?.silence else { throw .notFound }
        guard let ended = Self.ended(silence, at: now) else { return nil }
        return Change(records: [keeping(ended)], id: id, kind: .expired)
    }

    mutating func apply(_ change: Change) {
        for record in change.records { load(record) }
    }

    /// Takes a record as it was written; of one id the last counts.
    mutating func load(_ record: SilenceRecord) {
        if let old = stored.updateValue(record, forKey: record.silence.id) {
            // Upstream's files may change the matchers of an id.
            if old.silence.matcherSets != record.silence.matcherSets { found = [:] }
        } else {
            version += 1
            order.append((version, record.silence.id))
        }
    }

    /// Forgets what ended longer ago than is kept; returns how many there were.
    mutating func collect(at now: Timestamp) -> Int {
        let gone = stored.filter { $0.value.expiresAt <= now }
        if gone.isEmpty { return 0 }
        for id in gone.keys { stored[id] = nil }
        order.removeAll { stored[$0.id] == nil }
        return gone.count
    }

    /// Forgets what was found for alerts that are gone.
    mutating func forget(_ alerts: [Fingerprint]) {
        for fingerprint in alerts { found[fingerprint] = nil }
    }

    // MARK: Asking

    /// Ids of the active silences that match.
    mutating func silencing(_ labels: Labels, _ fingerprint: Fingerprint, at now: Timestamp) -> [String] {
        var entry = found[fingerprint] ?? Found(version: 0, ids: [])
        if entry.version == version && entry.ids.isEmpty { return [] }
        if entry.version < version {
            let begin = order.partitioningIndex { $0.version > entry.version }
            for (_, id) in order[begin...] {
                guard let silence = stored[id]?.silence, silence.state(at: now) != .expired, silence.matches(labels) else { continue }
                entry.ids.append(id)
            }
            entry.version = version
        }
        var active: [String] = []
        entry.ids.removeAll { id in
            guard let state = stored[id]?.silence.state(at: now), state != .expired else { return true }
            if state == .active { active.append(id) }
            return false
        }
        found[fingerprint] = entry
        return active
    }

    /// Silences that match and are not over, without remembering.
    func matching(_ labels: Labels, at now: Timestamp) -> [Silence] {
        order.compactMap { stored[$0.id]?.silence }.filter { $0.state(at: now) != .expired && $0.matches(labels) }
    }

    /// Silences that have all of `matchers` in one of their sets, in the order in which they are shown.
    func list(matching matchers: [Matcher], in states: Set<Silence.State>, at now: Timestamp) -> [Silence] {
        let wanted = order.compactMap { stored[$0.id]?.silence }.filter { silence in
            states.contains(silence.state(at: now))
                && silence.matcherSets.contains { set in matchers.allSatisfy(set.contains) }
        }
        func rank(_ silence: Silence) -> (Int, Int64) {
            switch silence.state(at: now) {
            case .active: (1, silence.endsAt.milliseconds)
            case .pending: (2, silence.startsAt.milliseconds)
            case .expired: (3, Int64(0).clampedSubtracting(silence.endsAt.milliseconds))
            }
        }
        return wanted.sorted { rank($0) < rank($1) }
    }

    /// All records, for a snapshot.
    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for (_, id) in order { if let record = stored[id] { bytes.appendDelimited(record.encoded()) } }
        return bytes
    }

    func count(in state: Silence.State, at now: Timestamp) -> Int {
        stored.values.reduce(0) { $0 + ($1.silence.state(at: now) == state ? 1 : 0) }
    }

    // MARK: Rules

    private func keeping(_ silence: Silence) -> SilenceRecord {
        SilenceRecord(silence, expiresAt: silence.endsAt + limits.retention)
    }

    private func record(_ silence: Silence) throws(SilenceError) -> SilenceRecord {
        let record = keeping(silence)
        let size = record.encoded(repeatsFirstSet: false).count
        if limits.maximumBytes > 0 && size > limits.maximumBytes {
            throw SilenceError(
                .invalid, "silence exceeded maximum size: \(size) bytes (limit: \(limits.maximumBytes) bytes)")
        }
        return record
    }

    /// `silence` as it is when it ends now; `nil` where it is over.
    private static func ended(_ silence: Silence, at now: Timestamp) -> Silence? {
        var silence = silence
        switch silence.state(at: now) {
        case .expired: return nil
        case .active: silence.endsAt = now
        case .pending:
            silence.startsAt = now
            silence.endsAt = now
        }
        silence.updatedAt = now
        return silence
    }

    /// Whether the change leaves the past as it was.
    private static func canUpdate(_ old: Silence, to new: Silence, at now: Timestamp) -> Bool {
        guard old.matcherSets == new.matcherSets else { return false }
        switch old.state(at: now) {
        case .active: return old.startsAt.wholeSeconds == new.startsAt.wholeSeconds && new.endsAt >= now
        case .pending: return new.startsAt >= now
        case .expired: return false
        }
    }

    private static func checked(_ draft: SilenceDraft, at now: Timestamp) throws(SilenceError) -> Silence {
        let begin = draft.startsAt ?? now
        guard let end = draft.endsAt, begin < end else {
            throw SilenceError(.invalid, "Failed to create silence: start time must be before end time")
        }
        if end < now { throw SilenceError(.invalid, "Failed to create silence: end time can't be in the past") }
        if draft.matcherSets.isEmpty { throw invalid("at least one matcher set required") }
        var sets: [[Matcher]] = []
        for (number, set) in draft.matcherSets.enumerated() {
            if set.isEmpty { throw invalid("matcher set \(number) is empty") }
            var matchers: [Matcher] = []
            for (index, matcher) in set.enumerated() {
                let place = "invalid label matcher \(index) in set \(number): "
                if matcher.name.isEmpty { throw invalid(place + "invalid label name \(QuotedText.go(matcher.name))") }
                do throws(PatternError) {
                    matchers.append(try Matcher(matcher.kind, name: matcher.name, value: matcher.value))
                } catch {
                    throw invalid(place + "invalid regular expression \(QuotedText.go(matcher.value)): \(error.message)")
                }
            }
            // As upstream has it: `!=` and `!~` never count as matching nothing.
            if matchers.allSatisfy({ ($0.kind == .equal || $0.kind == .regex) && $0.matchesEmpty }) {
                throw invalid("matcher set \(number): at least one matcher must not match the empty string")
            }
            sets.append(matchers)
        }
        return Silence(
            id: draft.id, matcherSets: sets, startsAt: begin, endsAt: end, updatedAt: now, createdBy: draft.createdBy,
            comment: draft.comment, annotations: draft.annotations)
    }

    private static func invalid(_ text: String) -> SilenceError { SilenceError(.invalid, "invalid silence: " + text) }
}

extension Timestamp {
    /// Seconds, rounded down.
    fileprivate var wholeSeconds: Int64 { milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0) }
}

extension Array {
    /// The first index whose element, and all behind it, satisfy `condition`.
    fileprivate func partitioningIndex(where condition: (Element) -> Bool) -> Int {
        var low = 0, high = count
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A random UUID (version 4), as silences are named.
enum RandomUUID {
    static func text(using random: inout some RandomNumberGenerator) -> String {
        var high = random.next(), low = random.next()
        high = high & ~0xf000 | 0x4000
        low = low & ~(0xc0 << 56) | 0x80 << 56
        let digits = hexadecimal(high) + hexadecimal(low)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text += "-" }
            text.append(digit)
        }
        return text
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
