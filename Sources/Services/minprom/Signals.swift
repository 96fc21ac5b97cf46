#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Signals as a stream: a thread waits for them, nothing runs in a handler.
enum Signals {
    enum Wish: Sendable { case stop, reload }

    /// Blocks SIGTERM, SIGINT and SIGHUP for the whole process and ignores SIGPIPE. Call first, before any thread exists:
    /// threads inherit the mask.
    static func stream() -> AsyncStream<Wish> {
        signal(SIGPIPE, SIG_IGN)
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&mask, number) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        let waited = mask
        let (stream, continuation) = AsyncStream.makeStream(of: Wish.self, bufferingPolicy: .bufferingNewest(16))
        let box = Unmanaged.passRetained(Waiter(mask: waited, continuation: continuation))
        var thread = pthread_t()
        pthread_create(&thread, nil, { argument in
            guard let argument else { return nil }
            Unmanaged<Waiter>.fromOpaque(argument).takeRetainedValue().wait()
            return nil
        }, box.toOpaque())
        pthread_detach(thread)
        return stream
    }

    private final class Waiter {
        var mask: sigset_t
        let continuation: AsyncStream<Wish>.Continuation

        init(mask: sigset_t, continuation: AsyncStream<Wish>.Continuation) {
            self.mask = mask
            self.continuation = continuation
        }

        func wait() {
            var number: Int32 = 0
            var asked = 0
            while sigwait(&mask, &number) == 0 {
                if number == SIGHUP {
                    continuation.yield(.reload)
                } else {
                    asked += 1
                    // Whoever asks twice does not want to wait.
                    if asked > 1 { _exit(130) }
                    continuation.yield(.stop)
                }
            }
        }
    }
}
