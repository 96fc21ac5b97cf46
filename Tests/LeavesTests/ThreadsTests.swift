import Testing
import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite("Threads of our own")
struct ThreadsTests {
    /// A number under a monitor.
    private final class Counter: @unchecked Sendable {
        // Sendable: `value` is touched under `monitor` only.
        let monitor = Monitor()
        var value = 0
    }

    @Test("who waits for a change is woken by it, however many change it")
    func woken() {
        let counter = Counter()
        for _ in 0..<10 {
            let code = startThread(named: "counts") {
                counter.monitor.withLock {
                    counter.value += 1
                    counter.monitor.ringOnce()
                }
            }
            #expect(code == 0)
        }
        counter.monitor.withLock { while counter.value < 10 { counter.monitor.wait() } }
        #expect(counter.value == 10)
    }

    #if os(Linux)
        @Test("a thread bears its name, as much of it as there is room for")
        func named() {
            /// What the thread is called, once it has asked.
            final class Answer: @unchecked Sendable {
                // Sendable: `name` is touched under `monitor` only.
                let monitor = Monitor()
                var name: String?
            }
            let answer = Answer()
            startThread(named: "a name longer than fits") {
                var bytes = [UInt8](repeating: 0, count: 64)
                let file = open("/proc/thread-self/comm", O_RDONLY)
                let count = read(file, &bytes, bytes.count)
                close(file)
                let name = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
                answer.monitor.withLock {
                    answer.name = name
                    answer.monitor.ring()
                }
            }
            answer.monitor.withLock { while answer.name == nil { answer.monitor.wait() } }
            #expect(answer.name == "a name longer t\n")
        }
    #endif

    @Test("who waits for a time returns without a ring", arguments: [-1, 0, 1, 20])
    func bounded(milliseconds: Int) {
        let monitor = Monitor(), length = Duration.milliseconds(milliseconds), start = ContinuousClock.now
        monitor.withLock {
            repeat { monitor.wait(atMost: length) } while ContinuousClock.now - start < length
        }
        #expect(ContinuousClock.now - start >= length)
    }
}
