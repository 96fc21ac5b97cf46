import Numbers
import TSDB

/// The notation of when the counts of a series' samples began, in the line in front of the series:
///
///     requests@st   _  -30s-1mx2   0s        distances to each sample's own time: none, −30 s, −90 s, −150 s, 0
///     requests      0  10+10x2     5
///
/// Source: Prometheus, `promql/promqltest`, `parseSTSequence`.
extension SeriesNotation {
    public struct Starts: Sendable {
        public var labels: Labels
        /// Milliseconds, one per value of the series; `nil`: nothing is known of the sample.
        public var distances: [Int64?]
    }

    /// Whether the line gives the start timestamps of the series that follows: `SERIES@st …`.
    public static func isStartTimestamps(_ line: String) -> Bool {
        var notation = SeriesNotation(line)
        guard (try? notation.labels()) != nil else { return false }
        return notation.rest.starts(with: "@st".utf8)
    }

    /// A line for which `isStartTimestamps` holds.
    public static func starts(_ line: String) throws(Fault) -> Starts {
        var notation = SeriesNotation(line)
        let labels = try notation.labels()
        guard notation.rest.starts(with: "@st".utf8) else { throw Fault(message: "expected @st") }
        notation.position += 3
        var distances: [Int64?] = []
        while true {
            notation.skipBlanks()
            guard !notation.isAtEnd else { return Starts(labels: labels, distances: distances) }
            distances += try notation.distances()
            guard distances.count <= maximumItems else { throw Fault(message: "more than \(maximumItems) start timestamps") }
        }
    }

    private mutating func distances() throws(Fault) -> [Int64?] {
        if peek == "_" {
            position += 1
            return Array(repeating: nil, count: try takeRepetitions() ?? 1)
        }
        let base = try takeDistance()
        let difference = peek == "+" || peek == "-" ? try takeDistance() : nil
        guard let repetitions = try takeRepetitions() else {
            guard difference == nil else { throw Fault(message: "a step between start timestamps without a number of them") }
            return [base]
        }
        return (0...Int64(repetitions)).map { base &+ (difference ?? 0) &* $0 }
    }

    private mutating func takeDistance() throws(Fault) -> Int64 {
        let isNegative = peek == "-"
        if peek == "-" || peek == "+" { position += 1 }
        let text = String(decoding: rest.prefix { $0.isLetterOrDigit && $0 != UInt8(ascii: "x") }, as: UTF8.self)
        position += text.utf8.count
        do {
            let distance = try DurationText.parse(text)
            return isNegative ? -distance : distance
        } catch { throw Fault(message: error.message) }
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
    }
}
