import Synchronization

extension Head {
    /// Resolves matchers and notes, for each series found, what it holds now.
    func select(
        _ matchers: [Matcher], from: Int64, through: Int64, stop: StopCheck = { false }
    ) throws(TSDBError) -> HeadSeriesSet {
        let expansion = try expandPatterns(matchers, stop)
        return index.withLock { index in
            let slots = MatcherResolver.resolve(matchers, expansion.values, in: index)
            let indexEpoch = index.epochs.enter()
            let symbols = index.symbols.reader
            return store.withLock { store in
                var captured: [CapturedSeries] = []
                captured.reserveCapacity(slots.count)
                var histograms: [UInt32: HistogramChunkBytes] = [:]
                for slot in slots {
                    let place = store.series[Int(slot)].pointee
                    guard place.oldest <= through, place.newest >= from || place.hasOutOfOrder else { continue }
                    let identity = index.identities[Int(slot)].pointee
                    guard let pairs = identity.pairs else { continue }
                    if place.endsInHistogram { histograms[slot] = store.histograms[slot]?.encoder.chunk }
                    captured.append(CapturedSeries(place, slot, pairs, identity.count))
                }
                // Entering the epochs here covers every pointer noted above; the set leaves them when it goes.
                index.epochs.leave(expansion.epoch, releasingTo: &index.arena)
                return HeadSeriesSet(
                    head: self, series: captured, symbols: symbols, indexEpoch: indexEpoch,
                    storeEpoch: store.epochs.enter(), outOfOrder: store.outOfOrder, histograms: histograms,
                    starts: store.starts)
            }
        }
    }

    /// Values that a pattern is tried on between two looks at whether anyone still wants the answer; a power of two
    /// less one. A large pattern takes some tens of microseconds for a value.
    private static let valuesBetweenStops = 63

    /// Runs the regexes of `matchers` over the values their labels have, outside of the lock: a slow pattern must not
    /// keep scrapes from making series. Values that appear meanwhile are caught up with under the lock.
    private func expandPatterns(
        _ matchers: [Matcher], _ stop: StopCheck
    ) throws(TSDBError) -> (values: [PatternExpansion?], epoch: ReadEpochs.Epoch) {
        let (candidates, symbols, epoch) = index.withLock { index in
            let lists = matchers.map { matcher -> [UInt32] in
                guard let pattern = matcher.pattern, pattern.literals == nil, let name = index.symbols.find(matcher.name)
                else { return [] }
                return index.values[name] ?? []
            }
            return (lists, index.symbols.reader, index.epochs.enter())
        }
        var values: [PatternExpansion?] = []
        for (matcher, candidates) in zip(matchers, candidates) {
            guard let pattern = matcher.pattern, !candidates.isEmpty else {
                values.append(nil)
                continue
            }
            var matching: [UInt32] = []
            for (number, candidate) in candidates.enumerated() {
                if number & Self.valuesBetweenStops == 0 && stop() {
                    index.withLock { $0.epochs.leave(epoch, releasingTo: &$0.arena) }
                    throw TSDBError(.stopped, "the search was stopped")
                }
                if pattern.matches(symbols.bytes(candidate)) { matching.append(candidate) }
            }
            values.append(
                PatternExpansion(tested: candidates.count, lastTested: candidates.last, matching: matching))
        }
        return (values, epoch)
    }

    /// Sorted names of labels, of all series or of those that match.
    func labelNames(_ matchers: [Matcher], from: Int64, through: Int64) throws(TSDBError) -> [String] {
        if matchers.isEmpty {
            return sortedStrings { Array($0.values.keys) }
        }
        let set = try select(matchers, from: from, through: through)
        var numbers: Set<UInt32> = []
        for series in set.series {
            for pair in 0..<Int(series.pairCount) { numbers.insert(series.pairs[pair * 2]) }
        }
        return set.symbols.sortedStrings(numbers)
    }

    /// Symbols sorted by their text, outside of the lock: there may be a million of them.
    private func sortedStrings(_ pick: (borrowing LabelIndex) -> [UInt32]) -> [String] {
        let (numbers, symbols, epoch) = index.withLock { (pick($0), $0.symbols.reader, $0.epochs.enter()) }
        defer { index.withLock { $0.epochs.leave(epoch, releasingTo: &$0.arena) } }
        return symbols.sortedStrings(numbers)
    }

    /// Sorted values of one label, of all series or of those that match.
    func labelValues(_ name: String, _ matchers: [Matcher], from: Int64, through: Int64) throws(TSDBError) -> [String] {
        if matchers.isEmpty {
            return sortedStrings { index in index.symbols.find(name).flatMap { index.values[$0] } ?? [] }
        }
        if let found = try valuesByPostings(name, matchers, from: from, through: through) { return found }
        let set = try select(matchers, from: from, through: through)
        guard let number = index.withLock({ $0.symbols.find(name) }) else { return [] }
        var numbers: Set<UInt32> = []
        for series in set.series {
            for pair in 0..<Int(series.pairCount) where series.pairs[pair * 2] == number {
                numbers.insert(series.pairs[pair * 2 + 1])
            }
        }
        return set.symbols.sortedStrings(numbers)
    }

    /// The values by a look at each one's postings: the first series that it shares with the selection, and that lies in the
    /// range, decides. `nil` where there are more values than series to look at.
    private func valuesByPostings(
        _ name: String, _ matchers: [Matcher], from: Int64, through: Int64
    ) throws(TSDBError) -> [String]? {
        let expansion = try expandPatterns(matchers, { false })
        return index.withLock { index -> [String]? in
            defer { index.epochs.leave(expansion.epoch, releasingTo: &index.arena) }
            let selected = MatcherResolver.resolve(matchers, expansion.values, in: index)
            guard let number = index.symbols.find(name), let values = index.values[number] else { return [] }
            guard values.count <= selected.count else { return selected.isEmpty ? [] : nil }
            let found = store.withLock { store in
                values.filter { value in
                    guard let list = index.postings[UInt64(number) << 32 | UInt64(value)] else { return false }
                    return Postings.firstShared(list, selected) { slot in
                        let place = store.series[Int(slot)].pointee
                        return place.oldest <= through && (place.newest >= from || place.hasOutOfOrder)
                    }
                }
            }
            return index.symbols.reader.sortedStrings(found)
        }
    }
}

/// The values of one label that a pattern accepts, as far as they were known when it ran.
struct PatternExpansion {
    /// How many values were looked at, and the last of them: whether the list has only grown since can be told.
    var tested: Int
    var lastTested: UInt32?
    var matching: [UInt32]
}

/// Turns matchers into a sorted list of series.
enum MatcherResolver {
    static func resolve(
        _ matchers: [Matcher], _ expansions: [PatternExpansion?], in index: borrowing LabelIndex
    ) -> [UInt32] {
        var required: [[UInt32]] = []
        var wide: [WideMatch] = []
        var excluded: [[UInt32]] = []
        for (matcher, expansion) in zip(matchers, expansions) {
            guard let name = index.symbols.find(matcher.name) else {
                // No series has the label: only a condition that the empty value satisfies can hold.
                if matcher.matchesEmpty { continue }
                return []
            }
            if matcher.matchesEmpty {
                // Everything but the series that have the label with a value that fails.
                excluded.append(postings(of: name, in: index, expansion, matcher, wanted: false))
            } else if matcher.kind == .regex, let values = values(matching: matcher, of: name, expansion, in: index),
                values.count > 1
            {
                wide.append(WideMatch(name: name, values: values, in: index))
            } else {
                let list = postings(of: name, in: index, expansion, matcher, wanted: true)
                if list.isEmpty { return [] }
                required.append(list)
            }
        }
        required.sort { $0.count < $1.count }
        wide.sort { $0.seriesCount < $1.seriesCount }
        // Somebody has to begin.
        if required.isEmpty, let narrowest = wide.first {
            required.append(narrowest.postings(in: index))
            wide.removeFirst()
        }
        var result = required.first ?? index.all
        for list in required.dropFirst() {
            result = Postings.intersection(result, list)
            if result.isEmpty { return [] }
        }
        for match in wide {
            if match.seriesCount < result.count {
                result = Postings.intersection(result, match.postings(in: index))
            } else {
                // Few series against a pattern that many have: cheaper to look at their labels than to merge the lists.
                var kept = 0
                for slot in result where match.accepts(index.identities[Int(slot)].pointee) {
                    result[kept] = slot
                    kept += 1
                }
                result.removeLast(result.count - kept)
            }
        }
        for list in excluded where !list.isEmpty { result = Postings.subtracting(result, list) }
        return result
    }

    /// The values of `name` that the pattern of a regex matcher accepts; `nil` where that is not known yet.
    private static func values(
        matching matcher: Matcher, of name: UInt32, _ expansion: PatternExpansion?, in index: borrowing LabelIndex
    ) -> [UInt32]? {
        if let literals = matcher.pattern?.literals { return literals.compactMap { index.symbols.find($0) } }
        guard let expansion else { return nil }
        let all = index.values[name] ?? []
        guard all.count >= expansion.tested,
            expansion.tested == 0 || all[expansion.tested - 1] == expansion.lastTested
        else { return nil }
        var named = expansion.matching
        for value in all[expansion.tested...]
        where matcher.pattern?.matches(index.symbols.bytes(value)) ?? false { named.append(value) }
        return named
    }

    /// The series whose value of `name` satisfies the matcher (`wanted`) or fails it.
    private static func postings(
        of name: UInt32, in index: borrowing LabelIndex, _ expansion: PatternExpansion?, _ matcher: Matcher, wanted: Bool
    ) -> [UInt32] {
        func list(_ value: UInt32) -> [UInt32] { index.postings[UInt64(name) << 32 | UInt64(value)] ?? [] }
        // The values that satisfy `=` or `=~`, where they can be named without looking at all of them.
        var named: [UInt32]?
        switch matcher.kind {
        case .equal, .notEqual:
            named = index.symbols.find(matcher.value).map { [$0] } ?? []
        case .regex, .notRegex: named = values(matching: matcher, of: name, expansion, in: index)
        }
        let positive = matcher.kind == .equal || matcher.kind == .regex
        if let named {
            if positive == wanted { return Postings.union(named.map(list).filter { !$0.isEmpty }) }
            let set = Set(named)
            return Postings.union((index.values[name] ?? []).filter { !set.contains($0) }.map(list))
        }
        let values = index.values[name] ?? []
        return Postings.union(values.filter { matcher.matches(index.symbols.bytes($0)) == wanted }.map(list))
    }
}
