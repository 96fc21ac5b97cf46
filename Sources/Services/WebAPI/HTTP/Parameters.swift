import Numbers
import TSDB

/// Parameters of a request, from the URL and from a form body, in order; names may repeat (`match[]`).
///
/// Times are RFC 3339 or seconds with a fraction, durations `5m` or seconds with a fraction, as everywhere in
/// Prometheus' API. Every error text is upstream's: Grafana shows them.
public struct Parameters: Sendable {
    private var pairs: [(name: String, value: String)] = []
    /// Parameters that one request may have. More are an attack or a mistake; Go's own bound is of this size.
    static let maximumCount = 10_000

    public init() {}

    public init(_ text: String) { append(urlEncoded: text) }

    /// Adds `a=1&b=%20x`; pairs that cannot be decoded are left out, as Go's `FormValue` does.
    public mutating func append(urlEncoded text: String) {
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            guard pairs.count < Self.maximumCount else { return }
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let rest = equals == pair.endIndex ? pair[equals...] : pair[pair.index(after: equals)...]
            guard let name = PercentCoding.decode(pair[..<equals], plusIsSpace: true),
                let value = PercentCoding.decode(rest, plusIsSpace: true)
            else { continue }
            pairs.append((name, value))
        }
    }

    /// The first value of `name`, or the empty string.
    public subscript(name: String) -> String { pairs.first { $0.name == name }?.value ?? "" }

    public func all(_ name: String) -> [String] { pairs.compactMap { $0.name == name ? $0.value : nil } }
}

extension Parameters {
    /// A required time.
    public func time(_ name: String) throws(APIError) -> Timestamp {
        let text = self[name]
        guard let time = Self.parseTime(text) else {
            throw .invalidParameter(name, "cannot parse \(QuotedText.go(text)) to a valid timestamp")
        }
        return time
    }

    /// A time that may be left out.
    public func time(_ name: String, default fallback: Timestamp) throws(APIError) -> Timestamp {
        let text = self[name]
        if text.isEmpty { return fallback }
        guard let time = Self.parseTime(text) else {
            throw .invalidParameter(
                name, "invalid time value for '\(name)': cannot parse \(QuotedText.go(text)) to a valid timestamp")
        }
        return time
    }

    /// A required duration.
    public func duration(_ name: String) throws(APIError) -> Duration {
        switch Self.parseDuration(self[name]) {
        case .success(let duration): return duration
        case .failure(let failure): throw .invalidParameter(name, failure.message)
        }
    }

    /// `limit`: none where left out or 0.
    public func limit() throws(APIError) -> Int? {
        let text = self["limit"]
        if text.isEmpty { return nil }
        guard let limit = Int(text) else {
            let why = Self.isInteger(text) ? "value out of range" : "invalid syntax"
            throw .invalidParameter("limit", "strconv.Atoi: parsing \(QuotedText.go(text)): \(why)")
        }
        if limit < 0 { throw .invalidParameter("limit", "limit must be non-negative") }
        return limit == 0 ? nil : limit
    }

    private static func isInteger(_ text: String) -> Bool {
        let digits = text.utf8.first.map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } == true
            ? text.utf8.dropFirst() : text.utf8[...]
        return !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Seconds with a fraction, or RFC 3339.
    static func parseTime(_ text: String) -> Timestamp? {
        if let seconds = NumberText.parse(text, allowing: .go) {
            // Rounded to milliseconds as upstream does it: whole seconds and fraction apart. Beyond the range of time: clamped.
            let whole = seconds.rounded(.towardZero)
            // What Go makes of seconds that are no Int64, on the usual machines.
            guard whole.magnitude < 0x1p63 else { return Timestamp(milliseconds: 0) }
            let fraction = ((seconds - whole) * 1000).rounded() / 1000
            let milliseconds = (whole * 1000 + fraction * 1000).rounded()
            if milliseconds <= Double(limits.lowerBound) { return Timestamp(milliseconds: limits.lowerBound) }
            if milliseconds >= Double(limits.upperBound) { return Timestamp(milliseconds: limits.upperBound) }
            return Timestamp(milliseconds: Int64(milliseconds))
        }
        return TimeText.parse(text).map { Timestamp(milliseconds: $0) }
    }

    /// Times that the API works with: some 146 million years both ways, so that sums and differences of two of them fit.
    static let limits: ClosedRange<Int64> = -(Int64.max / 2)...(Int64.max / 2)

    struct DurationFailure: Error { let message: String }

    static func parseDuration(_ text: String) -> Result<Duration, DurationFailure> {
        let quoted = QuotedText.go(text)
        if let seconds = NumberText.parse(text, allowing: .go) {
            let nanoseconds = seconds * 1e9
            if nanoseconds.isNaN || nanoseconds > 9.2233720368547748e18 || nanoseconds < -9.2233720368547748e18 {
                return .failure(.init(message: "cannot parse \(quoted) to a valid duration. It overflows int64"))
            }
            // Go counts nanoseconds; the engine counts milliseconds, cut off as upstream does, but never down to none.
            return .success(.milliseconds(nanoseconds > 0 ? max(1, Int64(nanoseconds) / 1_000_000) : Int64(nanoseconds) / 1_000_000))
        }
        do throws(DurationError) {
            return .success(.milliseconds(try DurationText.parse(text)))
        } catch {
            return .failure(.init(message: "cannot parse \(quoted) to a valid duration"))
        }
    }
}

/// `%41` and `+` in URLs.
enum PercentCoding {
    /// `nil` where a `%` is not followed by two hexadecimal digits. Bytes that are not UTF-8 become U+FFFD.
    static func decode(_ text: Substring.UTF8View, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
        default: return nil
        }
    }
}
