import Support
import TSDB
import Testing

@testable import PromQL

/// The arithmetic behind a point comes to the point, and whoever recomputes what is printed gets the same.
@Suite("derivations of points")
struct DerivationTests {
    /// The value of a formula, by the engine itself: formulas are PromQL.
    private func value(of formula: String) throws -> Double {
        let result = try Engine().instant(formula, on: MemorySeries(), at: Timestamp(milliseconds: 0))
        guard case .scalar(let value, _) = result.value else { throw QueryError(.evaluation, "no scalar") }
        return value
    }

    private func derive(
        _ query: String, _ labels: Labels? = nil, at time: Int64, on storage: any Queryable,
        steps: PointSteps = .instant
    ) throws -> Derivation {
        try Engine().explainPoint(
            try Parser.parse(query, options: .everything), query, of: labels, at: Timestamp(milliseconds: time),
            steps: steps, on: storage)
    }

    private func counter(_ samples: [(Int64, Double)], _ labels: Labels = ["__name__": "x", "job": "api"])
        -> MemorySeries
    {
        let storage = MemorySeries()
        for (time, value) in samples { storage.append(labels, time, value) }
        return storage
    }

    @Test("rate, worked by hand: a reset, a gap that is too long at the start, a short one at the end")
    func rate() throws {
        let storage = counter([(100_000, 10), (115_000, 25), (130_000, 5), (145_000, 20), (160_000, 30)])
        let point = try derive("rate(x[2m])", at: 165_000, on: storage)
        func step(_ name: String) throws -> Derivation.Step { try #require(point.steps.first { $0.name == name }) }
        #expect(try step("first sample").value == 10 && step("last sample").value == 30)
        #expect(try step("increase").value == 20 && step("increase").formula == "30 - 10")
        #expect(try step("reset").value == 45 && step("reset").formula == "20 + 25")
        #expect(try step("measured").formula == "(160000 - 100000) / 1000" && step("measured").value == 60)
        #expect(try step("average distance").value == 15)
        #expect(try step("threshold").formula == "15 * 1.1")
        #expect(try step("gap at the start").value == 55)
        #expect(try step("stretch at the start").formula == "15 / 2")
        #expect(try step("gap at the end").value == 5)
        // 60 · 10/45 s before the first sample the counter would have been zero: farther away than 7.5 s.
        #expect(try step("from zero").formula == "60 * (10 / 45)")
        #expect(try step("factor").formula == "(60 + 7.5 + 5) / 60")
        let wanted: Double = 45.0 * (72.5 / 60.0 / 120.0)
        #expect(point.value == wanted)
        #expect(point.outcome == point.value)
        #expect(point.samples.map(\.value) == [10, 25, 5, 20, 30] && point.samples[2].note == "reset")
        #expect(point.expression == "rate(x[2m])" && point.labels == ["job": "api"])
    }

    @Test("a counter is stretched to its zero, and no further")
    func zero() throws {
        let storage = counter([(10_000, 1), (25_000, 10), (40_000, 19)])
        let point = try derive("increase(x[1m])", at: 45_000, on: storage)
        let fromZero = try #require(point.steps.first { $0.name == "from zero" })
        let toZero: Double = 30.0 * (1.0 / 18.0)
        #expect(fromZero.value == toZero && fromZero.note.hasPrefix("the counter was zero"))
        let factor: Double = (30.0 + toZero + 5.0) / 30.0
        #expect(point.outcome == point.value && point.value == 18.0 * factor)
    }

    @Test("a quantile shows its bucket: one slow request reads as more than two seconds (bucket 1 to 2.5)")
    func quantile() throws {
        let storage = MemorySeries()
        for (bound, count) in [("0.1", 0.0), ("1", 0), ("2.5", 10), ("+Inf", 10)] {
            storage.append(["__name__": "b", "le": bound], 0, count)
        }
        let point = try derive("histogram_quantile(0.95, b)", at: 1000, on: storage)
        let wanted: Double = 1.0 + 1.5 * 0.95
        #expect(point.value == wanted)
        #expect(point.steps.last?.formula == "1 + (2.5 - 1) * (9.5 / 10)")
        #expect(point.steps.contains { $0.note == "(1, 2.5] is the first to reach the rank" })
        #expect(point.inputs.count == 4 && point.inputs[2].title == "select b" && point.inputs[2].samples.count == 1)
    }

    @Test("an aggregation names its members, the largest first, and how many it does not name")
    func members() throws {
        let storage = MemorySeries()
        for number in 0..<50 { storage.append(["__name__": "x", "i": "\(number)"], 0, Double(number)) }
        let point = try derive("sum(x)", at: 0, on: storage)
        #expect(point.value == 1225 && point.outcome == 1225)
        #expect(point.inputs.map(\.value).prefix(3) == [49, 48, 47])
        #expect(point.inputs.count == Derivation.maximumInputs && point.omittedInputs == 30)
        #expect(!point.inputs[2].steps.isEmpty && point.inputs[3].steps.isEmpty)
        let largest = try derive("topk(2, x)", ["__name__": "x", "i": "48"], at: 0, on: storage)
        #expect(largest.steps.last?.note == "1 members are greater, 2 are kept")
    }

    @Test("a join shows both sides, a comparison which value stays")
    func joins() throws {
        let storage = MemorySeries()
        storage.append(["__name__": "errors", "job": "a", "code": "500"], 0, 3)
        storage.append(["__name__": "errors", "job": "b", "code": "500"], 0, 4)
        storage.append(["__name__": "requests", "job": "a"], 0, 12)
        storage.append(["__name__": "requests", "job": "b"], 0, 16)
        let ratio = try derive(
            "errors / on (job) group_left () requests", ["job": "b", "code": "500"], at: 0, on: storage)
        #expect(ratio.steps.last?.formula == "4 / 16" && ratio.value == 0.25)
        #expect(
            ratio.inputs.map(\.labels) == [
                ["__name__": "errors", "job": "b", "code": "500"], ["__name__": "requests", "job": "b"],
            ])
        let high = try derive("requests > 13", at: 0, on: storage)
        #expect(high.value == 16 && high.steps[0].note.hasPrefix("16 > 13 holds"))
    }

    @Test("what depends on the range query is taken from it: @ end(), offsets, subqueries")
    func ranges() throws {
        let storage = counter((0..<100).map { (Int64($0) * 10_000, Double($0)) })
        let steps = PointSteps.range(
            start: Timestamp(milliseconds: 100_000), end: Timestamp(milliseconds: 700_000), step: .seconds(30))
        #expect(try derive("x @ end()", at: 200_000, on: storage, steps: steps).value == 70)
        #expect(try derive("x offset 50s", at: 200_000, on: storage).outcome == 15)
        let nested = try derive("max_over_time(rate(x[1m])[5m:1m])", at: 600_000, on: storage)
        #expect(
            nested.samples.count == 5 && nested.inputs.first?.title == "rate"
                && nested.inputs[0].time.milliseconds == 600_000)
    }

    @Test("a point that is not there is an error, and so is a name that fits several")
    func missing() throws {
        let storage = MemorySeries()
        for number in 0..<3 { storage.append(["__name__": "x", "i": "\(number)", "j": "same"], 0, 1) }
        func failure(_ query: String, _ labels: Labels?) -> String? {
            do { _ = try derive(query, labels, at: 0, on: storage) } catch let error as QueryError {
                return error.message
            } catch {}
            return nil
        }
        #expect(failure("x", nil) == "the query has 3 series at that time: say which one")
        #expect(failure("y", nil) == "the query has no value at that time")
        #expect(failure("x", ["j": "same"]) == "3 series match {j=\"same\"} at that time")
        #expect(failure("x", ["i": "7"]) == "no series {i=\"7\"} has a value at that time")
        #expect(failure("x", ["i": "2"]) == nil)
        #expect(failure("\"text\"", nil) == "only points of instant vectors and scalars can be explained")
    }

    @Test(
        "over random data and queries every step recomputes, and every part comes to the engine's value",
        arguments: TestSeed.seeds(3))
    func agreement(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var generator = QueryGenerator(seed: seed ^ 0xde71)
        let fleet = RandomFleet(seed: seed)
        var derived = 0, complete = 0, formulas = 0
        for _ in 0..<TestSeed.cases(250) {
            let query = generator.query()
            let time = Int64.random(in: 0..<RandomFleet.duration, using: &random)
            guard let expr = try? Parser.parse(query, options: .everything),
                let result = try? Engine().instant(expr, query, on: fleet.storage, at: Timestamp(milliseconds: time))
            else { continue }
            var wanted: [(Labels?, Double)] = []
            switch result.value {
            case .scalar(let value, _): wanted = [(nil, value)]
            case .vector(let vector):
                for index in 0..<min(3, vector.count) { wanted.append((vector.labels[index], vector.values[index])) }
            default: continue
            }
            for (labels, value) in wanted {
                let point: Derivation
                do {
                    point = try derive(query, labels, at: time, on: fleet.storage)
                } catch {
                    Issue.record("seed \(seed): \(query) at \(time) \(labels ?? [:]): \(error)")
                    continue
                }
                derived += 1
                #expect(point.value.isSame(as: value), "seed \(seed): \(query) at \(time)")
                #expect(
                    !point.steps.isEmpty || point.title == "number",
                    "seed \(seed): \(query) at \(time) is not explained")
                var complaints: [String] = []
                check(point, &complaints, &formulas, &complete)
                #expect(
                    complaints.isEmpty,
                    "seed \(seed): \(query) at \(time) \(labels ?? [:])\n\(complaints.joined(separator: "\n"))")
            }
        }
        // The test would be empty if most points had no arithmetic.
        #expect(derived > 150 && formulas > derived && complete > derived)
    }

    private func check(_ part: Derivation, _ complaints: inout [String], _ formulas: inout Int, _ complete: inout Int) {
        if let outcome = part.outcome {
            complete += 1
            // Two passes by hand, one in the engine: the last digits differ, and where squares leave the range of doubles.
            let isDeviation = part.title.hasPrefix("std")
            if !nearlyEqual(outcome, part.value, within: isDeviation ? 1e-6 : 0), !isDeviation || outcome.isFinite {
                complaints.append("\(part.title) \(part.labels): \(outcome) instead of \(part.value)")
            }
        } else if (!part.inputs.isEmpty || !part.samples.isEmpty) && !part.steps.contains(where: { $0.note == PointExplainer.notShown }) {
            // Where native histograms went in, the part says so instead.
            complaints.append("\(part.title) \(part.labels) has inputs and no arithmetic")
        }
        for step in part.steps where !step.formula.isEmpty {
            guard let wanted = step.value else { continue }
            formulas += 1
            let got = try? value(of: step.formula)
            if !(got.map { nearlyEqual($0, wanted, within: step.formula.contains("^") ? 1e-15 : 0) } ?? false) {
                complaints.append("\(part.title): \(step.formula) is \(String(describing: got)), not \(wanted)")
            }
        }
        for input in part.inputs { check(input, &complaints, &formulas, &complete) }
    }

    private func nearlyEqual(_ a: Double, _ b: Double, within tolerance: Double) -> Bool {
        if a == b || (a.isNaN && b.isNaN) { return true }
        return (a - b).magnitude <= tolerance * max(1, max(a.magnitude, b.magnitude))
    }
}
