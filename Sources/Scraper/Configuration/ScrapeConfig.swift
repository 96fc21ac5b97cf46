import Exposition
import TSDB

/// One entry of `scrape_configs`, as a plain value: which targets a job has and how they are scraped.
///
/// The fields have upstream's defaults. Reading YAML is the business of the Configuration module; `global` values are
/// already filled in here, so that a scrape config explains itself. Two equal configs mean "nothing to reload".
public struct ScrapeConfig: Equatable, Sendable {
    /// Unique; becomes the label `job`.
    public var jobName: String
    public var interval: Duration
    /// At most `interval`.
    public var timeout: Duration
    public var metricsPath = "/metrics"
    /// `http` or `https`, or `internal` for pages of this process (see `InternalTransport`).
    public var scheme = "http"
    /// Query parameters, by name in ascending order.
    public var parameters: [QueryParameter] = []
    /// On a clash, keep the scraped label instead of renaming it to `exported_…`.
    public var honorLabels = false
    /// Use timestamps that the target sends.
    public var honorTimestamps = true
    /// Write stale markers also for series that come with timestamps of their own.
    public var trackTimestampsStaleness = false
    /// Ask for gzip.
    public var enableCompression = true
    /// Offered to the target, most wanted first.
    public var protocols: [ScrapeProtocol] = ScrapeProtocol.standard
    /// Taken when the target names no content type or an unknown one; `nil` fails such scrapes.
    public var fallbackProtocol: ScrapeProtocol?
    public var limits = ScrapeLimits()
    public var histograms = HistogramScraping()
    /// Store a zero where a series began to count (feature `created-timestamp-zero-ingestion`).
    public var storesStartZeros = false
    /// Store with each sample when its series began to count (feature `st-storage`).
    public var storesStarts = false
    public var nameValidation = NameValidation.utf8
    public var nameEscaping = NameEscaping.allowUTF8
    /// Add scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes.
    public var extraScrapeMetrics = false
    public var http = HTTPClientConfig()
    public var staticConfigs: [TargetGroup] = []
    /// Applied to discovered labels; decides which targets exist.
    public var relabelConfigs: [RelabelConfig] = []
    /// Applied to every series scraped.
    public var metricRelabelConfigs: [RelabelConfig] = []

    public init(jobName: String, interval: Duration = .minutes(1), timeout: Duration = .seconds(10)) {
        self.jobName = jobName
        self.interval = interval
        self.timeout = timeout
    }
}

/// The `global` section as far as scraping and rules need it.
public struct GlobalConfig: Equatable, Sendable {
    public var scrapeInterval = Duration.minutes(1)
    public var scrapeTimeout = Duration.seconds(10)
    public var evaluationInterval = Duration.minutes(1)
    public var ruleQueryOffset = Duration.zero
    /// `nil`: what is standard for the job, see `ScrapeProtocol.standard`.
    public var protocols: [ScrapeProtocol]?
    public var histograms = HistogramScraping()
    /// Set by features, not by the file.
    public var storesStartZeros = false
    public var storesStarts = false
    /// Added to what leaves this server (alerts, remote write), never to stored series.
    public var externalLabels = Labels()
    public var limits = ScrapeLimits()
    public var nameValidation = NameValidation.utf8
    public var nameEscaping = NameEscaping.allowUTF8
    public var extraScrapeMetrics = false
    /// Where evaluated queries are logged; empty: nowhere.
    public var queryLogFile = ""

    public init() {}
}

/// A query parameter with its values in order.
public struct QueryParameter: Equatable, Sendable {
    public var name: String
    public var values: [String]

    public init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }
}

/// Bounds on one scrape or one job; 0 means none. Reaching one fails the scrape with an error that names it.
public struct ScrapeLimits: Equatable, Sendable {
    /// Bytes of a body after decompression, where the configuration says nothing: 16 MiB. Upstream has no bound;
    /// one gzip bomb costs it gigabytes.
    public static let standardBodySize = 16 << 20

    /// Bytes after decompression (`body_size_limit`).
    public var bodySize = standardBodySize
    /// Samples left after metric relabeling (`sample_limit`).
    public var samples = 0
    /// Labels per series after relabeling (`label_limit`).
    public var labels = 0
    /// Bytes of a label name (`label_name_length_limit`).
    public var labelNameLength = 0
    /// Bytes of a label value (`label_value_length_limit`).
    public var labelValueLength = 0
    /// Buckets of a native histogram (`native_histogram_bucket_limit`): finer ones are made coarser.
    public var buckets = 0
    /// How much a native histogram's buckets grow at least (`native_histogram_min_bucket_factor`); up to 1 everything does.
    public var minimumBucketFactor = 0.0
    /// Targets of the job after relabeling (`target_limit`); above it all scrapes of the job fail.
    public var targets = 0
    /// Dropped targets kept for display (`keep_dropped_targets`).
    public var keptDroppedTargets = 0

    public init() {}
}

/// What becomes of histograms that targets show.
public struct HistogramScraping: Equatable, Sendable {
    /// Native histograms are read, and protobuf is asked for first, which alone can say them (`scrape_native_histograms`).
    public var scrapesNative = false
    /// The classic series of a histogram are read, too, where it is native or converted (`always_scrape_classic_histograms`).
    public var keepsClassic = false
    /// Classic histograms become native ones with custom bounds (`convert_classic_histograms_to_nhcb`).
    public var convertsClassic = false

    public init() {}

    var protobufOptions: ProtobufFormat.Options {
        var options = ProtobufFormat.Options()
        options.readsNativeHistograms = scrapesNative
        options.keepsClassicHistograms = keepsClassic
        return options
    }
}

/// Which names series and labels may have.
public enum NameValidation: String, Sendable {
    /// Any UTF-8.
    case utf8
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`, labels without the colon.
    case legacy
}

/// How the target is asked to write names that are not legacy names (`escaping=` in the Accept header).
public enum NameEscaping: String, Sendable {
    case allowUTF8 = "allow-utf-8"
    case underscores
    case dots
    case values
}

/// Formats a target can be asked for, by the names of `scrape_protocols`.
public enum ScrapeProtocol: String, Sendable, CaseIterable {
    case prometheusProto = "PrometheusProto"
    case prometheusText0_0_4 = "PrometheusText0.0.4"
    case prometheusText1_0_0 = "PrometheusText1.0.0"
    case openMetricsText0_0_1 = "OpenMetricsText0.0.1"
    case openMetricsText1_0_0 = "OpenMetricsText1.0.0"

    /// Upstream's default order where native histograms are scraped, or start times are wanted.
    public static let protobufFirst: [ScrapeProtocol] = [.prometheusProto] + standard

    /// Upstream's default order.
    public static let standard: [ScrapeProtocol] = [
        .openMetricsText1_0_0, .openMetricsText0_0_1, .prometheusText1_0_0, .prometheusText0_0_4,
    ]

    /// The media type as the Accept header offers it.
    var acceptHeader: String {
        switch self {
        case .prometheusProto:
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
        case .prometheusText0_0_4: "text/plain;version=0.0.4"
        case .prometheusText1_0_0: "text/plain;version=1.0.0"
        case .openMetricsText0_0_1: "application/openmetrics-text;version=0.0.1"
        case .openMetricsText1_0_0: "application/openmetrics-text;version=1.0.0"
        }
    }

    /// The bare media type, which decides the parser.
    var mediaType: String { String(acceptHeader.prefix { $0 != ";" }) }
}

/// How to speak HTTP to targets: credentials and headers of one job.
public struct HTTPClientConfig: Equatable, Sendable {
    public enum Credentials: Equatable, Sendable {
        case none
        /// `basic_auth`.
        case basic(username: String, password: String)
        /// `authorization`: the scheme (`Bearer`) and what follows it.
        case authorization(type: String, credentials: String)
    }

    public var credentials = Credentials.none
    /// `http_headers`, in file order. Never sent to another host after a redirect, and neither are the credentials.
    public var headers: [(name: String, value: String)] = []
    public var followRedirects = true

    public init() {}

    public static func == (a: HTTPClientConfig, b: HTTPClientConfig) -> Bool {
        a.credentials == b.credentials && a.followRedirects == b.followRedirects
            && a.headers.elementsEqual(b.headers) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// Targets that share labels, as static configs and discovery give them.
public struct TargetGroup: Equatable, Sendable {
    /// Names the group in error messages: `0` for the first static config of a job, a file's path for file discovery.
    public var source: String
    /// One label set per target; `__address__` says where it is.
    public var targets: [Labels]
    /// Added to every target that does not have them itself.
    public var labels: Labels

    public init(source: String, targets: [Labels], labels: Labels = Labels()) {
        self.source = source
        self.targets = targets
        self.labels = labels
    }

    /// `targets: ['host:port', …]` with `labels:`.
    public init(source: String, addresses: [String], labels: Labels = Labels()) {
        self.init(source: source, targets: addresses.map { ["__address__": $0] }, labels: labels)
    }
}
