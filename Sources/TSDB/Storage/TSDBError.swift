/// What storage can say went wrong.
public struct TSDBError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// Bytes on disk or from a network do not mean what they should.
        case corruption
        /// The file system refused.
        case io
        /// A named bound was reached.
        case limit
        /// The caller asked for something that cannot be.
        case invalid
        /// Whoever asked no longer wants the answer.
        case stopped
    }

    public var code: Code
    public var message: String
    /// Byte offset into the damaged thing, where there is one.
    public var offset: Int?

    public init(_ code: Code, _ message: String, offset: Int? = nil) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    public var description: String { offset.map { "\(message) (at byte \($0))" } ?? message }
}
