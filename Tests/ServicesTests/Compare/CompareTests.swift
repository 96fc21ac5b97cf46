import PrometheusClient
import TSDB
import Testing

@testable import Compare

@Suite("Two answers are compared in everything that PromQL defines, and in nothing else")
struct ComparedAnswersTests {
    private func vector(_ elements: [(String, Double)]) -> QueryAnswer {
        QueryAnswer(
            status: 200,
            outcome: .success(
                .vector(
                    elements.map { name, value in
                        QueryElement(
                            labels: Labels(["x": name]), time: Timestamp(milliseconds: 5000), value: .float(value))
                    })))
    }

    private func matrix(_ all: [(String, [Int64: Double])]) -> QueryAnswer {
        QueryAnswer(
            status: 200,
            outcome: .success(
                .matrix(
                    all.map { name, points in
                        var series = QuerySeries(labels: Labels(["x": name]))
                        for (time, value) in points.sorted(by: { $0.key < $1.key }) {
                            series.times.append(Timestamp(milliseconds: time * 1000))
                            series.values.append(value)
                        }
                        return series
                    })))
    }

    private func kinds(
        _ query: String, _ a: QueryAnswer, _ b: QueryAnswer, _ tolerance: Tolerance = .exact
    ) -> [Difference.Kind] {
        AnswerComparison(tolerance: tolerance).differences(query, reference: a, test: b).map(\.kind)
    }

    @Test("a last bit is a difference unless tolerated; NaN is NaN")
    func values() {
        let a = vector([("a", 0.3), ("b", .nan)]), b = vector([("a", 0.1 + 0.2), ("b", .nan)])
        #expect(kinds("x", a, b) == [.values])
        #expect(kinds("x", a, b, .ulps(1)) == [])
        #expect(kinds("x", a, b, .relative(1e-9)) == [])
        #expect(kinds("x", vector([("a", 1)]), vector([("a", 1.1)]), .relative(1e-9)) == [.values])
    }

    private func histograms(_ all: [(String, [(Int64, QueryHistogram)])]) -> QueryAnswer {
        QueryAnswer(
            status: 200,
            outcome: .success(
                .matrix(
                    all.map { name, points in
                        var series = QuerySeries(labels: Labels(["x": name]))
                        series.histograms = points.map { (Timestamp(milliseconds: $0 * 1000), $1) }
                        return series
                    })))
    }

    @Test("histograms are compared by count, sum and buckets, each within the tolerance")
    func histograms() {
        let bucket = QueryHistogram.Bucket(bounds: .upper, lower: 1, upper: 2, count: 3)
        let a = QueryHistogram(count: 3, sum: 0.3, buckets: [bucket])
        var others: [QueryHistogram] = Array(repeating: a, count: 6)
        others[0].count = 4
        others[1].sum = 5
        others[2].buckets[0].bounds = .both
        others[3].buckets[0].upper = 2.5
        others[4].buckets[0].count = 2
        others[5].buckets.append(bucket)
        let reference = histograms([("a", [(1, a), (2, a)])])
        #expect(kinds("x", reference, reference) == [])
        for other in others {
            #expect(kinds("x", reference, histograms([("a", [(1, a), (2, other)])]), .relative(1e-9)) == [.values])
        }
        var near = a
        near.sum = 0.1 + 0.2
        near.buckets[0].lower = 1.0.nextUp
        #expect(kinds("x", reference, histograms([("a", [(1, near), (2, a)])])) == [.values])
        #expect(kinds("x", reference, histograms([("a", [(1, near), (2, a)])]), .ulps(1)) == [])
        #expect(kinds("x", reference, histograms([("a", [(1, a), (3, a)])])) == [.times])
        #expect(kinds("x", reference, matrix([("a", [1: 3, 2: 3])])).contains(.times))
        let detail = AnswerComparison().differences("x", reference: reference, test: histograms([("a", [(1, others[4]), (2, others[4])])]))
        #expect(detail.first?.detail == #"2 histograms, a histogram of {x="a"} at 1.0: bucket (1, 2] 3 and 2"#)
    }

    @Test("order counts where it is defined, and equal values may change places")
    func order() {
        let a = vector([("a", 1), ("b", 2), ("c", 2)])
        let swapped = vector([("b", 2), ("a", 1), ("c", 2)]), tie = vector([("a", 1), ("c", 2), ("b", 2)])
        #expect(kinds("x", a, swapped) == [])
        #expect(kinds("sort(x)", a, swapped) == [.order])
        #expect(kinds("sort(x)", a, tie) == [])
        #expect(kinds("topk(3, x)", a, swapped) == [.order])
        #expect(kinds("topk by (y) (3, x)", a, swapped) == [])
        #expect(
            kinds("x", matrix([("a", [1: 1]), ("b", [1: 1])]), matrix([("b", [1: 1]), ("a", [1: 1])])) == [.order])
    }

    @Test("topk may choose any of equal elements, and no other")
    func ties() {
        #expect(kinds("topk(1, x)", vector([("a", 2)]), vector([("b", 2)])) == [])
        #expect(kinds("topk(1, x)", vector([("a", 2)]), vector([("b", 1)])) == [.series])
        #expect(kinds("max(x)", vector([("a", 2)]), vector([("b", 2)])) == [.series])
        #expect(kinds("topk(1, x)", matrix([("a", [1: 2, 2: 3])]), matrix([("a", [1: 2]), ("b", [2: 3])])) == [])
        #expect(
            kinds("topk(1, x)", matrix([("a", [1: 2, 2: 3])]), matrix([("a", [1: 2]), ("b", [2: 4])])) == [.series])
    }

    @Test("missing points, series and other types are named")
    func shapes() {
        #expect(kinds("x", matrix([("a", [1: 1, 2: 1])]), matrix([("a", [1: 1])])) == [.times])
        #expect(kinds("x", matrix([("a", [1: 1])]), matrix([])) == [.series])
        #expect(kinds("x", vector([]), matrix([])) == [.resultType])
    }

    @Test("errors are compared by type and by text, notes by presence and by text")
    func errorsAndNotes() {
        func failure(_ type: String, _ text: String) -> QueryAnswer {
            QueryAnswer(status: 400, outcome: .failure(type: type, text: text))
        }
        #expect(kinds("x", failure("bad_data", "a"), failure("bad_data", "a")) == [])
        #expect(kinds("x", failure("bad_data", "a"), failure("bad_data", "b")) == [.errorText])
        #expect(kinds("x", failure("bad_data", "a"), failure("execution", "a")) == [.errorType])
        #expect(kinds("x", failure("bad_data", "a"), vector([])) == [.outcome])
        var noted = vector([]), other = vector([])
        noted.infos = ["a"]
        other.infos = ["b"]
        #expect(kinds("x", noted, vector([])) == [.infos])
        #expect(kinds("x", noted, other) == [.infoText])
        other.infos = ["b", "a"]
        noted.infos = ["a", "b"]
        #expect(kinds("x", noted, other) == [])
    }

    @Test("distances between doubles cross zero")
    func distances() {
        #expect(Tolerance.distance(1, 1.0.nextUp) == 1)
        #expect(Tolerance.distance(-Double.leastNonzeroMagnitude, .leastNonzeroMagnitude) == 2)
        #expect(Tolerance.distance(.infinity, .greatestFiniteMagnitude) == 1)
        #expect(Tolerance.distance(.nan, 1) == .max)
        #expect(Tolerance("4ulp") == .ulps(4) && Tolerance("1e-9") == .relative(1e-9) && Tolerance("0") == .exact)
        #expect(Tolerance("x") == nil && Tolerance("-1") == nil && Tolerance("nan") == nil)
    }
}

@Suite("Queries come from files, dashboards and the names of metrics")
struct ComparedQueryTests {
    @Test("a list has lines, comments and JSON objects")
    func list() {
        let queries = QueryFiles.list("# a comment\n up \n\n{\"q\": \"sum(up)\", \"cat\": \"sums\"}\n{\"a\"}\n")
        #expect(queries == [.init("file", "up"), .init("sums", "sum(up)"), .init("file", "{\"a\"}")])
    }

    @Test("a dashboard's variables get values")
    func dashboard() throws {
        let json = """
            {"title":"T","templating":{"list":[{"name":"job","current":{"value":"api"}},{"name":"all","current":{"value":["$__all"]}},
            {"name":"many","current":{"value":["a","b"]}}]},"panels":[{"targets":[{"expr":"rate(x{job=\\"$job\\"}[$__rate_interval])"}]},
            {"panels":[{"targets":[{"expr":"x{a=~\\"${all:regex}\\",b=~\\"[[many]]\\",c=\\"$nosuch\\"}[$1]"}]}]}]}
            """
        let queries = try QueryFiles.dashboard(Array(json.utf8), step: .seconds(15))
        #expect(queries.map(\.text) == ["rate(x{job=\"api\"}[60s])", "x{a=~\".*\",b=~\"a|b\",c=\".*\"}[$1]"])
    }

    @Test("every expression of a rule file")
    func rules() throws {
        let yaml = "groups:\n- name: g\n  rules:\n  - record: a\n    expr: sum(up)\n  - alert: B\n    expr: up == 0\n"
        #expect(try QueryFiles.rules(Array(yaml.utf8), file: "r.yml").map(\.text) == ["sum(up)", "up == 0"])
    }

    @Test("metrics get queries of their kind, and no placeholder stays")
    func metrics() {
        let queries = MetricQueries(names: ["a_total", "b_bucket", "g", "odd.name"]).queries()
        #expect(queries.contains { $0.text == "rate(a_total[1m])" })
        #expect(queries.contains { $0.text == "histogram_quantile(0.9, rate(b_bucket[5m]))" })
        #expect(queries.contains { $0.text == "sum({\"odd.name\"})" })
        #expect(!queries.contains { query in ["$G", "$C", "$B"].contains { query.text.contains($0) } })
    }
}

@Suite("Pages are told again, evenly between one and the next")
struct RecordedPageTests {
    @Test("gauges move, whole counters stay whole, a reset waits for its page")
    func between() throws {
        let a = try RecordedPage(
            Array("# TYPE c counter\nc 10\n# TYPE r counter\nr 9\n# TYPE g gauge\ng{a=\"b\"} 0.5 77\n".utf8))
        let b = try RecordedPage(
            Array("# TYPE c counter\nc 15\n# TYPE r counter\nr 1\n# TYPE g gauge\ng{a=\"b\"} 1.5\n".utf8))
        let script = ReplayScript([a, b], stepsPerPage: 2, step: 15_000, end: 100_000)
        #expect(script.bodies.count == 4 && script.start == 55_000)
        #expect(script.bodies[1].contains("c 12 70000\n") && script.bodies[1].contains("r 9 70000\n"))
        #expect(script.bodies[1].contains("g{a=\"b\"} 1 70000\n"))
        #expect(script.bodies[2].contains("c 15 85000\n") && script.bodies[2].contains("r 1 85000\n"))
    }

    @Test("a report escapes what servers say, and plots what differs")
    func report() {
        var series = QuerySeries(labels: Labels(["x": "<b>"]))
        series.times = [Timestamp(milliseconds: 1000), Timestamp(milliseconds: 16_000)]
        series.values = [1, 2]
        var other = series
        other.values = [1, .infinity]
        let query = ComparedQuery("c", "x < 1")
        var result = ComparisonResult(settings: .init(time: Timestamp(milliseconds: 31_000), range: .seconds(30)))
        let a = QueryAnswer(status: 200, outcome: .success(.matrix([series])))
        let b = QueryAnswer(status: 200, outcome: .success(.matrix([other])))
        let differences = AnswerComparison().differences(query.text, reference: a, test: b)
        result.add(ComparedAnswers(query: query, form: .range, reference: a, test: b, differences: differences))
        let html = HTMLReport(result, reference: "r", test: "t").html
        #expect(
            html.contains("<svg") && html.contains("x &lt; 1") && html.contains("&lt;b&gt;") && !html.contains("<b>\""))
        #expect(!html.contains("src=") && !html.contains("href="))
        #expect(TextReport(result).text.contains("values: 1 point"))
    }
}
