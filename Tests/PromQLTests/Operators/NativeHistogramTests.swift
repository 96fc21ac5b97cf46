import Histograms
import Support
import TSDB
import Testing

@testable import PromQL

/// Native histograms on their way through selectors, operators and aggregations. What upstream's scripts say is not said again.
@Suite("native histograms in operators")
struct NativeHistogramTests {
    /// Count and sum follow from the buckets: bucket `i` is (2^(i−1), 2^i], each observation as large as its bound.
    private func histogram(_ buckets: [Double], hint: CounterResetHint = .unknown, custom: [Double] = []) -> FloatHistogram {
        var result = FloatHistogram(
            hint: hint, schema: custom.isEmpty ? 0 : FloatHistogram.customSchema,
            positiveSpans: [BucketSpan(offset: 0, length: UInt32(buckets.count))], positiveBuckets: buckets,
            customBounds: custom)
        result.count = buckets.reduce(0, +)
        for (index, value) in buckets.enumerated() { result.sum += value * Double(1 << index) }
        return result
    }

    /// Series `name{i="…"}` with a sample each at 0 s, 15 s, …
    private func storage(_ name: String, _ series: [[FloatHistogram?]], floats: [[Double?]] = []) -> MemorySeries {
        let storage = MemorySeries()
        for (number, samples) in series.enumerated() {
            for (step, sample) in samples.enumerated() {
                guard let sample else { continue }
                storage.append(["__name__": name, "i": "\(number)"], Int64(step) * 15_000, sample)
            }
        }
        for (number, samples) in floats.enumerated() {
            for (step, sample) in samples.enumerated() {
                guard let sample else { continue }
                storage.append(["__name__": name, "i": "\(number + series.count)"], Int64(step) * 15_000, sample)
            }
        }
        return storage
    }

    private func range(
        _ query: String, _ storage: MemorySeries, steps: Int, _ options: EngineOptions = EngineOptions()
    ) throws -> (matrix: RangeMatrix, result: QueryResult) {
        let result = try Engine(options).range(
            query, on: storage, start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: Int64(steps - 1) * 15_000),
            step: .seconds(15))
        guard case .matrix(let matrix) = result.value else { throw QueryError(.evaluation, "no matrix") }
        return (matrix, result)
    }

    private func vector(_ query: String, _ storage: MemorySeries) throws -> (vector: InstantVector, result: QueryResult) {
        let result = try Engine().instant(query, on: storage, at: Timestamp(milliseconds: 0))
        guard case .vector(let vector) = result.value else { throw QueryError(.evaluation, "no vector") }
        return (vector, result)
    }

    @Test("a selector answers the newest histogram; one whose sum is the stale marker ends the series")
    func selector() throws {
        var stale = histogram([0])
        stale.sum = StaleMarker.value
        let one = histogram([1, 2]), two = histogram([2, 2])
        let (matrix, _) = try range("h", storage("h", [[one, nil, two, stale, nil]]), steps: 5)
        #expect(matrix.histograms(ofRow: 0).map(\.step) == [0, 1, 2])
        #expect(matrix.histograms(ofRow: 0).map(\.histogram.count) == [3, 3, 4])
        #expect(matrix.pointCount(ofRow: 0) == 0)
    }

    @Test("a series that turns from floats to histograms and back is one series")
    func turns() throws {
        let storage = storage("x", [[histogram([1]), nil, histogram([3])]])
        storage.append(["__name__": "x", "i": "0"], 15_000, 7.0)
        for query in ["x", "x or x", "x and x", "x unless y", "limitk(1, x)", "abs(y) or x"] {
            var options = EngineOptions()
            options.parser = .everything
            let (matrix, _) = try range(query, storage, steps: 3, options)
            #expect(matrix.histograms(ofRow: 0).map(\.step) == [0, 2], "\(query)")
            #expect(matrix.pointCount(ofRow: 0) == 1, "\(query)")
        }
    }

    @Test("what is the same at every step is computed once and stands at all of them")
    func invariant() throws {
        let (matrix, _) = try range("sum(h @ 0) * 2", storage("h", [[histogram([1, 2])], [histogram([1, 0])]]), steps: 70)
        #expect(matrix.histograms(ofRow: 0).count == 70)
        #expect(matrix.histograms(ofRow: 0).allSatisfy { $0.histogram.count == 8 && $0.histogram.positiveBuckets == [4, 4] })
    }

    @Test("a sign negates every bucket; the histogram in storage stays as it is")
    func negation() throws {
        // With a label of its own, or the two would be one to `or`.
        let (matrix, _) = try range("-h or label_replace(h, \"j\", \"1\", \"\", \"\")", storage("h", [[histogram([1, 2])]]), steps: 2)
        let sums = (0..<matrix.count).map { matrix.histograms(ofRow: $0).map(\.histogram.sum) }
        #expect(sums.sorted { $0[0] < $1[0] } == [[-5, -5], [5, 5]])
    }

    @Test("sum adds up the newest histogram of every series, bucket by bucket", arguments: TestSeed.seeds(4))
    func sums(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var series: [[FloatHistogram?]] = []
        for _ in 0..<40 {
            series.append(
                (0..<5).map { _ in
                    Int.random(in: 0..<4, using: &random) == 0
                        ? nil : histogram((0..<Int.random(in: 1..<5, using: &random)).map { _ in Double.random(in: 0..<9, using: &random) })
                })
        }
        let (matrix, _) = try range("sum(h)", storage("h", series), steps: 5)
        for (step, result) in matrix.histograms(ofRow: 0) {
            // The newest of each series.
            let wanted = series.compactMap { row in (0...step).reversed().lazy.compactMap { row[$0] }.first }
            let count = wanted.reduce(0.0) { $0 + $1.count }
            #expect(abs(result.count - count) < 1e-9, "seed \(seed)")
        }
    }

    @Test("an average whose sum would leave the range of doubles goes on as a running mean")
    func runningMean() throws {
        let big = histogram([1e308])
        let (vector, _) = try vector("avg(h)", storage("h", [[big], [big], [big]]))
        let mean = try #require(vector.histogram(0))
        #expect(abs(mean.count / 1e308 - 1) < 1e-15 && mean.positiveBuckets.allSatisfy { $0.isFinite })
    }

    @Test("floats and histograms in one group: the element goes, whichever came first, and a warning says why")
    func mixture() throws {
        for query in ["sum(x)", "avg(x)"] {
            let answer = try vector(query, storage("x", [[histogram([1])]], floats: [[2]]))
            #expect(answer.vector.count == 0)
            #expect(
                answer.result.warnings == [
                    "PromQL warning: encountered a mix of histograms and floats for aggregation (1:5)"
                ])
        }
        let answer = try vector(
            "sum({__name__=~\"a|b\"})",
            {
                let storage = storage("b", [[histogram([1])]])
                storage.append(["__name__": "a"], 0, 1.0)
                return storage
            }())
        #expect(answer.vector.count == 0 && answer.result.warnings.count == 1)
    }

    @Test("aggregations of numbers leave histograms out and say so; those that count do not mind")
    func ignored() throws {
        let storage = storage("x", [[histogram([1, 1])]], floats: [[4], [6]])
        for (query, value) in [("min(x)", 4.0), ("max(x)", 6), ("stddev(x)", 1), ("stdvar(x)", 1), ("quantile(0.5, x)", 5)] {
            let (vector, result) = try vector(query, storage)
            #expect(vector.values == [value] && vector.histogram(0) == nil, "\(query)")
            let name = query.prefix { $0 != "(" }
            #expect(result.infos.count == 1 && result.infos[0].hasPrefix("PromQL info: ignored histogram in \(name) aggregation"))
        }
        for (query, count) in [("topk(5, x)", 2), ("bottomk(5, x)", 2)] {
            let (vector, result) = try vector(query, storage)
            #expect(vector.count == count && result.infos.count == 1 && result.infos[0].hasSuffix("(1:1)"), "\(query)")
        }
        for (query, value) in [("count(x)", 3.0), ("group(x)", 1)] {
            let (vector, result) = try vector(query, storage)
            #expect(vector.values == [value] && result.infos.isEmpty)
        }
        let (none, _) = try vector("min(x{i=\"0\"})", storage)
        #expect(none.count == 0)
    }

    @Test("count_values counts equal histograms by their text")
    func countValues() throws {
        let storage = storage("x", [[histogram([1, 1])], [histogram([1, 1])], [histogram([1, 2])]], floats: [[3]])
        let (vector, _) = try vector("count_values(\"v\", x)", storage)
        let counts = Dictionary(uniqueKeysWithValues: zip(vector.labels.map { $0["v"] ?? "" }, vector.values))
        #expect(counts[histogram([1, 1]).description] == 2 && counts[histogram([1, 2]).description] == 1)
        #expect(counts["3"] == 1 && counts.count == 3)
    }

    @Test("operations that these types do not have give nothing, and an info with both types")
    func types() throws {
        let storage = storage("x", [[histogram([1])]], floats: [[2]])
        for (query, types) in [
            ("x{i=\"0\"} + 1", "histogram + float"), ("1 - x{i=\"0\"}", "float - histogram"),
            ("2 / x{i=\"0\"}", "float / histogram"), ("x{i=\"0\"} > 1", "histogram > float"),
            ("x{i=\"0\"} * on() x{i=\"0\"}", "histogram * histogram"), ("x{i=\"1\"} </ 3", "float </ float"),
            ("x{i=\"0\"} atan2 on() x{i=\"1\"}", "histogram atan2 float"), ("x{i=\"0\"} == bool 1", "histogram == float"),
        ] {
            let (vector, result) = try vector(query, storage)
            let op = types.split(separator: " ")[1]
            #expect(vector.count == 0, "\(query)")
            #expect(
                result.infos
                    == ["PromQL info: incompatible sample types encountered for binary operator \"\(op)\": \(types) (1:1)"],
                "\(query)")
        }
    }

    @Test("a column with both kinds is worked on step by step: floats as ever, histograms as theirs")
    func mixedColumns() throws {
        let storage = storage("x", [[histogram([1, 1]), nil, histogram([2, 2])]])
        storage.append(["__name__": "x", "i": "0"], 15_000, 7.0)
        let (matrix, result) = try range("x * 3", storage, steps: 3)
        #expect(matrix.histograms(ofRow: 0).map(\.histogram.count) == [6, 12])
        matrix.forEachPoint(ofRow: 0) { step, value in #expect(step == 1 && value == 21) }
        #expect(result.infos.isEmpty)
        let (filtered, notes) = try range("x > 3", storage, steps: 3)
        #expect(filtered.pointCount == 1 && notes.infos.count == 1)
        let (equal, _) = try range("x == bool x", storage, steps: 3)
        #expect(equal.pointCount(ofRow: 0) == 3 && equal.histograms(ofRow: 0).isEmpty)
    }

    @Test("exponential and custom buckets do not add up: nothing, and a warning that names the operator")
    func layouts() throws {
        let storage = storage("h", [[histogram([1])], [histogram([1, 1], custom: [5, 10])]])
        let (vector, result) = try vector("h{i=\"0\"} - on() h{i=\"1\"}", storage)
        #expect(vector.count == 0)
        #expect(result.warnings == ["PromQL warning: incompatible bucket layout encountered for binary operator - (1:1)"])
        let sum = try self.vector("sum(h)", storage)
        #expect(sum.vector.count == 0)
        #expect(
            sum.result.warnings == [
                "PromQL warning: vector contains a mix of histograms with exponential and custom buckets schemas for metric name \"h\" (1:5)"
            ])
    }

    @Test("trimming between two numbers is refused as upstream refuses it")
    func trimmedNumbers() throws {
        #expect(throws: QueryError(.evaluation, "operator \"</\" not allowed for Scalar operations", range: 0..<6)) {
            try Engine().instant("1 </ 2", on: MemorySeries(), at: Timestamp(milliseconds: 0))
        }
    }

    @Test("a histogram counts for as many samples as its size says: bounds and statistics know")
    func samples() throws {
        let storage = storage("h", [[histogram(Array(repeating: 1, count: 100))]])
        // 168 bytes, a span and 100 buckets, and the time: 984 / 16.
        #expect(histogram(Array(repeating: 1, count: 100)).sampleCount == 61)
        let expr = try Parser.parse("h")
        let count = try Engine().countSamples(
            expr, on: storage, start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 30_000), step: .seconds(15),
            context: QueryContext())
        #expect(count.perStep == [61, 61, 61])
        var options = EngineOptions()
        options.maxSamples = 100
        #expect(throws: QueryError.self) { try range("h", storage, steps: 3, options) }
        #expect(try range("histogram_count(h)", storage, steps: 3, options).matrix.pointCount == 3)
    }

    @Test("what only counts and sums are wanted of is read without buckets, with resets found before they go")
    func statistics() throws {
        func selectors(_ query: String) throws -> [Bool] {
            var found: [Bool] = []
            func visit(_ node: PlanNode) -> PlanNode {
                if case .selector(let plan) = node { found.append(plan.readsStatistics) }
                if case .rangeFunction(let plan) = node, case .selector(let selector) = plan.range.source {
                    found.append(selector.readsStatistics)
                }
                return node.mapChildren(visit)
            }
            let zero = Timestamp(milliseconds: 0)
            _ = visit(try Engine().plan(try Parser.parse(query), start: zero, end: zero, step: .zero).root)
            return found
        }
        #expect(try selectors("histogram_count(sum(rate(h[5m])))") == [true])
        #expect(try selectors("histogram_sum(h) + histogram_quantile(0.9, h)") == [true, false])
        #expect(try selectors("histogram_count(h </ 2)") == [false])
        #expect(try selectors("histogram_avg(histogram_quantile(0.9, h))") == [false])
        #expect(try selectors("sum_over_time(histogram_count(h)[5m:1m])") == [false])
        #expect(try selectors("h") == [false])
    }

    @Test("derivations of histograms show them in words and no arithmetic of their sums")
    func derivations() throws {
        let storage = storage("h", [[histogram([1, 2])], [histogram([3, 4])]])
        for query in ["sum(h)", "h * 2", "-h", "count(h)", "h + h", "h == bool h", "rate(h[1m])", "histogram_count(h)", "h and h"] {
            let vector = try vector(query, storage)
            guard vector.vector.count > 0 else { continue }
            let derivation = try Engine().explainPoint(
                try Parser.parse(query), query, of: vector.vector.labels[0], at: Timestamp(milliseconds: 0), on: storage)
            #expect(derivation.steps.contains { $0.note == PointExplainer.notShown }, "\(query)")
            #expect(derivation.steps.allSatisfy { $0.formula.isEmpty }, "\(query)")
            #expect(!derivation.inputs.isEmpty, "\(query)")
        }
        let selected = try Engine().explainPoint(
            try Parser.parse("h"), "h", of: ["__name__": "h", "i": "1"], at: Timestamp(milliseconds: 0), on: storage)
        #expect(selected.samples.first?.note.hasPrefix("taken, the sum of ") == true)
        #expect(selected.lines.joined(separator: "\n").contains(histogram([3, 4]).description))
    }
}
