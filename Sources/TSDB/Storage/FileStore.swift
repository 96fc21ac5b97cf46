/// The file system as storage sees it: few operations, each of which a test can make fail or forget.
///
/// Paths are as the operating system writes them. Errors are `TSDBError`s of code `.io` that name the path and say what the
/// system said.
public protocol FileStore: Sendable {
    /// Names (not paths) in a directory, sorted; throws where there is none.
    func list(_ directory: String) throws(TSDBError) -> [String]
    func exists(_ path: String) -> Bool
    /// Makes the directory and its parents; no error where it exists.
    func createDirectory(_ path: String) throws(TSDBError)
    /// Opens an existing file for reading.
    func openForReading(_ path: String) throws(TSDBError) -> any ReadableFile
    /// Opens a file for appending, made empty if it does not exist.
    func openForAppending(_ path: String) throws(TSDBError) -> any WritableFile
    /// Atomic within one file system.
    func rename(_ from: String, to: String) throws(TSDBError)
    /// Removes a file, or a directory with all it holds; no error where there is nothing.
    func remove(_ path: String) throws(TSDBError)
    /// Makes creations, renames and removals in `directory` durable.
    func synchronizeDirectory(_ path: String) throws(TSDBError)
    /// Takes an advisory lock that lasts until the returned token is released (or the process ends).
    /// Throws `.io` where another process holds it.
    func lock(_ path: String) throws(TSDBError) -> any FileLock
}

public protocol ReadableFile: AnyObject, Sendable {
    var size: Int { get }
    /// Fills `buffer` from `offset` on; returns how many bytes there were (fewer only at the end of the file).
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(TSDBError) -> Int
}

public protocol WritableFile: AnyObject, Sendable {
    /// Bytes in the file, what was there when it was opened included.
    var size: Int { get }
    /// Writes all of `bytes` at the end, or throws; after a throw `size` tells how much got there.
    func append(_ bytes: UnsafeRawBufferPointer) throws(TSDBError)
    /// Cuts the file to `size` bytes.
    func truncate(to size: Int) throws(TSDBError)
    /// Makes the content durable (fdatasync).
    func synchronize() throws(TSDBError)
    func close()
}

public protocol FileLock: AnyObject, Sendable {
    func release()
}

extension FileStore {
    /// The whole file as bytes. `limit` bounds the allocation.
    public func readAll(_ path: String, limit: Int = 1 << 31) throws(TSDBError) -> [UInt8] {
        let file = try openForReading(path)
        let size = file.size
        guard size <= limit else { throw TSDBError(.limit, "\(path): \(size) bytes, the limit is \(limit)") }
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        var failure: TSDBError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(TSDBError) {
                while filled < size {
                    let n = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]), at: filled)
                    if n == 0 { break }
                    filled += n
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        if filled < size { bytes.removeLast(size - filled) }
        return bytes
    }
}
