import SelfMetrics

@testable import HostMetrics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A /proc and a /sys of a machine that is not there: files in a directory of their own, gone with the value.
final class SystemTree {
    let root: String

    /// `files` by path: `proc/stat`, `sys/class/…`, `etc/os-release`.
    init(_ files: [String: String]) {
        var template = Array("/tmp/minprom-host-XXXXXX".utf8CString)
        root = template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, let made = mkdtemp(start) else { preconditionFailure("no temporary directory") }
            return String(cString: made)
        }
        for (path, text) in files { write(path, text) }
    }

    deinit { Self.remove(root) }

    func write(_ path: String, _ text: String) {
        var directory = root
        for part in path.split(separator: "/").dropLast() {
            directory += "/" + part
            mkdir(directory, 0o755)
        }
        guard let file = fopen(root + "/" + path, "w") else { preconditionFailure("cannot write \(path)") }
        // Not `fputs`: some texts hold NULs.
        let bytes = Array(text.utf8)
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    /// Links are not followed.
    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in SystemFiles(HostOptions()).entries(path) { remove(path + "/" + name) }
        rmdir(path)
    }

    var options: HostOptions {
        var options = HostOptions()
        options.procPath = root + "/proc"
        options.sysPath = root + "/sys"
        options.rootPath = root
        options.udevPath = root + "/udev"
        return options
    }

    /// Samples of one collector, in the order of the page; `nil` where it failed.
    func collect(_ name: String, _ change: (inout HostOptions) -> Void = { _ in }) -> [String]? {
        var options = options
        change(&options)
        guard let collector = HostMetrics.collectors.first(where: { $0.name == name }) else { return nil }
        var page = MetricsPage()
        do { try collector.run(SystemFiles(options), &page) } catch { return nil }
        return lines(page.bytes)
    }
}

/// The samples on a page. The page must be one: each family once, each sample below its family.
func lines(_ page: [UInt8]) -> [String] {
    let all = String(decoding: page, as: UTF8.self).split(separator: "\n").map(String.init)
    let families = all.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
    precondition(Set(families).count == families.count, "a family stands twice: \(families)")
    return all.filter { !$0.hasPrefix("#") }
}
