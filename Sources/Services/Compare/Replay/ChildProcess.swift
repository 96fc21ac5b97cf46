#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A program that runs for us until `stop`; what it says goes to a file.
final class ChildProcess: Sendable {
    let name: String
    private let pid: pid_t

    /// `path` is the program's file.
    init(_ name: String, path: String, _ arguments: [String], log: String) throws(ReplayError) {
        self.name = name
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        let words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var variables: [UnsafeMutablePointer<CChar>?] = Self.inherited.compactMap { name in
            getenv(name).map { strdup("\(name)=\(String(cString: $0))") }
        }
        variables.append(nil)
        defer { for variable in variables { free(variable) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, nil, words, variables)
        guard code == 0 else {
            throw ReplayError("\(name): \(path) does not start: \(String(cString: strerror(code)))")
        }
        self.pid = pid
    }

    /// Environment variables that the program gets of ours.
    private static let inherited = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]

    /// Whether the process has ended by itself.
    var hasEnded: Bool {
        var information = siginfo_t()
        // Looks without collecting: `stop` collects.
        return waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) != 0
            || information.si_signo == SIGCHLD
    }

    /// Asks it to end, and after ten seconds makes it end. Call once.
    func stop() async {
        kill(pid, SIGTERM)
        var status: Int32 = 0
        for _ in 0..<200 {
            if waitpid(pid, &status, WNOHANG) != 0 { return }
            // Not `Task.sleep`: a cancelled task would not wait, and ending the child is due then, too.
            usleep(50_000)
        }
        kill(pid, SIGKILL)
        waitpid(pid, &status, 0)
    }
}

/// A directory that is there while it is needed.
struct TemporaryDirectory {
    let path: String

    init() throws(ReplayError) {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/minprom-compare-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw ReplayError("no temporary directory: \(String(cString: strerror(errno)))")
        }
        path = String(cString: made)
    }

    func write(_ text: String, to name: String) throws(ReplayError) {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw ReplayError("\(file): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard systemWrite(descriptor, bytes) else { throw ReplayError("\(file): not written") }
    }

    func remove() { Self.remove(path, depth: 0) }

    private static func remove(_ path: String, depth: Int) {
        if depth < 32, let directory = opendir(path) {
            var names: [String] = []
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != "." && name != ".." { names.append(name) }
            }
            closedir(directory)
            for name in names {
                let inner = "\(path)/\(name)"
                var status = stat()
                // Links are removed, not followed.
                if lstat(inner, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                    remove(inner, depth: depth + 1)
                } else {
                    unlink(inner)
                }
            }
        }
        rmdir(path)
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    var written = 0
    while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return false }
        written += count
    }
    return true
}

/// Why a replay did not come about, in one line.
public struct ReplayError: Error, CustomStringConvertible, Sendable {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
