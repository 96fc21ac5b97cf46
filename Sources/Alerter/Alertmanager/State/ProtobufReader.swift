import TSDB

/// Reads a protobuf message field by field.
///
///     │ number << 3 │ kind │ value │ …     kind 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes
///
/// Every read is checked; groups (kinds 3 and 4) are refused, nobody writes them any more.
/// Source: Protocol Buffers, “Encoding”.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(ArraySlice<UInt8>)
        case fixed32(UInt32)
    }

    struct Field {
        var number: Int
        var value: Value
        /// The whole field as it stands, key included.
        var raw: ArraySlice<UInt8>
    }

    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The next field, or `nil` at the end.
    mutating func next() throws(TSDBError) -> Field? {
        if position == bytes.endIndex { return nil }
        let start = position
        let key = try varint()
        guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw corrupt("a field of number \(key >> 3)") }
        let value: Value
        switch key & 7 {
        case 0: value = .varint(try varint())
        case 1: value = .fixed64(try fixed(8))
        case 2: value = .bytes(try delimited())
        case 5: value = .fixed32(UInt32(truncatingIfNeeded: try fixed(4)))
        default: throw corrupt("a field of kind \(key & 7)")
        }
        return Field(number: Int(key >> 3), value: value, raw: bytes[start..<position])
    }

    /// A length and as many bytes.
    mutating func delimited() throws(TSDBError) -> ArraySlice<UInt8> {
        let length = try varint()
        guard length <= UInt64(bytes.endIndex - position) else { throw corrupt("\(length) bytes announced, there are fewer") }
        let end = position + Int(length)
        defer { position = end }
        return bytes[position..<end]
    }

    mutating func varint() throws(TSDBError) -> UInt64 {
        var value: UInt64 = 0, shift: UInt64 = 0
        while shift < 70 {
            guard position < bytes.endIndex else { throw corrupt("the bytes end inside a number") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw corrupt("a number of more than ten bytes")
    }

    private mutating func fixed(_ count: Int) throws(TSDBError) -> UInt64 {
        guard bytes.endIndex - position >= count else { throw corrupt("the bytes end inside a number") }
        var value: UInt64 = 0
        for offset in 0..<count { value |= UInt64(bytes[position + offset]) << UInt64(8 * offset) }
        position += count
        return value
    }

    private func corrupt(_ what: String) -> TSDBError { TSDBError(.corruption, what, offset: position) }
}

extension ProtobufReader.Field {
    func unsigned() throws(TSDBError) -> UInt64 {
        guard case .varint(let value) = value else { throw TSDBError(.corruption, "field \(number) is no number") }
        return value
    }

    func message() throws(TSDBError) -> ArraySlice<UInt8> {
        guard case .bytes(let bytes) = value else { throw TSDBError(.corruption, "field \(number) is no message") }
        return bytes
    }

    func text() throws(TSDBError) -> String {
        guard let text = String(validating: try message(), as: UTF8.self) else {
            throw TSDBError(.corruption, "field \(number) is no UTF-8")
        }
        return text
    }

    /// `google.protobuf.Timestamp`, cut to milliseconds.
    func timestamp() throws(TSDBError) -> Timestamp {
        var reader = ProtobufReader(try message())
        var seconds: Int64 = 0, nanoseconds: Int64 = 0
        while let field = try reader.next() {
            switch field.number {
            case 1: seconds = Int64(bitPattern: try field.unsigned())
            case 2: nanoseconds = Int64(bitPattern: try field.unsigned())
            default: break
            }
        }
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        return Timestamp(milliseconds: milliseconds.clampedAdding(nanoseconds / 1_000_000))
    }

    /// Numbers of a repeated field: packed, or one by one.
    func numbers(into numbers: inout [UInt64]) throws(TSDBError) {
        guard case .bytes(let bytes) = value else { return numbers.append(try unsigned()) }
        var reader = ProtobufReader(bytes)
        while reader.position < bytes.endIndex { numbers.append(try reader.varint()) }
    }
}
