#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Test data that lives beside the repository, not in it: `MINPROM_SHARED`, `../shared` or `../../shared`.
///
/// Tests over it pass with fewer cases where it is absent.
public enum SharedData {
    /// The files of a folder of the shared data, with their full paths, sorted; empty where there is no such folder.
    public static func files(_ folder: String, near file: String = #filePath) -> [(name: String, path: String)] {
        roots(near: file).lazy.map { list($0 + "/" + folder) }.first { !$0.isEmpty } ?? []
    }

    /// The text of a file of the shared data, or `nil`.
    public static func text(_ path: String, near file: String = #filePath) -> String? {
        roots(near: file).lazy.compactMap { read($0 + "/" + path) }.first.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of a file, or `nil`.
    public static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    /// A variable of the environment: where data of a run's own lies.
    public static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Names and paths of what a folder holds, sorted.
    public static func list(_ path: String) -> [(name: String, path: String)] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { ($0, path + "/" + $0) }
    }

    private static func roots(near file: String) -> [String] {
        if let given = environment("MINPROM_SHARED") { return [given] }
        guard let package = PackageFiles.root(near: file) else { return [] }
        return [package + "/../shared", package + "/../../shared"]
    }
}

/// Files of this package that tests read.
public enum PackageFiles {
    /// The text of a file by its path from the package's root, or `nil`.
    public static func text(_ path: String, near file: String = #filePath) -> String? {
        root(near: file).flatMap { SharedData.read($0 + "/" + path) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Sorted names of the files in a folder.
    public static func names(in folder: String, near file: String = #filePath) -> [String] {
        root(near: file).map { SharedData.list($0 + "/" + folder).map(\.name) } ?? []
    }

    /// The folder with `Package.swift` above `file`. The package is reached through links at times; what counts is where
    /// the file really is.
    fileprivate static func root(near file: String) -> String? {
        guard let real = realpath(file, nil) else { return nil }
        defer { free(real) }
        var folder = String(cString: real)
        while let slash = folder.lastIndex(of: "/"), slash > folder.startIndex {
            folder = String(folder[..<slash])
            if access(folder + "/Package.swift", R_OK) == 0 { return folder }
        }
        return nil
    }
}
