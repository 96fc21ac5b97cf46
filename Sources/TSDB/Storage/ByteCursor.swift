/// Reads the small fields in front of packed data; every read is checked, every failure says where.
struct ByteCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var remaining: Int { bytes.count - position }

    mutating func takeByte() throws(TSDBError) -> UInt8 {
        guard position < bytes.count else { throw ended("a byte") }
        defer { position += 1 }
        return bytes[position]
    }

    /// Eight bytes, little endian.
    mutating func takeWord() throws(TSDBError) -> UInt64 {
        guard remaining >= 8 else { throw ended("a word") }
        defer { position += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    /// Eight bytes, big endian, as Prometheus' log has them.
    mutating func takeBigEndianWord() throws(TSDBError) -> UInt64 { try takeWord().byteSwapped }

    /// LEB128 of up to ten bytes.
    @inline(__always)
    mutating func takeVarint() throws(TSDBError) -> UInt64 {
        if position < bytes.count {
            let first = bytes[position]
            if first < 0x80 {
                position &+= 1
                return UInt64(first)
            }
        }
        return try takeLongVarint()
    }

    private mutating func takeLongVarint() throws(TSDBError) -> UInt64 {
        var value: UInt64 = 0, shift: UInt64 = 0
        while shift < 70 {
            guard position < bytes.count else { throw ended("a number") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw TSDBError(.corruption, "a number of more than ten bytes", offset: position)
    }

    /// A varint in zigzag: 0, −1, 1, −2 … are 0, 1, 2, 3 …
    @inline(__always)
    mutating func takeSignedVarint() throws(TSDBError) -> Int64 {
        let code = try takeVarint()
        return Int64(bitPattern: code >> 1) ^ -Int64(bitPattern: code & 1)
    }

    /// A varint length and as many bytes.
    mutating func takeLengthPrefixed() throws(TSDBError) -> UnsafeRawBufferPointer {
        try takeBytes(try takeCount(atMost: remaining))
    }

    /// A varint that counts something bounded.
    mutating func takeCount(atMost limit: Int) throws(TSDBError) -> Int {
        let value = try takeVarint()
        guard value <= UInt64(max(0, limit)) else {
            throw TSDBError(.corruption, "count \(value) is over \(limit)", offset: position)
        }
        return Int(value)
    }

    /// A field width of packed data: 0…56 or 64.
    mutating func takeWidth() throws(TSDBError) -> Int {
        let width = Int(try takeByte())
        guard width <= 56 || width == 64 else {
            throw TSDBError(.corruption, "field width \(width)", offset: position)
        }
        return width
    }

    /// The start of `count` packed fields of `width` bits, which lie within the bytes.
    mutating func takePacked(_ count: Int, width: Int) throws(TSDBError) -> UnsafeRawPointer {
        let size = (count * width + 7) >> 3
        guard size <= remaining, let base = bytes.baseAddress else { throw ended("\(count) fields of \(width) bits") }
        defer { position += size }
        return base + position
    }

    mutating func takeBytes(_ count: Int) throws(TSDBError) -> UnsafeRawBufferPointer {
        guard count >= 0 && count <= remaining else { throw ended("\(count) bytes") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    private func ended(_ what: String) -> TSDBError {
        TSDBError(.corruption, "the bytes end inside \(what)", offset: position)
    }
}
