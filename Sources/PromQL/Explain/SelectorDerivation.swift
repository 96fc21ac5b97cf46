import Numbers
import TSDB

/// `x`: which sample stands for the series, and how old it is.
///
///     (t − 5m                         t]
///        ×      ×       ×       ×            the newest one, if it is no stale marker
extension PointExplainer {
    /// Samples shown in front of the one that counts.
    private static let samplesBefore = 4

    func explain(_ selector: SelectorPlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        if selector.reach != .window && !selector.yieldsTimestamps {
            result.steps += [
                .init("result", "", row.value, note: "\(selector.reach.rawValue): between the samples around the time")
            ]
            return result
        }
        let windows = WindowGrid(
            grid(at: part.time), length: builder.lookback, offset: selector.offset, at: selector.at)
        let set = try builder.select(selector.narrowed(to: row.labels), windows)
        guard let index = (0..<set.count).first(where: { set.labels(at: $0) == row.labels }) else { return result }
        var columns = SampleColumns()
        columns.removeAll(readingStarts: selector.readsStarts)
        do {
            try set.decode(
                index, from: windows.from.milliseconds, through: windows.through.milliseconds, into: &columns)
        } catch { throw QueryError(storage: error) }
        guard columns.count > 0 else { return result }
        let last = columns.count - 1, end = windows.through.milliseconds, time = columns.timestamps[last]
        for index in max(0, last - Self.samplesBefore)...last {
            let histogram = columns.histograms.histogram(sample: index)?.description
            let notes = [index == last ? "taken" : nil, histogram.map { "the sum of \($0)" }]
            result.samples.append(
                .init(
                    time: Timestamp(milliseconds: columns.timestamps[index]), value: columns.values[index],
                    note: notes.compactMap { $0 }.joined(separator: ", ")))
        }
        result.omittedSamples = columns.count - result.samples.count
        var steps = Arithmetic()
        let lookback = DurationText.string(milliseconds: windows.length)
        steps.note(
            "window",
            "(\(Explanation.seconds(windows.from.milliseconds - 1)), \(Explanation.seconds(end))], the lookback of "
                + "\(lookback): \(columns.count) samples, the newest one counts")
        steps.step(
            "age", "(\(digits(milliseconds: end)) - \(digits(milliseconds: time))) / 1000", Double(end - time) / 1000,
            "seconds")
        if selector.yieldsTimestamps && selector.readsStarts {
            let start = columns.start(ofSample: last)
            steps.step("result", "\(digits(milliseconds: start)) / 1000", Double(start) / 1000, "when the sample's count began")
        } else if selector.yieldsTimestamps {
            steps.step("result", "\(digits(milliseconds: time)) / 1000", Double(time) / 1000, "the sample's own time")
        } else {
            steps.given("result", columns.values[last], row.histogram == nil ? "" : Self.valueIsSum)
        }
        result.steps += steps.steps
        return result
    }
}

extension SelectorPlan {
    /// The same selector, for the series with these labels; the name may be missing.
    func narrowed(to labels: Labels) -> SelectorPlan {
        var plan = self
        plan.matchers += labels.pairs.map { Matcher.equal($0.name, $0.value) }
        return plan
    }
}
