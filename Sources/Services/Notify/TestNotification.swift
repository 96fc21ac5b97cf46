import Alerter
import TSDB

/// How one integration of a receiver took a test notification.
public struct TestResult: Sendable {
    /// `webhook`, `email` …
    public var integration: String
    public var index: Int
    public var outcome: NotificationOutcome
    /// What was sent and what came back, secrets redacted, at most 64 KiB.
    public var exchange: String
}

extension IntegrationNotifier {
    /// Sends `alerts` to each integration of `receiver` at once, past routing, silences and the notification log, and tells what
    /// happened on the wire. Each integration gets one attempt of at most `seconds`.
    public func test(receiver: Receiver, alerts: [Alert], now: Timestamp, seconds: Int = 30) async -> [TestResult] {
        let groupLabels = alerts.first.map { Labels([("alertname", $0.name)]) } ?? Labels()
        return await withTaskGroup(of: (Int, TestResult).self) { group in
            for (place, integration) in receiver.integrations.enumerated() {
                let notification = Notification(
                    receiver: receiver.name, integration: integration, groupKey: "test:{\(receiver.name)}",
                    groupLabels: groupLabels, alerts: alerts, now: now, reason: .firstNotification)
                group.addTask {
                    let exchange = Exchange()
                    let outcome = await self.send(notification, within: seconds, exchange)
                    let result = TestResult(
                        integration: integration.kind, index: integration.index, outcome: outcome,
                        exchange: exchange.text)
                    return (place, result)
                }
            }
            var results: [(Int, TestResult)] = []
            for await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// One attempt that is called off after `seconds`.
    private func send(_ notification: Notification, within seconds: Int, _ exchange: Exchange) async
        -> NotificationOutcome
    {
        await withTaskGroup(of: NotificationOutcome?.self) { group in
            group.addTask { await self.send(notification, exchange) }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            let late = AttemptError(.contextDeadlineExceeded, "no answer within \(seconds) s", isRetryable: true)
            return late.outcome
        }
    }
}
