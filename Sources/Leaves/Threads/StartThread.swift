#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs `body` once on a thread of its own that nobody waits for: for what blocks for as long as it likes, or computes. (Swift's concurrency pool
/// has a thread per core, and whoever holds one holds up everybody else.)
///
/// `name` is what `top -H`, `perf` and debuggers show: of it the system keeps 15 bytes.
///
/// Returns 0, or the number of the system's error where it gives no thread.
@discardableResult
public func startThread(named name: String, stackSize: Int = 512 << 10, _ body: @escaping @Sendable () -> Void) -> Int32 {
    final class Box: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            #if canImport(Darwin)
                pthread_setname_np(name)
            #else
                // `pthread_setname_np` is a GNU extension, which Swift's module of the C library leaves out.
                let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
                if file >= 0 {
                    _ = write(file, name, name.utf8.count)
                    close(file)
                }
            #endif
            body()
        }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    #if canImport(Darwin)
        var thread: pthread_t?
    #else
        var thread = pthread_t()
    #endif
    let box = Unmanaged.passRetained(Box(name, body))
    let code = pthread_create(
        &thread, &attributes,
        { argument in
            #if canImport(Darwin)
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().run()
            #else
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().run() }
            #endif
            return nil
        }, box.toOpaque())
    if code != 0 { box.release() }
    return code
}
