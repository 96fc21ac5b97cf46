import Exposition
import SelfMetrics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Metrics that others leave in files: `*.prom` in the directories of `--collector.textfile.directory`, in the text format.
///
///     /var/lib/node_exporter/backup.prom:   backup_last_success_seconds 1700000000
///
/// A file that cannot be read, is no metrics page or has time stamps is left out as a whole and sets `node_textfile_scrape_error`; so
/// does a family that the page has already. Whoever writes such files writes beside and renames.
@Sendable func collectTextFiles(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var files = TextFileFamilies(taken: familyNames(page.bytes)), modified: [(path: String, seconds: Double)] = []
    for directory in system.options.textfileDirectories.flatMap(expandPattern) where !directory.isEmpty {
        guard access(directory, R_OK | X_OK) == 0 else {
            files.hasFailed = true
            continue
        }
        for name in system.entries(directory) where name.hasSuffix(".prom") {
            let path = directory + (directory.hasSuffix("/") ? "" : "/") + name
            guard let bytes = readTextFile(path), files.add(bytes, path: path), let seconds = modificationTime(path) else {
                files.hasFailed = true
                continue
            }
            modified.append((path, seconds))
        }
    }
    files.write(to: &page)
    if !modified.isEmpty {
        page.family("node_textfile_mtime_seconds", .gauge, "When the file was last written.")
        for entry in modified.sorted(by: { $0.path < $1.path }) {
            page.sample("node_textfile_mtime_seconds", [("file", entry.path)], entry.seconds)
        }
    }
    page.single("node_textfile_scrape_error", .gauge, "Whether a file could not be taken.", files.hasFailed ? 1 : 0)
}

/// Families of any number of files, each name once.
struct TextFileFamilies {
    /// Bytes that one file may have.
    static let maximumBytes = 8 << 20
    /// Samples of all files together.
    static let maximumSamples = 200_000

    private struct Family {
        var kind = MetricsPage.Kind.untyped
        var help: String?
        /// Files it is in, for those that do not say what it is.
        var paths: [String] = []
        var samples: [(name: String, labels: [(String, String)], value: Double)] = []
    }

    var hasFailed = false
    private let taken: Set<String>
    private var families: [String: Family] = [:]
    private var seen: Set<[UInt8]> = []

    private let maximumSamples: Int

    /// `taken` are names that may not come again.
    init(taken: Set<String>, maximumSamples: Int = Self.maximumSamples) {
        self.maximumSamples = maximumSamples
        // These are written after all collectors.
        self.taken = taken.union([
            "node_exporter_build_info", "node_scrape_collector_duration_seconds", "node_scrape_collector_success",
            "node_textfile_mtime_seconds", "node_textfile_scrape_error",
        ])
    }

    /// Takes all of a file, or none of it.
    mutating func add(_ bytes: [UInt8], path: String) -> Bool {
        var next = self
        // To the parser a NUL is the end, as to Prometheus'; what stands behind it would be lost without a word.
        guard !bytes.contains(0), bytes.withUnsafeBytes({ next.parse($0, path) }) else { return false }
        self = next
        return true
    }

    private mutating func parse(_ bytes: UnsafeRawBufferPointer, _ path: String) -> Bool {
        var format = TextFormat(bytes), labels = SeriesLabels(), kinds: [String: MetricsPage.Kind] = [:]
        func text(_ range: Range<Int>) -> String {
            String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self)
        }
        do {
            while let entry = try format.next() {
                switch entry {
                // Text has no native histograms.
                case .comment, .unit, .histogram: break
                case .type:
                    let name = text(format.entry.name), kind = Self.kind(format.entry.type)
                    kinds[name] = kind
                    guard accepts(name) else { continue }
                    families[name, default: Family()].kind = kind
                case .help:
                    let name = text(format.entry.name), range = format.entry.text.clamped(to: 0..<bytes.count)
                    var help: [UInt8] = []
                    ExpositionText.unescape(UnsafeRawBufferPointer(rebasing: bytes[range]), quotes: false, into: &help)
                    let words = String(decoding: help, as: UTF8.self)
                    guard accepts(name) else { continue }
                    if let before = families[name]?.help, before != words { hasFailed = true }
                    families[name, default: Family()].help = families[name]?.help ?? words
                case .series:
                    guard format.entry.timestamp == nil, seen.count < maximumSamples else { return false }
                    var packed: [UInt8] = []
                    try labels.pack(format.entry, of: bytes, into: &packed)
                    guard let pairs = Self.unpack(packed), let name = pairs.first(where: { $0.0 == "__name__" })?.1,
                        pairs.allSatisfy({ FamilyGroup.isName($0.0) && !$0.0.contains(":") }), FamilyGroup.isName(name)
                    else { return false }
                    let family = Self.familyName(name, kinds)
                    guard accepts(family) else { continue }
                    guard seen.insert(packed).inserted else {
                        hasFailed = true
                        continue
                    }
                    if families[family, default: Family()].paths.last != path { families[family, default: Family()].paths.append(path) }
                    families[family]?.samples.append((name, Self.shown(pairs), format.entry.value))
                }
            }
        } catch { return false }
        return true
    }

    /// Names that are on the page already would stand there twice, which no reader takes.
    private mutating func accepts(_ name: String) -> Bool {
        if taken.contains(name) { hasFailed = true }
        return !taken.contains(name)
    }

    func write(to page: inout MetricsPage) {
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.samples.isEmpty {
            page.family(name, family.kind, family.help ?? "Metric read from \(family.paths.joined(separator: ", "))")
            for sample in family.samples { page.sample(sample.name, sample.labels, sample.value) }
        }
    }

    private static func kind(_ type: MetricType) -> MetricsPage.Kind {
        switch type {
        case .counter: .counter
        case .gauge: .gauge
        case .histogram: .histogram
        case .summary: .summary
        case .gaugehistogram, .info, .stateset, .unknown: .untyped
        }
    }

    /// `x_bucket` belongs to the histogram `x`.
    private static func familyName(_ name: String, _ kinds: [String: MetricsPage.Kind]) -> String {
        for (suffix, owners) in [("_bucket", [MetricsPage.Kind.histogram]), ("_sum", [.histogram, .summary]), ("_count", [.histogram, .summary])]
        where name.hasSuffix(suffix) {
            let family = String(name.dropLast(suffix.count))
            if let kind = kinds[family], owners.contains(kind) { return family }
        }
        return name
    }

    /// Bounds and quantiles are written as this format writes numbers: storage's `1.0` is `1` here.
    private static func shown(_ pairs: [(String, String)]) -> [(String, String)] {
        pairs.filter { $0.0 != "__name__" }.map { name, value in
            guard name == "le" || name == "quantile", value.hasSuffix(".0"), decimal(value) != nil else { return (name, value) }
            return (name, String(value.dropLast(2)))
        }
    }

    /// Undoes `SeriesLabels.pack`: names and values in turn, each with its length in front.
    private static func unpack(_ packed: [UInt8]) -> [(String, String)]? {
        var index = 0, parts: [String] = []
        while index < packed.count {
            var length = 0, shift = 0
            while index < packed.count, shift < 56 {
                let byte = packed[index]
                index += 1
                length |= Int(byte & 0x7f) << shift
                shift += 7
                if byte & 0x80 == 0 { break }
            }
            guard length <= packed.count - index else { return nil }
            parts.append(String(decoding: packed[index..<(index + length)], as: UTF8.self))
            index += length
        }
        guard parts.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: parts.count, by: 2).map { (parts[$0], parts[$0 + 1]) }
    }
}

/// Names of the families on a page.
func familyNames(_ page: [UInt8]) -> Set<String> {
    var names: Set<String> = []
    for line in page.split(separator: UInt8(ascii: "\n")) where line.starts(with: "# TYPE ".utf8) {
        names.insert(String(decoding: line.dropFirst(7).prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
    }
    return names
}

/// The paths that a shell pattern stands for; the pattern itself where there are none.
private func expandPattern(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0, let paths = found.gl_pathv else { return [pattern] }
    return (0..<Int(found.gl_pathc)).compactMap { index in paths[index].map { String(cString: $0) } }
}

private func readTextFile(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = [], block = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { return nil }
        if count == 0 { return bytes }
        bytes += block[..<count]
        if bytes.count > TextFileFamilies.maximumBytes { return nil }
    }
}

private func modificationTime(_ path: String) -> Double? {
    var state = stat()
    guard stat(path, &state) == 0 else { return nil }
    #if canImport(Darwin)
        return Double(state.st_mtimespec.tv_sec)
    #else
        return Double(state.st_mtim.tv_sec)
    #endif
}
