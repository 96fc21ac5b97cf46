#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A lock with a bell: wait until someone changes what it guards.
///
/// `Synchronization.Mutex` has no condition to wait for, and a morsel takes long enough (a third of a millisecond) that
/// spinning for one would burn what parallel work saves.
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

    public func lock() { pthread_mutex_lock(mutex) }
    public func unlock() { pthread_mutex_unlock(mutex) }
    /// Gives the lock up until `ring`, then takes it again. May return without a ring: look again.
    public func wait() { pthread_cond_wait(bell, mutex) }
    /// Wakes everybody who waits.
    public func ring() { pthread_cond_broadcast(bell) }
}
