import HTTPServer
import Numbers
import Synchronization
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The queries that run now, kept in a file: what stands there after a crash was running when it happened.
///
///     queries.active     [ {"query":"up","timestamp_sec":1763850000,"fingerprint":"…"} NUL … , │ NUL … │ …      1,000 bytes per place
///     queries.suspects   fingerprint, crashes at which it was there, time of the last one
///
/// Written with pwrite(2), never mapped: a full disk then is an error and not a signal. The places and the first two
/// fields are upstream's, so its tools read the file.
///
/// A query that was running at two crashes in a row is refused for an hour, so that one query in a dashboard cannot
/// keep the server down. One that ends well in between is innocent.
public final class ActiveQueries: Sendable {
    private static let placeSize = 1_000
    /// For how long a query is refused, seconds.
    static let sentence: Int64 = 3_600
    /// Crashes that make a query refused.
    static let crashesForgiven = 1
    private static let largestSuspects = 1 << 20

    private struct Suspect {
        var crashes: Int
        /// Seconds since the epoch.
        var last: Int64
    }

    private struct State {
        var free: [Int]
        var suspects: [UInt64: Suspect]
    }

    private let state: Mutex<State>
    private let descriptor: Int32
    private let placeCount: Int
    private let directory: String
    private let clock: any WallClock
    /// What was running when the process before this one ended without saying so; as JSON objects.
    public let unfinished: [String]

    /// Opens the record in `directory`, which exists, with room for `places` queries at once.
    public init(directory: String, places: Int, clock: any WallClock) throws(TSDBError) {
        self.directory = directory
        self.clock = clock
        placeCount = max(1, places)
        let path = directory + "/queries.active"
        let left = Self.entries(path)
        unfinished = left.map(\.text)
        var suspects = Self.readSuspects(directory + "/queries.suspects")
        let now = clock.now().milliseconds / 1000
        suspects = suspects.filter { now - $0.value.last < Self.sentence }
        for fingerprint in Set(left.compactMap(\.fingerprint)) {
            suspects[fingerprint] = Suspect(crashes: (suspects[fingerprint]?.crashes ?? 0) + 1, last: now)
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw TSDBError(.io, "open \(path): \(String(cString: strerror(errno)))") }
        state = Mutex(State(free: Array((0..<placeCount).reversed()), suspects: suspects))
        clear()
        if !left.isEmpty || !suspects.isEmpty { state.withLock { writeSuspects($0.suspects) } }
    }

    deinit { Self.closeDescriptor(descriptor) }

    /// One query's place; to be ended when the query has.
    struct Entry {
        fileprivate let owner: ActiveQueries
        fileprivate let place: Int
        fileprivate let fingerprint: UInt64

        func end() { owner.end(self) }
    }

    /// Notes that `query` runs; `nil` where every place is taken.
    func begin(_ query: String) -> Entry? {
        guard let place = state.withLock({ $0.free.popLast() }) else { return nil }
        let fingerprint = Self.fingerprint(query)
        write(Self.text(query, fingerprint, clock.now().milliseconds / 1000), at: place)
        return Entry(owner: self, place: place, fingerprint: fingerprint)
    }

    private func end(_ entry: Entry) {
        write([], at: entry.place)
        state.withLock { state in
            state.free.append(entry.place)
            if let suspect = state.suspects[entry.fingerprint], suspect.crashes <= Self.crashesForgiven {
                state.suspects[entry.fingerprint] = nil
                writeSuspects(state.suspects)
            }
        }
    }

    /// Seconds for which `query` is still refused; `nil`: it is not.
    func refusal(of query: String) -> Int64? {
        let now = clock.now().milliseconds / 1000
        return state.withLock { state in
            guard !state.suspects.isEmpty, let suspect = state.suspects[Self.fingerprint(query)],
                suspect.crashes > Self.crashesForgiven
            else { return nil }
            let rest = suspect.last + Self.sentence - now
            return rest > 0 ? rest : nil
        }
    }

    /// A regular end: whatever still runs is nobody's fault.
    public func close() { clear() }
}

// MARK: The files

extension ActiveQueries {
    static func fingerprint(_ query: String) -> UInt64 {
        var query = query
        return query.withUTF8 { Hash64.hash(UnsafeRawBufferPointer($0), seed: 0x7175_6572_7900_0001) }
    }

    /// A place's text; long queries are cut so that it fits.
    static func text(_ query: String, _ fingerprint: UInt64, _ now: Int64) -> [UInt8] {
        var length = min(query.utf8.count, placeSize)
        while true {
            var json = JSONText(capacity: 2 * placeSize)
            json.append("{")
            json.append("query", string: String(decoding: query.utf8.prefix(length), as: UTF8.self), first: true)
            json.append(",\"timestamp_sec\":")
            json.append(now)
            json.append("fingerprint", string: String(fingerprint, radix: 16))
            json.append("}")
            if json.count < placeSize || length == 0 { return Array(json.take().readableBytesView) }
            length /= 2
        }
    }

    private func write(_ text: [UInt8], at place: Int) {
        var bytes = text
        bytes += repeatElement(0, count: Self.placeSize - text.count)
        if !text.isEmpty { bytes[Self.placeSize - 1] = UInt8(ascii: ",") }
        // What cannot be written is not known after a crash; no reason to refuse the query.
        _ = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(1 + place * Self.placeSize)) }
    }

    private func clear() {
        var bytes = [UInt8](repeating: 0, count: 1 + placeCount * Self.placeSize)
        bytes[0] = UInt8(ascii: "[")
        _ = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    private static func closeDescriptor(_ descriptor: Int32) { _ = systemClose(descriptor) }

    private static func entries(_ path: String) -> [(text: String, fingerprint: UInt64?)] {
        guard let bytes = try? DiskFileStore().readAll(path, limit: 64 << 20), bytes.first == UInt8(ascii: "[") else {
            return []
        }
        var entries: [(text: String, fingerprint: UInt64?)] = []
        var start = 1
        while start < bytes.count {
            let place = bytes[start..<min(bytes.count, start + placeSize)]
            start += placeSize
            let end = place.firstIndex(of: 0) ?? place.endIndex
            var text = String(decoding: place[place.startIndex..<end], as: UTF8.self)
            if text.hasSuffix(",") { text.removeLast() }
            guard !text.isEmpty else { continue }
            // Behind the query, which cannot hold an unescaped quote.
            let parts = text.split(separator: "\"")
            let name = parts.lastIndex(of: "fingerprint")
            let value = name.flatMap { parts.indices.contains($0 + 2) ? UInt64(parts[$0 + 2], radix: 16) : nil }
            entries.append((text, value))
        }
        return entries
    }

    private static func readSuspects(_ path: String) -> [UInt64: Suspect] {
        guard let bytes = try? DiskFileStore().readAll(path, limit: largestSuspects) else { return [:] }
        var suspects: [UInt64: Suspect] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count == 3, let fingerprint = UInt64(fields[0], radix: 16), let crashes = Int(fields[1]),
                let last = Int64(fields[2]), (0...1_000_000).contains(crashes)
            else { continue }
            suspects[fingerprint] = Suspect(crashes: crashes, last: last)
        }
        return suspects
    }

    /// Under the lock. Replaced as a whole.
    private func writeSuspects(_ suspects: [UInt64: Suspect]) {
        let text = suspects.sorted { $0.key < $1.key }
            .map { "\(String($0.key, radix: 16)) \($0.value.crashes) \($0.value.last)\n" }.joined()
        let files = DiskFileStore(), path = directory + "/queries.suspects"
        do throws(TSDBError) {
            try files.remove(path + ".new")
            let file = try files.openForAppending(path + ".new")
            defer { file.close() }
            var failure: TSDBError?
            Array(text.utf8).withUnsafeBytes { bytes in
                do throws(TSDBError) { try file.append(bytes) } catch { failure = error }
            }
            if failure == nil { try files.rename(path + ".new", to: path) }
        } catch {
            // A crash is then forgotten, which costs another one.
        }
    }
}

/// `close(2)`, under a name that the method does not hide.
private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
