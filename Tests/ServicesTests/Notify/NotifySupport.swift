import Alerter
import TSDB

@testable import Notify

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the tests of notifications share.
enum NotifySupport {
    static func notification(_ settings: Integration.Settings, name: String = "Down") -> Notification {
        let start = Timestamp(milliseconds: 1_767_323_045_250)
        let alert = Alert(labels: Labels([("alertname", name)]), generatorURL: "http://p/", startsAt: start)
        return Notification(
            receiver: "ops", integration: Integration(settings, index: 0, sendsResolved: true),
            groupKey: "{}:{alertname=\"\(name)\"}", groupLabels: Labels([("alertname", name)]), alerts: [alert],
            now: start + .seconds(30), reason: .firstNotification)
    }

    static func with(
        log: @escaping @Sendable (String) -> Void = { _ in }, _ body: (IntegrationNotifier) async throws -> Void
    ) async throws {
        let config = AlertmanagerConfig(route: Route(receiver: "ops"), receivers: [])
        let notifier = try IntegrationNotifier(config, externalURL: "http://am.example", log: log)
        do { try await body(notifier) } catch {
            await notifier.shutdown()
            throw error
        }
        await notifier.shutdown()
    }

    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    static func write(_ text: String, to path: String) throws {
        unlink(path)
        try SmallFile.append(Array(text.utf8), to: path)
    }

    static func read(_ path: String) -> String {
        ((try? SmallFile.bytes(path)) ?? []).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
}

extension NotificationOutcome {
    var message: String { if case .failed(_, let message, _) = self { message } else { "" } }
    var reason: String { if case .failed(let reason, _, _) = self { reason } else { "sent" } }
    var isRetryable: Bool? { if case .failed(_, _, let isRetryable) = self { isRetryable } else { nil } }
}
