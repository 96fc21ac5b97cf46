import Alerter
import ConfigurationFile
import Logging
import Scraper
import SelfMetrics
import Synchronization
import TSDB
import Testing

@testable import Rules

@Suite("Sending alerts")
struct AlertSenderTests {
    /// Takes batches, and lets a test wait for them.
    final class Inbox: AlertSink {
        private let batches: AsyncStream<[Alert]>.Continuation
        let received: AsyncStream<[Alert]>

        init() { (received, batches) = AsyncStream.makeStream(of: [Alert].self) }

        func send(_ alerts: [Alert]) async throws(AlertSinkError) { batches.yield(alerts) }
    }

    /// Never answers, until it is cancelled.
    struct Hanging: AlertSink {
        func send(_ alerts: [Alert]) async throws(AlertSinkError) {
            let (never, continuation) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            continuation.finish()
            throw AlertSinkError("cancelled")
        }
    }

    struct Refusing: AlertSink {
        func send(_ alerts: [Alert]) async throws(AlertSinkError) { throw AlertSinkError("bad response status 500") }
    }

    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func set(_ addresses: [String], relabel: [RelabelConfig] = []) -> AlertingConfig.Alertmanagers {
        var set = AlertingConfig.Alertmanagers()
        set.staticConfigs = [TargetGroup(source: "0", addresses: addresses)]
        set.alertRelabelConfigs = relabel
        return set
    }

    private func alerts(_ names: [String]) -> [Alert] {
        names.map { Alert(labels: ["alertname": $0], startsAt: Timestamp(milliseconds: 0)) }
    }

    private func page(_ sender: AlertSender) -> String {
        var page = MetricsPage()
        sender.writeMetrics(to: &page)
        return String(decoding: page.bytes, as: UTF8.self)
    }

    @Test("each Alertmanager has its own loop: one that hangs delays no other")
    func hanging() async throws {
        let inbox = Inbox()
        var options = AlertSender.Options()
        options.drainsOnShutdown = false
        let sender = AlertSender(options: options, logger: quiet) { url, _ in
            url.contains("slow") ? Hanging() as any AlertSink : inbox
        }
        var config = AlertingConfig()
        config.alertmanagers = [set(["slow:9093", "fast:9093"])]
        sender.apply(config, externalLabels: Labels())
        sender.send(alerts(["a"]))
        sender.send(alerts(["b"]))
        var names: [String] = []
        for await batch in inbox.received {
            names += batch.map(\.name)
            if names.count == 2 { break }
        }
        #expect(names == ["a", "b"])
        #expect(sender.alertmanagers.active == ["http://slow:9093/api/v2/alerts", "http://fast:9093/api/v2/alerts"])
        await sender.stop()
    }

    @Test("batches are bounded, and what waits is sent before the end")
    func draining() async throws {
        let inbox = Inbox()
        var options = AlertSender.Options()
        options.batchSize = 2
        let sender = AlertSender(options: options, logger: quiet) { _, _ in inbox }
        var config = AlertingConfig()
        config.alertmanagers = [set(["am:9093"])]
        sender.apply(config, externalLabels: Labels())
        sender.send(alerts(["a", "b", "c", "d", "e"]))
        await sender.stop()
        var batches: [[String]] = []
        for await batch in inbox.received {
            batches.append(batch.map(\.name))
            if batch.count == 1 { break }
        }
        #expect(batches == [["a", "b"], ["c", "d"], ["e"]])
        // After the end nothing is taken.
        sender.send(alerts(["f"]))
    }

    @Test("an Alertmanager that refuses is counted, and does not keep the server from ending")
    func refusing() async throws {
        let sender = AlertSender(logger: quiet) { _, _ in Refusing() }
        var config = AlertingConfig()
        config.alertmanagers = [set(["am:9093"])]
        sender.apply(config, externalLabels: Labels())
        #expect(page(sender).contains("prometheus_notifications_sent_total{alertmanager=\"http://am:9093/api/v2/alerts\"} 0"))
        #expect(page(sender).contains("prometheus_notifications_queue_capacity 10000"))
        #expect(page(sender).contains("prometheus_notifications_alertmanagers_discovered 1"))
        sender.send(alerts(Array(repeating: "a", count: 1000)))
        await sender.stop()
    }

    @Test("external labels are added where an alert has none of that name; relabeling rewrites and drops")
    func relabeling() throws {
        var drop = try RelabelConfig(regex: "noise")
        drop.sourceLabels = ["alertname"]
        drop.action = .drop
        let external: Labels = ["replica": "1", "alertname": "no", "region": "eu"]
        var own = alerts(["noise", "a"])
        own[1].labels = ["alertname": "a", "region": "us"]
        let sent = AlertSender.relabel(own, [drop], externalLabels: external)
        #expect(sent.map(\.labels) == [["alertname": "a", "region": "us", "replica": "1"]])
    }

    @Test("the body is API v2's")
    func body() {
        let alert = Alert(
            labels: ["alertname": "a"], annotations: ["text": "\"x\""], generatorURL: "http://p/graph",
            startsAt: Timestamp(milliseconds: 1_700_000_000_500), endsAt: Timestamp(milliseconds: 1_700_000_240_000))
        #expect(
            String(buffer: HTTPAlertSink.body([alert]))
                == #"[{"labels":{"alertname":"a"},"annotations":{"text":"\"x\""},"startsAt":"2023-11-14T22:13:20.5Z","endsAt":"2023-11-14T22:17:20Z","generatorURL":"http://p/graph"}]"#
        )
    }
}
