import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A directory that is there as long as this is: a suite keeps one in a property, and so each of its tests has its own.
public final class TemporaryDirectory: Sendable {
    public let path: String

    /// `/tmp/minprom-NAME-…`
    public init(_ name: String) {
        var template = Array("/tmp/minprom-\(name)-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, let made = mkdtemp(start) else { preconditionFailure("no temporary directory") }
            return String(cString: made)
        }
    }

    deinit { try? DiskFileStore().remove(path) }

    /// The path of what is called `name` in it.
    public func callAsFunction(_ name: String) -> String { path + "/" + name }
}
