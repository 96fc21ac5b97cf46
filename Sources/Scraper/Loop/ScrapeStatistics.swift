import Synchronization
import TSDB

/// What all scrapes of the process came to: the numbers behind `prometheus_target_*`.
public final class ScrapeStatistics: Sendable {
    public struct Counters: Sendable {
        public var scrapes: UInt64 = 0
        public var failedScrapes: UInt64 = 0
        public var samplesScraped: UInt64 = 0
        /// prometheus_target_scrapes_sample_duplicate_timestamp_total
        public var duplicateSamples: UInt64 = 0
        /// prometheus_target_scrapes_sample_out_of_order_total
        public var outOfOrderSamples: UInt64 = 0
        /// prometheus_target_scrapes_sample_out_of_bounds_total
        public var outOfBoundsSamples: UInt64 = 0
        /// prometheus_target_scrapes_exemplar_out_of_order_total
        public var outOfOrderExemplars: UInt64 = 0
        /// Samples of series that storage refused to make.
        public var refusedSamples: UInt64 = 0
        /// prometheus_target_scrapes_exceeded_sample_limit_total
        public var exceededSampleLimit: UInt64 = 0
        /// prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total
        public var exceededBucketLimit: UInt64 = 0
        /// prometheus_target_scrapes_exceeded_body_size_limit_total
        public var exceededBodySizeLimit: UInt64 = 0
        /// prometheus_target_scrape_pool_exceeded_label_limits_total
        public var exceededLabelLimits: UInt64 = 0
        /// prometheus_target_scrape_pool_exceeded_target_limit_total
        public var exceededTargetLimit: UInt64 = 0
        /// Batches that storage refused as a whole.
        public var failedAppends: UInt64 = 0
        /// prometheus_target_scrape_pools_total
        public var poolsCreated: UInt64 = 0
        /// prometheus_target_scrape_pool_reloads_total
        public var poolReloads: UInt64 = 0
        /// By job: prometheus_target_scrape_pool_sync_total and prometheus_target_sync_failed_total
        public var syncs: [String: UInt64] = [:]
        public var failedSyncs: [String: UInt64] = [:]
        /// By interval: prometheus_target_interval_length_seconds
        public var intervals: [Duration: IntervalLengths] = [:]
    }

    /// Seconds between scrapes that were meant to be one interval apart.
    public struct IntervalLengths: Sendable {
        /// Lengths that quantiles are taken from; older ones fall out.
        private static let capacity = 512
        public private(set) var count: UInt64 = 0
        public private(set) var sum = 0.0
        private var recent: [Double] = []

        mutating func observe(_ seconds: Double) {
            if recent.count < Self.capacity { recent.append(seconds) } else { recent[Int(count % 512)] = seconds }
            count += 1
            sum += seconds
        }

        /// The value below which a share `q` (0…1) of the newest lengths lies; NaN where there is none.
        public func quantile(_ q: Double) -> Double {
            if recent.isEmpty { return .nan }
            let sorted = recent.sorted()
            return sorted[min(sorted.count - 1, max(0, Int((Double(sorted.count) * q).rounded(.up)) - 1))]
        }
    }

    private let counters = Mutex(Counters())

    public init() {}

    public var current: Counters { counters.withLock { $0 } }

    func update(_ change: (inout Counters) -> Void) { counters.withLock { change(&$0) } }

    func count(_ report: ScrapeWorker.Report) {
        update { counters in
            counters.scrapes += 1
            counters.samplesScraped += UInt64(report.outcome.scraped)
            counters.duplicateSamples += UInt64(report.outcome.duplicates)
            counters.outOfOrderSamples += UInt64(report.outcome.outOfOrder)
            counters.outOfBoundsSamples += UInt64(report.outcome.outOfBounds)
            counters.outOfOrderExemplars += UInt64(report.outcome.outOfOrderExemplars)
            counters.refusedSamples += UInt64(report.outcome.refusedSeries)
            if report.storageError != nil { counters.failedAppends += 1 }
            guard let error = report.error else { return }
            counters.failedScrapes += 1
            switch error.code {
            case .bodySizeLimit: counters.exceededBodySizeLimit += 1
            case .limit where error.message.hasPrefix("sample limit"): counters.exceededSampleLimit += 1
            case .limit where error.message.hasPrefix("histogram bucket"): counters.exceededBucketLimit += 1
            case .limit where error.message.hasPrefix("label_"): counters.exceededLabelLimits += 1
            case .limit, .transport, .timeout, .status, .contentType, .format, .storage: break
            }
        }
    }
}
