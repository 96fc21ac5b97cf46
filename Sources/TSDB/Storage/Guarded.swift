import Synchronization

/// A value behind a lock, for structures made of raw memory.
///
/// `Synchronization.Mutex` asks that everything that enters or leaves its closure be provably of no other thread, which pointers into
/// arenas are not to the compiler; here the structure's own rules (epochs) make it true.
struct Guarded<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // Sendable: `value` is touched only while `mutex` is held.
    private let mutex = Mutex(())
    private let value: UnsafeMutablePointer<Value>

    init(_ initial: consuming Value) {
        value = .allocate(capacity: 1)
        value.initialize(to: initial)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Runs `body` with the lock held. Not reentrant.
    @inline(__always)
    borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        mutex._unsafeLock()
        defer { mutex._unsafeUnlock() }
        return try body(&value.pointee)
    }
}
