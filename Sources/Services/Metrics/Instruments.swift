import Synchronization

/// A number that only grows. Adding costs one relaxed atomic operation.
public final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    public init() {}

    public func increment(by amount: Int = 1) { count.wrappingAdd(amount, ordering: .relaxed) }

    public var value: Int { count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let bits: Atomic<UInt64>

    public init(_ value: Double = 0) { bits = Atomic(value.bitPattern) }

    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    /// Adds `amount`, which may be negative.
    public func add(_ amount: Double) {
        var seen = bits.load(ordering: .relaxed)
        while true {
            let wanted = (Double(bitPattern: seen) + amount).bitPattern
            let (exchanged, original) = bits.compareExchange(expected: seen, desired: wanted, ordering: .relaxed)
            if exchanged { return }
            seen = original
        }
    }

    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// Observations sorted into buckets by upper bound, with their number and sum.
///
///     bounds    0.1   0.2   0.4   +Inf
///     counts     12     3     0      1        kept apart here, cumulative on the page
///
/// A native one has the buckets of a native histogram besides, for pages in protobuf.
public final class Histogram: Sendable {
    private struct State {
        var counts: [Int]
        var sum = 0.0
        var native: NativeBuckets?
    }

    /// Ascending upper bounds, `+Inf` left out.
    public let bounds: [Double]
    private let state: Mutex<State>

    public init(bounds: [Double], isNative: Bool = false) {
        self.bounds = bounds
        state = Mutex(
            State(counts: Array(repeating: 0, count: bounds.count + 1), native: isNative ? NativeBuckets() : nil))
    }

    public func observe(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
            $0.native?.observe(value)
        }
    }

    /// Writes the bucket, sum and count lines of `name` with `labels`.
    public func write(_ name: String, _ labels: [(String, String)] = [], to page: inout MetricsPage) {
        let (counts, sum, native) = state.withLock { ($0.counts, $0.sum, $0.native) }
        if let native { page.native(labels, native) }
        var total = 0
        for (bound, count) in zip(bounds + [.infinity], counts) {
            total += count
            page.sample(name + "_bucket", labels + [("le", MetricsPage.text(of: bound))], total)
        }
        page.sample(name + "_sum", labels, sum)
        page.sample(name + "_count", labels, total)
    }

    public var count: Int { state.withLock { $0.counts.reduce(0, +) } }
}

/// Number and sum of observations: a summary without quantiles, for the cases where upstream has one with them.
public final class Tally: Sendable {
    private let state = Mutex((count: 0, sum: 0.0))

    public init() {}

    public func observe(_ value: Double) {
        state.withLock {
            $0.count += 1
            $0.sum += value
        }
    }

    public func write(_ name: String, _ labels: [(String, String)] = [], to page: inout MetricsPage) {
        let (count, sum) = state.withLock { ($0.count, $0.sum) }
        page.sample(name + "_sum", labels, sum)
        page.sample(name + "_count", labels, count)
    }
}

/// One instrument per label value, made when it is first asked for. Bounded: past `limit` label values everything
/// else is counted under `other`, so that nobody outside can grow the page.
public final class Labelled<Instrument: AnyObject & Sendable>: Sendable {
    private let instruments = Mutex<[String: Instrument]>([:])
    private let limit: Int
    private let make: @Sendable () -> Instrument

    public init(limit: Int = 500, make: @escaping @Sendable () -> Instrument) {
        self.limit = limit
        self.make = make
    }

    /// The instrument for a label value; several values are joined by a space.
    public subscript(_ value: String) -> Instrument {
        instruments.withLock { known in
            if let instrument = known[value] { return instrument }
            let key = known.count < limit ? value : "other"
            if let instrument = known[key] { return instrument }
            let made = make()
            known[key] = made
            return made
        }
    }

    /// All label values with their instruments, sorted.
    public var all: [(value: String, instrument: Instrument)] {
        instruments.withLock { known in known.sorted { $0.key < $1.key }.map { (value: $0.key, instrument: $0.value) } }
    }
}
