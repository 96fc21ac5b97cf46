import TSDB

/// How long things are kept and how many there may be.
public struct AlertmanagerOptions: Sendable {
    /// Silences after their end, log entries after the notification. `--data.retention`.
    public var retention = Duration.hours(120)
    /// Between snapshots of the state files. `--data.maintenance-interval`.
    public var maintenanceInterval = Duration.minutes(15)
    /// Between clearings of alerts that are over. `--alerts.gc-interval`.
    public var alertCollectionInterval = Duration.minutes(30)
    /// Expired ones included; 0: any number. `--silences.max-silences`.
    public var maximumSilences = 10_000
    /// Of one silence as it is stored; 0: any size. `--silences.max-silence-size-bytes`.
    public var maximumSilenceBytes = 4096
    /// Alerts of one name; 0: any number. `--alerts.per-alertname-limit`.
    public var alertsPerName = 0
    /// Where silences, notification log, alerts and history are; `nil`: in memory only.
    public var directory: String?
    /// Entries of history in memory.
    public var historyEntries = 20_000
    /// Of the history's file, before a new one is begun; one old file is kept.
    public var historyFileBytes = 16 << 20

    public init() {}
}
