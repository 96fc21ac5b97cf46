import HTTPTypes
import NIOCore

/// Answers in gzip for clients that ask for it, where it is worth the work.
extension Reply {
    /// A packet; below it nothing is gained.
    private static let worthwhile = 1400

    /// The reply packed, if `accepted` allows it and it is worth it. Packing computes: it runs on a thread of `pool`.
    package func compressed(for accepted: String?, on pool: ThreadPool) async -> Reply {
        guard let accepted, Self.acceptsGzip(accepted), headers[.contentEncoding] == nil, isPackable else { return self }
        var packed = self
        packed.headers.append(HTTPField(name: .vary, value: "Accept-Encoding"))
        switch body {
        case .buffer(let buffer):
            guard buffer.readableBytes >= Self.worthwhile else { return packed }
            let bytes = try? await pool.run { buffer.withUnsafeReadableBytes { Gzip.deflate($0) } }
            guard let bytes else { return packed }
            packed.body = .buffer(ByteBuffer(bytes: bytes))
        case .pieces(let source):
            guard let pieces = PackedPieces(source) else { return packed }
            packed.body = .pieces(pieces)
        }
        packed.headers[.contentEncoding] = "gzip"
        return packed
    }

    /// Text, and metrics pages in any form.
    private var isPackable: Bool {
        ["application/json", "text/", "image/svg", "application/vnd.google.protobuf"].contains { contentType.hasPrefix($0) }
    }

    /// `gzip`, `br;q=1, gzip;q=0.8`, `*` … but not `gzip;q=0`.
    package static func acceptsGzip(_ accepted: String) -> Bool {
        for item in accepted.split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            guard parts.first == "gzip" || parts.first == "*" else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return quality > 0
        }
        return false
    }
}

/// Packs the pieces of another source as they come.
private final class PackedPieces: PieceSource, @unchecked Sendable {
    // Sendable: used by one thread at a time, as every piece source.
    private let source: any PieceSource
    private let packer: Gzip.Packer
    private var isFinished = false

    init?(_ source: any PieceSource) {
        guard let packer = Gzip.Packer() else { return nil }
        self.source = source
        self.packer = packer
    }

    func next() -> ByteBuffer? {
        while !isFinished {
            let piece = source.next()
            isFinished = piece == nil
            let packed = (piece ?? ByteBuffer()).withUnsafeReadableBytes { packer.pack($0, isLast: piece == nil) }
            guard let packed else {
                isFinished = true
                return nil
            }
            if !packed.isEmpty { return ByteBuffer(bytes: packed) }
        }
        return nil
    }
}
