#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A collector did not find what it reads.
struct CollectorError: Error {
    var path: String
}

/// Reads the kernel's small text files.
struct SystemFiles: Sendable {
    let options: HostOptions
    let processorTimes = ProcessorTimes()
    let mounts = MountWatch()
    private let proc: String
    private let sys: String

    /// Kernel files are a few kilobytes; what claims to be longer is cut here.
    private static let limit = 1 << 20

    init(_ options: HostOptions) {
        self.options = options
        proc = options.procPath
        sys = options.sysPath
    }

    /// The text of `/proc/NAME`.
    func proc(_ name: String) throws(CollectorError) -> String {
        guard let text = read(proc + "/" + name) else { throw CollectorError(path: proc + "/" + name) }
        return text
    }

    /// The text of `/sys/NAME` without the line end, or `nil`; many of these exist for some devices only.
    func sys(_ name: String) -> String? {
        guard var text = read(sys + "/" + name) else { return nil }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return text
    }

    /// A number that stands alone in `/sys/NAME`.
    func sysNumber(_ name: String) -> Double? { sys(name).flatMap { decimal($0) } }

    /// A number that stands alone in `/proc/NAME`.
    func procNumber(_ name: String) throws(CollectorError) -> Double {
        guard let value = (try proc(name)).lines.first?.words.number(0) else { throw CollectorError(path: name) }
        return value
    }

    /// Where `PATH` of the machine is found from here, and its text.
    func root(_ path: String) -> String? { read(rooted(path)) }

    func rooted(_ path: String) -> String {
        let root = options.rootPath.hasSuffix("/") ? String(options.rootPath.dropLast()) : options.rootPath
        return root + path
    }

    func udev(_ name: String) -> String? { read(options.udevPath + "/" + name) }

    /// Names in `/sys/NAME`, sorted; empty where there is no such directory.
    func sysEntries(_ name: String) -> [String] { entries(sys + "/" + name) }

    /// A collector without its directory has failed; with an empty one it has nothing to say.
    func requireSys(_ name: String) throws(CollectorError) {
        guard access(sys + "/" + name, F_OK) == 0 else { throw CollectorError(path: name) }
    }

    func sysPath(_ name: String) -> String { sys + "/" + name }

    func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let text = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if text != "." && text != ".." { names.append(text) }
        }
        return names.sorted()
    }

    func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        let size = buffer.count
        while bytes.count < Self.limit {
            let count = buffer.withUnsafeMutableBytes { Glibc_read(descriptor, $0.baseAddress, size) }
            if count < 0 { return nil }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[0..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// `read(2)`, under a name that the method above does not hide.
private func Glibc_read(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

extension String {
    /// Lines that are not empty.
    var lines: [Substring] { split(whereSeparator: \.isNewline) }
}

extension Substring {
    /// Words between blanks and tabs.
    var words: [Substring] { split { $0 == " " || $0 == "\t" } }
}

extension [Substring] {
    /// The word at `index` as a number, or `nil` where there is none.
    func number(_ index: Int) -> Double? { indices.contains(index) ? decimal(self[index]) : nil }

    /// The word at `index` as a hexadecimal number.
    func hexadecimal(_ index: Int) -> Double? {
        indices.contains(index) ? UInt64(self[index], radix: 16).map { Double($0) } : nil
    }
}

/// A decimal number as the kernel writes it: digits, a sign, a point; no `inf`, `nan` or hexadecimal floats.
func decimal(_ text: some StringProtocol) -> Double? {
    let isPlain = text.utf8.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }
    guard isPlain, let value = Double(text), value.isFinite else { return nil }
    return value
}
