import Alerter
import AsyncHTTPClient
import ConfigurationFile
import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Numbers
import ServiceNames
import TSDB
import WebAPI

/// An Alertmanager behind HTTP: `POST /api/v2/alerts`, a JSON list of alerts.
///
///     [{"labels":{"alertname":"Down"},"annotations":{},"startsAt":"2026-…Z","endsAt":"2026-…Z","generatorURL":"http://…"}]
public final class HTTPAlertSink: AlertSink {
    /// Bytes of an answer that are read; what it says is of no use but in an error.
    private static let answerLimit = 64 << 10

    private let url: String
    private let set: AlertingConfig.Alertmanagers
    private let http: HTTPClient

    public init(_ url: String, _ set: AlertingConfig.Alertmanagers) {
        self.url = url
        self.set = set
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .milliseconds(set.timeout.milliseconds)
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration =
            set.http.followRedirects ? .follow(max: 10, allowCycles: false) : .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        http = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
    }

    deinit { http.shutdown { _ in } }

    public func send(_ alerts: [Alert]) async throws(AlertSinkError) {
        let place = ServiceNames.current.connecting(toURL: url)
        var request = HTTPClientRequest(url: place.url)
        request.method = .POST
        if let name = place.hostHeader { request.headers.add(name: "Host", value: name) }
        request.headers.add(name: "User-Agent", value: "minprom")
        request.headers.add(name: "Content-Type", value: "application/json")
        switch set.http.credentials {
        case .none: break
        case .basic(let username, let password): request.setBasicAuth(username: username, password: password)
        case .authorization(let type, let credentials):
            request.headers.replaceOrAdd(name: "Authorization", value: "\(type) \(credentials)")
        }
        for header in set.http.headers { request.headers.add(name: header.name, value: header.value) }
        request.body = .bytes(Self.body(alerts))
        let status: HTTPResponseStatus
        do {
            let response = try await http.execute(request, deadline: .now() + .milliseconds(set.timeout.milliseconds))
            status = response.status
            _ = try? await response.body.collect(upTo: Self.answerLimit)
        } catch {
            throw AlertSinkError("Post \(QuotedText.go(url)): \(error)")
        }
        guard (200..<300).contains(status.code) else {
            throw AlertSinkError("bad response status \(status.code) \(status.reasonPhrase)")
        }
    }

    static func body(_ alerts: [Alert]) -> ByteBuffer {
        var json = JSONText()
        json.append("[")
        for (index, alert) in alerts.enumerated() {
            json.append(index > 0 ? ",{\"labels\":" : "{\"labels\":" as StaticString)
            json.append(alert.labels)
            json.append(",\"annotations\":")
            json.append(alert.annotations)
            json.append(",\"startsAt\":")
            json.appendQuoted(TimeText.string(milliseconds: alert.startsAt.milliseconds))
            if let endsAt = alert.endsAt {
                json.append(",\"endsAt\":")
                json.appendQuoted(TimeText.string(milliseconds: endsAt.milliseconds))
            }
            json.append(",\"generatorURL\":")
            json.appendQuoted(alert.generatorURL)
            json.append("}")
        }
        json.append("]")
        return json.take()
    }
}
