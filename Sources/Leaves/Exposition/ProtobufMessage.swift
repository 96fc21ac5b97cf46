/// Walks the fields of one protobuf message.
///
///     0a 03 'f' 'o' 'o' │ 10 ac 02 │ 19 <8 bytes> │ …        key = number << 3 | wire type, then the value
///     field 1, bytes      field 2,   field 3,
///                         varint     eight bytes
///
/// Nothing is copied: bytes are ranges of the page, a message inside is another walker. Unknown fields are stepped over, whatever their wire
/// type. Errors are those of the library upstream reads with, as far as users meet them.
///
/// Source: “Encoding”, protobuf.dev/programming-guides/encoding.
///
/// Invariant: `position <= end <= page.count`; lengths are checked against `end` before anything is read.
struct ProtobufMessage {
    let page: UnsafeRawBufferPointer
    /// For errors.
    let name: StaticString
    private(set) var position: Int
    let end: Int
    /// Of the current field.
    private(set) var wireType = 0

    /// Offsets within `range` must be offsets of the page.
    init(_ page: UnsafeRawBufferPointer, _ range: Range<Int>, name: StaticString) {
        self.page = page
        self.name = name
        position = range.lowerBound
        end = range.upperBound
    }

    /// The number of the next field, or `nil` at the end. Its value must be read or skipped before the next one.
    mutating func next() throws(ExpositionError) -> Int? {
        if position >= end { return nil }
        let start = position
        let key = try varint()
        wireType = Int(key & 7)
        let number = Int32(truncatingIfNeeded: key >> 3)
        if wireType == 4 { throw ExpositionError("proto: \(name): wiretype end group for non-group", offset: start) }
        if number <= 0 { throw ExpositionError("proto: \(name): illegal tag \(number) (wire type \(key))", offset: start) }
        return Int(number)
    }

    /// Up to ten bytes of seven bits, the lowest first.
    @inline(__always)
    mutating func varint() throws(ExpositionError) -> UInt64 {
        var value: UInt64 = 0, shift: UInt64 = 0
        while true {
            if shift >= 64 { throw ExpositionError("proto: integer overflow", offset: position) }
            guard position < end else { throw truncated }
            let byte = page[position]
            position &+= 1
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
    }

    /// The current field's value, a number.
    mutating func unsigned(_ field: StaticString) throws(ExpositionError) -> UInt64 {
        try expect(0, field)
        return try varint()
    }

    /// The current field's value, eight bytes of a float.
    mutating func double(_ field: StaticString) throws(ExpositionError) -> Double {
        try expect(1, field)
        return try eightBytes()
    }

    /// The current field's value, bytes: where in the page they are.
    mutating func bytes(_ field: StaticString) throws(ExpositionError) -> Range<Int> {
        try expect(2, field)
        let length = try varint()
        guard length <= UInt64(Int.max) else {
            throw ExpositionError("proto: negative length found during unmarshaling", offset: position)
        }
        guard Int(length) <= end - position else { throw truncated }
        let start = position
        position &+= Int(length)
        return start..<position
    }

    /// The current field's value, a message.
    mutating func message(_ field: StaticString, as name: StaticString) throws(ExpositionError) -> ProtobufMessage {
        ProtobufMessage(page, try bytes(field), name: name)
    }

    /// The current field's values, floats: one, or many packed together.
    mutating func doubles(_ field: StaticString, into values: inout [Double], limit: Int) throws(ExpositionError) {
        if wireType == 1 {
            values.append(try eightBytes())
        } else {
            var packed = try message(field, as: name)
            while packed.position < packed.end, values.count <= limit { values.append(try packed.eightBytes()) }
        }
        if values.count > limit { throw tooMany(field, limit) }
    }

    /// The current field's values, signed numbers in zigzag form: one, or many packed together.
    mutating func signed(_ field: StaticString, into values: inout [Int64], limit: Int) throws(ExpositionError) {
        if wireType == 0 {
            values.append(Self.zigzag(try varint()))
        } else {
            var packed = try message(field, as: name)
            while packed.position < packed.end, values.count <= limit { values.append(Self.zigzag(try packed.varint())) }
        }
        if values.count > limit { throw tooMany(field, limit) }
    }

    static func zigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }

    /// Steps over the current field's value.
    mutating func skip() throws(ExpositionError) {
        // Groups, which nobody writes any more, may be inside groups: counted, not descended into.
        var depth = 0
        while true {
            switch wireType {
            case 0: _ = try varint()
            case 1: try step(8)
            case 2: _ = try bytes("")
            case 3: depth += 1
            case 4:
                depth -= 1
                if depth < 0 { throw ExpositionError("proto: unexpected end of group", offset: position) }
            case 5: try step(4)
            default: throw ExpositionError("proto: illegal wireType \(wireType)", offset: position)
            }
            if depth == 0 { return }
            wireType = Int(try varint() & 7)
        }
    }

    func tooMany(_ field: StaticString, _ limit: Int) -> ExpositionError {
        ExpositionError("proto: \(name): more than \(limit) values in field \(field)", offset: position)
    }

    private var truncated: ExpositionError { ExpositionError("unexpected EOF", offset: position) }

    private func expect(_ type: Int, _ field: StaticString) throws(ExpositionError) {
        if wireType != type {
            throw ExpositionError("proto: wrong wireType = \(wireType) for field \(field)", offset: position)
        }
    }

    private mutating func eightBytes() throws(ExpositionError) -> Double {
        guard end - position >= 8 else { throw truncated }
        let bits = page.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        position &+= 8
        return Double(bitPattern: UInt64(littleEndian: bits))
    }

    private mutating func step(_ count: Int) throws(ExpositionError) {
        guard end - position >= count else { throw truncated }
        position &+= count
    }
}
