import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// `minprom tokens FILE…`: makes secrets that are not there yet, so that nobody has to invent a password and none stands in a repository.
///
///     minprom tokens secrets/database/password secrets/bot/token
///     secrets/database/password: made
///     secrets/bot/token: kept
///
/// A file appears whole or not at all (written beside, then linked), and one that is there stays as it is. Folders that are made are their
/// owner's alone; a file may be read by whoever may enter its folder: in containers that is who has the volume.
struct TokensCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Make random secrets in files that are not there yet.")

    @Argument(help: "Files to make.")
    var files: [String]

    func run() throws {
        for file in files {
            let isNew = try TokenFile(path: file).make(TokenFile.randomText())
            print("\(file): \(isNew ? "made" : "kept")")
        }
    }
}

/// A file that holds one secret.
struct TokenFile {
    var path: String

    /// 256 bits of the system's random numbers, in hexadecimal.
    static func randomText() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in
            let byte = UInt8.random(in: .min ... .max, using: &generator)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// `false` where the file was there already, which then stays as it is.
    func make(_ text: String) throws -> Bool {
        if access(path, F_OK) == 0 { return false }
        try makeFolders()
        let draft = "\(path).\(getpid()).new"
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

    private func makeFolders() throws {
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

struct TokenError: Error, CustomStringConvertible {
    var description: String
}
