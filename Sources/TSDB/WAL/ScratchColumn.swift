/// Memory for one column of a batch, reused from batch to batch: grown when needed, never initialised, never shrunk.
///
/// Eight spare elements stand behind the last one, so that a coder may store and load whole words.
struct ScratchColumn<Element: BitwiseCopyable>: ~Copyable {
    private(set) var pointer: UnsafeMutablePointer<Element>
    private var capacity: Int
    private static var spare: Int { 8 }

    init() {
        capacity = 0
        pointer = .allocate(capacity: Self.spare)
    }

    deinit { pointer.deallocate() }

    /// Makes room for `count` elements and forgets what was there.
    mutating func reserve(_ count: Int) {
        guard count > capacity else { return }
        pointer.deallocate()
        capacity = max(count, capacity + capacity / 2)
        pointer = .allocate(capacity: capacity + Self.spare)
    }
}
