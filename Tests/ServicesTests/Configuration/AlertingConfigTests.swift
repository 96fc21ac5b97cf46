import Scraper
import TSDB
import Testing

@testable import ConfigurationFile

@Suite("alerting: names the Alertmanagers")
struct AlertingConfigTests {
    private func load(_ text: String) throws(ConfigError) -> Configuration {
        try ConfigurationFile(path: "p.yml") { (_: String) throws(TSDBError) in [] }.parse(Array(text.utf8))
    }

    @Test("targets become URLs to post to; relabeling moves and drops them")
    func urls() throws {
        let configuration = try load(
            """
            alerting:
              alert_relabel_configs: [{regex: replica, action: labeldrop}]
              alertmanagers:
              - path_prefix: /am/
                scheme: https
                timeout: 3s
                basic_auth: {username: u, password: geheim}
                static_configs: [{targets: ['a:9093', 'b:9093', 'a:9093']}]
                relabel_configs:
                - {source_labels: [__address__], regex: 'b:.*', action: drop}
              - static_configs: [{targets: ['c:9093']}]
            """)
        let alerting = configuration.alerting
        #expect(alerting.relabelConfigs.count == 1)
        #expect(alerting.alertmanagers[0].timeout == .seconds(3))
        #expect(alerting.alertmanagers[0].urls().active == ["https://a:9093/am/api/v2/alerts"])
        #expect(alerting.alertmanagers[0].urls().dropped == ["https://b:9093/am/api/v2/alerts"])
        #expect(alerting.alertmanagers[1].urls().active == ["http://c:9093/api/v2/alerts"])
        #expect(configuration.warnings.isEmpty)
        // What is shown can be read again, but for secrets.
        #expect(configuration.yaml.contains("password: <secret>") && !configuration.yaml.contains("geheim"))
        var again = try load(configuration.yaml.replacing("<secret>", with: "geheim")).alerting
        again.alertmanagers[0].http = alerting.alertmanagers[0].http
        #expect(again == alerting)
    }

    @Test(
        "what is not done is refused by name",
        arguments: [
            ("[{dns_sd_configs: []}]", "p.yml:1: field dns_sd_configs of alertmanagers entry is not supported yet; use static_configs"),
            ("[{tls_config: {}}]", "p.yml:1: field tls_config of alertmanagers entry is not supported yet"),
            ("[{api_version: v1}]", "p.yml:1: expected Alertmanager api version to be one of [v2] but got v1"),
            ("[{scheme: ftp}]", "p.yml:1: scheme must be http or https, not \"ftp\""),
            ("[{adresses: []}]", "p.yml:1: field adresses not found in alertmanagers entry"),
        ])
    func refusals(text: String, message: String) {
        do throws(ConfigError) {
            _ = try load("alerting: {alertmanagers: \(text)}")
            Issue.record("no error")
        } catch {
            #expect(error.description == message)
        }
    }
}
