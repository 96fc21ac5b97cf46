/// Decompression: one pass over the tags; literals and copies move 16 or 8 bytes at a time where there is room to
/// write (and read) past their end, and byte by byte at the ends of the buffers.
///
/// Every length and offset is checked against both buffers before a byte moves.
extension Snappy {
    /// The decompressed bytes. The declared length is checked against `limit` before anything is allocated.
    public static func decompress(_ input: UnsafeRawBufferPointer, limit: Int) throws(SnappyError) -> [UInt8] {
        var output: [UInt8] = []
        try decompress(input, limit: limit, into: &output)
        return output
    }

    /// Overwrites `output` with the decompressed bytes, keeping its capacity. After a throw it is empty.
    public static func decompress(_ input: UnsafeRawBufferPointer, limit: Int, into output: inout [UInt8])
        throws(SnappyError)
    {
        let length = try declaredLength(input)
        guard length <= limit else { throw SnappyError(.overLimit, at: 0) }
        // The densest element is a copy, 64 bytes for three: a length over 32 times the input cannot be honest.
        guard length <= 32 * input.count else { throw SnappyError(.truncated, at: input.count) }
        output.removeAll(keepingCapacity: true)
        // Zeros that are overwritten at once: under 5 % of the time decompression takes.
        output.append(contentsOf: repeatElement(0, count: length))
        let failure = output.withUnsafeMutableBytes { buffer -> SnappyError? in
            do throws(SnappyError) { try decompress(input, into: buffer) } catch { return error }
            return nil
        }
        if let failure {
            output.removeAll(keepingCapacity: true)
            throw failure
        }
    }

    /// Fills `output`, which must have exactly the declared length (else `.badLength`).
    public static func decompress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer)
        throws(SnappyError)
    {
        var position = 0
        guard try readLength(input, &position) == output.count else { throw SnappyError(.badLength, at: 0) }
        if let failure = expand(input, from: position, into: output) { throw failure }
    }

    /// Fills `output` to its last byte; `nil` when all went well.
    private static func expand(
        _ input: UnsafeRawBufferPointer, from start: Int, into output: UnsafeMutableRawBufferPointer
    ) -> SnappyError? {
        guard let base = input.baseAddress else { return SnappyError(.truncated, at: 0) }
        let inputEnd = input.count
        let outputEnd = output.count
        guard let target = output.baseAddress else {
            return start == inputEnd ? nil : SnappyError(.tooLong, at: start)
        }
        var at = start
        var out = 0
        while at < inputEnd {
            let tag = Int(base.load(fromByteOffset: at, as: UInt8.self))
            var length: Int
            var offset: Int
            switch tag & 3 {
            case 0:
                length = (tag >> 2) &+ 1
                var data = at &+ 1
                if length <= 16 && inputEnd &- data >= 16 && outputEnd &- out >= 16 {
                    copy16(base + data, target + out)
                    at = data &+ length
                    out &+= length
                    continue
                }
                if length > 60 {
                    let extra = length &- 60
                    guard inputEnd &- data >= extra else { return SnappyError(.truncated, at: at) }
                    length = 0
                    for index in 0..<extra {
                        length |= Int(base.load(fromByteOffset: data &+ index, as: UInt8.self)) << (8 &* index)
                    }
                    length &+= 1
                    data &+= extra
                }
                guard inputEnd &- data >= length else { return SnappyError(.truncated, at: at) }
                guard outputEnd &- out >= length else { return SnappyError(.tooLong, at: at) }
                (target + out).copyMemory(from: base + data, byteCount: length)
                at = data &+ length
                out &+= length
                continue
            case 1:
                guard inputEnd &- at >= 2 else { return SnappyError(.truncated, at: at) }
                length = ((tag >> 2) & 7) &+ 4
                offset = (tag >> 5) << 8 | Int(base.load(fromByteOffset: at &+ 1, as: UInt8.self))
                at &+= 2
            case 2:
                guard inputEnd &- at >= 3 else { return SnappyError(.truncated, at: at) }
                length = (tag >> 2) &+ 1
                offset = Int(UInt16(littleEndian: base.loadUnaligned(fromByteOffset: at &+ 1, as: UInt16.self)))
                at &+= 3
            default:
                guard inputEnd &- at >= 5 else { return SnappyError(.truncated, at: at) }
                length = (tag >> 2) &+ 1
                offset = Int(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: at &+ 1, as: UInt32.self)))
                at &+= 5
            }
            guard offset > 0 && offset <= out else { return SnappyError(.badOffset, at: at) }
            guard outputEnd &- out >= length else { return SnappyError(.tooLong, at: at) }
            if offset >= 16 && outputEnd &- out >= 64 {
                // At most 64 bytes, so four strides cover every copy; what lies behind its end is overwritten later.
                copy16(target + (out &- offset), target + out)
                if length > 16 {
                    copy16(target + (out &- offset &+ 16), target + (out &+ 16))
                    if length > 32 {
                        copy16(target + (out &- offset &+ 32), target + (out &+ 32))
                        copy16(target + (out &- offset &+ 48), target + (out &+ 48))
                    }
                }
            } else if offset >= 8 && outputEnd &- out >= 72 {
                var done = 0
                while done < length {
                    (target + (out &+ done)).storeBytes(
                        of: (target + (out &- offset &+ done)).loadUnaligned(as: UInt64.self), as: UInt64.self)
                    done &+= 8
                }
            } else {
                for index in out..<(out &+ length) {
                    target.storeBytes(of: target.load(fromByteOffset: index &- offset, as: UInt8.self), toByteOffset: index, as: UInt8.self)
                }
            }
            out &+= length
        }
        return out == outputEnd ? nil : SnappyError(.truncated, at: inputEnd)
    }

    @inline(__always)
    private static func copy16(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer) {
        to.storeBytes(of: from.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    }
}
