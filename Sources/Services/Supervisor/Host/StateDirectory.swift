import ComposeFile

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// `.minprom/` beside the compose file: what the supervisor keeps, and that there is only one.
///
///     supervisor.lock   held as long as a supervisor lives; the system lets go of it with the process
///     supervisor.sock   the control socket, 0600
///     logs/NAME.log     pids/NAME     secrets/NAME     volumes/NAME     tmp/     data/ (clusters)
public struct StateDirectory: Sendable {
    public let path: String

    /// Paths of unix sockets have 107 bytes on Linux, 103 elsewhere.
    private static let longestSocketPath = 100

    public init(besides directory: String) { path = FilePath.absolute(".minprom", from: directory) }

    public func log(_ name: String) -> String { path + "/logs/" + name + ".log" }

    /// In the directory; where its path is too long for a socket, in a directory of ours below /tmp.
    public var socket: String {
        path.utf8.count <= Self.longestSocketPath - 16 ? path + "/supervisor.sock" : shortDirectory + "/supervisor.sock"
    }

    /// Of this user and this state directory.
    public var shortDirectory: String {
        // FNV-1a: a name, not a secret.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "/tmp/minprom-\(getuid())-" + String(hash, radix: 16)
    }

    public func make() throws(HostError) {
        // Passed through by PostgreSQL's user where we are root; what is inside is closed.
        try Self.makeDirectory(path, mode: 0o711)
        for name in ["logs", "pids", "secrets"] { try Self.makeDirectory(path + "/" + name, mode: 0o700) }
        if socket.hasPrefix("/tmp/") { try Self.makeOwnDirectory(shortDirectory) }
    }

    /// With those above it.
    public static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(HostError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw HostError("\(path) is no directory") }
            return
        }
        let parent = FilePath.directory(of: path)
        if parent != path { try makeDirectory(parent) }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw .system(path) }
        chmod(path, mode)
    }

    /// In /tmp anybody may have made it before us.
    private static func makeOwnDirectory(_ path: String) throws(HostError) {
        var status = stat()
        mkdir(path, 0o700)
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid() else {
            throw HostError("\(path) is not ours")
        }
        chmod(path, 0o700)
    }

    // MARK: Only one

    /// Takes the lock for as long as this process lives; a socket that a dead supervisor left is removed.
    public func lock() throws(HostError) {
        let file = path + "/supervisor.lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(file) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw HostError(
                "a supervisor runs in \(path) already; `minprom ps` shows its services, `minprom down` ends it")
        }
        unlink(socket)
    }

    // MARK: Those whom an earlier supervisor left

    public func note(_ name: String, pid: Int32) {
        try? Self.write(path + "/pids/" + name, "\(pid) \(Self.birth(of: pid) ?? "-")\n")
    }

    public func forget(_ name: String) { unlink(path + "/pids/" + name) }

    /// Ends process groups of an earlier supervisor that was killed: on Linux they are gone already, or going.
    public func endLeftovers() -> [String] {
        var ended: [String] = []
        for name in Self.entries(of: path + "/pids") {
            let words = String(decoding: Self.read(path + "/pids/" + name) ?? [], as: UTF8.self).split {
                $0 == " " || $0 == "\n"
            }
            defer { forget(name) }
            guard words.count == 2, let pid = Int32(words[0]), pid > 1, kill(-pid, 0) == 0 else { continue }
            // The number is still that group's: it began when we noted, or its leader is gone and only followers have it.
            let birth = Self.birth(of: pid)
            guard birth == nil || birth == String(words[1]) else { continue }
            ended.append(name)
            kill(-pid, SIGTERM)
            for _ in 0..<50 where Self.isAlive(pid) { usleep(100_000) }
            kill(-pid, SIGKILL)
            for _ in 0..<10 where Self.isAlive(pid) { usleep(50_000) }
        }
        return ended
    }

    /// Whether the group has more than a leader that is dead and waits for its parent.
    private static func isAlive(_ group: Int32) -> Bool {
        guard kill(-group, 0) == 0 else { return false }
        #if os(Linux)
            guard let bytes = read("/proc/\(group)/stat"), let close = bytes.lastIndex(of: UInt8(ascii: ")")) else {
                return true
            }
            return bytes.dropFirst(close + 2).first != UInt8(ascii: "Z")
        #else
            return true
        #endif
    }

    /// When a process began, as text: a number alone may be another's by now.
    private static func birth(of pid: Int32) -> String? {
        #if os(Linux)
            guard let bytes = read("/proc/\(pid)/stat"), let close = bytes.lastIndex(of: UInt8(ascii: ")")) else {
                return nil
            }
            let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
            return fields.count > 19 ? String(decoding: fields[19], as: UTF8.self) : nil
        #else
            return kill(pid, 0) == 0 ? "-" : nil
        #endif
    }

    // MARK: Small files

    public static func read(_ path: String, limit: Int = 8 << 20) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = [], block = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = block.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 || bytes.count > limit { return nil }
            if count == 0 { return bytes }
            bytes += block[..<count]
        }
    }

    /// Whole or not at all, readable by us alone.
    public static func write(_ path: String, _ text: String) throws(HostError) {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(draft) }
        var text = text
        let isWritten = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
        close(descriptor)
        guard isWritten, rename(draft, path) == 0 else { throw .system(path) }
    }

    public static func entries(of directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." && !name.hasSuffix(".new") { names.append(name) }
        }
        return names.sorted()
    }

    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    public static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

/// `read(2)`, under a name that `StateDirectory.read` does not hide.
private func systemRead(_ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, start, count)
}
