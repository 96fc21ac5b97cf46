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
        guard let root = root(near: file) else { return [] }
        let path = root + "/" + folder
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { ($0, path + "/" + $0) }
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

    private static func root(near file: String) -> String? {
        if let given = getenv("MINPROM_SHARED") { return String(cString: given) }
        // The package is reached through links at times; what counts is where the file really is.
        guard let real = realpath(file, nil) else { return nil }
        defer { free(real) }
        var folder = String(cString: real)
        while let slash = folder.lastIndex(of: "/"), slash > folder.startIndex {
            folder = String(folder[..<slash])
            if access(folder + "/Package.swift", R_OK) == 0 {
                for candidate in [folder + "/../shared", folder + "/../../shared"]
                where access(candidate + "/exposition", R_OK) == 0 {
                    return candidate
                }
            }
        }
        return nil
    }
}
