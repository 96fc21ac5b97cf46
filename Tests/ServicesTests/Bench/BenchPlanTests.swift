import TSDB
import Testing

@testable import Bench

@Suite("Options of a benchmark")
struct BenchPlanTests {
    /// What `minprom bench` makes of these arguments: the plan, or what it complains of.
    static func plan(_ arguments: String) throws -> Result<BenchPlan, BenchError> {
        let command = try #require(
            try BenchCommand.parseAsRoot(arguments.split(separator: " ").map(String.init)) as? BenchCommand)
        return Result { () throws(BenchError) in try command.plan() }
    }

    static func complaint(_ arguments: String) throws -> String {
        guard case .failure(let error) = try plan(arguments) else { return "" }
        return error.message
    }

    @Test("an hour at 15 s over every subject is what there is without options")
    func defaults() throws {
        let plan = try Self.plan("").get()
        #expect(plan.groups == CaseGroup.allCases)
        #expect(plan.stepCount == 241 && plan.step == 15_000)
        #expect(plan.end - plan.start == .hours(1))
        #expect(plan.shape.families == Set(MetricFamily.allCases))
        // Ten minutes of windows in front.
        #expect(plan.shape.scrapeCount == 281)
    }

    @Test("only the metrics that a subject reads are invented")
    func families() throws {
        #expect(try Self.plan("histogram-quantile").get().shape.families == [.latency])
        #expect(try Self.plan("rate labels rate").get().groups == [.rate, .labels])
    }

    @Test("numbers out of bounds are refused by name, before anything is allocated")
    func bounds() throws {
        #expect(
            try Self.complaint("--series 9000000000000000000")
                == "--series must be 12...5000000, not 9000000000000000000")
        #expect(try Self.complaint("--series 11") == "--series must be 12...5000000, not 11")
        #expect(try Self.complaint("--buckets 1") == "--buckets must be 2...200, not 1")
        #expect(try Self.complaint("--steps 11001") == "--steps must be 1...11000, not 11001")
        #expect(try Self.complaint("--steps 0") == "--steps must be 1...11000, not 0")
        #expect(try Self.complaint("--step 2d") == "--step must be 100ms...1d")
        #expect(try Self.complaint("--interval 6m") == "--interval must be 100ms...5m")
        #expect(try Self.complaint("--time 2h").contains("--time"))
        #expect(try Self.complaint("--step soon").hasPrefix("--step: "))
        #expect(try Self.complaint("nothing").contains("\"nothing\""))
    }

    @Test("bounds that are kept one by one can be too much together")
    func together() throws {
        let complaint = try Self.complaint("histogram-quantile --series 5000000 --steps 11000")
        #expect(complaint.hasPrefix("5000000 series of 11040 scrapes are more than 500000000 samples"))
        #expect(
            try Self.complaint("all --series 5000000 --steps 11000 --step 1d --interval 100ms").contains(
                "more than 500000000"))
    }

    @Test("beside a server the data end now, and every run has a label of its own")
    func against() throws {
        let alone = try Self.plan("--seed 4").get()
        #expect(alone.shape.run == "4")
        #expect(alone.shape.end == Timestamp(milliseconds: 1_700_000_000_000))
        let beside = try Self.plan("--seed 4 --against http://localhost:1").get()
        #expect(beside.shape.run.hasPrefix("4-"))
        #expect(beside.shape.end.milliseconds > 1_700_000_000_000)
        #expect(beside.shape.end.milliseconds % 15_000 == 0)
    }
}
