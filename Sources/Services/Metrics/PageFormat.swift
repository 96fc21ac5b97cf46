/// The form in which a scraper gets a metrics page.
///
///     Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.5
///                                                                          ─▶ protobuf, which alone has native histograms
///     Accept: text/plain, */*, nothing                                     ─▶ text
///
/// Source: prometheus/common, `expfmt.Negotiate`.
public enum PageFormat: Sendable, Equatable {
    case text
    case protobuf

    /// What the page's `Content-Type` says.
    public var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .protobuf: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        }
    }

    /// Media ranges of a header that are looked at.
    private static let rangeLimit = 50

    /// The form that `accepted`, a request's `Accept`, likes best; of equals the first.
    public init(accepted: String?) {
        var best: (format: PageFormat, quality: Double) = (.text, 0)
        for range in (accepted ?? "").split(separator: ",").prefix(Self.rangeLimit) {
            guard let (format, quality) = Self.read(range), quality > best.quality else { continue }
            best = (format, quality)
        }
        self = best.format
    }

    /// A media range that asks for a form there is.
    private static func read(_ range: Substring) -> (PageFormat, Double)? {
        let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { parameters[pair[0].lowercased()] = pair[1].filter { $0 != "\"" } }
        }
        let quality = parameters["q"].map { Double($0) ?? 0 } ?? 1
        switch parts.first?.lowercased() {
        case "application/vnd.google.protobuf":
            guard parameters["proto"] == "io.prometheus.client.MetricFamily", parameters["encoding"] == "delimited" else { return nil }
            return (.protobuf, quality)
        case "text/plain":
            guard parameters["version"].map({ $0 == "0.0.4" }) ?? true else { return nil }
            return (.text, quality)
        default: return nil
        }
    }
}
