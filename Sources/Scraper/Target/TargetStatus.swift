import TSDB

/// Whether the last scrape went well.
public enum TargetHealth: String, Sendable {
    case unknown, up, down
}

/// One target as `/api/v1/targets` shows it.
public struct TargetStatus: Sendable {
    public let target: Target
    public let health: TargetHealth
    /// Why the last scrape failed, or empty.
    public let lastError: String
    /// `nil` before the first scrape.
    public let lastScrape: Timestamp?
    /// Seconds.
    public let lastScrapeDuration: Double
    public let samplesScraped: Int
    /// By family name; for `/api/v1/metadata` and `/api/v1/targets/metadata`.
    public let metadata: [MetricMetadata]
}

/// One job with its targets.
public struct PoolStatus: Sendable {
    public let job: String
    public let config: ScrapeConfig
    /// In the order of the configuration.
    public let active: [TargetStatus]
    /// Discovered labels of what relabeling dropped, at most `keep_dropped_targets`.
    public let dropped: [Labels]
    public let droppedCount: Int
    /// What could not be made a target, with the reason.
    public let invalid: [InvalidTarget]
}

/// Discovered labels that make no target.
public struct InvalidTarget: Sendable, Equatable {
    public let discovered: Labels
    /// `instance 0 in group 0: no address`.
    public let reason: String
}
