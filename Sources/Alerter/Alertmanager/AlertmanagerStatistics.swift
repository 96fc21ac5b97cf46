import TSDB

/// Counts since the start, and how things stand: what the metrics show.
public struct AlertmanagerStatistics: Sendable, Equatable {
    /// Per kind of integration: `webhook` …
    public struct IntegrationCounts: Sendable, Equatable {
        /// Notifications begun; each may need several requests.
        public var notifications = 0
        /// Notifications given up, by reason.
        public var failed: [String: Int] = [:]
        public var requests = 0
        public var requestsFailed = 0
    }

    /// Of one state file.
    public struct StateFileCounts: Sendable, Equatable {
        public var maintenances = 0
        public var maintenanceErrors = 0
        public var writeErrors = 0
        /// Size of the last snapshot.
        public var snapshotBytes = 0
        /// Records that could not be read at start and bytes that were left out.
        public var damagedRecords = 0
        public var damagedBytes = 0
    }

    public var receivedFiring = 0
    public var receivedResolved = 0
    public var invalid = 0
    /// Refused by the limit per alertname.
    public var limited = 0
    public var integrations: [String: IntegrationCounts] = [:]
    /// By `silence`, `inhibition`, `mute_time_interval`, `active_time_interval`.
    public var suppressed: [String: Int] = [:]
    public var notificationLogQueries = 0
    public var silenceFile = StateFileCounts()
    public var notificationLogFile = StateFileCounts()
    public var alertFile = StateFileCounts()
    public var historyWriteErrors = 0

    // How things stand.
    public var groups = 0
    public var activeAlerts = 0
    public var suppressedAlerts = 0
    public var activeSilences = 0
    public var pendingSilences = 0
    public var expiredSilences = 0
    public var notificationLogEntries = 0
    public var attemptsInFlight = 0
}
