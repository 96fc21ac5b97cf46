import Support
import TSDB
import Testing

@testable import PromQL

@Suite("Functions of values")
struct ValueFunctionTests {
    /// A function of one series with one value per step.
    private func values(_ query: String, _ input: [Double], _ parameters: DrawnScalar...) throws -> [Double?] {
        let vector = DrawnVector(rows: [(labels: ["__name__": "x"], values: input)])
        let bench = Bench(steps: input.count)
        let result: any VectorOperator
        switch parameters.count {
        case 0: result = try bench.call(query, vector)
        case 1: result = try bench.call(query, vector, parameters[0])
        default: result = try bench.call(query, vector, parameters[0], parameters[1])
        }
        #expect(result.labels(at: 0).isEmpty)
        let rows = try result.cells(steps: input.count)
        return rows.first?.1 ?? Array(repeating: nil, count: input.count)
    }

    @Test(
        "functions of one number",
        arguments: [
            ("abs(x)", -2.5, 2.5), ("ceil(x)", -1.5, -1), ("floor(x)", -1.5, -2), ("exp(x)", 0, 1), ("sqrt(x)", 9, 3),
            ("ln(x)", 1, 0), ("ln(x)", 0, -.infinity), ("log2(x)", 8, 3), ("log10(x)", 0.01, -2), ("sgn(x)", -3, -1),
            ("sgn(x)", .infinity, 1), ("deg(x)", .pi, 180), ("rad(x)", 180, .pi), ("sin(x)", 0, 0), ("cos(x)", 0, 1),
            ("tan(x)", 0, 0), ("asin(x)", 1, .pi / 2), ("acos(x)", 1, 0), ("atan(x)", .infinity, .pi / 2),
            ("sinh(x)", 0, 0), ("cosh(x)", 0, 1), ("tanh(x)", .infinity, 1), ("asinh(x)", 0, 0), ("acosh(x)", 1, 0),
            ("atanh(x)", 1, .infinity),
        ] as [(String, Double, Double)])
    func oneNumber(_ query: String, _ input: Double, _ expected: Double) throws {
        #expect(try values(query, [input]) == [expected])
    }

    @Test("out of their domain functions give NaN", arguments: ["sqrt(x)", "ln(x)", "log2(x)", "acosh(x)"])
    func outOfDomain(_ query: String) throws {
        #expect(try values(query, [-4])[0]?.isNaN == true)
    }

    @Test("all functions of one number leave gaps as they are")
    func gaps() throws {
        for name in MathFunction.Name.allCases.map(\.rawValue) {
            let vector = DrawnVector([(["__name__": "x", "a": "b"], "0.5 _ 0.5")])
            let rows = try Bench(steps: 3).call("\(name)(x)", vector).cells(steps: 3)
            #expect(rows[0].1.map { $0 != nil } == [true, false, true], "\(name)")
            #expect(rows[0].0 == ["a": "b"])
        }
    }

    @Test("clamp presses into the range; NaN stays, and an empty range gives nothing")
    func clamp() throws {
        #expect(try values("clamp(x, 2, 5)", [1, 3, 9], DrawnScalar(2), DrawnScalar(5)) == [2, 3, 5])
        #expect(try values("clamp(x, 5, 2)", [1, 3, 9], DrawnScalar(5), DrawnScalar(2)) == [nil, nil, nil])
        #expect(try values("clamp(x, 2, time())", [9, 9], DrawnScalar(2), DrawnScalar(1, 4)) == [nil, 4])
        #expect(try values("clamp_min(x, 2)", [1, 3], DrawnScalar(2)) == [2, 3])
        #expect(try values("clamp_max(x, 2)", [1, 3], DrawnScalar(2)) == [1, 2])
        #expect(try values("clamp_min(x, 2)", [.nan], DrawnScalar(2))[0]?.isNaN == true)
        #expect(try values("clamp_max(x, 2)", [1], DrawnScalar(.nan))[0]?.isNaN == true)
    }

    @Test("round goes to the nearest multiple, ties up")
    func round() throws {
        #expect(try values("round(x)", [2.5, -2.5, 2.4]) == [3, -2, 2])
        #expect(try values("round(x, 5)", [12, 13, -12.5], DrawnScalar(5)) == [10, 15, -10])
        #expect(try values("round(x, 0.1)", [0.25], DrawnScalar(0.1)) == [0.3])
    }

    @Test("smaller and larger treat NaN, infinities and zeros as Go does")
    func extrema() {
        #expect(Extremum.smaller(-.infinity, .nan) == -.infinity)
        #expect(Extremum.smaller(1, .nan).isNaN && Extremum.larger(.nan, 1).isNaN)
        #expect(Extremum.larger(.nan, .infinity) == .infinity)
        #expect(Extremum.smaller(0, -0.0).sign == .minus && Extremum.larger(-0.0, 0).sign == .plus)
    }

    @Test("time is the step's, timestamp too, where there is a value")
    func time() throws {
        let bench = Bench(steps: 3, start: 1_500)
        #expect(try bench.call("time()").drawn(steps: 3) == ["{}": "1.5 61.5 121.5"])
        let vector = DrawnVector([(["__name__": "x", "a": "b"], "7 _ 7")])
        #expect(try bench.call("timestamp(x + 0)", vector).drawn(steps: 3) == ["{a=\"b\"}": "1.5 _ 121.5"])
    }

    @Test("scalar is the only value, else NaN; vector is without labels")
    func scalars() throws {
        let bench = Bench(steps: 3)
        let vector = DrawnVector([(["a": "1"], "1 _ 3"), (["a": "2"], "_ _ 4")])
        #expect(try bench.call("scalar(x)", vector).drawn(steps: 3) == ["{}": "1 NaN NaN"])
        #expect(try bench.call("vector(1)", DrawnScalar(4)).drawn(steps: 3) == ["{}": "4 4 4"])
        #expect(try bench.call("max_of(1, 2)", DrawnScalar(1, 5), DrawnScalar(3)).drawn(steps: 3) == ["{}": "3 5 5"])
        #expect(try bench.call("min_of(1, 2)", DrawnScalar(1, 5), DrawnScalar(3)).drawn(steps: 3) == ["{}": "1 3 3"])
    }

    @Test("absent is 1 where nothing is, labelled by the selector's equalities")
    func absent() throws {
        let bench = Bench(steps: 3)
        let vector = DrawnVector([(["a": "1"], "1 _ _"), (["a": "2"], "_ _ 4")])
        #expect(
            try bench.call("absent(x{job=\"a\", pod=~\"b.*\", le!=\"1\"})", vector).drawn(steps: 3)
                == ["{job=\"a\"}": "_ 1 _"])
        #expect(try bench.call("absent(x{job=\"a\", job=\"b\", foo=\"c\"})", vector).drawn(steps: 3) == ["{foo=\"c\"}": "_ 1 _"])
        #expect(try bench.call("absent(sum(x))", vector).drawn(steps: 3) == ["{}": "_ 1 _"])
    }

    @Test("functions of native histograms find none among floats")
    func nativeHistograms() throws {
        let vector = DrawnVector([(["a": "1"], "1")])
        for name in ["histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar"] {
            #expect(try Bench(steps: 1).call("\(name)(x)", vector).drawn(steps: 1).values.allSatisfy { $0 == "_" })
        }
    }

    @Test("every function that the library names is built, and every instant function of the table is named")
    func library() throws {
        for name in FunctionLibrary.names {
            let signature = try #require(FunctionTable.signature(name), "\(name)")
            #expect(!signature.arguments.contains(.matrix))
        }
    }

    @Test("compensated sums keep what plain sums lose")
    func compensatedSum() {
        var sum = CompensatedSum()
        for value in [1e100, 1, -1e100] { sum.add(value) }
        #expect(sum.total == 1)
        var infinite = CompensatedSum()
        for value in [1, .infinity, 2] as [Double] { infinite.add(value) }
        #expect(infinite.total == .infinity)
        infinite.subtract(.infinity)
        #expect(infinite.total.isNaN)
        var tenths = CompensatedSum()
        for _ in 0..<10 { tenths.add(0.1) }
        #expect(tenths.total == 1)
    }

    @Test("quantiles interpolate between ranks")
    func quantiles() {
        func quantile(_ phi: Double, _ values: [Double]) -> Double {
            var values = values
            return values.withUnsafeMutableBufferPointer { Quantile.of($0, phi) }
        }
        #expect(quantile(0.5, [40, 10, 30, 20]) == 25)
        #expect(quantile(0, [3, 1, 2]) == 1)
        #expect(quantile(1, [3, 1, 2]) == 3)
        #expect(quantile(-0.1, [1]) == -.infinity)
        #expect(quantile(1.1, [1]) == .infinity)
        #expect(quantile(.nan, [1]).isNaN)
        #expect(quantile(0.5, []).isNaN)
        #expect(quantile(1, [.nan, 2, 1]) == 2)
        #expect(quantile(0, [2, .nan, 1]).isNaN)
    }
}
