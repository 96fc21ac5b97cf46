import CWebFiles

/// The UI's files that the compiler put into the binary (the only file that imports `CWebFiles`).
enum EmbeddedFiles {
    /// By path below `/assets/`, and `index.html`, the page that all addresses of pages show.
    static func all() -> [String: [UInt8]] {
        var count = 0
        guard let first = webfiles_all(&count) else { return [:] }
        var files: [String: [UInt8]] = [:]
        for file in UnsafeBufferPointer(start: first, count: count) {
            guard let name = file.name else { continue }
            let path = String(cString: name)
            files[path == "app/index.html" ? "index.html" : path] = Array(UnsafeBufferPointer(start: file.bytes, count: file.size))
        }
        return files
    }
}
