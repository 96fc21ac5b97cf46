/// What a query can say went wrong.
public struct QueryError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// Does not parse, or does not type-check: `bad_data`.
        case syntax
        /// Failed while running: `execution`.
        case evaluation
        /// A valid construct that is not built yet: `execution`. Never a wrong number instead.
        case notImplemented
        case timeout
        case canceled
        /// `execution`; the message names the bound.
        case limit
        /// Storage failed: `internal`.
        case storage
        /// All queries together hold as much memory as they may: `unavailable`.
        case busy
        /// Not an error of the query: it was tried as a light one and is none (`QueryContext.tryAsLight`).
        case heavy
    }

    static let heavy = QueryError(.heavy, "the query is too heavy for the lane of light ones")

    public var code: Code
    /// Upstream's text where upstream has one, without the `line:column: parse error: ` in front.
    public var message: String
    /// UTF-8 offsets into the query.
    public var range: Range<Int>

    public init(_ code: Code, _ message: String, range: Range<Int> = 0..<0) {
        self.code = code
        self.message = message
        self.range = range
    }

    public var description: String { message }
}
