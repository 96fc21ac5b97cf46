import Synchronization
import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Signals as a stream.
///
///     kernel ─▶ handler: one byte into a pipe ─▶ thread that reads the pipe ─▶ AsyncStream
///
/// A handler may do next to nothing, so it does one `write`. (Blocking signals and waiting for them would need every thread
/// to have the mask, and the runtime starts threads before we run.)
package enum Signals {
    package enum Wish: Sendable { case stop, reload }

    /// The pipe's writing end.
    private static let pipeInput = Atomic<Int32>(-1)

    /// SIGTERM and SIGINT mean stop, SIGHUP reload; a second SIGTERM or SIGINT ends the process at once. SIGPIPE is ignored:
    /// a client that goes away is an error of its connection. Call once.
    package static func stream() -> AsyncStream<Wish> {
        let (stream, continuation) = AsyncStream.makeStream(of: Wish.self, bufferingPolicy: .bufferingNewest(16))
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return stream }
        pipeInput.store(ends[1], ordering: .sequentiallyConsistent)
        for number in [SIGTERM, SIGINT, SIGHUP] {
            signal(number) { number in
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(Signals.pipeInput.load(ordering: .relaxed), &byte, 1)
                errno = saved
            }
        }
        let reader = Reader(descriptor: ends[0], continuation: continuation)
        startThread(named: "signals") { reader.run() }
        return stream
    }

    private final class Reader: Sendable {
        let descriptor: Int32
        let continuation: AsyncStream<Wish>.Continuation

        init(descriptor: Int32, continuation: AsyncStream<Wish>.Continuation) {
            self.descriptor = descriptor
            self.continuation = continuation
        }

        func run() {
            var asked = 0
            while true {
                var byte: UInt8 = 0
                let count = read(descriptor, &byte, 1)
                if count < 0 && errno == EINTR { continue }
                guard count == 1 else { return }
                if Int32(byte) == SIGHUP {
                    continuation.yield(.reload)
                } else {
                    asked += 1
                    if asked > 1 { _exit(130) }
                    continuation.yield(.stop)
                }
            }
        }
    }
}
