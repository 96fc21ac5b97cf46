import Alerter
import ConfigurationFile
import Scraper
import Support
import TSDB
import Testing

@Suite("prometheus.yml becomes values, or an error that names file and line")
struct ConfigurationTests {
    /// Reads `text` as `/etc/prometheus.yml`; other files come from `files`.
    private func load(_ text: String, files: [String: String] = [:]) throws(ConfigError) -> Configuration {
        try ConfigurationFile(path: "/etc/prometheus.yml", environment: { ["SITE": "berlin"][$0] }) {
            (path: String) throws(TSDBError) in
            guard let content = files[path] else { throw TSDBError(.io, "\(path): no such file") }
            return Array(content.utf8)
        }.parse(Array(text.utf8))
    }

    private func failure(_ text: String) -> String {
        do throws(ConfigError) {
            _ = try load(text)
            return "no error"
        } catch {
            return error.description
        }
    }

    @Test("an empty file is a configuration with upstream's defaults")
    func empty() throws {
        for text in ["", "# nothing\n", "global:\n", "scrape_configs:\n", "{}"] {
            let configuration = try load(text)
            #expect(configuration.global.scrapeInterval == .minutes(1))
            #expect(configuration.global.scrapeTimeout == .seconds(10))
            #expect(configuration.scrapeConfigs.isEmpty)
        }
    }

    @Test("a job takes what it does not say from global")
    func inheritance() throws {
        let configuration = try load(
            """
            global: {scrape_interval: 20s, sample_limit: 100, body_size_limit: 5MB}
            scrape_configs:
            - job_name: a
              static_configs: [{targets: ['x:1', 'y:2'], labels: {env: prod}}]
            - job_name: b
              scrape_interval: 5s
              sample_limit: 7
              metrics_path: /m
              params: {module: [http, icmp], a: ['1']}
            """)
        let (a, b) = (configuration.scrapeConfigs[0], configuration.scrapeConfigs[1])
        #expect(a.interval == .seconds(20) && a.timeout == .seconds(10) && a.limits.samples == 100)
        #expect(a.limits.bodySize == 5 << 20)
        #expect(a.staticConfigs == [TargetGroup(source: "0", addresses: ["x:1", "y:2"], labels: ["env": "prod"])])
        #expect(b.interval == .seconds(5) && b.timeout == .seconds(5) && b.limits.samples == 7 && b.metricsPath == "/m")
        #expect(b.parameters == [QueryParameter(name: "a", values: ["1"]), QueryParameter(name: "module", values: ["http", "icmp"])])
    }

    @Test("environment variables are expanded in external labels, and only there")
    func environment() throws {
        let configuration = try load(
            """
            global:
              external_labels: {site: '${SITE}-$SITE', dollar: $$, none: 'x${NOPE}y'}
            scrape_configs:
            - {job_name: '$SITE'}
            """)
        #expect(configuration.global.externalLabels == ["site": "berlin-berlin", "dollar": "$", "none": "xy"])
        #expect(configuration.scrapeConfigs[0].jobName == "$SITE")
    }

    @Test("relabeling rules keep their defaults, and an empty value is a value")
    func relabeling() throws {
        let configuration = try load(
            """
            scrape_configs:
            - job_name: a
              relabel_configs:
              - {source_labels: [a, b], target_label: c}
              - {regex: 'tmp_.*', action: LabelDrop}
              metric_relabel_configs:
              - {source_labels: [a], target_label: a, replacement: '', separator: ''}
            """)
        let rules = configuration.scrapeConfigs[0].relabelConfigs
        #expect(rules[0].sourceLabels == ["a", "b"] && rules[0].separator == ";" && rules[0].replacement == "$1")
        #expect(rules[1].action == .labeldrop && rules[1].regex.source == "tmp_.*")
        let metric = configuration.scrapeConfigs[0].metricRelabelConfigs[0]
        #expect(metric.replacement == "" && metric.separator == "")
    }

    @Test("aliases and merge keys work as YAML has them")
    func aliases() throws {
        let configuration = try load(
            """
            scrape_configs:
            - &base
              job_name: a
              scrape_interval: 7s
              metrics_path: /base
            - <<: *base
              job_name: b
              metrics_path: /own
            """)
        #expect(configuration.scrapeConfigs[1].interval == .seconds(7))
        #expect(configuration.scrapeConfigs[1].metricsPath == "/own")
    }

    @Test("a URL may stand for a target where relabeling makes an address of it, as in jobs of probes")
    func probes() throws {
        let text = """
            scrape_configs:
            - job_name: blackbox
              static_configs:
              - targets: ['http://api:8000/health']
              relabel_configs:
              - {source_labels: [__address__], target_label: __param_target}
              - {target_label: __address__, replacement: 'blackbox_exporter:9115'}
            """
        let configuration = try load(text)
        #expect(
            configuration.scrapeConfigs.last?.staticConfigs == [TargetGroup(source: "0", addresses: ["http://api:8000/health"])])
    }

    @Test(
        "what is wrong is said with its line",
        arguments: [
            ("foo: 1", "/etc/prometheus.yml:1: field foo not found in the configuration"),
            ("global:\n  scrape_intervall: 1s", "/etc/prometheus.yml:2: field scrape_intervall not found in global"),
            ("global: {scrape_interval: 1x}", "/etc/prometheus.yml:1: scrape_interval: unknown unit \"x\" in duration \"1x\""),
            ("global: {scrape_interval: 5s, scrape_timeout: 6s}", "/etc/prometheus.yml:1: global scrape timeout greater than scrape interval"),
            ("a: 1\na: 2", "/etc/prometheus.yml:2: mapping key \"a\" already defined at line 1"),
            ("scrape_configs:\n- {}", "/etc/prometheus.yml:2: job_name is empty in scrape_configs entry"),
            ("scrape_configs:\n- job_name: a\n- job_name: a", "/etc/prometheus.yml:3: found multiple scrape configs with job name \"a\""),
            ("scrape_configs:\n- job_name: a\n  scheme: https", "/etc/prometheus.yml:3: scheme https is not supported yet: TLS is not built in"),
            (
                "scrape_configs:\n- job_name: a\n  tls_config: {}",
                "/etc/prometheus.yml:3: field tls_config of scrape_configs entry is not supported yet"
            ),
            (
                "scrape_configs:\n- job_name: a\n  dns_sd_configs: []",
                "/etc/prometheus.yml:3: field dns_sd_configs of scrape_configs entry is not supported yet; use static_configs"
            ),
            (
                "scrape_configs:\n- job_name: a\n  static_configs:\n  - targets: ['http://x']",
                "/etc/prometheus.yml:4: \"http://x\" is not a valid hostname"
            ),
            ("scrape_configs:\n- job_name: a\n  relabel_configs:\n  - action: nope", "/etc/prometheus.yml:4: unknown relabel action \"nope\""),
            (
                "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - {action: keep, regex: '('}",
                "/etc/prometheus.yml:4: regex: error parsing regexp: missing closing ): `(`"
            ),
            ("scrape_configs:\n- job_name: a\n  honor_labels: maybe", "/etc/prometheus.yml:3: honor_labels must be true or false"),
            ("scrape_configs:\n- job_name: a\n  sample_limit: -1", "/etc/prometheus.yml:3: sample_limit must be a number from 0 up"),
            ("scrape_configs:\n- job_name: a\n  scrape_protocols: []", "/etc/prometheus.yml:3: scrape_protocols cannot be empty"),
            (
                "scrape_configs:\n- job_name: a\n  scrape_classic_histograms: true",
                "/etc/prometheus.yml:3: field scrape_classic_histograms of scrape_configs entry is replaced by always_scrape_classic_histograms"
            ),
            (
                "scrape_configs:\n- job_name: a\n  native_histogram_min_bucket_factor: x",
                "/etc/prometheus.yml:3: native_histogram_min_bucket_factor must be a number"
            ),
            ("storage:\n  tsdb: {retention: {size: 2GB}}", "/etc/prometheus.yml:2: field size of storage.tsdb.retention is not supported yet"),
            ("remote_write:\n- url: x", "/etc/prometheus.yml:1: field remote_write of the configuration is not supported yet"),
            ("a: [", "/etc/prometheus.yml:2: yaml: did not find expected node content"),
            ("a: *nope", "/etc/prometheus.yml:1: yaml: unknown anchor 'nope' referenced"),
            ("---\na: 1\n---\nb: 2", "/etc/prometheus.yml:3: expected one document, found another"),
            ("[1, 2]", "/etc/prometheus.yml:1: the configuration must be a mapping"),
        ])
    func errors(_ text: String, _ message: String) { #expect(failure(text) == message) }

    @Test("what becomes of histograms is said by global, by the job, or by a feature; protobuf comes first where native ones are scraped")
    func histograms() throws {
        let text = """
            global: {always_scrape_classic_histograms: true, convert_classic_histograms_to_nhcb: true}
            scrape_configs:
            - {job_name: a}
            - {job_name: b, scrape_native_histograms: true, convert_classic_histograms_to_nhcb: false, native_histogram_bucket_limit: 160, native_histogram_min_bucket_factor: 1.1}
            - {job_name: c, scrape_native_histograms: true, scrape_protocols: [PrometheusText0.0.4, PrometheusProto]}
            """
        let configs = try load(text).scrapeConfigs
        #expect(configs.map(\.histograms.scrapesNative) == [false, true, true])
        #expect(configs.map(\.histograms.keepsClassic) == [true, true, true])
        #expect(configs.map(\.histograms.convertsClassic) == [true, false, true])
        #expect(configs.map(\.limits.buckets) == [0, 160, 0] && configs[1].limits.minimumBucketFactor == 1.1)
        #expect(configs[0].protocols == ScrapeProtocol.standard && configs[1].protocols == ScrapeProtocol.protobufFirst)
        #expect(configs[2].protocols == [.prometheusText0_0_4, .prometheusProto])
        let again = try load(load(text).yaml)
        #expect(again.scrapeConfigs == configs)

        var defaults = GlobalConfig()
        defaults.histograms.scrapesNative = true
        defaults.protocols = ScrapeProtocol.protobufFirst
        let file = ConfigurationFile(path: "p.yml", defaults: defaults) { (_: String) throws(TSDBError) in [] }
        let featured = try file.parse(Array("scrape_configs: [{job_name: a}, {job_name: b, scrape_native_histograms: false}]".utf8)).scrapeConfigs
        #expect(featured.map(\.histograms.scrapesNative) == [true, false])
        #expect(featured.map(\.protocols) == [ScrapeProtocol.protobufFirst, ScrapeProtocol.protobufFirst])
    }

    @Test("a billion laughs are refused, not expanded; deep nesting likewise")
    func bombs() {
        var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let references = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            laughs += "a\(level): &a\(level) [\(references)]\n"
        }
        #expect(failure(laughs).contains("aliases expanded"))
        #expect(failure("? *a\n: 1\n").contains("unknown anchor"))
        #expect(failure("a: " + String(repeating: "[", count: 90) + String(repeating: "]", count: 90)).contains("not found"))
        #expect(failure("a: " + String(repeating: "[", count: 200)).contains("nested deeper than 100 levels"))
        #expect(failure("a: " + String(repeating: "[", count: 100_000)).contains("/etc/prometheus.yml:1"))
        #expect(failure("a: " + String(repeating: "- ", count: 100_000)).contains("/etc/prometheus.yml:1"))
    }

    @Test("secrets are not in the text that the API shows, and the text reads back")
    func text() throws {
        let configuration = try load(
            """
            global: {external_labels: {a: 'yes', b: "x: y"}, scrape_interval: 10s}
            storage: {tsdb: {out_of_order_time_window: 30m, retention: {time: 3d}}}
            scrape_configs:
            - job_name: 'true'
              basic_auth: {username: me, password: hidden-1}
              http_headers: {X-Key: {secrets: [hidden-2], values: [hidden-3]}}
              params: {'match[]': ['{a="b"}', '']}
              static_configs: [{targets: ['[::1]:80', h], labels: {'my.label': "line\\nbreak"}}]
              relabel_configs: [{source_labels: [__address__, x.y], regex: "a'b", target_label: t, separator: ''}]
            - job_name: c
              authorization: {credentials: hidden-4}
            """)
        let yaml = configuration.yaml
        for secret in 1...4 { #expect(!yaml.contains("hidden-\(secret)")) }
        #expect(yaml.contains("password: <secret>"))
        let again = try load(yaml)
        #expect(again.yaml == yaml)
        #expect(again.global == configuration.global && again.storage == configuration.storage)
        #expect(again.scrapeConfigs[0].relabelConfigs == configuration.scrapeConfigs[0].relabelConfigs)
        #expect(again.scrapeConfigs[0].staticConfigs == configuration.scrapeConfigs[0].staticConfigs)
        #expect(again.scrapeConfigs[0].parameters == configuration.scrapeConfigs[0].parameters)
    }

    @Test("random damage to a file is an error or a configuration, never a crash")
    func damage() {
        let whole = Array(
            """
            global: &g {scrape_interval: 10s, external_labels: {a: "b"}}
            scrape_configs:
            - job_name: 'a'
              static_configs: [{targets: ['x:1'], labels: {env: prod}}]
              relabel_configs:
              - {source_labels: [a], regex: '(.*)', target_label: b}
            - <<: *g
            storage: {tsdb: {retention: {time: 3d}}}
            """.utf8)
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        let alphabet = Array("{}[]:,-&*<>'\"|#%@!?\n \t\\a1~\u{0}".utf8) + [0xff, 0xc3]
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = alphabet.randomElement(using: &random) ?? 0
                case 1: bytes.remove(at: at)
                default: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: at)
                }
            }
            let file = ConfigurationFile(path: "x.yml") { (_: String) throws(TSDBError) in [] }
            _ = try? file.parse(bytes)
        }
    }
}

@Suite("rule files are read and checked")
struct RuleFileTests {
    private func parse(_ text: String) throws(ConfigError) -> [RuleGroup] {
        try RuleFile.parse(Array(text.utf8), file: "r.yml", global: .seconds(30))
    }

    @Test("a group has its rules in order, with the global interval where it has none")
    func group() throws {
        let groups = try parse(
            """
            groups:
            - name: a
              rules:
              - {record: 'job:up', expr: sum by (job) (up), labels: {x: y}}
              - alert: Down
                expr: up == 0
                for: 1m
                annotations: {summary: '{{ $labels.job }} is down'}
            - {name: b, interval: 5s, limit: 3}
            """)
        #expect(groups.map(\.name) == ["a", "b"])
        #expect(groups[0].interval == .seconds(30) && groups[1].interval == .seconds(5) && groups[1].limit == 3)
        guard case .recording(let metric) = groups[0].rules[0].kind, case .alerting(let alert) = groups[0].rules[1].kind
        else {
            Issue.record("kinds")
            return
        }
        #expect(metric == "job:up" && groups[0].rules[0].labels == ["x": "y"])
        #expect(alert.name == "Down" && alert.hold == .minutes(1))
        #expect(alert.annotations.map(\.template) == ["{{ $labels.job }} is down"])
    }

    @Test(
        "what is wrong is said with its line",
        arguments: [
            ("groups:\n- rules: []", "r.yml:2: Groupname must not be empty"),
            ("groups:\n- name: a\n- name: a", "r.yml:3: groupname: \"a\" is repeated in the same file"),
            ("groups:\n- name: a\n  rules:\n  - expr: up", "r.yml:4: one of 'record' or 'alert' must be set"),
            ("groups:\n- name: a\n  rules:\n  - {record: a, alert: b, expr: up}", "r.yml:4: only one of 'record' and 'alert' must be set"),
            ("groups:\n- name: a\n  rules:\n  - alert: b", "r.yml:4: field 'expr' must be set in rule"),
            (
                "groups:\n- name: a\n  rules:\n  - alert: b\n    expr: sum(",
                "r.yml:5: could not parse expression: 1:5: parse error: unclosed left parenthesis"
            ),
            ("groups:\n- name: a\n  rules:\n  - {record: a, expr: up, for: 1m}", "r.yml:4: invalid field 'for' in recording rule"),
            (
                "groups:\n- name: a\n  rules:\n  - {alert: B, expr: up, annotations: {s: '{{ nope }}'}}",
                "r.yml:4: annotation \"s\": template: __alert_B:1: function \"nope\" not defined"
            ),
            (
                "groups:\n- name: a\n  rules:\n  - {alert: B, expr: up, labels: {s: '{{ $x }}'}}",
                "r.yml:4: label \"s\": template: __alert_B:1: undefined variable \"$x\""
            ),
            ("groups:\n- name: a\n  ruls: []", "r.yml:3: field ruls not found in rule group"),
        ])
    func errors(_ text: String, _ message: String) {
        do throws(ConfigError) {
            _ = try parse(text)
            Issue.record("no error")
        } catch {
            #expect(error.description == message)
        }
    }
}
