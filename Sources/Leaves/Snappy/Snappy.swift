/// Snappy's block format: the compression of remote write, remote read and Prometheus' log.
///
///     length varint │ element │ element │ …            length: bytes when decompressed, below 2³²
///
///     tag ··00  literal      ┌ n−1 (6 bit) │00┐ or 60…63: n−1 in the next 1…4 bytes; then n bytes as they are
///     tag ··01  copy, short  ┌ offset 3 bit │ n−4 3 bit │01┐ │ offset low 8 bit              n 4…11, offset < 2 KiB
///     tag ··10  copy         ┌ n−1 6 bit │10┐ │ offset u16 little-endian                     n 1…64, offset < 64 KiB
///     tag ··11  copy, far    ┌ n−1 6 bit │11┐ │ offset u32 little-endian
///
/// A copy repeats output from `offset` bytes back; it may overlap itself: offset 1, n 64 is a run.
/// Source: google/snappy format_description.txt. (The *framing* format, with its magic and checksums, is another thing.)
public enum Snappy {
    /// The length that `input` declares, without looking further.
    public static func declaredLength(_ input: UnsafeRawBufferPointer) throws(SnappyError) -> Int {
        var position = 0
        return try readLength(input, &position)
    }

    static func readLength(_ input: UnsafeRawBufferPointer, _ position: inout Int) throws(SnappyError) -> Int {
        var value: UInt64 = 0
        for index in 0..<5 {
            guard index < input.count else { throw SnappyError(.truncated, at: index) }
            let byte = input[index]
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte < 0x80 {
                guard value <= UInt64(UInt32.max) else { throw SnappyError(.badLength, at: index) }
                position = index + 1
                return Int(value)
            }
        }
        throw SnappyError(.badLength, at: 4)
    }
}

/// Why bytes are not snappy.
public struct SnappyError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// The input ends inside an element, or before the declared length is reached.
        case truncated
        /// The declared length is no number below 2³².
        case badLength
        /// The declared length is over the caller's limit. Nothing was allocated.
        case overLimit
        /// A copy reaches before the beginning of the output.
        case badOffset
        /// There is more output than declared.
        case tooLong
    }

    public var code: Code
    /// Byte offset into the input.
    public var offset: Int

    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    public var description: String {
        let reason =
            switch code {
            case .truncated: "input ends too early"
            case .badLength: "declared length is not below 2^32"
            case .overLimit: "declared length is over the limit"
            case .badOffset: "copy from before the beginning"
            case .tooLong: "more output than declared"
            }
        return "snappy: \(reason) (at byte \(offset))"
    }
}
