import TSDB

/// Files that can be read and cannot be changed: a database looks as if it were open, and the directory stays as it is.
///
/// What is written goes nowhere, and nothing is locked: the directory may belong to a running server, whose newest samples
/// are then those that its log had when it was read.
struct ReadOnlyFiles: FileStore {
    private let files: any FileStore

    init(_ files: any FileStore) { self.files = files }

    func list(_ directory: String) throws(TSDBError) -> [String] { try files.list(directory) }
    func exists(_ path: String) -> Bool { files.exists(path) }
    func openForReading(_ path: String) throws(TSDBError) -> any ReadableFile { try files.openForReading(path) }

    func createDirectory(_ path: String) throws(TSDBError) {}
    func openForAppending(_ path: String) throws(TSDBError) -> any WritableFile { Nowhere() }
    func rename(_ from: String, to: String) throws(TSDBError) {}
    func remove(_ path: String) throws(TSDBError) {}
    func synchronizeDirectory(_ path: String) throws(TSDBError) {}
    func lock(_ path: String) throws(TSDBError) -> any FileLock { NoLock() }

    private final class NoLock: FileLock {
        func release() {}
    }

    private final class Nowhere: WritableFile {
        var size: Int { 0 }
        func append(_ bytes: UnsafeRawBufferPointer) throws(TSDBError) {}
        func truncate(to size: Int) throws(TSDBError) {}
        func synchronize() throws(TSDBError) {}
        func close() {}
    }
}
