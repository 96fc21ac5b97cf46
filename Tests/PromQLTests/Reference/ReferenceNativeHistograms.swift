import Histograms

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Functions over windows that hold native histograms.
///
///     samples      h₁   h₂   h₃          increase  =  h₃ − h₁  +  hᵢ for each i that the next one has been reset after
///     counts        4    7    2                       2 − 4 + 7 = 5, then stretched to the window as floats are
///
/// A window of floats and histograms has no rate, no sum and no mean; order and spread are of its floats alone; what only looks at times and
/// numbers of samples sees both. Every sample on its own, the plain way; arithmetic inside a histogram is `FloatHistogram`'s.
/// Source: Prometheus documentation, “Functions” and “Native Histograms”; behaviour of v3.14 where they are silent.
extension Window {
    typealias Point = ReferenceEvaluator.Point
    typealias Amount = ReferenceEvaluator.Amount

    var hasHistograms: Bool { points.contains { $0.histogram != nil } }
    var histograms: [FloatHistogram] { points.compactMap(\.histogram) }

    /// Functions that see floats only.
    private static let floatFunctions: Set<String> = [
        "deriv", "double_exponential_smoothing", "mad_over_time", "max_over_time", "min_over_time", "predict_linear",
        "quantile_over_time", "stddev_over_time", "stdvar_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
    ]

    /// `ofFloats` is what the function makes of a window of floats.
    func histogramAmount(_ name: String, ofFloats: (Window) throws -> Double?) throws -> Amount? {
        if Self.floatFunctions.contains(name) {
            let floats = points.filter { $0.histogram == nil }
            if floats.isEmpty { return nil }
            return try ofFloats(
                Window(points: floats, start: start, end: end, isAnchored: isAnchored, isSmoothed: isSmoothed)
            ).map { Amount($0) }
        }
        switch name {
        case "first_over_time": return first.amount
        case "last_over_time": return last.amount
        case "changes": return Amount(Double(zip(points, points.dropFirst()).filter { $1.isChange(from: $0) }.count))
        case "resets": return Amount(Double(zip(points, points.dropFirst()).filter { $1.isReset(from: $0) }.count))
        case "irate", "idelta":
            let isOfFloats = points.suffix(2).allSatisfy { $0.histogram == nil }
            if isOfFloats { return try ofFloats(self).map { Amount($0) } }
            return lastHistogramStep(isCounter: name == "irate").map { Amount($0) }
        case "sum_over_time", "avg_over_time", "rate", "increase", "delta":
            if points.isMixed { return nil }
            return histogramResult(name).map { Amount($0) }
        // Numbers of samples and their times.
        default: return try ofFloats(self).map { Amount($0) }
        }
    }

    private func histogramResult(_ name: String) -> FloatHistogram? {
        switch name {
        case "sum_over_time": return referenceSum(histograms)
        case "avg_over_time": return referenceMean(histograms)
        default:
            let isCounter = name != "delta", perSecond = name == "rate"
            guard reachesOut else { return extrapolatedHistogram(isCounter, perSecond) }
            guard var change = edgeToEdgeHistogram(isCounter) else { return nil }
            if perSecond { change.divide(by: Double(end - start) / 1000) }
            return change
        }
    }

    // MARK: - Rates

    private func extrapolatedHistogram(_ isCounter: Bool, _ perSecond: Bool) -> FloatHistogram? {
        let histograms = self.histograms
        if isCounter, histograms.count == 1, let seconds = secondsSinceStart {
            var change = histograms[0]
            change.multiply(by: factor(since: seconds, perSecond: perSecond))
            return change
        }
        guard histograms.count >= 2, let last = histograms.last else { return nil }
        // What lies before a reset is not looked at but for its layout where it stays in the sum.
        var origin = histograms[0]
        if isCounter && (points[1].hasBegunAgain(since: points[0]) || histograms[1].detectsReset(since: origin)) {
            origin = FloatHistogram(schema: histograms[1].schema, customBounds: histograms[1].customBounds)
        }
        let between = isCounter ? histograms.dropFirst().dropLast() : []
        guard ([origin, last] + between).allSatisfy({ $0.hasCustomBounds == last.hasCustomBounds }) else { return nil }

        var change = last
        let coarsest = ([origin, last] + between).map(\.schema).min() ?? last.schema
        if !last.hasCustomBounds { change.reduceResolution(to: coarsest) }
        guard (try? change.subtract(origin)) != nil else { return nil }
        if isCounter {
            var before = origin
            for (index, histogram) in histograms.enumerated().dropFirst() {
                let isReset = points[index].hasBegunAgain(since: points[index - 1]) || histogram.detectsReset(since: before)
                if isReset, (try? change.add(before)) == nil { return nil }
                before = histogram
            }
        }
        change.hint = .gauge
        change.compact()
        if isCounter, let seconds = secondsSinceStart {
            guard (try? change.add(histograms[0])) != nil else { return nil }
            change.multiply(by: factor(since: seconds, perSecond: perSecond))
            return change
        }

        let sampled = Double(self.last.time - first.time) / 1000
        let distance = sampled / Double(points.count - 1)
        var toStart = Double(first.time - start) / 1000
        if toStart >= distance * 1.1 { toStart = distance / 2 }
        if isCounter && change.count > 0 && histograms[0].count >= 0 {
            toStart = min(toStart, sampled * (histograms[0].count / change.count))
        }
        var toEnd = Double(end - self.last.time) / 1000
        if toEnd >= distance * 1.1 { toEnd = distance / 2 }
        var factor = (sampled + toStart + toEnd) / sampled
        if perSecond { factor /= Double(end - start) / 1000 }
        change.multiply(by: factor)
        return change
    }

    private func lastHistogramStep(isCounter: Bool) -> FloatHistogram? {
        guard points.count >= 2 else { return nil }
        let before = points[points.count - 2]
        guard let earlier = before.histogram, var change = last.histogram else { return nil }
        if !isCounter || !(last.hasBegunAgain(since: before) || change.detectsReset(since: earlier)) {
            guard (try? change.subtract(earlier)) != nil else { return nil }
        }
        change.hint = .gauge
        change.compact()
        if isCounter { change.divide(by: Double(last.time - before.time) / 1000) }
        return change
    }

    /// `anchored` and `smoothed`.
    private func edgeToEdgeHistogram(_ isCounter: Bool) -> FloatHistogram? {
        let histograms = self.histograms
        guard histograms.allSatisfy({ $0.hasCustomBounds == histograms[0].hasCustomBounds }) else { return nil }
        let count = histograms.count
        let crossesStart = isSmoothed && first.time < start, crossesEnd = isSmoothed && count > 1 && last.time > end
        guard let left = crossesStart ? first.line(to: points[1], at: start, isCounter) : histograms[0],
            let right = crossesEnd ? points[count - 2].line(to: last, at: end, isCounter) : histograms[count - 1]
        else { return nil }
        var change = right
        guard (try? change.subtract(left)) != nil else { return nil }
        if isCounter {
            var before = left
            var next = 1
            if crossesStart && histograms[1].detectsReset(since: histograms[0]) {
                // The line from zero has made this one good.
                before = histograms[1]
                next = 2
            }
            if next <= count - 1 {
                var lost: FloatHistogram?
                for histogram in Array(histograms[next..<(count - 1)]) + [right] {
                    if histogram.detectsReset(since: before) {
                        if lost == nil { lost = before } else if (try? lost?.add(before)) == nil { return nil }
                    }
                    before = histogram
                }
                if let lost, (try? change.add(lost)) == nil { return nil }
            }
        }
        change.hint = .gauge
        change.compact()
        return change
    }
}

extension [ReferenceEvaluator.Point] {
    /// Floats and histograms are among them.
    var isMixed: Bool { contains { $0.histogram == nil } && contains { $0.histogram != nil } }
}

extension ReferenceEvaluator.Point {
    fileprivate var amount: ReferenceEvaluator.Amount {
        histogram.map(ReferenceEvaluator.Amount.init) ?? ReferenceEvaluator.Amount(value)
    }

    fileprivate func isChange(from earlier: Self) -> Bool {
        switch (earlier.histogram, histogram) {
        case (nil, nil): value != earlier.value && !(value.isNaN && earlier.value.isNaN)
        case (let before?, let now?): !now.isEquivalent(to: before)
        default: true
        }
    }

    fileprivate func isReset(from earlier: Self) -> Bool {
        switch (earlier.histogram, histogram) {
        case (nil, nil): value < earlier.value || hasBegunAgain(since: earlier)
        case (let before?, let now?): hasBegunAgain(since: earlier) || now.detectsReset(since: before)
        default: true
        }
    }

    /// On the straight line to `other`; a counter that has been reset comes from zero.
    fileprivate func line(to other: Self, at when: Int64, _ isCounter: Bool) -> FloatHistogram? {
        guard let from = histogram, var result = other.histogram else { return nil }
        if when == time { return from }
        if when == other.time { return result }
        let share = Double(when - time) / Double(other.time - time)
        if isCounter && result.detectsReset(since: from) {
            result.multiply(by: share)
            return result
        }
        guard (try? result.subtract(from)) != nil else { return nil }
        result.multiply(by: share)
        guard (try? result.add(from)) != nil else { return nil }
        return result
    }

    /// The value of a smoothed selector: this one is the last at or before `now`, `behind` the first after.
    func smoothed(with behind: Self?, at now: Int64) -> FloatHistogram? {
        guard var result = histogram, time < now else { return histogram }
        guard let behind, let next = behind.histogram else {
            // Nothing is known of a reset between this sample and now.
            result.hint = .unknown
            return result
        }
        guard result.hasCustomBounds == next.hasCustomBounds else { return nil }
        return line(to: behind, at: now, result.hint != .gauge || next.hint != .gauge)
    }
}

// MARK: - Sums and statistics

/// Compensated; `nil` where exponential and custom buckets meet.
func referenceSum(_ histograms: [FloatHistogram]) -> FloatHistogram? {
    guard var sum = histograms.first else { return nil }
    var lost: FloatHistogram?
    for histogram in histograms.dropFirst() {
        guard (try? sum.add(histogram, compensation: &lost)) != nil else { return nil }
    }
    if let lost, (try? sum.add(lost)) == nil { return nil }
    return sum
}

/// Sum over count; from where the sum would overflow, a running mean.
func referenceMean(_ histograms: [FloatHistogram]) -> FloatHistogram? {
    guard var running = histograms.first else { return nil }
    var lost: FloatHistogram?
    var count = 1.0
    var isIncremental = false
    for histogram in histograms.dropFirst() {
        count += 1
        if !isIncremental {
            var attempt = running, attemptLost = lost
            guard (try? attempt.add(histogram, compensation: &attemptLost)) != nil else { return nil }
            if !attempt.hasOverflow {
                (running, lost) = (attempt, attemptLost)
                continue
            }
            isIncremental = true
            running.divide(by: count - 1)
            lost?.divide(by: count - 1)
        }
        let share = (count - 1) / count
        running.multiply(by: share)
        lost?.multiply(by: share)
        var part = histogram
        part.divide(by: count)
        guard (try? running.add(part, compensation: &lost)) != nil else { return nil }
    }
    if !isIncremental {
        running.divide(by: count)
        lost?.divide(by: count)
    }
    if let lost, (try? running.add(lost)) == nil { return nil }
    return running
}

extension FloatHistogram {
    /// `histogram_count(…)` and its like.
    func statistic(_ name: String) -> Double {
        switch name {
        case "histogram_count": return count
        case "histogram_sum": return sum
        case "histogram_avg": return sum / count
        case "histogram_stdvar": return spread
        default: return spread.squareRoot()
        }
    }

    /// Every bucket's observations stand in its middle: the geometric one, but for the zero bucket and custom bounds.
    private var spread: Double {
        let mean = sum / count
        var total = ReferenceSum()
        for bucket in usedBuckets {
            let middle: Double
            if hasCustomBounds {
                middle = (bucket.lower + bucket.upper) / 2
            } else if bucket.lower <= 0 && bucket.upper >= 0 {
                middle = 0
            } else {
                middle = (bucket.lower * bucket.upper).squareRoot() * (bucket.upper < 0 ? -1 : 1)
            }
            total.add(bucket.count * (middle - mean) * (middle - mean))
        }
        return (total.sum + total.lost) / count
    }
}
