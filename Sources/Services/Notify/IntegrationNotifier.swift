import Alerter
import NIOPosix
import Synchronization
import TSDB
import TextTemplate

/// Sends notifications to the world: over HTTP and SMTP, to programs, into files.
///
///     let notifier = try IntegrationNotifier(config, externalURL: "http://localhost:9093") { line in … }
///     await notifier.send(notification)       one attempt; trying again is the caller's matter
///     await notifier.shutdown()
///
/// What is secret stays so: URLs with keys, passwords and tokens are in no message and no exchange shown.
public final class IntegrationNotifier: Notifier {
    let http = HTTPSender()
    let programs = ProgramRunner()
    private let templates: Mutex<NotificationTemplates>
    private let externalURL: String
    private let zones = ZoneFiles()
    private let log: @Sendable (String) -> Void
    /// For what blocks: files, programs.
    let threads = NIOThreadPool(numberOfThreads: 8)

    /// `log` takes the lines of `log_configs` without a path.
    public init(
        _ config: AlertmanagerConfig, externalURL: String, log: @escaping @Sendable (String) -> Void
    ) throws(TemplateError) {
        templates = Mutex(try NotificationTemplates(files: config.templates, zones: zones))
        self.externalURL = externalURL
        self.log = log
        threads.start()
    }

    /// Takes the templates of a new configuration. Attempts under way end with the old ones.
    public func reload(_ config: AlertmanagerConfig) throws(TemplateError) {
        let new = try NotificationTemplates(files: config.templates, zones: zones)
        templates.withLock { $0 = new }
    }

    /// Call it once, after the last attempt.
    public func shutdown() async {
        programs.stopped.cancel()
        await http.shutdown()
        try? await threads.shutdownGracefully()
    }

    // MARK: Sending

    public func send(_ notification: Notification) async -> NotificationOutcome {
        await send(notification, Exchange())
    }

    func send(_ notification: Notification, _ exchange: Exchange) async -> NotificationOutcome {
        do throws(AttemptError) {
            switch notification.integration.settings {
            case .webhook(let settings): try await webhook(settings, notification, exchange)
            case .slack(let settings): try await slack(settings, notification, exchange)
            case .pagerDuty(let settings): try await pagerDuty(settings, notification, exchange)
            case .email(let settings): try await email(settings, notification, exchange)
            case .exec(let settings): try await exec(settings, notification, exchange)
            case .log(let settings): try await log(settings, notification, exchange)
            }
            return .sent
        } catch {
            return error.outcome
        }
    }

    func filling(_ notification: Notification, alertLimit: Int = 0) -> TemplateFilling {
        templates.withLock { $0 }.filling(notification, externalURL: externalURL, alertLimit: alertLimit)
    }

    // MARK: On this machine

    private func exec(_ settings: ExecSettings, _ notification: Notification, _ exchange: Exchange)
        async throws(AttemptError)
    {
        let body = WebhookPayload.body(notification, filling(notification).data)
        exchange.add(settings.command.first ?? "")
        exchange.add(String(decoding: body, as: UTF8.self))
        let programs = programs
        let slot = "\(notification.receiver)\u{0}\(notification.integration.index)"
        let cancellation = Cancellation()
        let result = await withTaskCancellationHandler {
            await blocking { () throws(AttemptError) -> String in
                try programs.run(settings, slot: slot, input: body, cancellation)
            }
        } onCancel: {
            cancellation.cancel()
        }
        exchange.add(try result.get())
    }

    private func log(_ settings: LogSettings, _ notification: Notification, _ exchange: Exchange)
        async throws(AttemptError)
    {
        let line = LogPayload.line(notification, filling(notification).data)
        exchange.add(String(decoding: line.dropLast(), as: UTF8.self))
        guard !settings.path.isEmpty else { return log(String(decoding: line.dropLast(), as: UTF8.self)) }
        let path = settings.path
        try await blocking { () throws(AttemptError) in try SmallFile.append(line, to: path) }.get()
    }

    /// Runs what blocks on a thread that may.
    private func blocking<R: Sendable>(
        _ work: @escaping @Sendable () throws(AttemptError) -> R
    ) async -> Result<R, AttemptError> {
        let result = try? await threads.runIfActive { Result { () throws(AttemptError) in try work() } }
        return result ?? .failure(AttemptError(.contextCanceled, "the notifier is shut down", isRetryable: true))
    }
}

/// Says to a thread that nobody waits for it any more.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    func cancel() { flag.store(true, ordering: .relaxed) }
    var isCancelled: Bool { flag.load(ordering: .relaxed) }
}
