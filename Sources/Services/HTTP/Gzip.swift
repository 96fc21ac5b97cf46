import CZlib

/// gzip both ways, over zlib; the only file that knows it.
///
///     header (1f 8b …) │ deflate stream │ CRC-32 │ length        one member; several may follow each other
///
/// Source: RFC 1952, RFC 1951.
package enum Gzip {
    package enum Failure: Error, Equatable {
        /// The output reaches the limit; nothing more was made.
        case overLimit
        case corrupt
        case outOfMemory
    }

    /// Output grows by this much at a time, so a bomb costs what the limit says and not more.
    fileprivate static let step = 64 << 10

    /// The bytes of all members; `limit` bounds them, 0 means none. `isBare`: a deflate stream without the gzip around it.
    package static func inflate(_ input: [UInt8], limit: Int, isBare: Bool = false) throws(Failure) -> [UInt8] {
        var stream = z_stream()
        // 16: a gzip header, nothing else; negative: no header.
        guard inflateInit2_(&stream, isBare ? -MAX_WBITS : 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
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
    package static func deflate(_ input: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let packer = Packer() else { return nil }
        return packer.pack(input, isLast: true)
    }

    /// Packs a body that comes in pieces into one member.
    package final class Packer: @unchecked Sendable {
        // Sendable: used by one thread at a time, like the piece source it belongs to.
        private let stream: UnsafeMutablePointer<z_stream>

        package init?() {
            stream = .allocate(capacity: 1)
            stream.initialize(to: z_stream())
            // Level 1: twice the speed of the default for a tenth more bytes.
            let code = deflateInit2_(
                stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size))
            guard code == Z_OK else {
                stream.deallocate()
                return nil
            }
        }

        deinit {
            deflateEnd(stream)
            stream.deallocate()
        }

        /// What can be sent of `input` so far; with the last piece, all of it. `nil` where zlib fails.
        package func pack(_ input: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8]? {
            var output: [UInt8] = []
            output.reserveCapacity(input.count / 4 + 64)
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
            stream.pointee.avail_in = UInt32(clamping: input.count)
            var code = Z_OK
            repeat {
                let start = output.count
                output.append(contentsOf: repeatElement(0, count: Gzip.step))
                output.withUnsafeMutableBufferPointer { target in
                    stream.pointee.next_out = target.baseAddress.map { $0 + start }
                    stream.pointee.avail_out = UInt32(Gzip.step)
                    code = CZlib.deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                }
                output.removeLast(Int(stream.pointee.avail_out))
                if code == Z_STREAM_ERROR { return nil }
            } while stream.pointee.avail_out == 0 || (isLast && code != Z_STREAM_END && code == Z_OK)
            return output
        }
    }
}
