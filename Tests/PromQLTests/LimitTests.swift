import Support
import Synchronization
import TSDB
import Testing

@testable import PromQL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// 3,000 series × 240 samples, 15 s apart, that differ in a long label.
private let fleet: MemorySeries = {
    let storage = MemorySeries()
    for number in 0..<3_000 {
        let labels: Labels = [
            "__name__": "x", "i": "\(number)", "g": "\(number % 10)", "le": "\(number % 40)",
            "path": String(repeating: "p", count: 30) + "\(number)",
        ]
        for sample in 0..<240 {
            storage.append(labels, Int64(sample) * 15_000, Double((number * 7 + sample * 3) % 1000))
        }
    }
    return storage
}()

private func threadTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Evaluates over the hour; the longest time, in milliseconds of this thread's work, between two looks at the clock.
private func longestSilence(_ query: String, steps: Int) throws -> Double {
    // Made before the watch begins: the first to ask for the series fills them.
    let storage = fleet
    let state = Mutex<(last: Int64, longest: Int64)>((threadTime(), 0))
    let look: @Sendable () -> Int64 = {
        state.withLock { state in
            let now = threadTime()
            state.longest = max(state.longest, now - state.last)
            state.last = now
        }
        return 0
    }
    var options = EngineOptions()
    options.parser = .everything
    let context = QueryContext(maxSamples: 20_000_000, maxBytes: 2 << 30, timeout: Int64.max / 2, clock: look)
    let engine = Engine(options)
    let end = Timestamp(milliseconds: 3_585_000)
    do throws(QueryError) {
        if steps == 1 {
            _ = try engine.instant(query, on: storage, at: end, context: context)
        } else {
            let step = TSDB.Duration(milliseconds: 3_500_000 / Int64(steps))
            _ = try engine.range(
                query, on: storage, start: Timestamp(milliseconds: 60_000), end: end, step: step, context: context)
        }
    } catch {
        // A bound may end it: only how it was watched counts here.
        #expect(error.code == .limit || error.code == .evaluation, "\(query): \(error)")
    }
    _ = look()
    return Double(state.withLock { $0.longest }) / 1e6
}

@Suite("Limits of queries")
struct LimitTests {
    /// Work between two looks at the clock, in milliseconds of CPU time of an optimised build; a query is late by as
    /// much.
    private static let patience = 250.0

    @Test(
        "whatever runs looks at the clock",
        arguments: [
            "x", "sum(x)", "sum by (i) (x)", "avg by (g) (x)", "stddev(x)", "count by (path) (x)",
            "max without (i) (x)",
            "topk(100, x)", "bottomk by (g) (5, x)", "limitk(10, x)", "quantile(0.9, x)", "quantile by (g) (0.5, x)",
            "count_values(\"v\", x)", "count_values by (g) (\"v\", x)", "sort(x)", "sort_desc(x)",
            "sort_by_label(x, \"path\", \"i\")",
            "abs(x)", "-x", "clamp(x, 0, 1)", "x + 1", "x > 500", "x + x", "x / on (i) x",
            "x * on (g) group_left () sum by (g) (x)",
            "x * on (i) group_left (path) x", "x and x", "x or x", "x unless x", "x and on (g) x", "absent(x)",
            "scalar(x)",
            "timestamp(x)", "hour(x)", "histogram_quantile(0.9, x)", "histogram_fraction(0, 1, x)",
            "label_join(x, \"a\", \"-\", \"path\", \"i\")", "label_replace(x, \"a\", \"$1\", \"path\", \"(p*)(.*)\")",
            "rate(x[5m])", "increase(x[30m])", "delta(x[5m])", "irate(x[5m])", "deriv(x[30m])",
            "predict_linear(x[30m], 60)",
            "sum_over_time(x[30m])", "stddev_over_time(x[30m])", "quantile_over_time(0.9, x[30m])",
            "mad_over_time(x[30m])",
            "min_over_time(x[30m])", "changes(x[30m])", "absent_over_time(x[5m])", "last_over_time(x[5m])",
            "double_exponential_smoothing(x[30m], 0.5, 0.5)", "max_over_time(x[30m:1m])", "rate(sum(x)[30m:1s])",
            "quantile_over_time(0.5, rate(x[1m])[10m:10s])", "x{path=~\".*9.*\"}",
            "{__name__=~\".+\",path!~\"(a|b)*c\"}",
            "sum(x) by (i) + on (i) group_right (path) x", "rate({__name__=~\"x|y\"}[5m])",
        ], [1, 60])
    func clock(query: String, steps: Int) throws {
        let silence = try longestSilence(query, steps: steps)
        #expect(silence < Self.patience, "\(query) over \(steps) steps: \(silence) ms without a look at the clock")
    }

    private func held(_ query: String, maxBytes: Int, steps: Bool = false) -> (error: QueryError?, held: Int) {
        let context = QueryContext(maxBytes: maxBytes)
        do throws(QueryError) {
            let end = Timestamp(milliseconds: 3_585_000)
            if steps {
                _ = try Engine().range(
                    query, on: fleet, start: .init(milliseconds: 0), end: end, step: .seconds(5), context: context)
            } else {
                _ = try Engine().instant(query, on: fleet, at: end, context: context)
            }
            return (nil, context.bytesHeld)
        } catch { return (error, context.bytesHeld) }
    }

    @Test(
        "what would take too many bytes is refused before they are taken",
        arguments: [
            "x", "sum by (path) (x)", "x * on (i) group_left (path) x", "count_values(\"v\", x)", "topk(3000, x)",
            "sort(x)",
            "label_join(x, \"a\", \"-\", \"path\", \"i\")", "label_replace(x, \"a\", \"$1\", \"path\", \"(.*)\")",
            "x or -x",
            "histogram_quantile(0.9, x)", "quantile by (g) (0.9, x)", "x[1h]",
        ])
    func budget(query: String) {
        let (error, held) = self.held(query, maxBytes: 300_000)
        #expect(error?.code == .limit, "\(query): \(error?.message ?? "was answered")")
        #expect(error?.message == "query processing would take more than 300000 bytes of memory in query execution")
        #expect(held <= 300_000)
        #expect(self.held(query, maxBytes: 64 << 20).error == nil)
    }

    @Test("info: what is kept about info series that change at every step is counted, and refused in time")
    func infoSeries() {
        let storage = MemorySeries()
        for number in 0..<2_000 {
            if number % 30 == 0 { storage.append(["__name__": "x", "instance": "a", "job": "j"], Int64(number) * 5_000, 1) }
            storage.append(["__name__": "target_info", "instance": "a", "job": "j", "version": "\(number)"], Int64(number) * 5_000, 1)
        }
        func answer(maxBytes: Int) -> (error: QueryError?, held: Int) {
            let context = QueryContext(maxBytes: maxBytes)
            var options = EngineOptions()
            options.parser = .everything
            do throws(QueryError) {
                // 2,000 combinations of 10,000 bits each.
                _ = try Engine(options).range(
                    "count(info(x))", on: storage, start: .init(milliseconds: 0), end: .init(milliseconds: 9_999_000), step: .seconds(1),
                    context: context)
                return (nil, context.bytesHeld)
            } catch { return (error, context.bytesHeld) }
        }
        let (error, held) = answer(maxBytes: 2_000_000)
        #expect(error?.message == "query processing would take more than 2000000 bytes of memory in query execution")
        #expect(held <= 2_000_000)
        let whole = answer(maxBytes: 64 << 20)
        #expect(whole.error == nil && whole.held > 2_000 * 10_000 / 8)
    }

    @Test("an answer counts: its points and its labels")
    func answers() {
        // 3,000 series × 718 points × 8 bytes.
        #expect(held("x", maxBytes: 16 << 20, steps: true).error?.code == .limit)
        let whole = held("x", maxBytes: 64 << 20, steps: true)
        #expect(whole.error == nil && whole.held > 3_000 * 718 * 8)
    }

    @Test(
        "a label that doubles with every step ends at 64 KiB, however many steps there are", arguments: [11, 20, 240])
    func doubling(levels: Int) {
        var query = "x"
        for _ in 0..<levels { query = "label_join(\(query), \"path\", \"\", \"path\", \"path\")" }
        #expect(query.utf8.count < Parser.maximumLength)
        let (error, _) = held(query, maxBytes: 1 << 30)
        #expect(error?.code == .limit)
        #expect(error?.message.hasSuffix("bytes long; a query may make 65536") == true)
    }

    @Test("deep queries over many steps count the columns that they borrow")
    func deep() {
        var query = "vector(time())"
        // A join borrows a column for each of its sides.
        for _ in 0..<60 { query = "(vector(time()) + on () \(query))" }
        let (error, _) = held("sum_over_time((\(query))[40d:1s])", maxBytes: 512 << 20)
        #expect(error?.code == .limit)
    }

    @Test("all queries together have a bound; what one gives back, another may take")
    func together() {
        let memory = QueryMemory(limit: 1000)
        do {
            let first = QueryContext(memory: memory), second = QueryContext(memory: memory)
            #expect(throws: Never.self) { try first.reserve(bytes: 600) }
            #expect(throws: QueryError.self) { try second.reserve(bytes: 600) }
            do throws(QueryError) { try second.reserve(bytes: 401) } catch { #expect(error.code == .busy) }
            #expect(second.bytesHeld == 0 && memory.bytesHeld == 600)
            first.release(bytes: 300)
            #expect(throws: Never.self) { try second.reserve(bytes: 600) }
            #expect(memory.bytesHeld == 900)
        }
        #expect(memory.bytesHeld == 0)
    }

    @Test("a trial ends as heavy: by time, by bytes; and what is light is answered")
    func trial() throws {
        func attempt(_ query: String, nanoseconds: Int64) -> QueryError.Code? {
            let context = QueryContext(threadClock: threadTime)
            context.tryAsLight(nanoseconds: nanoseconds)
            do throws(QueryError) {
                _ = try Engine().range(
                    query, on: fleet, start: .init(milliseconds: 0), end: .init(milliseconds: 3_585_000),
                    step: .seconds(5),
                    context: context)
                return nil
            } catch { return error.code }
        }
        #expect(attempt("quantile_over_time(0.9, x[30m])", nanoseconds: 1_000_000) == .heavy)
        #expect(attempt("x", nanoseconds: .max / 2) == .heavy, "17 MB of points")
        #expect(attempt("x{i=\"7\"}", nanoseconds: 10_000_000_000) == nil)
    }

    @Test("a trial ends when more is selected than its time can do, before anything is read")
    func weighing() throws {
        func attempt(_ query: String) -> (code: QueryError.Code?, read: Int) {
            // The clock stands: only what is selected can count.
            let context = QueryContext(threadClock: { 0 })
            context.tryAsLight(nanoseconds: 1_000_000)
            do throws(QueryError) {
                _ = try Engine().range(
                    query, on: fleet, start: .init(milliseconds: 0), end: .init(milliseconds: 3_585_000), step: .seconds(5),
                    context: context)
                return (nil, context.samplesRead)
            } catch { return (error.code, context.samplesRead) }
        }
        #expect(attempt("count(x)") == (.heavy, 0))
        #expect(attempt("x{i=\"7\"}").code == nil)
    }

    @Test("storage stops searching when the query is over")
    func search() throws {
        let database = Database.inMemory(clock: ManualClock())
        for number in 0..<1_000 {
            let series = try database.reference(for: ["__name__": "x", "i": "\(number)"])
            var batch = SampleBatch()
            batch.append(series, at: Timestamp(milliseconds: 0), value: 1)
            _ = try database.append(batch)
        }
        let asked = Mutex(0)
        let stop: StopCheck = {
            asked.withLock {
                $0 += 1; return $0 > 3
            }
        }
        let matcher = try Matcher(.regex, name: "i", value: ".*7.*")
        do throws(TSDBError) {
            _ = try database.select([matcher], from: .min, through: .max, stop: stop)
            Issue.record("went on")
        } catch { #expect(error.code == .stopped) }
        #expect(asked.withLock { $0 } == 4)
        // Nothing is left behind that would keep memory from being used again.
        #expect(try database.select([matcher], from: .min, through: .max, stop: { false }).count == 271)
    }

    @Test("notes on long labels do not add up")
    func notes() {
        var annotations = Annotations()
        for number in 0..<900 {
            annotations.add(Annotation(.info, String(repeating: "a", count: 50_000) + "\(number)", at: 0..<0))
        }
        #expect(annotations.all.reduce(0) { $0 + $1.text.utf8.count } < Annotations.maximumBytes + 60_000)
    }

    @Test(
        "samples are counted as upstream counts them",
        arguments: [
            ("x{i=\"1\"}", [1, 1, 1]), ("sum(x{i=~\"1|2\"})", [2, 2, 2]), ("x{i=\"1\"} + x{i=\"2\"}", [2, 2, 2]),
            ("rate(x{i=\"1\"}[1m])", [4, 4, 4]), ("x{i=\"1\"} @ 100", [1, 1, 1]),
            ("rate(x{i=\"1\"}[1m] @ 300)", [4, 4, 4]),
            ("max_over_time(x{i=\"1\"}[2m:1m])", [2, 2, 2]), ("1 + 2", [0, 0, 0]),
            ("absent(x{i=~\"1|2\"})", [2, 2, 2]),
            ("x{i=\"1\"} and x{i=\"none\"}", [1, 1, 1]), ("x{i=\"1\"} offset 10m", [0, 1, 1]),
            ("max_over_time(rate(x{i=\"1\"}[1m])[2m:1m])", [2, 2, 2]), ("timestamp(x{i=\"1\"})", [1, 1, 1]),
        ])
    func counts(query: String, expected: [Int]) throws {
        let count = try Engine().countSamples(
            try Parser.parse(query), on: fleet, start: .init(milliseconds: 585_000),
            end: .init(milliseconds: 1_185_000),
            step: .minutes(5), context: QueryContext())
        #expect(count.perStep == expected)
    }

    @Test("an instant query of a range counts what it answers; of a subquery, what the inner part reads")
    func bareRanges() throws {
        func total(_ query: String) throws -> Int {
            let time = Timestamp(milliseconds: 1_200_000)
            return try Engine().countSamples(
                try Parser.parse(query), on: fleet, start: time, end: time, step: .zero, context: QueryContext()
            ).total
        }
        #expect(try total("x{i=\"1\"}[5m]") == 20)
        #expect(try total("x{i=\"1\"}[5m:1m]") == 5)
        #expect(try total("rate(x{i=\"1\"}[1m])[5m:1m]") == 20)
    }
}
