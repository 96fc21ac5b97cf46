import TSDB

/// A file of records that is appended to as things change and written anew now and then.
///
///     length │ record │ length │ record │ …          of records with one id the last counts
///
/// Upstream writes the whole file every fifteen minutes and loses what came since when it is killed; its reader takes repeated ids,
/// so ours appends each change and syncs it, and the two can read each other's files. Rewriting goes through a temporary file and
/// a rename.
///
/// Where appending fails the file is cut back; where that fails too, or the disk could not say that the bytes are there, the file is
/// doubtful: it is not appended to any more but written anew.
struct StateFile: Sendable {
    let path: String
    private let directory: String
    private let files: any FileStore
    private var file: (any WritableFile)?
    /// What stands in it is not known.
    private(set) var isDoubtful = false
    /// Bytes of the last rewriting, and since.
    private(set) var snapshotBytes = 0
    private(set) var appendedBytes = 0

    init(directory: String, name: String, files: any FileStore) {
        self.directory = directory
        path = "\(directory)/\(name)"
        self.files = files
    }

    /// Makes `bytes` durable at the end of the file, or throws and leaves the file as it was, as far as it can.
    mutating func append(_ bytes: [UInt8]) throws(TSDBError) {
        if isDoubtful { throw TSDBError(.io, "\(path): doubtful after an earlier error") }
        let isNew = file == nil && !files.exists(path)
        let target = try opened()
        let size = target.size
        do throws(TSDBError) { try Self.write(bytes, to: target) } catch {
            do throws(TSDBError) { try target.truncate(to: size) } catch { isDoubtful = true }
            throw error
        }
        do throws(TSDBError) {
            try target.synchronize()
            if isNew { try files.synchronizeDirectory(directory) }
        } catch {
            isDoubtful = true
            throw error
        }
        appendedBytes += bytes.count
    }

    /// Makes `bytes` the whole content, durably; on error the old file is still there.
    mutating func replace(with bytes: [UInt8]) throws(TSDBError) {
        let temporary = path + ".tmp"
        let target = try files.openForAppending(temporary)
        do throws(TSDBError) {
            try target.truncate(to: 0)
            try Self.write(bytes, to: target)
            try target.synchronize()
            target.close()
            try files.rename(temporary, to: path)
        } catch {
            target.close()
            try? files.remove(temporary)
            throw error
        }
        close()
        isDoubtful = false
        snapshotBytes = bytes.count
        appendedBytes = 0
        do throws(TSDBError) { try files.synchronizeDirectory(directory) } catch {
            isDoubtful = true
            throw error
        }
    }

    /// Says that the file lacks something that is in memory.
    mutating func doubt() { isDoubtful = true }

    /// Whether it holds more than one record of anything, perhaps.
    var isWorthRewriting: Bool { isDoubtful || appendedBytes > 0 }

    /// Whether more has been appended since the last rewriting than a file of records may hold that are there twice.
    var hasOutgrown: Bool { appendedBytes > max(1 << 20, 4 * snapshotBytes) }

    mutating func close() {
        file?.close()
        file = nil
    }

    private mutating func opened() throws(TSDBError) -> any WritableFile {
        if let file { return file }
        let opened = try files.openForAppending(path)
        file = opened
        return opened
    }

    private static func write(_ bytes: [UInt8], to file: any WritableFile) throws(TSDBError) {
        try bytes.withUnsafeBytes { buffer in Result { () throws(TSDBError) in try file.append(buffer) } }.get()
    }
}

extension StateFile {
    /// What was read of a file, and what was not.
    struct Reading<Record: Sendable>: Sendable {
        var records: [Record] = []
        var damagedRecords = 0
        var damagedBytes = 0
        var isDamaged: Bool { damagedBytes > 0 }
    }

    /// Reads all records that can be read. Behind a damaged one it looks for the next byte at which a whole record stands.
    ///
    /// A file that is not there is empty. Where there is damage, a copy of the file is kept beside it, and it should be written anew.
    mutating func read<Record>(
        _ decode: (ArraySlice<UInt8>) throws(TSDBError) -> Record
    ) throws(TSDBError) -> Reading<Record> {
        guard files.exists(path) else { return Reading() }
        let bytes = try files.readAll(path)
        let reading = Self.records(of: bytes[...], decode)
        snapshotBytes = bytes.count
        if reading.isDamaged {
            isDoubtful = true
            keepCopy(of: bytes)
        }
        return reading
    }

    static func records<Record>(
        of bytes: ArraySlice<UInt8>, _ decode: (ArraySlice<UInt8>) throws(TSDBError) -> Record
    ) -> Reading<Record> {
        var result = Reading<Record>()
        var position = bytes.startIndex
        var wasWhole = true
        while position < bytes.endIndex {
            var reader = ProtobufReader(bytes[position...])
            if let message = try? reader.delimited(), !message.isEmpty, let record = try? decode(message) {
                result.records.append(record)
                position = reader.position
                wasWhole = true
            } else {
                if wasWhole { result.damagedRecords += 1 }
                wasWhole = false
                result.damagedBytes += 1
                position += 1
            }
        }
        return result
    }

    /// Best effort: a copy for whoever wants to look, never a reason not to start.
    private func keepCopy(of bytes: [UInt8]) {
        guard let copy = try? files.openForAppending(path + ".damaged") else { return }
        try? copy.truncate(to: 0)
        try? Self.write(bytes, to: copy)
        copy.close()
    }
}
