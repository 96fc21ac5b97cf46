import TSDB

/// What a tool says, in order, and how it ends.
public struct ToolOutput: Sendable {
    public enum Stream: Sendable { case standard, error }

    public private(set) var lines: [(stream: Stream, text: String)] = []
    public var exitCode: Int32 = 0

    public init() {}

    mutating func say(_ text: String = "") { lines.append((.standard, text)) }
    mutating func complain(_ text: String) { lines.append((.error, text)) }

    /// All lines, whatever they went to.
    public var text: String { lines.map { $0.text + "\n" }.joined() }
}

/// The files that a tool sees.
public struct ToolFiles {
    public var read: (_ path: String) throws(TSDBError) -> [UInt8]
    /// Paths that match a pattern, sorted.
    public var glob: (_ pattern: String) -> [String]

    public init(
        read: @escaping (_ path: String) throws(TSDBError) -> [UInt8], glob: @escaping (_ pattern: String) -> [String]
    ) {
        self.read = read
        self.glob = glob
    }
}
