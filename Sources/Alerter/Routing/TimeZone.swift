import TSDB

/// A time zone of the IANA database: how far local time is from UTC, at any moment.
///
///     TZif │ 44 bytes of counts │ data with 32-bit times, skipped │ 44 bytes │ transitions │ their types │ types │ … │ footer
///
///     transitions   −2^63 … t₀ … t₁ … tₙ        footer CET-1CEST,M3.5.0,M10.5.0/3
///     offsets           type 0   a    b  …        └─ what holds after tₙ, forever
///
/// Source: RFC 8536 (TZif), POSIX.1-2017 §8.3 (TZ).
/// Invariant: transitions ascend, and each names a type that is there.
public struct TimeZone: Sendable, Equatable {
    /// Bytes of a file; the largest of the database has 4 kB.
    public static let maximumBytes = 1 << 20

    public static let utc = TimeZone(
        transitions: [], indices: [], kinds: [Kind(offset: 0, abbreviation: "UTC")], rule: nil)

    /// A way to set the clocks.
    struct Kind: Sendable, Equatable {
        /// Seconds east of UTC.
        var offset: Int64
        /// `CEST`, or `+0330` where people have no letters for it.
        var abbreviation: String
    }

    private var transitions: [Int64]
    /// Index into `kinds`, one per transition.
    private var indices: [UInt8]
    /// The first one holds before all transitions.
    private var kinds: [Kind]
    private var rule: TimeZoneRule?

    private init(transitions: [Int64], indices: [UInt8], kinds: [Kind], rule: TimeZoneRule?) {
        self.transitions = transitions
        self.indices = indices
        self.kinds = kinds
        self.rule = rule
    }

    /// Seconds east of UTC at a number of seconds since the epoch.
    public func offset(at seconds: Int64) -> Int64 { kind(at: seconds).offset }

    /// The short name of the time that clocks show: `CET`, `CEST`.
    public func abbreviation(at seconds: Int64) -> String { kind(at: seconds).abbreviation }

    private func kind(at seconds: Int64) -> Kind {
        guard let last = transitions.last, seconds < last else {
            if let rule { return rule.kind(at: seconds) }
            return indices.last.map { kinds[Int($0)] } ?? kinds[0]
        }
        // The last transition at or before `seconds`.
        var low = 0, high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? kinds[0] : kinds[Int(indices[low - 1])]
    }
}

extension TimeZone {
    /// Reads a TZif file.
    public init(tzif bytes: [UInt8]) throws(TimeZoneError) {
        guard bytes.count <= Self.maximumBytes else { throw TimeZoneError("a time zone file of \(bytes.count) bytes") }
        var reader = Reader(bytes: bytes)
        var header = try reader.header()
        var width = 4
        if header.version >= UInt8(ascii: "2") {
            // The first block is for readers that know 32-bit times only.
            try reader.skip(header.length(timeWidth: 4))
            header = try reader.header()
            width = 8
        }
        var transitions: [Int64] = []
        for _ in 0..<header.times {
            let time = try reader.integer(width)
            if let last = transitions.last, last >= time {
                throw TimeZoneError("malformed time zone information: times out of order")
            }
            transitions.append(time)
        }
        let indices = try reader.take(header.times)
        var types: [(offset: Int64, name: Int)] = []
        for _ in 0..<header.types {
            let offset = try reader.integer(4)
            types.append((offset, Int(try reader.take(2)[1])))
        }
        let names = try reader.take(header.characters)
        let kinds = types.map { type in
            Kind(
                offset: type.offset,
                abbreviation: String(decoding: names.dropFirst(type.name).prefix { $0 != 0 }, as: UTF8.self))
        }
        guard !kinds.isEmpty, indices.allSatisfy({ Int($0) < kinds.count }) else {
            throw TimeZoneError("malformed time zone information: no such type")
        }
        try reader.skip(header.leaps * (width + 4) + header.standards + header.universals)
        var rule: TimeZoneRule?
        if width == 8, let footer = reader.footer(), !footer.isEmpty {
            guard let parsed = TimeZoneRule(footer) else {
                throw TimeZoneError("malformed time zone information: footer \(footer)")
            }
            rule = parsed
        }
        self.init(transitions: transitions, indices: indices, kinds: kinds, rule: rule)
    }

    private struct Header {
        var version: UInt8
        var universals: Int, standards: Int, leaps: Int, times: Int, types: Int, characters: Int

        func length(timeWidth: Int) -> Int {
            times * (timeWidth + 1) + types * 6 + characters + leaps * (timeWidth + 4) + standards + universals
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        private var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func take(_ count: Int) throws(TimeZoneError) -> [UInt8] {
            guard count >= 0, count <= bytes.count - position else {
                throw TimeZoneError("malformed time zone information: cut short")
            }
            defer { position += count }
            return Array(bytes[position..<position + count])
        }

        mutating func skip(_ count: Int) throws(TimeZoneError) { _ = try take(count) }

        /// Big-endian, signed.
        mutating func integer(_ width: Int) throws(TimeZoneError) -> Int64 {
            var value: UInt64 = 0
            for byte in try take(width) { value = value << 8 | UInt64(byte) }
            return width == 8 ? Int64(bitPattern: value) : Int64(Int32(truncatingIfNeeded: value))
        }

        mutating func header() throws(TimeZoneError) -> Header {
            guard try take(4) == Array("TZif".utf8) else {
                throw TimeZoneError("malformed time zone information: no TZif file")
            }
            let version = try take(1)[0]
            try skip(15)
            var counts: [Int] = []
            for _ in 0..<6 {
                let count = try integer(4)
                // No count can be larger than the file.
                guard count >= 0, count <= TimeZone.maximumBytes else {
                    throw TimeZoneError("malformed time zone information: counts")
                }
                counts.append(Int(count))
            }
            return Header(
                version: version, universals: counts[0], standards: counts[1], leaps: counts[2], times: counts[3],
                types: counts[4],
                characters: counts[5])
        }

        /// The line between the last two line breaks.
        mutating func footer() -> String? {
            let rest = bytes[position...]
            guard rest.first == UInt8(ascii: "\n"), let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\n")) else {
                return nil
            }
            return String(decoding: rest[(position + 1)..<end], as: UTF8.self)
        }
    }
}

/// Why a time zone is not to be had.
public struct TimeZoneError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

/// The time zones that a configuration names, read when it is loaded.
public struct TimeZones: Sendable, Equatable {
    /// Where the database usually is, in the order in which it is looked for.
    public static let directories = [
        "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo",
    ]

    private var zones: [String: TimeZone] = [:]

    public init() {}

    /// `nil` where the zone was not loaded. The empty name and `UTC` are always there.
    public subscript(name: String) -> TimeZone? { name.isEmpty || name == "UTC" ? .utc : zones[name] }

    /// Reads a zone; `Local` is the machine's own.
    public mutating func load(_ name: String, read: (_ path: String) throws(TSDBError) -> [UInt8]) throws(TimeZoneError) {
        guard self[name] == nil else { return }
        if name == "Local" {
            let file = try? read("/etc/localtime")
            zones[name] = try file.map { (bytes) throws(TimeZoneError) in try TimeZone(tzif: bytes) } ?? .utc
            return
        }
        guard Self.isName(name) else { throw TimeZoneError("time: invalid location name") }
        for directory in Self.directories {
            guard let bytes = try? read(directory + "/" + name) else { continue }
            zones[name] = try TimeZone(tzif: bytes)
            return
        }
        throw TimeZoneError("unknown time zone \(name)")
    }

    /// Names stay inside the database's directory.
    private static func isName(_ name: String) -> Bool {
        !name.hasPrefix("/") && !name.utf8.contains(UInt8(ascii: "\\")) && !name.utf8.contains(0)
            && !name.split(separator: "/", omittingEmptySubsequences: false).contains("..")
    }
}
