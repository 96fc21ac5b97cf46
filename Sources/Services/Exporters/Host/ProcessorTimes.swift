import Synchronization

/// Times of the processors that never go back.
///
/// The kernel's idle and I/O-wait times may shrink by some ticks between two looks; a counter that shrinks looks like a restart to `rate`
/// and would show hours of work at once. So the largest value seen stays. Idle time that shrinks by seconds is a processor that was
/// unplugged and came back: its times begin again.
final class ProcessorTimes: Sendable {
    /// Seconds of idle time backwards that mean a new beginning.
    private static let jump = 3.0
    private static let idle = 3

    private let largest = Mutex<[String: [Double]]>([:])

    /// `times` by processor, in seconds, in the order of /proc/stat; the same with nothing smaller than before.
    func settled(_ times: [(cpu: String, seconds: [Double])]) -> [(cpu: String, seconds: [Double])] {
        largest.withLock { known in
            var next: [String: [Double]] = [:]
            let settled = times.map { entry in
                var seconds = entry.seconds
                if let before = known[entry.cpu], before.count == seconds.count, seconds.count > Self.idle,
                    before[Self.idle] - seconds[Self.idle] < Self.jump
                {
                    for index in seconds.indices { seconds[index] = max(seconds[index], before[index]) }
                }
                next[entry.cpu] = seconds
                return (cpu: entry.cpu, seconds: seconds)
            }
            known = next
            return settled
        }
    }
}
