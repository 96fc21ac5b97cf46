#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Standard error and files, written to without buffers.
enum Console {
    static func write(_ line: String) {
        var line = line
        line.withUTF8 { _ = writeAll(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
    }

    /// Replaces the content of a file; `false` where that cannot be done.
    static func writeFile(_ path: String, _ bytes: [UInt8]) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes
        while let start = rest.baseAddress, rest.count > 0 {
            let written = systemWrite(descriptor, start, rest.count)
            if written < 0 && errno == EINTR { continue }
            if written <= 0 { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
        return true
    }

    /// Writes `minprom: error: …` and gives the exit code 1.
    static func complain(_ message: String) -> Int32 {
        write("minprom: error: \(message)\n")
        return 1
    }
}

/// `write(2)`, under a name that `Console.write` does not hide.
private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, start, count)
}
