/// A ping or its answer.
///
///     type 8 │ code 8 │ checksum 16 │ identifier 16 │ sequence 16 │ data        8 asks and 0 answers; in version 6 128 and 129
///
/// Source: RFC 792, RFC 4443 §4; the checksum is RFC 1071's.
struct EchoMessage: Equatable, Sendable {
    var isVersion6: Bool
    var isReply: Bool
    var identifier: UInt16
    var sequence: UInt16
    var data: [UInt8]

    init(isVersion6: Bool, isReply: Bool = false, identifier: UInt16, sequence: UInt16, data: [UInt8]) {
        self.isVersion6 = isVersion6
        self.isReply = isReply
        self.identifier = identifier
        self.sequence = sequence
        self.data = data
    }

    /// `nil` where the bytes are anything else.
    init?(_ bytes: [UInt8], isVersion6: Bool) {
        guard bytes.count >= 8, bytes[1] == 0 else { return nil }
        switch (isVersion6, bytes[0]) {
        case (false, 8), (true, 128): isReply = false
        case (false, 0), (true, 129): isReply = true
        default: return nil
        }
        self.isVersion6 = isVersion6
        identifier = UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        sequence = UInt16(bytes[6]) << 8 | UInt16(bytes[7])
        data = Array(bytes[8...])
    }

    /// With its checksum, which in version 6 the kernel sets for it depends on the addresses.
    var bytes: [UInt8] {
        let type: UInt8 = isVersion6 ? (isReply ? 129 : 128) : (isReply ? 0 : 8)
        var bytes = [type, 0, 0, 0] + DNSMessage.word(identifier) + DNSMessage.word(sequence) + data
        if !isVersion6 { bytes.replaceSubrange(2..<4, with: DNSMessage.word(Self.checksum(bytes))) }
        return bytes
    }

    /// The one's complement of the one's complement sum of all 16-bit words.
    static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt64 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt64(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt64(bytes[index + 1]) : 0)
        }
        while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
