import TSDB
import Tool

/// Files of a test, by path.
struct ToolFixture {
    var files: [String: String]

    var seen: ToolFiles {
        let files = files
        return ToolFiles(
            read: { (path: String) throws(TSDBError) in
                guard let text = files[path] else { throw TSDBError(.io, "open \(path): no such file or directory") }
                return Array(text.utf8)
            },
            glob: { pattern in
                let parts = pattern.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
                return files.keys.sorted().filter { name in
                    parts.count == 1 ? name == pattern : name.hasPrefix(parts[0]) && name.hasSuffix(parts[1])
                }
            })
    }
}
