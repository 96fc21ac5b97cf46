#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the machine refuses the supervisor, in one line.
public struct HostError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    /// What a system call of ours just failed with.
    static func system(_ what: String, _ number: Int32 = errno) -> HostError {
        HostError("\(what): \(String(cString: strerror(number)))")
    }

    public var description: String { message }
}
