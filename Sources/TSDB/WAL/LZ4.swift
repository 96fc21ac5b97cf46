import CLZ4

/// LZ4's block format, by the system's liblz4. The only file that imports it.
///
/// A block does not know its own decompressed length; whoever keeps blocks keeps that length beside them.
public enum LZ4 {
    /// liblz4's own bound on one block's input.
    public static let inputLimit = 0x7E00_0000

    /// Appends the compressed block to `output`, if it is shorter than `limit` bytes; else appends nothing and returns
    /// `false` (the input gains too little, or is over `inputLimit`).
    public static func compress(_ input: UnsafeRawBufferPointer, shorterThan limit: Int, to output: inout [UInt8]) -> Bool {
        guard let source = input.baseAddress, input.count <= inputLimit, limit > 1 else { return false }
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: limit - 1))
        let written = output.withUnsafeMutableBytes { bytes -> Int in
            guard let base = bytes.baseAddress else { return 0 }
            return Int(
                LZ4_compress_default(
                    source.assumingMemoryBound(to: CChar.self), (base + start).assumingMemoryBound(to: CChar.self),
                    Int32(input.count), Int32(min(limit - 1, Int(Int32.max)))))
        }
        output.removeLast(output.count - start - max(0, written))
        return written > 0
    }

    /// Fills `output` with the block's bytes; `false` where the block is damaged or has another length.
    public static func decompress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        guard let source = input.baseAddress, let target = output.baseAddress else { return false }
        guard input.count <= Int(Int32.max), output.count <= Int(Int32.max) else { return false }
        let written = LZ4_decompress_safe(
            source.assumingMemoryBound(to: CChar.self), target.assumingMemoryBound(to: CChar.self),
            Int32(input.count), Int32(output.count))
        return Int(written) == output.count
    }
}
