/// Memory for many small byte strings: chunks, label pairs, symbols. Blocks of a few sizes, cut from large pages, with a
/// free list per size; nothing is ever given back to the system except as a whole.
///
/// 16 bytes of rounding instead of malloc's header and bins, and neighbours in time are neighbours in memory.
/// `spare` bytes behind every block are readable (the decoders look ahead).
struct Arena: ~Copyable {
    static let spare = 64
    /// Blocks above this come from malloc.
    static let largestClass = 4096

    private var pages: [UnsafeMutableRawPointer] = []
    private var cursor: UnsafeMutableRawPointer?
    private var left = 0
    private var freeLists: [UnsafeMutableRawPointer?]
    /// Bytes taken from the system.
    private(set) var reservedBytes = 0
    /// Bytes in blocks that are in use.
    private(set) var usedBytes = 0

    init() {
        freeLists = [UnsafeMutableRawPointer?](repeating: nil, count: Arena.classIndex(Arena.largestClass) + 1)
    }

    deinit { for page in pages { page.deallocate() } }

    /// The size a request of `size` bytes really gets.
    static func roundedSize(_ size: Int) -> Int {
        if size <= 512 { return max(16, (size + 15) & ~15) }
        if size <= largestClass { return (size + 127) & ~127 }
        return size
    }

    private static func classIndex(_ rounded: Int) -> Int {
        rounded <= 512 ? rounded >> 4 : 32 + (rounded - 512) >> 7
    }

    /// A block of `roundedSize(size)` bytes, 16-byte aligned, content undefined.
    mutating func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        let rounded = Arena.roundedSize(size)
        usedBytes += rounded
        guard rounded <= Arena.largestClass else {
            reservedBytes += rounded + Arena.spare
            return .allocate(byteCount: rounded + Arena.spare, alignment: 16)
        }
        let index = Arena.classIndex(rounded)
        if let block = freeLists[index] {
            freeLists[index] = block.load(as: UnsafeMutableRawPointer?.self)
            return block
        }
        if left < rounded { addPage() }
        guard let block = cursor else { preconditionFailure("arena without a page") }
        cursor = block + rounded
        left -= rounded
        return block
    }

    /// Takes a block back; `size` as it was asked for.
    mutating func free(_ block: UnsafeMutableRawPointer, _ size: Int) {
        let rounded = Arena.roundedSize(size)
        usedBytes -= rounded
        guard rounded <= Arena.largestClass else {
            reservedBytes -= rounded + Arena.spare
            block.deallocate()
            return
        }
        let index = Arena.classIndex(rounded)
        block.storeBytes(of: freeLists[index], as: UnsafeMutableRawPointer?.self)
        freeLists[index] = block
    }

    /// The rest of the old page goes to the free lists, so nothing is lost but a few bytes.
    private mutating func addPage() {
        if let rest = cursor, left >= 16 {
            var block = rest
            while left >= 16 {
                let size = min(left & ~15, 512)
                let index = Arena.classIndex(size)
                block.storeBytes(of: freeLists[index], as: UnsafeMutableRawPointer?.self)
                freeLists[index] = block
                block += size
                left -= size
            }
        }
        // Small at first, for a server that watches one machine.
        let size = min(1 << 20, max(1 << 15, reservedBytes / 4 & ~4095))
        let page = UnsafeMutableRawPointer.allocate(byteCount: size + Arena.spare, alignment: 16)
        pages.append(page)
        reservedBytes += size + Arena.spare
        cursor = page
        left = size
    }
}
