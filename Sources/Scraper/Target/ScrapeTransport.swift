import TSDB

/// Fetches metrics pages. The only thing a scrape waits for.
///
/// The implementation keeps connections alive per target, undoes gzip while counting what comes out, follows
/// redirects when asked to, and gives up by itself when `timeout` has passed or the task is cancelled.
public protocol ScrapeTransport: Sendable {
    /// The answer, whatever its status. Throws when there is none: `.timeout`, `.bodySizeLimit`, `.transport`.
    func get(_ request: ScrapeRequest) async throws(ScrapeError) -> ScrapeResponse
}

/// One GET, taken apart: nothing has to be parsed again. Equal for every scrape of a target.
public struct ScrapeRequest: Equatable, Sendable {
    /// `http`, `https`, or `internal` for pages of this process.
    public var scheme: String
    /// `host`, `host:port`, `[::1]:9100`: as configured. Without a port, the scheme's.
    public var address: String
    /// Percent-encoded, with its slash.
    public var path: String
    /// Percent-encoded, without the question mark; empty for none.
    public var query: String
    /// All headers but Host, in order: Accept, Accept-Encoding, User-Agent, timeout, configured ones, credentials.
    public var headers: [Header]
    /// For the whole exchange.
    public var timeout: Duration
    /// Bytes of the body after decompression; reaching it is `.bodySizeLimit`. 0: no bound.
    public var bodyLimit: Int
    /// Never carry `Authorization`, `Cookie` or configured headers to another host.
    public var followsRedirects: Bool

    public struct Header: Equatable, Sendable {
        public var name: String
        public var value: String
        /// Stays with the first host on redirects.
        public var isSecret: Bool

        public init(_ name: String, _ value: String, isSecret: Bool = false) {
            self.name = name
            self.value = value
            self.isSecret = isSecret
        }
    }

    public init(
        scheme: String, address: String, path: String, query: String = "", headers: [Header] = [], timeout: Duration,
        bodyLimit: Int = ScrapeLimits.standardBodySize, followsRedirects: Bool = true
    ) {
        self.scheme = scheme
        self.address = address
        self.path = path
        self.query = query
        self.headers = headers
        self.timeout = timeout
        self.bodyLimit = bodyLimit
        self.followsRedirects = followsRedirects
    }

    /// The whole URL, for people and errors.
    public var url: String {
        scheme + "://" + address + (path.isEmpty || path.hasPrefix("/") ? path : "/" + path) + (query.isEmpty ? "" : "?" + query)
    }
}

/// What came back.
public struct ScrapeResponse: Sendable {
    public var status: Int
    /// The words behind the status, such as `Service Unavailable`; empty where the server sent none.
    public var reason: String
    /// The Content-Type header, or empty.
    public var contentType: String
    /// Decompressed.
    public var body: [UInt8]

    public init(status: Int = 200, reason: String = "OK", contentType: String, body: [UInt8]) {
        self.status = status
        self.reason = reason
        self.contentType = contentType
        self.body = body
    }
}

/// Why a scrape failed; `message` is what `/targets` shows as the last error.
public struct ScrapeError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// No answer: refused, reset, unresolvable, not HTTP.
        case transport
        case timeout
        /// An answer that is not 200.
        case status
        /// More bytes than `body_size_limit`.
        case bodySizeLimit
        /// Missing or unknown content type and no fallback.
        case contentType
        /// The body is not what it says; or a name or label that may not be.
        case format
        /// sample_limit, label limits, target_limit.
        case limit
        /// Storage refused.
        case storage
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public static let bodySizeLimit = ScrapeError(.bodySizeLimit, "body size limit exceeded")

    /// Upstream's words for a deadline that passed while asking `url`.
    public static func timeout(_ url: String) -> ScrapeError {
        ScrapeError(.timeout, "Get \"\(url)\": context deadline exceeded")
    }

    /// Upstream's words for an exchange that failed while asking `url`.
    public static func transport(_ url: String, _ reason: String) -> ScrapeError {
        ScrapeError(.transport, "Get \"\(url)\": \(reason)")
    }

    public var description: String { message }
}

/// Answers requests of scheme `internal` from this process (host metrics, own metrics); passes others on.
///
/// The page is made on the scraping task at the moment of the scrape, so nothing is cached or copied.
public struct InternalTransport: ScrapeTransport {
    /// Makes a page in a form that the request's `Accept` header, if it has one, allows.
    public typealias Page = @Sendable (_ accepted: String?) -> (contentType: String, body: [UInt8])

    public static let scheme = "internal"
    private let pages: [String: Page]
    private let outside: any ScrapeTransport

    /// `pages` by address: `internal://host/metrics` is `pages["host"]`.
    public init(pages: [String: Page], otherwise outside: any ScrapeTransport) {
        self.pages = pages
        self.outside = outside
    }

    public func get(_ request: ScrapeRequest) async throws(ScrapeError) -> ScrapeResponse {
        guard request.scheme == Self.scheme else { return try await outside.get(request) }
        guard let page = pages[request.address] else {
            throw .transport(request.url, "no such page in this process")
        }
        let (contentType, body) = page(request.headers.first { $0.name == "Accept" }?.value)
        if request.bodyLimit > 0, body.count >= request.bodyLimit { throw .bodySizeLimit }
        return ScrapeResponse(contentType: contentType, body: body)
    }
}
