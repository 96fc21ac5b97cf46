import Alerter
import RegularExpression

/// One module of blackbox.yml: how a target is probed, and what counts as success.
public struct ProbeModule: Sendable {
    enum Kind: Sendable {
        case http(HTTPSettings)
        case tcp(TCPSettings)
        case dns(DNSSettings)
        case icmp(ICMPSettings)
    }

    var kind: Kind
    /// Seconds; 0: as long as the scrape.
    var timeout = 0.0
    /// As YAML, secrets hidden.
    var text = ""

    var prober: String {
        switch kind {
        case .http: return "http"
        case .tcp: return "tcp"
        case .dns: return "dns"
        case .icmp: return "icmp"
        }
    }
}

/// Which version of IP, where a name has addresses of both.
struct IPPreference: Sendable, Equatable {
    var prefersVersion6 = true
    /// The other one will do.
    var fallsBack = true
}

struct HTTPSettings: Sendable {
    struct HeaderCheck: Sendable {
        var header: String
        var pattern: SearchPattern
        var allowsMissing = false
    }

    /// Empty: 200 to 299.
    var validStatusCodes: [Int] = []
    /// Empty: any.
    var validVersions: [String] = []
    var ip = IPPreference()
    var skipsResolveWithProxy = false
    var failsIfSSL = false
    var failsIfNotSSL = false
    var method = "GET"
    var headers: [(name: String, value: String)] = []
    var failsIfBodyMatches: [SearchPattern] = []
    var failsIfBodyNotMatches: [SearchPattern] = []
    var failsIfHeaderMatches: [HeaderCheck] = []
    var failsIfHeaderNotMatches: [HeaderCheck] = []
    var body = ""
    var bodyFile = ""
    var client = HTTPClientConfig()
    var compression = ""
    /// Bytes after decompression; 0: our own bound.
    var bodySizeLimit = 0
}

/// One turn of a conversation.
struct QueryResponse: Sendable {
    var expect: SearchPattern?
    var expectBytes: [UInt8] = []
    var labels: [(name: String, value: String)] = []
    var send = ""
    var startsTLS = false
}

struct TCPSettings: Sendable {
    var ip = IPPreference()
    var source = ""
    var conversation: [QueryResponse] = []
    var usesTLS = false
    var tls = HTTPClientConfig.TLS()
}

struct ICMPSettings: Sendable {
    var ip = IPPreference()
    var source = ""
    var payloadSize = 0
    var forbidsFragments = false
    var hopLimit = 64
}

struct DNSSettings: Sendable {
    struct RecordCheck: Sendable {
        var failsIfMatches: [SearchPattern] = []
        var failsIfAllMatch: [SearchPattern] = []
        var failsIfNotMatches: [SearchPattern] = []
        var failsIfNoneMatches: [SearchPattern] = []
    }

    var ip = IPPreference()
    var usesTLS = false
    var tls = HTTPClientConfig.TLS()
    var source = ""
    var usesTCP = false
    var queryClass: UInt16 = 1
    var queryName = ""
    /// 255: any.
    var queryType: UInt16 = 255
    var wantsRecursion = true
    /// Empty: NOERROR alone.
    var validCodes: [Int] = []
    var answer = RecordCheck()
    var authority = RecordCheck()
    var additional = RecordCheck()
}

/// A regular expression that is looked for anywhere in a text, as Go's `Regexp.Match` does.
///
///     expression   →   (?s:.*?)(?-s:expression)(?s:.*)      matched as a whole, in linear time
struct SearchPattern: Sendable {
    let source: String
    private let pattern: Pattern

    init(_ source: String) throws(PatternError) {
        // By itself first: what is no expression must not become one by what is put around it.
        _ = try Pattern(source)
        self.source = source
        pattern = try Pattern("(?s:.*?)(?-s:\(source))(?s:.*)")
    }

    func matches(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { pattern.matches($0) } }
    func matches(_ text: String) -> Bool { pattern.matches(text) }
    func captures(in text: String) -> Captures? { pattern.captures(in: text) }
}
