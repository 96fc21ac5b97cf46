import PromQL
import RegularExpression
import Support
import TSDB

/// Runs a script against an engine, and tells for each eval whether its answer was the expected one.
///
/// Skipped, not judged: constructs that the engine says it does not implement.
struct ScriptRunner {
    enum Verdict: Equatable {
        case passed
        case skipped(String)
        case failed(String)
    }

    struct Outcome {
        var line: Int
        var query: String
        var verdict: Verdict
    }

    let engine: any ScriptEngine

    func run(_ script: Script) -> [Outcome] {
        let storage = MemorySeries()
        var outcomes: [Outcome] = []
        for command in script.commands {
            switch command {
            case .clear: storage.removeAll()
            case .load(let load): load.write(to: storage)
            case .evaluate(let evaluation):
                let verdict = judge(evaluation, on: storage)
                outcomes.append(Outcome(line: evaluation.line, query: evaluation.query, verdict: verdict))
            }
        }
        return outcomes
    }

    private func judge(_ evaluation: Script.Evaluation, on storage: MemorySeries) -> Verdict {
        do {
            let answer = try answer(evaluation.query, evaluation.times, by: engine, on: storage)
            if evaluation.failure != nil { return .failed("answered instead of failing:\n\(answer.value)") }
            if let complaint = evaluation.complaint(about: answer) { return .failed(complaint) }
            return try checkFurther(evaluation, answer.value, on: storage)
        } catch {
            return judge(error, evaluation)
        }
    }

    private func answer(
        _ query: String, _ times: Script.Evaluation.Times, by engine: any ScriptEngine, on storage: MemorySeries
    ) throws -> ScriptAnswer {
        switch times {
        case .instant(let time):
            return try engine.instant(query, on: storage, at: Timestamp(milliseconds: time))
        case .range(let start, let end, let step):
            return try engine.range(
                query, on: storage, start: Timestamp(milliseconds: start), end: Timestamp(milliseconds: end),
                step: .milliseconds(step))
        }
    }

    private func judge(_ error: any Error, _ evaluation: Script.Evaluation) -> Verdict {
        // Of a query that does not parse upstream shows the place, too; other complaints about it come without.
        var texts = ["\(error)"]
        if let error = error as? QueryError {
            if error.code == .notImplemented { return .skipped("not implemented: \(error.message)") }
            texts = [error.message, error.positioned(in: evaluation.query)]
        }
        guard let expected = evaluation.failure else { return .failed("failed: \(texts[0])") }
        return texts.contains(where: expected.isMet) ? .passed : .failed("failed with another text: \(texts[0])")
    }

    // MARK: - Further checks

    /// The same answer must come out another way: as a step of a range query, and at other times with every selector
    /// held fast by `@`.
    private func checkFurther(
        _ evaluation: Script.Evaluation, _ value: PlainValue, on storage: MemorySeries
    ) throws -> Verdict {
        guard case .instant(let time) = evaluation.times, !evaluation.isOrdered, value.isVectorOrScalar else {
            return .passed
        }
        guard let expr = try? Parser.parse(evaluation.query, options: .everything) else { return .passed }
        let plan = FixedTimes(expr, at: time)
        if plan.usesQueryTimes { return .passed }

        let minute: Int64 = 60_000
        let around = Script.Evaluation.Times.range(start: time - minute, end: time + minute, step: minute)
        let range = try answer(evaluation.query, around, by: engine, on: storage)
        if let complaint = evaluation.complaint(about: ScriptAnswer(value: range.value.instant(at: time, like: value))) {
            return .failed("as a step of a range query: \(complaint)")
        }
        for other in plan.otherTimes {
            let shifted = try engine.instant(plan.query, on: storage, at: Timestamp(milliseconds: other))
            if let complaint = evaluation.complaint(about: ScriptAnswer(value: shifted.value)) {
                return .failed("with all selectors at \(time) ms, evaluated at \(other) ms: \(plan.query)\n\(complaint)")
            }
        }
        return .passed
    }
}

extension Script.Load {
    func write(to storage: MemorySeries) {
        for row in series {
            for (index, item) in row.values.enumerated() {
                let time = Int64(index) * step
                switch item {
                case .gap: break
                case .value(let value): storage.append(row.labels, time, value)
                case .histogram(let histogram, _): storage.append(row.labels, time, histogram)
                }
                if let distances = starts[row.labels], let distance = distances[index] {
                    storage.setStart(row.labels, time, time + distance)
                }
            }
        }
        if addsNativeHistograms {
            for (labels, histograms) in nativeHistograms {
                for (time, histogram) in histograms { storage.append(labels, time, histogram) }
            }
        }
    }
}
