import HTTPServer
import Numbers
import TSDB

/// What Prometheus' API takes as parameters: times are RFC 3339 or seconds with a fraction, durations `5m` or seconds with a
/// fraction. Every error text is upstream's: Grafana shows them.
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
        let digits =
            text.utf8.first.map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } == true
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
