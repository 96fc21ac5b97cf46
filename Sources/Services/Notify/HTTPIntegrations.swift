import Alerter
import JSON
import TSDB
import TextTemplate

/// The receivers that are an HTTP POST: which body goes where, and what an answer means.
///
///     2xx sent │ 5xx try again │ PagerDuty's 429 too │ all else: it will not get better
///
/// Source: Alertmanager, `notify.Retrier`; Slack, “Handling errors” of incoming webhooks; PagerDuty, “Events API v2 overview”.
extension IntegrationNotifier {
    func webhook(
        _ settings: WebhookSettings, _ notification: Notification, _ exchange: Exchange
    ) async throws(AttemptError) {
        let filling = filling(notification, alertLimit: settings.maxAlerts)
        let template = try settings.url.value()
        let url = try Self.filled("failed to template webhook URL") { () throws(TemplateError) in
            try filling.text(template)
        }
        guard !url.isEmpty else {
            throw AttemptError(.other, "webhook URL is empty after templating", isRetryable: false)
        }
        var body = WebhookPayload.body(notification, filling.data)
        if let payload = settings.payload {
            body = try Self.filled("failed to render custom payload") { () throws(TemplateError) in
                try WebhookPayload.body(of: payload, filling, structure: YAMLStructure.read)
            }
        }
        let answer = try await http.post(body, to: url, settings.http, timeout: settings.timeout, exchange)
        try Self.check(answer, exchange: exchange)
    }

    func slack(_ settings: SlackSettings, _ notification: Notification, _ exchange: Exchange) async throws(AttemptError) {
        let filling = filling(notification)
        let message = try Self.filled("failed to template Slack message") { () throws(TemplateError) in
            try SlackPayload.message(settings, filling)
        }
        let url = try settings.apiURL.value()
        let answer = try await http.post(message.body, to: url, settings.http, timeout: settings.timeout, exchange)
        let prefix = "channel \"\(message.channel)\": "
        try Self.check(answer, prefix: prefix, exchange: exchange)
        guard answer.isComplete else {
            throw AttemptError(.clientError, prefix + "could not read response body", isRetryable: true)
        }
        guard answer.contentType.hasPrefix("application/json") else {
            if answer.body == "ok" { return }
            throw AttemptError(
                .clientError, prefix + "received an error response from Slack: \(Self.shortened(answer.body))",
                isRetryable: false)
        }
        guard let document = try? JSONValue(parsing: answer.body) else {
            throw AttemptError(.clientError, prefix + "could not unmarshal JSON response", isRetryable: true)
        }
        if document["ok"] == .bool(true) { return }
        var reason = ""
        if case .string(let text) = document["error"] { reason = text }
        throw AttemptError(.clientError, prefix + "error response from Slack: \(reason)", isRetryable: false)
    }

    func pagerDuty(
        _ settings: PagerDutySettings, _ notification: Notification, _ exchange: Exchange
    ) async throws(AttemptError) {
        let filling = filling(notification)
        let key = try settings.routingKey.value()
        exchange.hide(key)
        let shownKey = try Self.filled("failed to template PagerDuty v2 message") { () throws(TemplateError) in
            try filling.text(key)
        }
        exchange.hide(shownKey)
        guard !shownKey.isEmpty else { throw AttemptError(.other, "routing key cannot be empty", isRetryable: false) }
        let body = try Self.filled("failed to template PagerDuty v2 message") { () throws(TemplateError) in
            try PagerDutyPayload.body(settings, routingKey: key, notification, filling, structure: YAMLStructure.read)
        }
        let answer = try await http.post(body, to: settings.url, settings.http, timeout: settings.timeout, exchange)
        var details: String?
        if answer.status == 400 { details = Self.pagerDutyDetails(answer.body) }
        try Self.check(answer, alsoRetrying: [429], details: details ?? "", exchange: exchange)
    }

    /// `Event object is invalid: 'routing_key' is missing`
    private static func pagerDutyDetails(_ body: String) -> String {
        guard let document = try? JSONValue(parsing: body), case .string(let message) = document["message"] else {
            return ""
        }
        var errors: [String] = []
        if case .array(let list) = document["errors"] {
            errors = list.compactMap { if case .string(let text) = $0 { text } else { nil } }
        }
        return message + ": " + errors.joined(separator: ",")
    }

    // MARK: Answers

    /// `details`: what to say of a failure instead of the answer's body.
    private static func check(
        _ answer: HTTPSender.Answer, prefix: String = "", alsoRetrying codes: [Int] = [], details: String? = nil,
        exchange: Exchange
    ) throws(AttemptError) {
        if answer.status / 100 == 2 { return }
        let text = shortened(details ?? answer.body)
        let message = prefix + "unexpected status code \(answer.status)" + (text.isEmpty ? "" : ": \(text)")
        let reason: AttemptError.Reason =
            answer.status / 100 == 4 ? .clientError : answer.status / 100 == 5 ? .serverError : .other
        throw AttemptError(
            reason, exchange.redacted(message), isRetryable: answer.status / 100 == 5 || codes.contains(answer.status))
    }

    /// Answers may be pages.
    static func shortened(_ text: String) -> String {
        text.unicodeScalars.count <= 1024
            ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(1024))) + "…"
    }

    /// A template that fails will fail again.
    static func filled<R>(_ what: String, _ make: () throws(TemplateError) -> R) throws(AttemptError) -> R {
        do throws(TemplateError) { return try make() } catch {
            throw AttemptError(.other, "\(what): \(error.message)", isRetryable: false)
        }
    }
}
