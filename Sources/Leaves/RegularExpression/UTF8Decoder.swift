/// UTF-8 as Go reads it: every byte that is not part of a well-formed sequence is U+FFFD and one byte wide.
enum UTF8Decoder {
    static let replacement: UInt32 = 0xFFFD

    /// The code point at `position`, which moves behind it. There must be a byte.
    @inline(__always)
    static func next(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> UInt32 {
        let lead = bytes[position]
        if lead < 0x80 {
            position &+= 1
            return UInt32(lead)
        }
        return multibyte(bytes, &position)
    }

    @inline(never)
    private static func multibyte(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> UInt32 {
        let lead = UInt32(bytes[position])
        let length: Int
        let smallest: UInt32  // below it the sequence would be overlong
        var value: UInt32
        switch lead {
        case 0xC2...0xDF: (length, smallest, value) = (2, 0x80, lead & 0x1F)
        case 0xE0...0xEF: (length, smallest, value) = (3, 0x800, lead & 0x0F)
        case 0xF0...0xF4: (length, smallest, value) = (4, 0x10000, lead & 0x07)
        default:
            position &+= 1
            return replacement
        }
        guard bytes.count &- position >= length else {
            position &+= 1
            return replacement
        }
        for offset in 1..<length {
            let byte = UInt32(bytes[position &+ offset])
            guard byte & 0xC0 == 0x80 else {
                position &+= 1
                return replacement
            }
            value = value << 6 | byte & 0x3F
        }
        guard value >= smallest, value <= 0x10FFFF, !(0xD800...0xDFFF).contains(value) else {
            position &+= 1
            return replacement
        }
        position &+= length
        return value
    }
}
