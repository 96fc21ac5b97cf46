import Synchronization
import TSDB

/// A file system in memory that can fail and forget: what makes crash tests plain tests.
///
///     let store = MemoryFileStore()
///     store.setFault { number, _ in number == 17 ? .failure("No space left on device") : nil }
///     …
///     let after = store.crashClone(dropping: 0.5, seed: 42)      // what a power cut leaves
///
/// Every file remembers what was last synchronized, every directory which creations, renames and removals were not
/// yet made durable. A crash clone keeps what is durable and, of the rest, what chance leaves: of each directory a prefix
/// of its changes, of each file any length between the durable and the current one, and of the bytes behind the durable
/// ones each 512-byte sector or zeros in its place. That is harsher than most disks.
///
/// With `dropping: 0` the clone is what a killed *process* leaves: everything written.
public final class MemoryFileStore: FileStore {
    public enum Operation: Sendable, Equatable {
        case list(String), createDirectory(String), openForReading(String), openForAppending(String)
        case rename(String, to: String), remove(String), synchronizeDirectory(String), lock(String)
        case read(String), append(String, Int), truncate(String, to: Int), synchronize(String)
    }

    public enum Fault: Sendable {
        /// The operation does nothing and throws `.io` with this reason.
        case failure(String)
        /// An append writes so many bytes, then throws `.io`.
        case shortWrite(Int, String)
    }

    public typealias FaultPlan = @Sendable (_ number: Int, _ operation: Operation) -> Fault?

    fileprivate struct Inode {
        var bytes: [UInt8] = []
        /// What the last synchronize made durable.
        var durable: [UInt8] = []
    }

    fileprivate enum Change {
        case link(String, inode: Int)
        case unlink(String)
        case makeDirectory(String)
        case removeDirectory(String)
        case rename(String, to: String)
    }

    fileprivate struct Tree {
        var files: [String: Int] = [:]
        var directories: Set<String> = ["", "/"]

        mutating func apply(_ change: Change) {
            switch change {
            case .link(let path, let inode): files[path] = inode
            case .unlink(let path): files[path] = nil
            case .makeDirectory(let path): directories.insert(path)
            case .removeDirectory(let path): directories.remove(path)
            case .rename(let from, let to):
                if let inode = files.removeValue(forKey: from) { files[to] = inode }
                if directories.remove(from) != nil { directories.insert(to) }
                let inside = from + "/"
                for path in files.keys.filter({ $0.hasPrefix(inside) }) {
                    files[to + "/" + path.dropFirst(inside.count)] = files.removeValue(forKey: path)
                }
                for path in directories.filter({ $0.hasPrefix(inside) }) {
                    directories.remove(path)
                    directories.insert(to + "/" + path.dropFirst(inside.count))
                }
            }
        }
    }

    fileprivate struct State {
        var tree = Tree()
        var durableTree = Tree()
        /// Directory changes not yet durable, oldest first, each with the directory whose sync settles it.
        var pending: [(directory: String, change: Change)] = []
        var inodes: [Inode] = []
        var locks: Set<String> = []
        var operations = 0
        var fault: FaultPlan?

        mutating func change(_ change: Change, in directory: String) {
            tree.apply(change)
            pending.append((directory, change))
        }

        /// Counts an operation; throws where the plan says so.
        mutating func begin(_ operation: Operation) throws(TSDBError) -> Fault? {
            operations += 1
            guard let fault = fault?(operations, operation) else { return nil }
            switch fault {
            case .failure(let reason): throw TSDBError(.io, "\(operation): \(reason)")
            case .shortWrite: return fault
            }
        }
    }

    fileprivate let state: Mutex<State>

    public init() { state = Mutex(State()) }

    private init(_ state: sending State) { self.state = Mutex(state) }

    // MARK: Faults

    /// Operations so far; the plan sees the number of each, from 1 on.
    public var operationCount: Int { state.withLock { $0.operations } }

    /// From now on `plan` decides which operations fail; `nil` heals the disk. Counting starts again at 1.
    public func setFault(_ plan: FaultPlan?) {
        state.withLock {
            $0.fault = plan
            $0.operations = 0
        }
    }

    /// What the disk holds after the power has gone: unsynchronized bytes and directory changes are lost with this
    /// probability (0: nothing is lost, as when only the process dies). The same seed loses the same.
    public func crashClone(dropping probability: Double, seed: UInt64) -> MemoryFileStore {
        var random = SeededRandom(seed: seed)
        let clone = state.withLock { state -> State in
            var survivor = State()
            if probability <= 0 {
                survivor.tree = state.tree
                survivor.inodes = state.inodes
            } else {
                survivor.tree = state.durableTree
                var cutDirectories: Set<String> = []
                for (directory, change) in state.pending where !cutDirectories.contains(directory) {
                    if Double.random(in: 0..<1, using: &random) < probability {
                        cutDirectories.insert(directory)
                    } else {
                        survivor.tree.apply(change)
                    }
                }
                survivor.inodes = state.inodes.map { inode in
                    var inode = inode
                    inode.bytes = Self.forget(inode, probability, &random)
                    return inode
                }
            }
            for index in survivor.inodes.indices { survivor.inodes[index].durable = survivor.inodes[index].bytes }
            survivor.durableTree = survivor.tree
            return survivor
        }
        return MemoryFileStore(clone)
    }

    private static func forget(_ inode: Inode, _ probability: Double, _ random: inout SeededRandom) -> [UInt8] {
        let durable = inode.durable, current = inode.bytes
        guard durable != current, Double.random(in: 0..<1, using: &random) < probability else {
            return durable == current ? durable : current
        }
        var result = durable
        let length = Int.random(in: min(durable.count, current.count)...max(durable.count, current.count), using: &random)
        if length < result.count { result.removeLast(result.count - length) }
        while result.count < length {
            let end = min(length, (result.count / 512 + 1) * 512)
            let sector = result.count < current.count ? Array(current[result.count..<min(end, current.count)]) : []
            if Bool.random(using: &random) { result += sector }
            result += [UInt8](repeating: 0, count: max(0, end - result.count))
        }
        return result
    }

    // MARK: Looking in

    /// All paths of files, sorted.
    public var paths: [String] { state.withLock { $0.tree.files.keys.sorted() } }

    public func bytes(of path: String) -> [UInt8]? {
        state.withLock { state in state.tree.files[path].map { state.inodes[$0].bytes } }
    }

    /// Puts a file there, durable at once; directories on the way are made.
    public func put(_ bytes: [UInt8], at path: String) {
        state.withLock { state in
            var directory = Self.parent(path)
            while directory != "" && directory != "/" {
                state.tree.directories.insert(directory)
                state.durableTree.directories.insert(directory)
                directory = Self.parent(directory)
            }
            state.inodes.append(Inode(bytes: bytes, durable: bytes))
            state.tree.files[path] = state.inodes.count - 1
            state.durableTree.files[path] = state.inodes.count - 1
        }
    }

    // MARK: FileStore

    public func list(_ directory: String) throws(TSDBError) -> [String] {
        let directory = Self.normal(directory)
        return try locked { state throws(TSDBError) in
            _ = try state.begin(.list(directory))
            guard state.tree.directories.contains(directory) else {
                throw TSDBError(.io, "list \(directory): No such file or directory")
            }
            let paths = Array(state.tree.files.keys) + Array(state.tree.directories)
            return paths.filter { $0 != directory && $0 != "" && $0 != "/" && Self.parent($0) == directory }
                .map { Self.name($0) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    public func exists(_ path: String) -> Bool {
        let path = Self.normal(path)
        return state.withLock { $0.tree.files[path] != nil || $0.tree.directories.contains(path) }
    }

    public func createDirectory(_ path: String) throws(TSDBError) {
        let path = Self.normal(path)
        try locked { state throws(TSDBError) in
            _ = try state.begin(.createDirectory(path))
            var missing: [String] = []
            var directory = path
            while !state.tree.directories.contains(directory) {
                if state.tree.files[directory] != nil { throw TSDBError(.io, "create directory \(path): a file is in its place") }
                missing.append(directory)
                directory = Self.parent(directory)
            }
            for directory in missing.reversed() { state.change(.makeDirectory(directory), in: Self.parent(directory)) }
        }
    }

    public func openForReading(_ path: String) throws(TSDBError) -> any ReadableFile {
        let path = Self.normal(path)
        let inode = try locked { state throws(TSDBError) in
            _ = try state.begin(.openForReading(path))
            guard let inode = state.tree.files[path] else { throw TSDBError(.io, "open \(path): No such file or directory") }
            return inode
        }
        return MemoryFile(self, inode, path)
    }

    public func openForAppending(_ path: String) throws(TSDBError) -> any WritableFile {
        let path = Self.normal(path)
        let inode = try locked { state throws(TSDBError) in
            _ = try state.begin(.openForAppending(path))
            if let inode = state.tree.files[path] { return inode }
            guard state.tree.directories.contains(Self.parent(path)) else {
                throw TSDBError(.io, "open \(path): No such file or directory")
            }
            state.inodes.append(Inode())
            state.change(.link(path, inode: state.inodes.count - 1), in: Self.parent(path))
            return state.inodes.count - 1
        }
        return MemoryFile(self, inode, path)
    }

    public func rename(_ from: String, to: String) throws(TSDBError) {
        let from = Self.normal(from), to = Self.normal(to)
        try locked { state throws(TSDBError) in
            _ = try state.begin(.rename(from, to: to))
            guard state.tree.files[from] != nil || state.tree.directories.contains(from) else {
                throw TSDBError(.io, "rename to \(to) \(from): No such file or directory")
            }
            if state.tree.directories.contains(to) {
                guard !state.tree.files.keys.contains(where: { $0.hasPrefix(to + "/") }) else {
                    throw TSDBError(.io, "rename to \(to) \(from): Directory not empty")
                }
            }
            state.change(.rename(from, to: to), in: Self.parent(to))
        }
    }

    public func remove(_ path: String) throws(TSDBError) {
        let path = Self.normal(path)
        try locked { state throws(TSDBError) in
            _ = try state.begin(.remove(path))
            if state.tree.files[path] != nil { return state.change(.unlink(path), in: Self.parent(path)) }
            guard state.tree.directories.contains(path) else { return }
            let inside = path + "/"
            for file in state.tree.files.keys.filter({ $0.hasPrefix(inside) }).sorted() {
                state.change(.unlink(file), in: Self.parent(file))
            }
            for directory in state.tree.directories.filter({ $0.hasPrefix(inside) }).sorted().reversed() {
                state.change(.removeDirectory(directory), in: Self.parent(directory))
            }
            state.change(.removeDirectory(path), in: Self.parent(path))
        }
    }

    public func synchronizeDirectory(_ path: String) throws(TSDBError) {
        let path = Self.normal(path)
        try locked { state throws(TSDBError) in
            _ = try state.begin(.synchronizeDirectory(path))
            guard state.tree.directories.contains(path) else {
                throw TSDBError(.io, "open \(path): No such file or directory")
            }
            for (directory, change) in state.pending where directory == path { state.durableTree.apply(change) }
            state.pending.removeAll { $0.directory == path }
        }
    }

    public func lock(_ path: String) throws(TSDBError) -> any FileLock {
        let path = Self.normal(path)
        try locked { state throws(TSDBError) in
            _ = try state.begin(.lock(path))
            guard state.locks.insert(path).inserted else {
                throw TSDBError(.io, "lock \(path): another process holds it")
            }
        }
        return MemoryLock(self, path)
    }

    // MARK: Paths

    private static func normal(_ path: String) -> String {
        let parts = path.split(separator: "/").joined(separator: "/")
        return path.hasPrefix("/") ? "/" + parts : parts
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func name(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// `withLock` with typed errors.
    fileprivate func locked<R: Sendable>(_ body: (inout State) throws(TSDBError) -> R) throws(TSDBError) -> R {
        let result: Result<R, TSDBError> = state.withLock { state in
            do throws(TSDBError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

private final class MemoryFile: ReadableFile, WritableFile {
    private let store: MemoryFileStore
    private let inode: Int
    private let path: String

    init(_ store: MemoryFileStore, _ inode: Int, _ path: String) {
        self.store = store
        self.inode = inode
        self.path = path
    }

    var size: Int { store.state.withLock { $0.inodes[inode].bytes.count } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(TSDBError) -> Int {
        nonisolated(unsafe) let buffer = buffer  // used only while this call lasts
        return try store.locked { state throws(TSDBError) in
            _ = try state.begin(.read(path))
            let bytes = state.inodes[inode].bytes
            guard offset >= 0, offset < bytes.count else { return 0 }
            let n = min(buffer.count, bytes.count - offset)
            buffer.copyBytes(from: bytes[offset..<offset + n])
            return n
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(TSDBError) {
        nonisolated(unsafe) let bytes = bytes  // used only while this call lasts
        try store.locked { state throws(TSDBError) in
            switch try state.begin(.append(path, bytes.count)) {
            case .shortWrite(let count, let reason)?:
                state.inodes[inode].bytes.append(contentsOf: bytes.prefix(max(0, count)))
                throw TSDBError(.io, "write \(path): \(reason)")
            default:
                state.inodes[inode].bytes.append(contentsOf: bytes)
            }
        }
    }

    func truncate(to size: Int) throws(TSDBError) {
        try store.locked { state throws(TSDBError) in
            _ = try state.begin(.truncate(path, to: size))
            let count = state.inodes[inode].bytes.count
            if size < count {
                state.inodes[inode].bytes.removeLast(count - size)
            } else {
                state.inodes[inode].bytes += [UInt8](repeating: 0, count: size - count)
            }
        }
    }

    func synchronize() throws(TSDBError) {
        try store.locked { state throws(TSDBError) in
            _ = try state.begin(.synchronize(path))
            state.inodes[inode].durable = state.inodes[inode].bytes
        }
    }

    func close() {}
}

private final class MemoryLock: FileLock {
    private let store: MemoryFileStore
    private let path: String
    private let held = Mutex(true)

    init(_ store: MemoryFileStore, _ path: String) {
        self.store = store
        self.path = path
    }

    deinit { release() }

    func release() {
        let wasHeld = held.withLock { held in
            let was = held
            held = false
            return was
        }
        if wasHeld { _ = store.state.withLock { $0.locks.remove(path) } }
    }
}
