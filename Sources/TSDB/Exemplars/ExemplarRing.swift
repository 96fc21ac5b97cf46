/// The newest exemplars of all series, in a ring: the next one takes the place of the one that came first.
///
///     ring      │ e₇ │ e₈ │ e₃ │ e₄ │ e₅ │ e₆ │        bounded (`storage.exemplars.max_exemplars`)
///                         └ next
///     series a    oldest e₃ ⇄ e₅ ⇄ e₈ newest           a doubly linked list in time order through the ring
///     series b    oldest e₄ ⇄ e₆ ⇄ e₇ newest
///
/// Appending in order is O(1); a late one (out-of-order window) is walked to from the newest. Series are known by their
/// labels, so that exemplars outlive a series that the head has dropped. The rules of what is taken are upstream's
/// (`tsdb/exemplar.go`); of two exemplars with one time and one value upstream orders by a hash of the labels, this by
/// their bytes.
///
/// Invariant: every entry of the ring is in exactly one list, and every list has an entry.
struct ExemplarRing {
    private static let none = -1

    private struct Entry {
        var exemplar: Exemplar
        var series: Int
        var older: Int
        var newer: Int
    }

    private struct Series {
        var labels: Labels
        /// As the log knows it.
        var reference: SeriesRef
        var oldest: Int
        var newest: Int
    }

    private(set) var capacity: Int
    /// Grows up to `capacity`.
    private var entries: [Entry] = []
    private var next = 0
    private var series: [Series] = []
    private var freeSeries: [Int] = []
    private var numbers: [Labels: Int] = [:]

    private(set) var appendedCount = 0
    private(set) var outOfOrderCount = 0

    /// Takes nothing where `capacity` is 0.
    init(capacity: Int = 0) { self.capacity = max(0, capacity) }

    var count: Int { entries.count }
    var seriesCount: Int { numbers.count }

    /// The time of the exemplar that came first.
    var oldestTimestamp: Timestamp? {
        if entries.isEmpty { return nil }
        return entries[entries.count < capacity ? 0 : next].exemplar.timestamp
    }

    // MARK: Appending

    /// Takes an exemplar of the series with `labels`. One that is late by less than `window` milliseconds is welcome.
    mutating func append(
        _ exemplar: Exemplar, of reference: SeriesRef, labels: Labels, window: Int64
    ) -> ExemplarVerdict {
        if capacity == 0 { return .disabled }
        if exemplar.isTooLong { return .tooLong }
        if let number = numbers[labels] {
            let verdict = judge(exemplar, series[number], window)
            if verdict == .outOfOrder { outOfOrderCount += 1 }
            if verdict != .stored { return verdict }
        }
        insert(exemplar, of: reference, labels: labels)
        appendedCount += 1
        return .stored
    }

    private func judge(_ exemplar: Exemplar, _ series: Series, _ window: Int64) -> ExemplarVerdict {
        let newest = entries[series.newest].exemplar
        if exemplar.repeats(newest) { return .repeated }
        let time = exemplar.timestamp.milliseconds, newestTime = newest.timestamp.milliseconds
        if time < newestTime {
            if time <= newestTime.clampedSubtracting(max(0, window)) { return .outOfOrder }
            let place = lastEntry(of: series, through: exemplar.timestamp)
            return place != Self.none && entries[place].exemplar.timestamp == exemplar.timestamp ? .repeated : .stored
        }
        if time == newestTime {
            if exemplar.value < newest.value { return .outOfOrder }
            if exemplar.value == newest.value, exemplar.labels < newest.labels { return .outOfOrder }
        }
        return .stored
    }

    private mutating func insert(_ exemplar: Exemplar, of reference: SeriesRef, labels: Labels) {
        if entries.count == capacity { removeEntry(next) }
        let number = number(of: labels, reference)
        let older = lastEntry(of: series[number], through: exemplar.timestamp)
        let newer = older == Self.none ? series[number].oldest : entries[older].newer
        let entry = Entry(exemplar: exemplar, series: number, older: older, newer: newer)
        let place = next
        if place < entries.count { entries[place] = entry } else { entries.append(entry) }
        if older == Self.none { series[number].oldest = place } else { entries[older].newer = place }
        if newer == Self.none { series[number].newest = place } else { entries[newer].older = place }
        next = place + 1 == capacity ? 0 : place + 1
    }

    /// The newest entry that is not newer than `time`, or none.
    private func lastEntry(of series: Series, through time: Timestamp) -> Int {
        var place = series.newest
        while place != Self.none, entries[place].exemplar.timestamp > time { place = entries[place].older }
        return place
    }

    private mutating func number(of labels: Labels, _ reference: SeriesRef) -> Int {
        if let known = numbers[labels] {
            series[known].reference = reference
            return known
        }
        let fresh = Series(labels: labels, reference: reference, oldest: Self.none, newest: Self.none)
        let number: Int
        if let free = freeSeries.popLast() {
            series[free] = fresh
            number = free
        } else {
            number = series.count
            series.append(fresh)
        }
        numbers[labels] = number
        return number
    }

    /// Takes an entry out of its list; the place is about to be overwritten.
    private mutating func removeEntry(_ place: Int) {
        let entry = entries[place], number = entry.series
        let older = entry.older, newer = entry.newer
        if older == Self.none { series[number].oldest = newer } else { entries[older].newer = newer }
        if newer == Self.none { series[number].newest = older } else { entries[newer].older = older }
        guard series[number].oldest == Self.none else { return }
        numbers[series[number].labels] = nil
        freeSeries.append(number)
    }

    /// Keeps the `capacity` that came last.
    mutating func resize(_ capacity: Int) {
        guard max(0, capacity) != self.capacity else { return }
        var resized = ExemplarRing(capacity: capacity)
        resized.appendedCount = appendedCount
        resized.outOfOrderCount = outOfOrderCount
        var skipped = max(0, count - resized.capacity)
        forEachByArrival { reference, labels, exemplar in
            if skipped > 0 { skipped -= 1 } else { resized.insert(exemplar, of: reference, labels: labels) }
        }
        self = resized
    }

    // MARK: Reading

    /// The exemplars from `from` through `through` of series that satisfy all matchers of any selector, sorted by labels.
    func select(_ selectors: [[Matcher]], from: Timestamp, through: Timestamp) -> [SeriesExemplars] {
        var result: [SeriesExemplars] = []
        for number in numbers.values {
            let series = series[number]
            guard entries[series.oldest].exemplar.timestamp <= through,
                entries[series.newest].exemplar.timestamp >= from,
                selectors.contains(where: { $0.allSatisfy { $0.matches(series.labels) } })
            else { continue }
            var found: [Exemplar] = []
            var place = series.oldest
            while place != Self.none, entries[place].exemplar.timestamp <= through {
                if entries[place].exemplar.timestamp >= from { found.append(entries[place].exemplar) }
                place = entries[place].newer
            }
            if !found.isEmpty { result.append(SeriesExemplars(labels: series.labels, exemplars: found)) }
        }
        return result.sorted { $0.labels < $1.labels }
    }

    /// All of them, in the order in which they came.
    func forEachByArrival(_ body: (SeriesRef, Labels, Exemplar) -> Void) {
        let first = entries.count < capacity ? 0 : next
        for step in 0..<entries.count {
            let entry = entries[(first + step) % entries.count]
            body(series[entry.series].reference, series[entry.series].labels, entry.exemplar)
        }
    }
}
