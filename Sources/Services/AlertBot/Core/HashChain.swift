import Digest

/// Lines that hold each other: every one ends with the hash of the line before it and of itself.
///
///     {"ts":…,"event":"received",…,"prev_hash":"0000…","hash":"8f3a…"}
///     {"ts":…,"event":"decision",…,"prev_hash":"8f3a…","hash":"c201…"}
///                                                └ of the line before   └ SHA-256 of this line up to `,"hash"`
///
/// A byte that is changed changes its line's hash; a line that is taken out, put in or moved breaks the link to the next.
/// What it cannot show is that lines are missing at the end: compare the last hash with one you noted (`/metrics` counts lines).
///
/// Source: the hash-linked log of Haber and Stornetta, “How to time-stamp a digital document”, 1991.
public struct HashChain: Equatable, Sendable {
    static let start = String(repeating: "0", count: 64)
    private static let hashMember = Array(",\"hash\":\"".utf8)
    private static let previousMember = Array(",\"prev_hash\":\"".utf8)

    /// Hash of the last line.
    public private(set) var last = HashChain.start
    public private(set) var count = 0

    public init() {}

    /// The line of a record, with its newline. The chain goes on only with `accept`, once the line is on the disk.
    func line(_ record: IncidentRecord) -> (bytes: [UInt8], hash: String) {
        var bytes = record.openObject() + Self.previousMember + Array(last.utf8) + [UInt8(ascii: "\"")]
        let hash = Self.hash(bytes)
        bytes += Self.hashMember + Array(hash.utf8) + Array("\"}\n".utf8)
        return (bytes, hash)
    }

    mutating func accept(_ hash: String) {
        last = hash
        count += 1
    }

    /// Checks a line (without its newline) against the one before.
    public mutating func follow(_ line: ArraySlice<UInt8>) throws(BotError) {
        // …,"prev_hash":"64 digits","hash":"64 digits"}
        let tail = Self.hashMember.count + 64 + 2
        let bodyCount = line.count - tail
        let previousCount = Self.previousMember.count + 64 + 1
        guard bodyCount > previousCount else { throw damaged("too short") }
        let body = line.prefix(bodyCount), rest = Array(line.dropFirst(bodyCount))
        guard Array(rest.prefix(Self.hashMember.count)) == Self.hashMember, Array(rest.suffix(2)) == Array("\"}".utf8) else {
            throw damaged("it does not end with its hash")
        }
        let said = String(decoding: rest[Self.hashMember.count..<(Self.hashMember.count + 64)], as: UTF8.self)
        guard Self.hash(body) == said else { throw damaged("its hash is not the hash of its bytes") }
        let previous = Array(body.suffix(previousCount))
        guard Array(previous.prefix(Self.previousMember.count)) == Self.previousMember,
            previous.dropFirst(Self.previousMember.count).prefix(64).elementsEqual(last.utf8)
        else { throw damaged("it does not follow the line before it") }
        accept(said)
    }

    private func damaged(_ reason: String) -> BotError { BotError(.chain, "line \(count + 1): \(reason)") }

    private static func hash(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: SHA256.digest(bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// A whole log, read and checked.
public struct IncidentLogFile: Sendable {
    public private(set) var chain = HashChain()
    public private(set) var records: [IncidentRecord] = []
    /// Bytes of whole lines; what follows was torn off by a crash and never acted upon.
    public private(set) var length = 0
    public private(set) var tornBytes = 0

    /// `keepsRecords`: for replay; a check alone needs none.
    public init(_ bytes: [UInt8], keepsRecords: Bool = true) throws(BotError) {
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            try chain.follow(bytes[start..<end])
            if keepsRecords {
                guard let record = IncidentRecord(parsing: bytes[start..<end]) else {
                    throw BotError(.chain, "line \(chain.count): not a line of an incident log")
                }
                records.append(record)
            }
            start = end + 1
        }
        length = start
        tornBytes = bytes.count - start
    }
}

/// Where lines of the log go. On return a line is on the disk; when it throws, none of it is in the file.
public protocol IncidentSink: Sendable {
    func append(_ line: [UInt8]) throws(BotError)
}
