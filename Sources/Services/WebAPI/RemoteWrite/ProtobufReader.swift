/// Walks the fields of one protobuf message, in place.
///
///     key varint (field number << 3 | wire type) │ value
///     wire type   0 varint   1 eight bytes   2 length varint + bytes   5 four bytes
///
/// For the five messages we read, this is all of protobuf there is: no generated code, no copies, unknown fields skipped.
/// Source: “Encoding”, protobuf.dev.
///
/// Invariant: `position <= bytes.count`; every length is checked before it is used.
struct ProtobufReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    /// `offset` is at most the size of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        position = offset
    }

    var isAtEnd: Bool { position >= bytes.count }

    /// The next field's number and wire type, or `nil` at the end.
    @inline(__always)
    mutating func nextField() throws(ProtobufError) -> (number: UInt64, wireType: UInt8)? {
        guard position < bytes.count else { return nil }
        let key = try varint()
        guard key >> 3 != 0 else { throw malformed("illegal tag 0") }
        return (key >> 3, UInt8(truncatingIfNeeded: key & 7))
    }

    @inline(__always)
    mutating func varint() throws(ProtobufError) -> UInt64 {
        if position < bytes.count {
            let byte = bytes[position]
            if byte < 0x80 {
                position &+= 1
                return UInt64(byte)
            }
        }
        return try longVarint()
    }

    private mutating func longVarint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position &+= 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                // The tenth byte has room for one bit.
                guard shift < 63 || byte <= 1 else { throw malformed("integer overflow") }
                return value
            }
            shift &+= 7
            guard shift < 70 else { throw malformed("integer overflow") }
        }
        throw malformed("unexpected EOF")
    }

    /// The bytes of a length-delimited field.
    @inline(__always)
    mutating func lengthDelimited() throws(ProtobufError) -> UnsafeRawBufferPointer {
        let length = try varint()
        guard length <= UInt64(bytes.count &- position) else { throw malformed("unexpected EOF") }
        let start = position
        position &+= Int(truncatingIfNeeded: length)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    @inline(__always)
    mutating func fixed64() throws(ProtobufError) -> UInt64 {
        guard bytes.count &- position >= 8 else { throw malformed("unexpected EOF") }
        let value = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        position &+= 8
        return UInt64(littleEndian: value)
    }

    /// Steps over a field's value.
    mutating func skip(_ wireType: UInt8) throws(ProtobufError) {
        switch wireType {
        case 0: _ = try varint()
        case 1: _ = try fixed64()
        case 2: _ = try lengthDelimited()
        case 5:
            guard bytes.count &- position >= 4 else { throw malformed("unexpected EOF") }
            position &+= 4
        default: throw malformed("illegal wire type")
        }
    }

    private func malformed(_ reason: StaticString) -> ProtobufError {
        ProtobufError(message: "proto: \(reason) (at byte \(position) of \(bytes.count))")
    }
}

/// Bytes that are no protobuf message.
struct ProtobufError: Error, Equatable {
    var message: String
}
