import Numbers
import TSDB

/// The request of a target, made once and sent at every scrape.
extension Target {
    func request(config: ScrapeConfig, userAgent: String) -> ScrapeRequest {
        var headers: [ScrapeRequest.Header] = [
            .init("Accept", Self.acceptHeader(config)),
            .init("Accept-Encoding", config.enableCompression ? "gzip" : "identity"),
            .init("User-Agent", userAgent),
            .init("X-Prometheus-Scrape-Timeout-Seconds", NumberText.string(timeout.seconds, style: .fixed)),
        ]
        for header in config.http.headers { headers.append(.init(header.name, header.value, isSecret: true)) }
        switch config.http.credentials {
        case .none: break
        case .basic(let username, let password):
            headers.append(.init("Authorization", "Basic " + Base64.encode(username + ":" + password), isSecret: true))
        case .authorization(let type, let credentials):
            headers.append(.init("Authorization", type + " " + credentials, isSecret: true))
        }
        return ScrapeRequest(
            scheme: scheme, address: address, path: path, query: query, headers: headers, timeout: timeout,
            bodyLimit: config.limits.bodySize, followsRedirects: config.http.followRedirects)
    }

    /// The formats wanted, best first, with falling weights: `…;q=0.6,…;q=0.5,*/*;q=0.2`.
    static func acceptHeader(_ config: ScrapeConfig) -> String {
        // Upstream counts down from one more than the number of formats there are.
        var weight = ScrapeProtocol.allCases.count + 1
        var values: [String] = []
        for format in config.protocols {
            var value = format.acceptHeader
            if format == .prometheusText1_0_0 || format == .openMetricsText1_0_0 {
                value += ";escaping=" + config.nameEscaping.rawValue
            }
            values.append(value + ";q=0.\(weight)")
            weight -= 1
        }
        return (values + ["*/*;q=0.\(weight)"]).joined(separator: ",")
    }
}
