#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that holds one secret, made where it is not there yet.
///
///     secrets/            0700    made if need be: its owner's alone
///       bot/              0700
///         token           0444    64 hexadecimal digits and a line feed
///
/// A file appears whole or not at all (written beside, then linked), and one that is there stays as it is, whoever made it. It may be read by
/// whoever may enter its folder: without containers its owner, with them who has the volume.
public struct TokenFile: Sendable {
    public var path: String

    public init(_ path: String) { self.path = path }

    /// 256 bits of the system's random numbers, in hexadecimal.
    public static func randomText() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in
            let byte = UInt8.random(in: .min ... .max, using: &generator)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// `false` where the file was there already, which then stays as it is.
    public func make(_ text: String) throws(TokenError) -> Bool {
        if access(path, F_OK) == 0 { return false }
        try makeFolders()
        let draft = "\(path).\(Self.randomText().prefix(8)).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("open", draft) }
        defer { unlink(draft) }
        let bytes = Array((text + "\n").utf8)
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let isComplete = written == bytes.count && fchmod(descriptor, 0o444) == 0 && fsync(descriptor) == 0
        close(descriptor)
        guard isComplete else { throw failure("write", draft) }
        // Linking, unlike renaming, never replaces what another process made meanwhile.
        if link(draft, path) == 0 { return true }
        guard errno == EEXIST else { throw failure("link", path) }
        return false
    }

    private func makeFolders() throws(TokenError) {
        var end = path.startIndex
        while let slash = path[end...].firstIndex(of: "/") {
            let folder = String(path[..<slash])
            if !folder.isEmpty, mkdir(folder, 0o700) != 0, errno != EEXIST { throw failure("mkdir", folder) }
            end = path.index(after: slash)
        }
    }

    private func failure(_ verb: String, _ path: String) -> TokenError {
        TokenError(description: "\(verb) \(path): \(String(cString: strerror(errno)))")
    }
}

public struct TokenError: Error, Equatable, CustomStringConvertible {
    public var description: String

    public init(description: String) { self.description = description }
}
