/// Compression: greedy, one candidate per hash of four bytes, in blocks of 64 KiB so that offsets fit two bytes.
///
/// Where nothing matches, the search takes longer and longer steps: incompressible input costs little.
extension Snappy {
    /// The compressed bytes of `input`, which must be shorter than 2³² bytes (a precondition).
    public static func compress(_ input: UnsafeRawBufferPointer) -> [UInt8] {
        var output: [UInt8] = []
        compress(input, into: &output)
        return output
    }

    /// Overwrites `output`, keeping its capacity.
    public static func compress(_ input: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        precondition(input.count <= Int(UInt32.max), "snappy takes less than 2^32 bytes, not \(input.count)")
        output.removeAll(keepingCapacity: true)
        // The worst case is a literal per block: 1/6 more is the reference implementation's bound.
        output.reserveCapacity(32 + input.count + input.count / 6)
        var rest = UInt64(input.count)
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
        guard let base = input.baseAddress else { return }
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: tableSize) { table in
            var start = 0
            while start < input.count {
                let count = min(blockSize, input.count &- start)
                compressBlock(base + start, count, table, &output)
                start &+= count
            }
        }
    }

    private static let blockSize = 1 << 16
    private static let tableBits = 14
    private static let tableSize = 1 << 14
    /// Matches are not begun closer to the end than this, so that eight bytes can always be loaded.
    private static let margin = 15

    private static func compressBlock(
        _ base: UnsafeRawPointer, _ count: Int, _ table: UnsafeMutableBufferPointer<UInt16>, _ output: inout [UInt8]
    ) {
        var literalStart = 0
        if count > margin {
            // Small blocks need, and clear, only a small table.
            var bits = 8
            while bits < tableBits && (1 << bits) < count { bits &+= 1 }
            let shift = UInt32(truncatingIfNeeded: 32 &- bits)
            table.baseAddress?.update(repeating: 0, count: 1 << bits)
            let limit = count &- margin
            var at = 1
            var skip = 32
            while at < limit {
                let word = base.loadUnaligned(fromByteOffset: at, as: UInt32.self)
                let hashed = slot(word, shift)
                let candidate = Int(table[hashed])
                table[hashed] = UInt16(truncatingIfNeeded: at)
                guard candidate < at, base.loadUnaligned(fromByteOffset: candidate, as: UInt32.self) == word else {
                    at &+= skip >> 5
                    skip &+= 1
                    continue
                }
                if at > literalStart { appendLiteral(base + literalStart, at &- literalStart, &output) }
                var length = 4
                while at &+ length &+ 8 <= count {
                    let difference =
                        base.loadUnaligned(fromByteOffset: at &+ length, as: UInt64.self).littleEndian
                        ^ base.loadUnaligned(fromByteOffset: candidate &+ length, as: UInt64.self).littleEndian
                    if difference != 0 {
                        length &+= difference.trailingZeroBitCount >> 3
                        break
                    }
                    length &+= 8
                }
                appendCopy(offset: at &- candidate, length: length, &output)
                at &+= length
                literalStart = at
                skip = 32
                if at < limit {
                    let before = base.loadUnaligned(fromByteOffset: at &- 1, as: UInt32.self)
                    table[slot(before, shift)] = UInt16(truncatingIfNeeded: at &- 1)
                }
            }
        }
        if literalStart < count { appendLiteral(base + literalStart, count &- literalStart, &output) }
    }

    @inline(__always)
    private static func slot(_ word: UInt32, _ shift: UInt32) -> Int { Int((word &* 0x1e35_a7bd) >> shift) }

    /// `length` is at most a block, 65,536.
    private static func appendLiteral(_ bytes: UnsafeRawPointer, _ length: Int, _ output: inout [UInt8]) {
        let n = length &- 1
        if n < 60 {
            output.append(UInt8(truncatingIfNeeded: n << 2))
        } else if n < 256 {
            output.append(60 << 2)
            output.append(UInt8(truncatingIfNeeded: n))
        } else {
            output.append(61 << 2)
            output.append(UInt8(truncatingIfNeeded: n))
            output.append(UInt8(truncatingIfNeeded: n >> 8))
        }
        output.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: length))
    }

    private static func appendCopy(offset: Int, length: Int, _ output: inout [UInt8]) {
        var rest = length
        while rest > 0 {
            // Leave at least four for the last piece, so that it may take the short form.
            let n = rest > 64 ? (rest < 68 ? 60 : 64) : rest
            if n >= 4 && n <= 11 && offset < 2048 {
                output.append(UInt8(truncatingIfNeeded: (offset >> 8) << 5 | (n &- 4) << 2 | 1))
                output.append(UInt8(truncatingIfNeeded: offset))
            } else {
                output.append(UInt8(truncatingIfNeeded: (n &- 1) << 2 | 2))
                output.append(UInt8(truncatingIfNeeded: offset))
                output.append(UInt8(truncatingIfNeeded: offset >> 8))
            }
            rest &-= n
        }
    }
}
