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
        "\(level.rawValue): \(text)\(detail) (\(Self.position(of: range.lowerBound, in: query)))"
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

/// The notes of one query: no text twice, in order of appearance, bounded.
public struct Annotations: Sendable {
    /// Different texts kept per query. Upstream keeps all; texts carry metric names, so there can be as many as metrics.
    public static let maximumCount = 1000

    private var known: Set<String> = []
    public private(set) var all: [Annotation] = []

    public init() {}

    public mutating func add(_ annotation: Annotation) {
        guard all.count < Self.maximumCount, known.insert(annotation.level.rawValue + annotation.text).inserted
        else { return }
        all.append(annotation)
    }

    /// Replaces the note with the same level and text, or adds it; for notes whose detail grows.
    public mutating func replace(_ annotation: Annotation) {
        if let index = all.firstIndex(where: { $0.level == annotation.level && $0.text == annotation.text }) {
            all[index] = annotation
        } else {
            add(annotation)
        }
    }

    public func descriptions(_ level: Annotation.Level, in query: String) -> [String] {
        all.filter { $0.level == level }.map { $0.description(in: query) }
    }
}
