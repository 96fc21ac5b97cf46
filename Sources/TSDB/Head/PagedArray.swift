/// An array of plain values whose elements never move: pages behind a fixed directory.
///
/// A reader that learnt an index under a lock may read that element later without one, while a writer appends. The
/// directory is reserved once for the largest size; the system gives memory only to the part that is touched.
struct PagedArray<Element: BitwiseCopyable>: ~Copyable {
    private let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>
    private(set) var count = 0

    private static var pageShift: Int { 10 }
    private static var pageSize: Int { 1 << pageShift }
    private static var maximumPages: Int { 1 << 17 }
    /// Most elements: 134 million.
    static var maximumCount: Int { pageSize * maximumPages }

    init() {
        directory = zeroedDirectory(Self.maximumPages)
    }

    deinit {
        for page in 0..<((count + Self.pageSize - 1) >> Self.pageShift) { directory[page]?.deallocate() }
        releaseDirectory(directory)
    }

    /// The place of element `index`, which exists.
    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<Element> {
        // Pages up to `count` are always there; an index comes from this array.
        directory[index >> Self.pageShift].unsafelyUnwrapped + (index & (Self.pageSize &- 1))
    }

    /// Appends and returns the new index, or `nil` when the array is full.
    mutating func append(_ element: Element) -> Int? {
        guard count < Self.maximumCount else { return nil }
        let page = count >> Self.pageShift
        if directory[page] == nil { directory[page] = .allocate(capacity: Self.pageSize) }
        let index = count
        count += 1
        self[index].initialize(to: element)
        return index
    }

    /// A view for readers on other threads: elements below the `count` they know of.
    var reader: PagedReader<Element> { PagedReader(directory: directory) }
}

/// Reads elements of a `PagedArray` that were there when the reader learnt their index.
struct PagedReader<Element: BitwiseCopyable>: @unchecked Sendable {
    // Sendable: the directory and the pages live as long as the array, and known elements are not rewritten while readers
    // hold an epoch (`ReadEpochs`).
    fileprivate let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>

    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<Element> {
        directory[index >> 10].unsafelyUnwrapped + (index & 1023)
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Zeroed by the system on first touch.
private func zeroedDirectory<T>(_ count: Int) -> UnsafeMutablePointer<UnsafeMutablePointer<T>?> {
    guard let raw = calloc(count, MemoryLayout<UnsafeMutablePointer<T>?>.stride) else {
        preconditionFailure("no memory for a directory of \(count) pages")
    }
    return raw.bindMemory(to: UnsafeMutablePointer<T>?.self, capacity: count)
}

private func releaseDirectory<T>(_ directory: UnsafeMutablePointer<UnsafeMutablePointer<T>?>) {
    free(directory)
}
