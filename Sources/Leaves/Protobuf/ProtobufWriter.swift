/// Writes protobuf messages field by field, into one run of bytes.
///
///     var label = ProtobufWriter()
///     label.text(1, "job")                                  0a 03 'j' 'o' 'b'
///     label.message(2) { $0.integer(1, 300) }               12 03 08 ac 02
///                                                           └ key: field number << 3 | wire type
///
/// A message within a message is written in its place, and its length put in front when it is known.
/// Source: “Encoding”, protobuf.dev.
public struct ProtobufWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Forgets what was written, and keeps the room.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// A number in LEB128, without a key.
    public mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    public mutating func byte(_ value: UInt8) { bytes.append(value) }

    /// Fields that were written elsewhere.
    public mutating func append(_ fields: [UInt8]) { bytes.append(contentsOf: fields) }

    /// A field of wire type 0.
    public mutating func integer(_ field: UInt64, _ value: UInt64) {
        varint(field << 3)
        varint(value)
    }

    /// A signed number in two's complement.
    public mutating func signed(_ field: UInt64, _ value: Int64) { integer(field, UInt64(bitPattern: value)) }

    /// A signed number in zigzag: 0, −1, 1, −2 … as 0, 1, 2, 3 …
    public mutating func zigzag(_ field: UInt64, _ value: Int64) { integer(field, Self.zigzag(value)) }

    public static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

    public mutating func double(_ field: UInt64, _ value: Double) {
        varint(field << 3 | 1)
        word(value.bitPattern)
    }

    private mutating func word(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func text(_ field: UInt64, _ value: String) {
        varint(field << 3 | 2)
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    public mutating func raw(_ field: UInt64, _ value: UnsafeRawBufferPointer) {
        varint(field << 3 | 2)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    public mutating func raw(_ field: UInt64, _ value: [UInt8]) { value.withUnsafeBytes { raw(field, $0) } }

    /// Repeated floats, packed; nothing where there are none.
    public mutating func doubles(_ field: UInt64, _ values: [Double]) {
        if values.isEmpty { return }
        varint(field << 3 | 2)
        varint(UInt64(values.count * 8))
        for value in values { word(value.bitPattern) }
    }

    /// Repeated signed numbers in zigzag, packed; nothing where there are none.
    public mutating func zigzags(_ field: UInt64, _ values: [Int64]) {
        if values.isEmpty { return }
        message(field) { packed in for value in values { packed.varint(Self.zigzag(value)) } }
    }

    /// A message of the fields that `body` writes.
    public mutating func message(_ field: UInt64, _ body: (inout ProtobufWriter) -> Void) {
        varint(field << 3 | 2)
        delimited(body)
    }

    /// The same without a key: the length, then the message.
    public mutating func delimited(_ body: (inout ProtobufWriter) -> Void) {
        let start = bytes.count
        body(&self)
        insertLength(at: start)
    }

    /// Puts the length of what was written from `start` on in front of it.
    private mutating func insertLength(at start: Int) {
        let length = bytes.count - start
        // The usual message is short.
        if length < 0x80 { return bytes.insert(UInt8(truncatingIfNeeded: length), at: start) }
        var prefix = ProtobufWriter()
        prefix.varint(UInt64(length))
        bytes.insert(contentsOf: prefix.bytes, at: start)
    }
}
