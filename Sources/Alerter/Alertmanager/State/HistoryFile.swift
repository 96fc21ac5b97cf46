import TSDB

/// The history on disk: lines of JSON, and one older file when the first has grown too long.
///
///     history.jsonl      ── grown to the bound ──▶ history.1.jsonl (the one before it is gone)
///
/// Lines are written, not synced: a killed process loses none, a power cut the last few.
struct HistoryFile: Sendable {
    private let directory: String
    private let files: any FileStore
    private let limit: Int
    private var file: (any WritableFile)?

    private var path: String { directory + "/history.jsonl" }
    private var olderPath: String { directory + "/history.1.jsonl" }

    init(directory: String, limit: Int, files: any FileStore) {
        self.directory = directory
        self.limit = limit
        self.files = files
    }

    /// The last `count` entries; lines that are none are left out.
    func read(last count: Int) -> [AlertHistoryEntry] {
        var result: [AlertHistoryEntry] = []
        for path in [path, olderPath] where result.count < count {
            guard files.exists(path), let bytes = try? files.readAll(path) else { continue }
            let newer = result
            result = Self.entries(bytes, last: count - newer.count) + newer
        }
        return result
    }

    private static func entries(_ bytes: [UInt8], last count: Int) -> [AlertHistoryEntry] {
        var entries: [AlertHistoryEntry] = []
        var end = bytes.count
        bytes.withUnsafeBytes { bytes in
            while end > 0 && entries.count < count {
                var start = end
                while start > 0 && bytes[start - 1] != UInt8(ascii: "\n") { start -= 1 }
                if start < end, let entry = HistoryLine.entry(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) {
                    entries.append(entry)
                }
                end = start - 1
            }
        }
        return entries.reversed()
    }

    mutating func append(_ entries: [AlertHistoryEntry]) throws(TSDBError) {
        if entries.isEmpty { return }
        var bytes: [UInt8] = []
        for entry in entries { bytes += HistoryLine.encoded(entry).utf8 }
        if let file, file.size > 0, file.size + bytes.count > limit {
            close()
            try files.rename(path, to: olderPath)
        }
        let target = try opened()
        try bytes.withUnsafeBytes { buffer in Result { () throws(TSDBError) in try target.append(buffer) } }.get()
    }

    mutating func close() {
        file?.close()
        file = nil
    }

    private mutating func opened() throws(TSDBError) -> any WritableFile {
        if let file { return file }
        let opened = try files.openForAppending(path)
        file = opened
        // A torn line must not swallow the next one. An empty line is no entry.
        if opened.size > 0 {
            let newline: [UInt8] = [UInt8(ascii: "\n")]
            try newline.withUnsafeBytes { buffer in Result { () throws(TSDBError) in try opened.append(buffer) } }.get()
        }
        return opened
    }
}
