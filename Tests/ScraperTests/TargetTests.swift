import TSDB
import Testing

@testable import Scraper

@Suite("Targets")
struct TargetTests {
    private func active(_ labels: Labels, group: Labels = [:], _ config: ScrapeConfig) throws -> Target {
        guard case .active(let target) = Target.make(labels, groupLabels: group, config: config) else {
            Issue.record("no target: \(Target.make(labels, groupLabels: group, config: config))")
            throw CancellationError()
        }
        return target
    }

    @Test("discovered labels hold the defaults, and win over them")
    func discovered() throws {
        var config = ScrapeConfig(jobName: "api", interval: .seconds(15), timeout: .seconds(5))
        config.parameters = [QueryParameter(name: "module", values: ["a b", "c"])]
        let target = try active(["__address__": "h:1", "env": "x"], group: ["env": "group", "dc": "1"], config)
        #expect(
            target.discovered == [
                "__address__": "h:1", "__metrics_path__": "/metrics", "__param_module": "a b", "__scheme__": "http",
                "__scrape_interval__": "15s", "__scrape_timeout__": "5s", "dc": "1", "env": "x", "job": "api",
            ])
        #expect(target.labels == ["dc": "1", "env": "x", "instance": "h:1", "job": "api"])
        #expect(target.url == "http://h:1/metrics?module=a+b&module=c")
        #expect(target.interval == .seconds(15) && target.timeout == .seconds(5))
    }

    @Test("relabeling may change address, path, scheme, parameters, interval; meta and internal labels go")
    func relabelled() throws {
        var config = ScrapeConfig(jobName: "probe", interval: .minutes(1), timeout: .seconds(10))
        func set(_ target: String, _ value: String, from source: [String] = [], _ regex: String = "(.*)") throws {
            var rule = try RelabelConfig(regex: regex)
            rule.sourceLabels = source
            rule.targetLabel = target
            rule.replacement = value
            config.relabelConfigs.append(rule)
        }
        try set("__param_target", "$1", from: ["__address__"])
        try set("instance", "$1", from: ["__param_target"])
        try set("__address__", "blackbox:9115")
        try set("__metrics_path__", "probe/x y")
        try set("__scheme__", "https")
        try set("__scrape_interval__", "30s")
        try set("kind", "$1", from: ["__meta_kind"])
        let target = try active(["__address__": "http-site", "__meta_kind": "web"], config)
        #expect(target.labels == ["instance": "http-site", "job": "probe", "kind": "web"])
        #expect(target.url == "https://blackbox:9115/probe/x%20y?target=http-site")
        #expect(target.interval == .seconds(30))
        #expect(target.discovered["__address__"] == "http-site")
    }

    @Test(
        "what cannot be scraped says why, in upstream's words",
        arguments: [
            (["__address__": ""], "no address"), (["__address__": "http://x"], "\"http://x\" is not a valid hostname"),
            (["__address__": "x", "__scrape_interval__": "1"], "error parsing scrape interval: not a valid duration string: \"1\""),
            (["__address__": "x", "__scrape_interval__": "0s"], "scrape interval cannot be 0"),
            (["__address__": "x", "__scrape_timeout__": "x"], "error parsing scrape timeout: not a valid duration string: \"x\""),
            (["__address__": "x", "__scrape_timeout__": "2m"], "scrape timeout cannot be greater than scrape interval (\"2m\" > \"1m\")"),
        ] as [(Labels, String)])
    func invalid(labels: Labels, reason: String) {
        guard case .invalid(_, let said) = Target.make(labels, groupLabels: [:], config: ScrapeConfig(jobName: "j")) else {
            Issue.record("a target")
            return
        }
        #expect(said == reason)
    }

    @Test("a target dropped by relabeling keeps its discovered labels for display")
    func dropped() throws {
        var config = ScrapeConfig(jobName: "j")
        var drop = try RelabelConfig(regex: ".*")
        drop.action = .drop
        config.relabelConfigs = [drop]
        guard case .dropped(let discovered) = Target.make(["__address__": "x"], groupLabels: [:], config: config) else {
            Issue.record("not dropped")
            return
        }
        #expect(discovered["__address__"] == "x" && discovered["job"] == "j")
    }

    @Test("the request asks as upstream does")
    func request() throws {
        var config = ScrapeConfig(jobName: "j", interval: .seconds(15), timeout: .milliseconds(1500))
        config.http.credentials = .basic(username: "Aladdin", password: "open sesame")
        config.http.headers = [("X-Scope", "1")]
        let request = try active(["__address__": "x:1"], config).request(config: config, userAgent: "minprom/1")
        let headers = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
        #expect(
            headers["Accept"]
                == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        )
        #expect(headers["Accept-Encoding"] == "gzip")
        #expect(headers["X-Prometheus-Scrape-Timeout-Seconds"] == "1.5")
        #expect(headers["Authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(request.headers.filter(\.isSecret).map(\.name) == ["X-Scope", "Authorization"])
        #expect(request.url == "http://x:1/metrics" && request.bodyLimit == 16 << 20)
    }

    @Test("base64 as RFC 4648 shows it", arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
    func base64(text: String, encoded: String) { #expect(Base64.encode(text) == encoded) }

    @Test(
        "content types decide the format, and bad ones fail without a fallback",
        arguments: [
            ("text/plain; version=0.0.4", nil, "text"), ("TEXT/PLAIN", nil, "text"),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", nil, "openMetrics"),
            ("", nil, "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target"),
            ("text/html", nil, "received unsupported Content-Type \"text/html\" and no fallback_scrape_protocol specified for target"),
            ("text/plain; =", nil, "cannot parse Content-Type \"text/plain; =\" and no fallback_scrape_protocol for target"),
            ("", .prometheusText0_0_4, "text"), ("text/html", .openMetricsText1_0_0, "openMetrics"), ("text/plain; a=\"b\\\"c\";", nil, "text"),
        ] as [(String, ScrapeProtocol?, String)])
    func contentTypes(header: String, fallback: ScrapeProtocol?, expected: String) {
        do { #expect("\(try ContentType.format(of: header, fallback: fallback))" == expected) } catch { #expect(error.message == expected) }
    }

    @Test("targets keep their place in the interval, and places differ")
    func offsets() {
        var places: Set<Int64> = []
        for number in 0..<100 {
            let target = (try? active(["__address__": "host-\(number):80"] as Labels, ScrapeConfig(jobName: "j")))
            let identity = target?.identity ?? 0
            let now = Timestamp(milliseconds: 1_700_000_012_345)
            let offset = ScrapeSchedule.offset(identity: identity, interval: .seconds(60), now: now)
            #expect((0..<60_000).contains(offset))
            let later = ScrapeSchedule.offset(identity: identity, interval: .seconds(60), now: Timestamp(milliseconds: 1_700_000_099_999))
            #expect((1_700_000_012_345 + offset) % 60_000 == (1_700_000_099_999 + later) % 60_000)
            places.insert(offset)
        }
        #expect(places.count > 90)
    }

    @Test("timestamps within 2 ms go back on the grid; late ones and clock steps do not")
    func alignment() {
        var schedule = ScrapeSchedule(interval: .seconds(10), start: Timestamp(milliseconds: 1000))
        func at(_ now: Int64) -> Int64 { schedule.timestamp(at: Timestamp(milliseconds: now)).milliseconds }
        #expect(at(1000) == 1000)
        #expect(at(11_001) == 11_000)
        #expect(at(21_002) == 21_000)
        #expect(at(31_003) == 31_003)
        #expect(at(41_000) == 41_000)
        #expect(at(100_000_000_000_000_001) == 100_000_000_000_000_001)
        #expect(at(5_000) == 5_000)
        #expect(at(15_001) == 15_000)
    }
}
