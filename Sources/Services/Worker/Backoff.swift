/// How long to wait after the n-th failure in a row: twice as long each time, up to a bound, with some chance in it so that
/// those who failed together do not come back together.
///
///     100 ms   200   400   800   1.6 s   2 s   2 s …      each ± a quarter
struct Backoff: Equatable {
    let first: Swift.Duration
    let longest: Swift.Duration
    private var failures = 0

    init(first: Swift.Duration = .milliseconds(100), longest: Swift.Duration = .seconds(2)) {
        self.first = first
        self.longest = longest
    }

    mutating func succeeded() { failures = 0 }

    /// The pause after one more failure. `chance` is in 0..<1.
    mutating func failed(chance: Double) -> Swift.Duration {
        let doublings = min(failures, 20)
        failures += 1
        return min(first * (1 << doublings), longest) * (0.75 + chance / 2)
    }
}
