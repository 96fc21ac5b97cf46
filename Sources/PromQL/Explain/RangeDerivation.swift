import Numbers
import TSDB

/// Functions of range vectors: the samples of the window, and what the function makes of them.
extension PointExplainer {
    /// The samples of one series inside one window, stale markers left out.
    struct Window {
        var labels: Labels
        /// `(from, through]`, milliseconds.
        var from: Int64
        var through: Int64
        var times: [Int64] = []
        var values: [Double] = []
        /// Texts of the native histograms, by number; their sums are among the values.
        var histograms: [Int: String] = [:]
        /// When counts began, by number, where that is known: it takes part in the result.
        var starts: [Int: Int64] = [:]

        var count: Int { times.count }
        /// Its length in seconds, as Go's `Duration.Seconds` gives it.
        var seconds: Double { Double((through - from) / 1000) + Double((through - from) % 1000) / 1000 }
    }

    func explain(_ plan: RangeFunctionPlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        let windows = try self.windows(plan, part, row)
        if plan.name == "absent_over_time" {
            result.steps = [.init("result", "", 1, note: "no series has a sample in the window")]
            return result
        }
        var parameters: [Double] = []
        for (index, parameter) in plan.parameters.enumerated() {
            let operand = part.operand(index + 1, parameter)
            guard let scalar = try operand.rows(self).first else { return result }
            parameters.append(scalar.value)
            if case .scalar = parameter { continue }
            result.inputs.append(try derive(operand, scalar))
        }
        // Names are gone from the labels: of several series that could be meant, the one that comes to the value is.
        var chosen: (window: Window, steps: [Derivation.Step])?
        for window in windows {
            // What `anchored` and `smoothed` do with samples beyond the window is not spelled out, nor what start times do: samples and result
            // are shown.
            let steps =
                plan.range.reach == .window && window.histograms.isEmpty && window.starts.isEmpty && row.histogram == nil
                ? RangeArithmetic(window: window, parameters: parameters, time: part.time).steps(plan.name) : []
            if chosen == nil || steps.last?.value?.isSame(as: row.value) == true { chosen = (window, steps) }
            if steps.last?.value?.isSame(as: row.value) == true { break }
        }
        guard let (window, steps) = chosen else { return result }
        var all = Arithmetic()
        all.note(
            "window",
            "(\(Explanation.seconds(window.from)), \(Explanation.seconds(window.through))]: \(window.count) samples of "
                + "\(window.labels)")
        result.steps += all.steps + steps
        if !window.histograms.isEmpty || row.histogram != nil {
            result.steps.append(.init("result", note: Self.notShown))
        } else if result.outcome == nil {
            let what = window.starts.isEmpty ? "of the samples" : "of the samples and of when they began"
            let note = plan.range.reach == .window ? what : "\(plan.range.reach.rawValue): \(what)"
            result.steps.append(.init("result", "", row.value, note: note))
        }
        list(window, in: &result, isCounter: plan.name == "rate" || plan.name == "increase" || plan.name == "resets")
        if case .subquery(let inner, let step, _, _) = plan.range.source, let newest = window.times.last {
            let operand = part.operand(0, inner, at: newest)
            if let source = try operand.rows(self).first(where: { $0.labels == window.labels }) {
                result.inputs.append(try derive(operand, source))
                let step = DurationText.string(milliseconds: step.milliseconds)
                if let place = result.steps.firstIndex(where: { $0.name == "window" }) {
                    result.steps[place].note += ", one every \(step); the newest is shown beneath"
                }
            }
        }
        return result
    }

    private func list(_ window: Window, in result: inout Derivation, isCounter: Bool) {
        let first = max(0, window.count - Derivation.maximumSamples)
        for index in first..<window.count {
            let histogram = window.histograms[index]
            let fell = isCounter && index > 0 && histogram == nil && window.values[index] < window.values[index - 1]
            result.samples.append(
                .init(
                    time: Timestamp(milliseconds: window.times[index]), value: window.values[index],
                    note: [
                        fell ? "reset" : histogram.map { "the sum of \($0)" },
                        window.starts[index].map { "began at \(Explanation.seconds($0))" },
                    ].compactMap { $0 }.joined(separator: ", ")))
        }
        result.omittedSamples = first
    }

    /// The windows of all series that could have become `row`.
    private func windows(_ plan: RangeFunctionPlan, _ part: Part, _ row: Row) throws(QueryError) -> [Window] {
        var range = plan.range
        if case .selector(let selector) = range.source, plan.name != "absent_over_time" {
            range.source = .selector(selector.narrowed(to: row.labels))
        }
        let (source, grid) = try builder.source(range, self.grid(at: part.time))
        let scratch = Scratch()
        var found: [Window] = []
        for index in 0..<source.count {
            let labels = source.labels(at: index)
            guard labels == row.labels || labels.droppingName() == row.labels else { continue }
            try source.load(index, into: scratch, context: context)
            var window = Window(labels: labels, from: grid.end(0) - grid.length, through: grid.end(0))
            for position in 0..<scratch.samples.count {
                let time = scratch.samples.timestamps[position]
                let isInside = time > window.from && time <= window.through
                guard isInside || plan.range.reach != .window else { continue }
                if let histogram = scratch.samples.histograms.histogram(sample: position) {
                    window.histograms[window.count] = histogram.description
                }
                let start = scratch.samples.start(ofSample: position)
                if start != 0 { window.starts[window.count] = start }
                window.times.append(time)
                window.values.append(scratch.samples.values[position])
            }
            if window.count > 0 { found.append(window) }
        }
        return found
    }
}

/// The functions of one window, step by step. Empty where a function has no arithmetic worth spelling out.
struct RangeArithmetic {
    let window: PointExplainer.Window
    /// The scalar arguments.
    let parameters: [Double]
    /// When the part is evaluated, milliseconds.
    let time: Int64

    var values: [Double] { window.values }
    var times: [Int64] { window.times }
    var last: Int { window.count - 1 }

    func steps(_ name: String) -> [Derivation.Step] {
        guard window.count > 0 else { return [] }
        switch name {
        case "rate": return rate(isCounter: true, isPerSecond: true)
        case "increase": return rate(isCounter: true, isPerSecond: false)
        case "delta": return rate(isCounter: false, isPerSecond: false)
        case "irate": return instantRate(isRate: true)
        case "idelta": return instantRate(isRate: false)
        case "deriv": return regression(origin: times[0], ahead: nil)
        case "predict_linear": return regression(origin: time, ahead: parameters.first)
        case "quantile_over_time": return QuantileArithmetic.steps(values, parameters.first ?? .nan)
        case "sum_over_time", "avg_over_time": return sum(isMean: name == "avg_over_time")
        case "stdvar_over_time": return DeviationArithmetic.steps(values, isRoot: false)
        case "stddev_over_time": return DeviationArithmetic.steps(values, isRoot: true)
        default: return plain(name)
        }
    }

    private func plain(_ name: String) -> [Derivation.Step] {
        func at(_ index: Int) -> String { "at \(Explanation.seconds(times[index]))" }
        switch name {
        case "count_over_time": return [.init("result", "", Double(window.count), note: "samples")]
        case "present_over_time": return [.init("result", "", 1, note: "there are samples")]
        case "first_over_time": return [.init("result", "", values[0], note: at(0))]
        case "last_over_time": return [.init("result", "", values[last], note: at(last))]
        case "ts_of_first_over_time":
            return [.init("result", "\(digits(milliseconds: times[0])) / 1000", Double(times[0]) / 1000)]
        case "ts_of_last_over_time":
            return [.init("result", "\(digits(milliseconds: times[last])) / 1000", Double(times[last]) / 1000)]
        case "min_over_time", "max_over_time":
            // NaN gives way to any number; of equal ones the first is named.
            var best = 0
            for index in 1..<max(1, window.count) {
                let isBetter = name == "min_over_time" ? values[index] < values[best] : values[index] > values[best]
                if isBetter || values[best].isNaN { best = index }
            }
            return [.init("result", "", values[best], note: at(best))]
        case "changes", "resets":
            var count = 0
            for index in 1..<max(1, window.count) {
                let a = values[index - 1], b = values[index]
                if name == "resets" ? b < a : b != a && !(a.isNaN && b.isNaN) { count += 1 }
            }
            return [.init("result", "", Double(count), note: name == "resets" ? "falls" : "changes")]
        default: return []
        }
    }

    private func sum(isMean: Bool) -> [Derivation.Step] {
        SumArithmetic.steps(values, isMean: isMean, lists: "the samples, oldest first")
    }

    private func instantRate(isRate: Bool) -> [Derivation.Step] {
        guard window.count >= 2 else { return [] }
        var steps = Arithmetic()
        let a = values[last - 1], b = values[last]
        let isReset = isRate && b < a
        let difference = isReset ? b : b - a
        steps.step(
            "difference", isReset ? digits(b) : "\(digits(b)) - \(digits(a))", difference,
            isReset ? "the counter began again at zero" : "of the last two samples")
        guard isRate else {
            steps.given("result", difference)
            return steps.steps
        }
        let distance = Double(times[last] - times[last - 1]) / 1000
        steps.step(
            "distance", "(\(digits(milliseconds: times[last])) - \(digits(milliseconds: times[last - 1]))) / 1000",
            distance, "seconds")
        steps.step("result", "\(digits(difference)) / \(digits(distance))", difference / distance)
        return steps.steps
    }

    private func regression(origin: Int64, ahead: Double?) -> [Derivation.Step] {
        guard window.count >= 2 else { return [] }
        let line = LinearRegression(times, values, count: window.count, origin: origin)
        var steps = Arithmetic()
        steps.note(
            "line", "by least squares through \(window.count) samples, x in seconds from \(Explanation.seconds(origin))"
        )
        steps.given("slope", line.slope, "(Σxy − Σx·Σy/n) / (Σx² − (Σx)²/n)")
        guard let ahead else {
            steps.given("result", line.slope)
            return steps.steps
        }
        steps.given("intercept", line.intercept, "Σy/n − slope·Σx/n")
        steps.step(
            "result", "\(digits(line.slope)) * \(digits(ahead)) + \(digits(line.intercept))",
            line.slope * ahead + line.intercept)
        return steps.steps
    }
}
