import Alerter
import Scraper
import TSDB

/// What `prometheus.yml` and its rule files say, as plain values with all defaults filled in.
///
/// The core gets these values and never sees YAML. Equal values mean that a reload has nothing to do.
public struct Configuration: Sendable {
    public struct Storage: Equatable, Sendable {
        public var outOfOrderWindow = TSDB.Duration.zero
        /// Over the flag, where it is written.
        public var retentionTime: TSDB.Duration?
        /// Exemplars kept, where the feature is on.
        public var maxExemplars = 100_000

        public init() {}
    }

    public var global = GlobalConfig()
    public var scrapeConfigs: [ScrapeConfig] = []
    /// Patterns, made absolute.
    public var ruleFiles: [String] = []
    /// The groups of all rule files that the patterns named when the configuration was loaded.
    public var ruleGroups: [RuleGroup] = []
    public var alerting = AlertingConfig()
    public var storage = Storage()
    /// What the operator should know: accepted, and without effect yet.
    public var warnings: [String] = []

    public init() {}

    /// Without a file: this process and this host, every 15 seconds, as far as `pages` has them. Jobs and instances are named as in
    /// upstream's own examples, which is what dashboards and alert rules expect.
    public static func standard(pages: Set<String>) -> Configuration {
        var configuration = Configuration()
        configuration.global.scrapeInterval = .seconds(15)
        configuration.global.evaluationInterval = .seconds(15)
        let targets = [("prometheus", "self", "localhost:9090"), ("node", "host", "localhost:9100")]
        for (job, page, instance) in targets where pages.contains(page) {
            var scrape = ScrapeConfig(jobName: job, interval: .seconds(15))
            scrape.scheme = InternalTransport.scheme
            scrape.staticConfigs = [TargetGroup(source: "0", addresses: [page], labels: ["instance": instance])]
            configuration.scrapeConfigs.append(scrape)
        }
        return configuration
    }
}
