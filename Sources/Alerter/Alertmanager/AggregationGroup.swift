import TSDB

/// Alerts of one route with the same values of its `group_by` labels, which are told about together.
///
///     first alert ── group_wait ──▶ flush ── group_interval ──▶ flush ── … ──▶ nothing left: the group is gone
///
/// A flush takes a snapshot: what is over is over, what fires goes on firing in it even if its end comes while it is sent. When all
/// have been told, the alerts that were over leave the group, unless they were reported anew meanwhile.
/// A group flushes one thing at a time: a tick that comes while it still tells waits.
/// Source: Alertmanager, `dispatch/dispatch.go`.
struct AggregationGroup: Sendable {
    /// Which group: the route's number and the values.
    struct ID: Sendable, Hashable {
        var route: Int
        var labels: Labels
    }

    struct Member: Sendable {
        var alert: Alert
        let fingerprint: Fingerprint
        /// What the notification log knows it by.
        let hash: UInt64
        /// Sorts as notifications are sorted; see `NotificationOrder`.
        let order: Labels
        /// Counts reports, so that a flush can tell whether there was another one.
        var revision: UInt64
    }

    /// What explanations want to know about one integration.
    struct Trace: Sendable {
        var decision: NotificationDecision?
        var decidedAt: Timestamp?
        var attempts: [NotificationExplanation.Attempt] = []

        /// Attempts that are remembered.
        static let maximumAttempts = 10

        mutating func add(_ attempt: NotificationExplanation.Attempt) {
            if attempts.count >= Self.maximumAttempts { attempts.removeFirst() }
            attempts.append(attempt)
        }
    }

    /// The flush under way.
    struct Flush: Sendable {
        /// Integrations that have not been told yet.
        var open = 0
        var hasFailed = false
        /// Members that were over in the snapshot.
        var resolved: [(fingerprint: Fingerprint, revision: UInt64)] = []
    }

    let match: RouteMatch
    let labels: Labels
    let key: String
    private(set) var members: [Fingerprint: Member] = [:]
    /// When the timer ticks, or ticked while the group could not flush.
    var nextTick: Timestamp
    /// A tick waits for the flush under way.
    var isTickWaiting = false
    /// Nothing in it was reported since the start.
    var isRemembered = false
    var flush: Flush?
    var lastFlush: Timestamp?
    /// Time intervals that kept the last flush quiet.
    var mutedBy: [String] = []
    /// By position in the receiver's list.
    var traces: [Trace]
    private var revision: UInt64 = 0

    init(_ match: RouteMatch, labels: Labels, integrations: Int, at now: Timestamp) {
        self.match = match
        self.labels = labels
        key = match.groupKey(labels)
        nextTick = now + match.route.groupWait
        traces = Array(repeating: Trace(), count: integrations)
    }

    var id: ID { ID(route: match.index, labels: labels) }

    mutating func insert(_ alert: Alert, _ fingerprint: Fingerprint) {
        revision += 1
        if members[fingerprint] != nil {
            members[fingerprint]?.alert = alert
            members[fingerprint]?.revision = revision
        } else {
            members[fingerprint] = Member(
                alert: alert, fingerprint: fingerprint, hash: NotificationHash.hash(alert.labels),
                order: NotificationOrder.key(alert.labels), revision: revision)
        }
    }

    /// Removes what was over in a flush and has not been reported since; returns it.
    mutating func remove(_ resolved: [(fingerprint: Fingerprint, revision: UInt64)]) -> [(fingerprint: Fingerprint, labels: Labels)] {
        var removed: [(fingerprint: Fingerprint, labels: Labels)] = []
        for (fingerprint, revision) in resolved {
            guard let member = members[fingerprint], member.revision == revision else { continue }
            members[fingerprint] = nil
            removed.append((fingerprint, member.alert.labels))
        }
        return removed
    }

    var orderedFingerprints: [Fingerprint] {
        let all = Array(members.values)
        return LabelOrder.sorted(all.map(\.order)).map { all[$0].fingerprint }
    }

    /// All members as they are at `now`, in the order of notifications. What is not over has no end in it.
    func snapshot(at now: Timestamp) -> [Member] {
        let all = Array(members.values)
        return LabelOrder.sorted(all.map(\.order)).map { index in
            var member = all[index]
            if !member.alert.isResolved(at: now) { member.alert.endsAt = nil }
            return member
        }
    }
}

/// By what the notification log knows an alert: XXH64 over `name 0xff value 0xff`, by names.
///
/// Source: Alertmanager, `notify.hashAlert`.
enum NotificationHash {
    static func hash(_ labels: Labels) -> UInt64 {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(labels.packed.count)
        labels.forEachPair { name, value in
            bytes += name
            bytes.append(0xff)
            bytes += value
            bytes.append(0xff)
        }
        return bytes.withUnsafeBytes { XXHash64.hash($0) }
    }
}

/// The order of alerts in a notification: by `job`, by `instance`, then by labels as Go's `LabelSet.Before` has them.
///
///     a job before none · an instance before none · fewer labels before more · at the first difference of names the set
///     whose name is later · at the first difference of values the smaller value
///
/// The key is a label set of one label whose *bytes* sort so, which `LabelOrder` sorts fast.
/// Source: Alertmanager, `alert.AlertSlice`; prometheus/common, `model.LabelSet`.
enum NotificationOrder {
    /// Without `byJob` as groups are sorted: by labels alone.
    static func key(_ labels: Labels, byJob: Bool = true) -> Labels {
        var bytes: [UInt8] = []
        for name in byJob ? ["job", "instance"] : [] {
            if let value = labels[name] {
                bytes.append(0)
                add(value.utf8, to: &bytes)
            } else {
                bytes.append(1)
            }
        }
        let count = UInt32(truncatingIfNeeded: labels.count)
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: count >> UInt32(shift))) }
        labels.forEachPair { name, value in
            // The later name sorts first: its bytes turned over, the end behind all of them.
            for byte in name { bytes.append(~byte) }
            bytes.append(0xff)
            add(value, to: &bytes)
        }
        var packed: [UInt8] = []
        bytes.withUnsafeBytes { packed.appendLabelPart($0) }
        packed += [1, 0]
        return Labels(uncheckedPacked: packed)
    }

    /// A text and its end, before all that go on.
    private static func add(_ text: some Collection<UInt8>, to bytes: inout [UInt8]) {
        for byte in text {
            bytes.append(byte)
            if byte == 0 { bytes.append(1) }
        }
        bytes += [0, 0]
    }
}
