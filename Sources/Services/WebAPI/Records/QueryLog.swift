import HTTPServer
import Numbers
import PromQL
import Synchronization
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// `global.query_log_file`: one JSON object per line for every query that was evaluated, with upstream's fields.
///
///     {"time":"2026-11-22T22:11:23.063Z","level":"INFO","msg":"promql query logged",
///      "params":{"end":"…","query":"up","start":"…","step":0},"stats":{…},"httpRequest":{"clientIP":"127.0.0.1",…}}
///
/// A line is one write(2) to a file opened for appending, so lines of several threads do not mix, and a tool that
/// rotates logs may truncate it.
public final class QueryLog: Sendable {
    /// Who asked.
    struct Client: Sendable {
        var address: String
        var method: String
        var path: String
    }

    struct Entry {
        var query: String
        var span: QuerySpan
        var timings: QueryTimings
        var counts: SampleCount
        var peak: Int
        var error: String?
        var client: Client?
    }

    public let path: String
    private let descriptor: Int32
    private let clock: any WallClock
    private let failed = Atomic<Int>(0)

    public init(path: String, clock: any WallClock) throws(TSDBError) {
        self.path = path
        self.clock = clock
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw TSDBError(.io, "query_log_file: open \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Lines that could not be written.
    var failures: Int { failed.load(ordering: .relaxed) }

    func add(_ entry: Entry) {
        var json = JSONText(capacity: 1024 + entry.query.utf8.count)
        json.append(entry, at: clock.now())
        let line = Array(json.take().readableBytesView)
        let written = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written != line.count { failed.wrappingAdd(1, ordering: .relaxed) }
    }
}

extension JSONText {
    fileprivate mutating func append(_ entry: QueryLog.Entry, at now: Timestamp) {
        let start: Timestamp, end: Timestamp
        var step: Int64 = 0
        switch entry.span {
        case .at(let time): (start, end) = (time, time)
        case .from(let first, let last, let between):
            (start, end) = (first, last)
            step = between.milliseconds / 1000
        }
        append("{")
        append("time", string: TimeText.string(milliseconds: now.milliseconds), first: true)
        append("level", string: "INFO")
        append("msg", string: "promql query logged")
        append(",\"params\":{")
        append("end", string: TimeText.string(milliseconds: end.milliseconds), first: true)
        append("query", string: entry.query)
        append("start", string: TimeText.string(milliseconds: start.milliseconds))
        append(",\"step\":")
        append(step)
        append("}")
        if let error = entry.error { append("error", string: error) }
        append(
            ResultRenderer.Statistics(
                timings: entry.timings, counts: entry.counts, peak: entry.peak, showsSteps: false))
        if let client = entry.client {
            append(",\"httpRequest\":{")
            append("clientIP", string: client.address, first: true)
            append("method", string: client.method)
            append("path", string: client.path)
            append("}")
        }
        append("}\n")
    }
}
