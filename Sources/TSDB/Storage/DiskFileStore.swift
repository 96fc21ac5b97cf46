import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The real file system: one POSIX call per operation.
///
///     append        write(2) until everything is there          survives kill -9
///     synchronize   fdatasync(2)                                survives a power cut, once the directory is synced too
///     rename        rename(2): readers see the old file or the new one, nothing between
///     lock          flock(2), exclusive; the kernel releases it when the process dies
///
/// Calls that a signal interrupts are repeated. Every error names the path and what the system said:
/// `open wal/00000003: No space left on device`.
///
/// A store holds no state, so any number of values may work on the same directory; files are safe to use from several
/// threads as long as one thread at a time appends to or truncates a file.
public struct DiskFileStore: FileStore {
    public init() {}

    public func list(_ directory: String) throws(TSDBError) -> [String] {
        guard let stream = opendir(directory) else { throw systemError("list", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: UInt8.self, capacity: MemoryLayout.size(ofValue: field.pointee)) {
                    String(decodingCString: $0, as: UTF8.self)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        if errno != 0 { throw systemError("list", directory) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    public func createDirectory(_ path: String) throws(TSDBError) {
        // Parents first; "a//b" and a trailing slash give empty parts, which make nothing.
        var prefix = path.utf8.first == UInt8(ascii: "/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += prefix.isEmpty || prefix == "/" ? String(part) : "/" + part
            if mkdir(prefix, 0o777) != 0 && errno != EEXIST { throw systemError("create directory", prefix) }
        }
        guard let kind = fileKind(path), kind == S_IFDIR else {
            throw TSDBError(.io, "create directory \(path): a file is in its place")
        }
    }

    public func openForReading(_ path: String) throws(TSDBError) -> any ReadableFile {
        let descriptor = try openDescriptor(path, O_RDONLY)
        return try DiskFile(descriptor, path)
    }

    public func openForAppending(_ path: String) throws(TSDBError) -> any WritableFile {
        let descriptor = try openDescriptor(path, O_WRONLY | O_CREAT | O_APPEND)
        return try DiskFile(descriptor, path)
    }

    public func rename(_ from: String, to: String) throws(TSDBError) {
        #if canImport(Glibc)
            let result = Glibc.rename(from, to)
        #elseif canImport(Musl)
            let result = Musl.rename(from, to)
        #else
            let result = Darwin.rename(from, to)
        #endif
        if result != 0 { throw systemError("rename to \(to)", from) }
    }

    public func remove(_ path: String) throws(TSDBError) {
        guard let kind = fileKind(path) else {
            if errno == ENOENT { return }
            throw systemError("remove", path)
        }
        if kind == S_IFDIR {
            // A path has at most PATH_MAX bytes, so this nesting ends.
            for name in try list(path) { try remove(path + "/" + name) }
            if rmdir(path) != 0 && errno != ENOENT { throw systemError("remove", path) }
        } else if unlink(path) != 0 && errno != ENOENT {
            throw systemError("remove", path)
        }
    }

    public func synchronizeDirectory(_ path: String) throws(TSDBError) {
        let descriptor = try openDescriptor(path, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        while fsync(descriptor) != 0 {
            if errno != EINTR { throw systemError("sync directory", path) }
        }
    }

    public func lock(_ path: String) throws(TSDBError) -> any FileLock {
        let descriptor = try openDescriptor(path, O_RDWR | O_CREAT)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            let refused = errno == EWOULDBLOCK
            let error = systemError("lock", path)
            close(descriptor)
            throw refused ? TSDBError(.io, "lock \(path): another process holds it") : error
        }
        return DiskLock(descriptor)
    }
}

/// An open file. The descriptor is closed by `close()` or when the last reference goes.
private final class DiskFile: ReadableFile, WritableFile {
    private struct State {
        var descriptor: Int32
        var size: Int
    }
    private let path: String
    private let descriptor: Int32
    /// Descriptor -1: closed. Guards against a second `close` of a number that is someone else's by then.
    private let state: Mutex<State>

    init(_ descriptor: Int32, _ path: String) throws(TSDBError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = systemError("stat", path)
            _ = systemClose(descriptor)
            throw error
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            _ = systemClose(descriptor)
            throw TSDBError(.io, "open \(path): Is a directory")
        }
        self.path = path
        self.descriptor = descriptor
        state = Mutex(State(descriptor: descriptor, size: Int(status.st_size)))
    }

    deinit { close() }

    var size: Int { state.withLock { $0.size } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(TSDBError) -> Int {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return 0 }
        var done = 0
        while done < buffer.count {
            let n = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
            if n < 0 {
                if errno == EINTR { continue }
                throw systemError("read", path)
            }
            if n == 0 { break }
            done += n
        }
        return done
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(TSDBError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let n = write(descriptor, base + done, bytes.count - done)
            if n < 0 {
                if errno == EINTR { continue }
                throw systemError("write", path)
            }
            done += n
            state.withLock { $0.size += n }
        }
    }

    func truncate(to size: Int) throws(TSDBError) {
        while ftruncate(descriptor, off_t(size)) != 0 {
            if errno != EINTR { throw systemError("truncate", path) }
        }
        state.withLock { $0.size = size }
    }

    func synchronize() throws(TSDBError) {
        #if canImport(Darwin)
            while fsync(descriptor) != 0 {
                if errno != EINTR { throw systemError("sync", path) }
            }
        #else
            while fdatasync(descriptor) != 0 {
                if errno != EINTR { throw systemError("sync", path) }
            }
        #endif
    }

    func close() {
        let open = state.withLock { state in
            let open = state.descriptor
            state.descriptor = -1
            return open
        }
        if open >= 0 { _ = systemClose(open) }
    }
}

private final class DiskLock: FileLock {
    private let descriptor: Mutex<Int32>

    init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { release() }

    func release() {
        let open = descriptor.withLock { held in
            let open = held
            held = -1
            return open
        }
        if open >= 0 { _ = systemClose(open) }
    }
}

/// `close` by a name that methods called `close` do not hide.
private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func openDescriptor(_ path: String, _ flags: Int32) throws(TSDBError) -> Int32 {
    while true {
        let descriptor = open(path, flags | O_CLOEXEC, 0o666)
        if descriptor >= 0 { return descriptor }
        if errno != EINTR { throw systemError("open", path) }
    }
}

/// The `S_IF…` bits of what is at `path` (of a symbolic link: the link), or `nil` with `errno` set.
private func fileKind(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
}

private func systemError(_ operation: String, _ path: String) -> TSDBError {
    TSDBError(.io, "\(operation) \(path): \(String(cString: strerror(errno)))")
}
