import ComposeFile
import Supervisor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the plan asks the machine: free ports, random secrets, programs.
public enum LocalMachine {
    /// Whether a server could listen there now.
    public static func isFree(port: Int) -> Bool { bound(port: port) != nil }

    /// A port nobody listens on at this moment.
    public static func anyFreePort() -> Int? { bound(port: 0) }

    private static func bound(port: Int) -> Int? {
        guard let number = UInt16(exactly: port) else { return nil }
        #if canImport(Glibc)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = number.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer -> Int? in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general -> Int? in
                guard bind(descriptor, general, length) == 0, getsockname(descriptor, general, &length) == 0 else {
                    return nil
                }
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
    }

    /// 32 hexadecimal digits nobody can guess.
    public static func randomSecret() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(UInt32.random(in: .min ... .max, using: &generator), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    public static func write(_ secrets: GeneratedSecrets) throws(HostError) {
        for secret in secrets.missing {
            try StateDirectory.makeDirectory(FilePath.directory(of: secret.file), mode: 0o700)
            switch secret.content {
            case .random: try StateDirectory.write(secret.file, randomSecret() + "\n")
            case .text(let text): try StateDirectory.write(secret.file, text + "\n")
            }
        }
    }

    /// Directory of `initdb` and `postgres`: of the newest version that is installed.
    public static func postgresPrograms(path: String) -> String? {
        var folders: [String] = []
        for root in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr/pgsql"] {
            let versions = StateDirectory.entries(of: root).filter {
                root.hasSuffix("postgresql") || $0.hasPrefix("postgresql")
            }
            folders += versions.sorted { number($0) > number($1) }.map { "\(root)/\($0)/bin" }
        }
        folders += path.split(separator: ":").map(String.init)
        return folders.first { access($0 + "/initdb", X_OK) == 0 && access($0 + "/postgres", X_OK) == 0 }
    }

    private static func number(_ version: String) -> Int { Int(version.filter { $0.isASCII && $0.isNumber }) ?? 0 }

    public static let howToInstallPostgres = """
        PostgreSQL is not installed here: `apt-get install postgresql` (Debian, Ubuntu), `brew install postgresql@17` (macOS), \
        or name a server that runs already with --postgres postgres://user:password@host:5432/database
        """

    /// Whether another user can enter a directory: every one above it must let others pass.
    public static func isPassable(_ directory: String) -> Bool {
        var path = directory
        while true {
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & 0o001 == 0 { return false }
            let parent = FilePath.directory(of: path)
            if parent == path || parent == "." { return true }
            path = parent
        }
    }
}

extension LocalMachine {
    public static var currentDirectory: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getcwd(&buffer, buffer.count - 1) != nil else { return "/" }
        return text(buffer.prefix { $0 != 0 })
    }

    public static var environment: [String: String] {
        var result: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let sides = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if sides.count == 2 { result[String(sides[0])] = String(sides[1]) }
            next += 1
        }
        return result
    }

    private static func text(_ characters: ArraySlice<CChar>) -> String {
        String(decoding: characters.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
