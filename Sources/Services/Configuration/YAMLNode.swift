/// A YAML document as a tree that knows where everything stands.
///
///     scrape_configs:            mapping (1:1)
///     - job_name: api              └ sequence (2:1) ─ mapping (2:3) ─ scalar "api" (2:13)
///
/// Invariant: no deeper than `YAMLReader.maximumDepth`, aliases expanded, keys unique: walking it needs no care.
public struct YAMLNode: Sendable {
    public enum Content: Sendable {
        /// `isPlain`: without quotes, so `true`, `1` and `null` may mean more than text.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    public struct Entry: Sendable {
        public var key: String
        public var position: YAMLPosition
        public var value: YAMLNode

        public init(key: String, position: YAMLPosition, value: YAMLNode) {
            self.key = key
            self.position = position
            self.value = value
        }
    }

    public var content: Content
    public var position: YAMLPosition

    public init(_ content: Content, at position: YAMLPosition = YAMLPosition()) {
        self.content = content
        self.position = position
    }

    /// Nothing written, `~` or `null`: the field has its default.
    public var isNull: Bool {
        guard case .scalar(let text, true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }
}

/// Line and column, both from 1.
public struct YAMLPosition: Equatable, Sendable {
    public var line = 1
    public var column = 1
    public init(line: Int = 1, column: Int = 1) {
        self.line = line
        self.column = column
    }
}

/// What is wrong with a configuration file, and where.
public struct ConfigError: Error, Equatable, Sendable, CustomStringConvertible {
    public var file: String
    public var position: YAMLPosition?
    public var message: String

    public init(_ message: String, at position: YAMLPosition? = nil, file: String = "") {
        self.message = message
        self.position = position
        self.file = file
    }

    /// `prometheus.yml:12: field foo not found in scrape_configs`.
    public var description: String {
        let place = position.map { "\(file):\($0.line): " } ?? (file.isEmpty ? "" : "\(file): ")
        return place + message
    }

    func inside(_ file: String) -> ConfigError {
        var copy = self
        if copy.file.isEmpty { copy.file = file }
        return copy
    }
}
