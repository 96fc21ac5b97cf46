/// A fixed set of texts: open addressing over one run of bytes, with the lengths as a sieve in front.
///
///     lengths   …0010110     bit n: some text has n bytes (bit 63: that many or more)
///     table     [ 2 | – | 0 | 1 ]  ─►  offsets  0 3 6 10  ─►  bytes  f o o b a r q u u x
///
/// A class, so that asking costs one reference count and not one per array.
final class LiteralSet: Sendable {
    private let lengths: UInt64
    private let table: [Int32]
    private let offsets: [Int]
    private let bytes: [UInt8]

    /// `texts` must be distinct.
    init(_ texts: [[UInt8]]) {
        var capacity = 2
        while capacity < 2 * texts.count { capacity *= 2 }
        var table = [Int32](repeating: -1, count: capacity)
        var lengths: UInt64 = 0
        var offsets = [0]
        var bytes: [UInt8] = []
        for (number, text) in texts.enumerated() {
            lengths |= 1 << UInt64(min(text.count, 63))
            bytes += text
            offsets.append(bytes.count)
            var slot = text.withUnsafeBytes { Self.hash($0) } & (capacity - 1)
            while table[slot] >= 0 { slot = (slot + 1) & (capacity - 1) }
            table[slot] = Int32(truncatingIfNeeded: number)
        }
        (self.table, self.lengths, self.offsets, self.bytes) = (table, lengths, offsets, bytes)
    }

    func contains(_ text: UnsafeRawBufferPointer) -> Bool {
        guard lengths >> UInt64(min(text.count, 63)) & 1 != 0 else { return false }
        var slot = table.count == 2 ? 0 : Self.hash(text) & (table.count - 1)
        // At least half of the table is free, so this ends; a single text is looked for in both slots.
        for _ in 0..<table.count {
            let number = Int(table[slot])
            if number >= 0 {
                if isEqual(number, text) { return true }
            } else if table.count > 2 {
                return false
            }
            slot = (slot &+ 1) & (table.count &- 1)
        }
        return false
    }

    @inline(__always)
    private func isEqual(_ number: Int, _ text: UnsafeRawBufferPointer) -> Bool {
        let start = offsets[number]
        guard offsets[number + 1] - start == text.count else { return false }
        return bytes.withUnsafeBytes { ByteSearch.isEqual(text, UnsafeRawBufferPointer(rebasing: $0[start...]), count: text.count) }
    }

    /// FNV-1a over eight bytes at a time, folded.
    private static func hash(_ text: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var index = 0
        while index &+ 8 <= text.count {
            hash = (hash ^ text.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 32
            index &+= 8
        }
        while index < text.count {
            hash = (hash ^ UInt64(text[index])) &* 0x100_0000_01b3
            index &+= 1
        }
        hash ^= hash >> 32
        return Int(truncatingIfNeeded: hash & 0x7fff_ffff)
    }
}
