import Testing
import Threads

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
            let code = startThread {
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

    @Test("who waits for a time returns without a ring", arguments: [-1, 0, 1, 20])
    func bounded(milliseconds: Int) {
        let monitor = Monitor(), length = Duration.milliseconds(milliseconds), start = ContinuousClock.now
        monitor.withLock {
            repeat { monitor.wait(atMost: length) } while ContinuousClock.now - start < length
        }
        #expect(ContinuousClock.now - start >= length)
    }
}
