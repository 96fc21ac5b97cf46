/// XXH64, the hash by which upstream tells label sets apart.
///
///     32 bytes at a time ─▶ four lanes of 64 bits, each  lane = rotate(lane + word · p₂, 31) · p₁
///     lanes folded into one, the rest of the bytes mixed in, then the bits spread (avalanche)
///
/// Slower than `Hash64` and without a secret seed: only for answers that depend on the hash itself, `limit_ratio`.
/// Source: Yann Collet, “XXH64 algorithm description”, github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md; seed 0.
public enum XXHash64 {
    private static let p1: UInt64 = 0x9e37_79b1_85eb_ca87
    private static let p2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
    private static let p3: UInt64 = 0x1656_67b1_9e37_79f9
    private static let p4: UInt64 = 0x85eb_ca77_c2b2_ae63
    private static let p5: UInt64 = 0x27d4_eb2f_1656_67c5

    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var position = 0
        func word() -> UInt64 {
            defer { position &+= 8 }
            return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        }
        var hash: UInt64
        if bytes.count >= 32 {
            var lanes = (p1 &+ p2, p2, UInt64(0), 0 &- p1)
            while bytes.count &- position >= 32 {
                lanes.0 = round(lanes.0, word())
                lanes.1 = round(lanes.1, word())
                lanes.2 = round(lanes.2, word())
                lanes.3 = round(lanes.3, word())
            }
            hash = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
            for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { hash = (hash ^ round(0, lane)) &* p1 &+ p4 }
        } else {
            hash = p5
        }
        hash &+= UInt64(bytes.count)
        while bytes.count &- position >= 8 { hash = rotate(hash ^ round(0, word()), 27) &* p1 &+ p4 }
        if bytes.count &- position >= 4 {
            let half = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
            hash = rotate(hash ^ UInt64(half) &* p1, 23) &* p2 &+ p3
            position &+= 4
        }
        for byte in bytes[position...] { hash = rotate(hash ^ UInt64(byte) &* p5, 11) &* p1 }

        hash = (hash ^ (hash >> 33)) &* p2
        hash = (hash ^ (hash >> 29)) &* p3
        return hash ^ (hash >> 32)
    }

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 { rotate(lane &+ word &* p2, 31) &* p1 }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}

extension Labels {
    /// Upstream's hash: XXH64 over names and values, each behind its length: a byte, or 255 and three bytes where it is
    /// 255 or more. The same in every run.
    public var upstreamHash: UInt64 {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(packed.count + 8)
        func add(_ text: UnsafeRawBufferPointer) {
            let size = text.count
            if size < 255 {
                bytes.append(UInt8(size))
            } else {
                bytes.append(255)
                for shift in [0, 8, 16] { bytes.append(UInt8(truncatingIfNeeded: size >> shift)) }
            }
            bytes.append(contentsOf: text)
        }
        forEachPair { name, value in
            add(name)
            add(value)
        }
        return bytes.withUnsafeBytes { XXHash64.hash($0) }
    }
}
