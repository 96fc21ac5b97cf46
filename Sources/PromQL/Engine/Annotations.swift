/// A note about an answer that is right but perhaps not what was meant.
///
///     PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "up" (1:6)
///
/// Grafana shows these texts, so they are upstream's to the letter.
public struct Annotation: Sendable, Equatable {
    public enum Level: String, Sendable {
        case warning = "PromQL warning"
        case info = "PromQL info"
    }

    public var level: Level
    /// Behind `PromQL warning: `. Two notes with the same text are one.
    public var text: String
    /// Added behind the text when the note is shown, and not compared: `, from buckets 1 to 5 …`.
    public var detail: String
    /// How often it was said, of a note that is counted; shown from 2 on.
    public var occurrences = 0
    /// UTF-8 offsets into the query.
    public var range: Range<Int>

    public init(_ level: Level, _ text: String, detail: String = "", at range: Range<Int>) {
        self.level = level
        self.text = text
        self.detail = detail
        self.range = range
    }

    /// As the API shows it, with line and column of its place in `query`.
    public func description(in query: String) -> String {
        let times = occurrences > 1 ? " (\(occurrences) occurrences)" : ""
        return "\(level.rawValue): \(text)\(detail)\(times) (\(Self.position(of: range.lowerBound, in: query)))"
    }

    /// `line:column`, both from 1; columns count bytes.
    static func position(of offset: Int, in query: String) -> String {
        var line = 1, column = 1, index = 0
        for byte in query.utf8 {
            if index >= offset { break }
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else {
                column += 1
            }
            index += 1
        }
        return "\(line):\(column)"
    }
}

/// The notes of one query: no text twice, shown by their place in the query, bounded. Several threads may write notes at once, so the
/// order in which they come says nothing.
///
/// Where several places of a query have the same note upstream points at the one evaluated last. We work in an order of our
/// own, so we point at the one that ends last: upstream evaluates from left to right.
public struct Annotations: Sendable {
    /// Different texts kept per query. Texts carry metric names, so there can be as many as metrics.
    public static let maximumCount = 10_000
    /// Bytes of all texts: labels made in a query can be long.
    public static let maximumBytes = 4 << 20
    /// Of each level so many are shown, as upstream's API does it, and the number of the others.
    public static let shownCount = 10

    /// Places in `all`.
    private var known: [String: Int] = [:]
    private var bytes = 0
    public private(set) var all: [Annotation] = []

    public init() {}

    public mutating func add(_ annotation: Annotation) {
        let key = annotation.level.rawValue + annotation.text
        if let index = known[key] {
            all[index].occurrences = all[index].occurrences.addingReportingOverflow(annotation.occurrences).partialValue
            if annotation.range.upperBound > all[index].range.upperBound { all[index].range = annotation.range }
        } else if all.count < Self.maximumCount && bytes < Self.maximumBytes {
            known[key] = all.count
            all.append(annotation)
            bytes += key.utf8.count
        }
    }

    /// Replaces the note with the same level and text, or adds it; for notes whose detail grows.
    public mutating func replace(_ annotation: Annotation) {
        add(annotation)
        guard let index = known[annotation.level.rawValue + annotation.text],
            all[index].range.upperBound == annotation.range.upperBound
        else { return }
        all[index].detail = annotation.detail
    }

    /// As the API shows them.
    public func descriptions(_ level: Annotation.Level, in query: String) -> [String] {
        let wanted = all.filter { $0.level == level }.sorted { a, b in
            if a.range.lowerBound != b.range.lowerBound { return a.range.lowerBound < b.range.lowerBound }
            return a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
        }
        let shown = wanted.prefix(Self.shownCount).map { $0.description(in: query) }
        let rest = wanted.count - shown.count
        return rest > 0 ? shown + ["\(rest) more \(level) annotations omitted"] : shown
    }
}
