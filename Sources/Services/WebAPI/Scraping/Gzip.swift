import CZlib

/// gzip both ways, over zlib; the only file that knows it.
///
///     header (1f 8b …) │ deflate stream │ CRC-32 │ length        one member; several may follow each other
///
/// Source: RFC 1952, RFC 1951.
enum Gzip {
    enum Failure: Error, Equatable {
        /// The output reaches the limit; nothing more was made.
        case overLimit
        case corrupt
        case outOfMemory
    }

    /// Output grows by this much at a time, so a bomb costs what the limit says and not more.
    private static let step = 256 << 10

    /// The bytes of all members; `limit` bounds them, 0 means none.
    static func inflate(_ input: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        var stream = z_stream()
        // 16: a gzip header, nothing else.
        guard inflateInit2_(&stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .outOfMemory
        }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var failure: Failure?
        var input = input
        input.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(clamping: source.count)
            while failure == nil {
                let room = limit > 0 ? min(step, limit - output.count + 1) : step
                var code = Z_OK
                var made = 0
                let start = output.count
                output.append(contentsOf: repeatElement(0, count: room))
                output.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress.map { $0 + start }
                    stream.avail_out = UInt32(room)
                    code = CZlib.inflate(&stream, Z_NO_FLUSH)
                    made = room - Int(stream.avail_out)
                }
                output.removeLast(room - made)
                if limit > 0 && output.count > limit { failure = .overLimit }
                switch code {
                case Z_STREAM_END:
                    if stream.avail_in == 0 { return }
                    if inflateReset(&stream) != Z_OK { failure = .corrupt }
                case Z_OK: if made == 0 && stream.avail_in == 0 { failure = .corrupt }
                default: failure = .corrupt
                }
            }
        }
        if let failure { throw failure }
        return output
    }

    /// One member with `input`, quickly rather than tightly.
    static func deflate(_ input: UnsafeRawBufferPointer) -> [UInt8]? {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(input.count)))
        var isFinished = false
        let result = [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
            stream.avail_in = UInt32(clamping: input.count)
            stream.next_out = target.baseAddress
            stream.avail_out = UInt32(clamping: bound)
            isFinished = CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END
            count = bound - Int(stream.avail_out)
        }
        return isFinished ? result : nil
    }
}
