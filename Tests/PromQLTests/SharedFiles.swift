#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files of the shared corpora, which live beside the repository. Tests pass with fewer cases where they are absent.
enum SharedFiles {
    /// The text of a shared file, or `nil`.
    static func text(_ path: String) -> String? {
        for root in roots {
            if let bytes = read("\(root)/\(path)") { return String(decoding: bytes, as: UTF8.self) }
        }
        return nil
    }

    /// The text of a file of this package, by its path from the root.
    static func ownText(_ path: String) -> String? {
        packageRoot(of: #filePath).flatMap { read("\($0)/\(path)") }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Sorted names of the files in a folder of this package.
    static func ownNames(in folder: String) -> [String] {
        packageRoot(of: #filePath).map { names(in: "\($0)/\(folder)") } ?? []
    }

    /// Sorted names of the files in a shared folder; none where it is absent.
    static func names(inShared folder: String) -> [String] {
        roots.map { names(in: "\($0)/\(folder)") }.first { !$0.isEmpty } ?? []
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// `MINPROM_SHARED`, or `shared` beside the package or one level above that.
    private static var roots: [String] {
        if let root = getenv("MINPROM_SHARED") { return [String(cString: root)] }
        guard let package = packageRoot(of: #filePath) else { return [] }
        return ["\(package)/../shared", "\(package)/../../shared"]
    }

    private static func packageRoot(of file: String) -> String? {
        // Through links: the folder may be linked into another package.
        guard let resolved = realpath(file, nil) else { return nil }
        defer { free(resolved) }
        var parts = String(cString: resolved).split(separator: "/")
        while !parts.isEmpty {
            parts.removeLast()
            let folder = "/" + parts.joined(separator: "/")
            if access(folder + "/Package.swift", R_OK) == 0 { return folder }
        }
        return nil
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}
