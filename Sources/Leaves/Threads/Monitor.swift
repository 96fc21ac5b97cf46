#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A lock with a bell: wait until someone changes what it guards.
///
///     lock ─ is it there? ─ no ─▶ wait ·······················▶ lock ─ is it there? ─ yes
///                                        another: lock, change, ring, unlock
///
/// `Synchronization.Mutex` has no condition to wait for, and what is waited for takes too long for spinning: jobs of a pool, morsels of a query (a
/// third of a millisecond), a mount point that does not answer.
public final class Monitor: @unchecked Sendable {
    // Sendable: it is what makes others' state safe to share; its own never changes.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let bell: UnsafeMutablePointer<pthread_cond_t>

    public init() {
        mutex = .allocate(capacity: 1)
        bell = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        bell.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(bell, nil)
    }

    deinit {
        pthread_cond_destroy(bell)
        pthread_mutex_destroy(mutex)
        bell.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` under the lock.
    public func withLock<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        lock()
        defer { unlock() }
        return try body()
    }

    public func lock() { pthread_mutex_lock(mutex) }
    public func unlock() { pthread_mutex_unlock(mutex) }
    /// Gives the lock up until `ring`, then takes it again. May return without a ring: look again.
    public func wait() { pthread_cond_wait(bell, mutex) }

    /// The same, for so long at most, and never longer than a second: the wall clock is what a wait ends by, and it may be set meanwhile.
    public func wait(atMost length: Duration) {
        var end = timespec()
        clock_gettime(CLOCK_REALTIME, &end)
        let (seconds, attoseconds) = max(.zero, min(length, .seconds(1))).components
        let nanoseconds = Int(end.tv_nsec) + Int(attoseconds / 1_000_000_000)
        end.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        pthread_cond_timedwait(bell, mutex, &end)
    }

    /// Wakes one of those who wait.
    public func ringOnce() { pthread_cond_signal(bell) }
    /// Wakes everybody who waits.
    public func ring() { pthread_cond_broadcast(bell) }
}
