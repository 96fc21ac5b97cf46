/// Reads the parts of a message one after the other, from bytes anybody may have sent.
///
/// Invariant: never reads outside the message; a name takes at most 255 bytes however its pointers lie.
struct DNSReader {
    enum Failure: Error, Equatable {
        case endsEarly
        case badName
        case badData
    }

    let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw .endsEarly }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func word() throws(Failure) -> UInt16 { UInt16(try byte()) << 8 | UInt16(try byte()) }
    mutating func long() throws(Failure) -> UInt32 { UInt32(try word()) << 16 | UInt32(try word()) }

    mutating func take(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
        guard count >= 0, bytes.count - position >= count else { throw .endsEarly }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func name() throws(Failure) -> String {
        var labels: [ArraySlice<UInt8>] = []
        var length = 1
        /// Where reading goes on behind the first pointer.
        var back: Int?
        /// A pointer must lead before the place the name, or the last pointer, led to.
        var limit = position
        while true {
            let first = try byte()
            switch first & 0xc0 {
            case 0x00:
                if first == 0 {
                    if let back { position = back }
                    return DNSName.text(labels)
                }
                length += Int(first) + 1
                guard length <= DNSName.maximumBytes else { throw .badName }
                labels.append(try take(Int(first)))
            case 0xc0:
                let target = Int(first & 0x3f) << 8 | Int(try byte())
                guard target < limit else { throw .badName }
                if back == nil { back = position }
                limit = target
                position = target
            default: throw .badName
            }
        }
    }

    mutating func records(_ count: UInt16) throws(Failure) -> [DNSMessage.Record] {
        var result: [DNSMessage.Record] = []
        for _ in 0..<count {
            let name = try name()
            let type = try word(), recordClass = try word(), ttl = try long(), length = Int(try word())
            guard bytes.count - position >= length else { throw .endsEarly }
            let end = position + length
            let (text, serial) = try data(type, end: end)
            result.append(.init(name: name, type: type, recordClass: recordClass, ttl: ttl, text: text, serial: serial))
            position = end
        }
        return result
    }

    /// The data of a record in the form of zone files; of types nobody probes for, in the form of RFC 3597: `\# 3 0a0b0c`.
    private mutating func data(_ type: UInt16, end: Int) throws(Failure) -> (String, serial: UInt32?) {
        var serial: UInt32?
        let text: String
        switch type {
        case 1, 28:
            guard let address = IPAddress(bytes: Array(bytes[position..<end])), end - position == (type == 1 ? 4 : 16) else {
                throw .badData
            }
            text = type == 28 && !address.isVersion6 ? "::ffff:\(address)" : address.description
            position = end
        case 2, 5, 12, 39: text = try name()
        case 6:
            let server = try name(), mailbox = try name(), number = try long()
            serial = number
            text = "\(server) \(mailbox) \(number) \(try long()) \(try long()) \(try long()) \(try long())"
        case 15: text = "\(try word()) \(try name())"
        case 16, 99:
            var parts: [String] = []
            while position < end { parts.append(Self.quoted(try take(Int(try byte())))) }
            text = parts.joined(separator: " ")
        case 33: text = "\(try word()) \(try word()) \(try word()) \(try name())"
        case 257:
            let flag = try byte(), tag = String(decoding: try take(Int(try byte())), as: UTF8.self)
            text = "\(flag) \(tag) \(Self.quoted(try take(end - position)))"
        default:
            let raw = try take(end - position)
            text = "\\# \(raw.count) \(TLSReport.hexadecimal(Array(raw)))"
        }
        guard position <= end else { throw .badData }
        return (text, serial)
    }

    private static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
        var result = "\""
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += "\\" + String(UnicodeScalar(byte))
            case 0x20...0x7e: result.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte)
                result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
