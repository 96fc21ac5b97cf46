#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where programs are.
public enum ProgramFile {
    /// The file that a shell would run for `name`.
    public static func find(_ name: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// The file of this program.
    public static var own: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        #if canImport(Darwin)
            var size = UInt32(buffer.count)
            if _NSGetExecutablePath(&buffer, &size) == 0 { return text(buffer.prefix { $0 != 0 }) }
        #else
            let count = readlink("/proc/self/exe", &buffer, buffer.count)
            if count > 0 { return text(buffer.prefix(count)) }
        #endif
        return CommandLine.arguments.first.map { find($0) ?? $0 } ?? "minprom"
    }

    private static func text(_ path: ArraySlice<CChar>) -> String {
        String(decoding: path.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
