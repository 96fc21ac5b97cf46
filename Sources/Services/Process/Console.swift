import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Standard input, standard error and files, written to without buffers.
package enum Console {
    package static func write(_ line: String) {
        var line = line
        line.withUTF8 { _ = writeAll(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
    }

    /// Replaces the content of a file; `false` where that cannot be done.
    package static func writeFile(_ path: String, _ bytes: [UInt8]) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
    }

    /// Whether lines go to somebody's screen.
    package static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Standard input, to its end.
    package static func readInput(limit: Int) throws(TSDBError) -> [UInt8] {
        var bytes: [UInt8] = [], block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = block.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw TSDBError(.io, "standard input: \(String(cString: strerror(errno)))") }
            if count == 0 { return bytes }
            bytes += block[..<count]
            if bytes.count > limit { throw TSDBError(.limit, "standard input: more than \(limit) bytes") }
        }
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
    package static func complain(_ message: String, program: String = "minprom") -> Int32 {
        write("\(program): error: \(message)\n")
        return 1
    }
}

/// `write(2)`, under a name that `Console.write` does not hide.
private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, start, count)
}
