import JSON
import Loopback
import TSDB
import Testing

@testable import Bench

@Suite("A benchmark from end to end, very small")
struct BenchRunTests {
    private static func plan(_ groups: [CaseGroup], end: Int64 = 1_700_000_000_000) throws -> BenchPlan {
        try BenchPlan(
            groups: groups, series: 60, buckets: 6, steps: 5, step: 15_000, interval: 15_000,
            end: Timestamp(milliseconds: end), seed: 1, run: "1", budget: 1)
    }

    @Test("every query of every subject parses, runs and answers with something")
    func all() async throws {
        let report = try await Bench(plan: Self.plan(CaseGroup.allCases), others: []).run { _ in }
        #expect(report.rows.count == CaseGroup.allCases.reduce(0) { $0 + QueryCase.all(of: $1).count } + 5 + 2)
        for row in report.rows {
            #expect(row.units > 0, "\(row.group.rawValue): \(row.name), \(row.kind)")
            #expect(row.measurement.median.cpu > 0 && row.measurement.minimum.cpu <= row.measurement.median.cpu)
        }
        let table = report.table().rendered()
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(report.introduction.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(table.contains("by (le, handler)"))

        let json = try JSONValue(parsing: report.json())
        #expect(json["rows"]?.elements.count == report.rows.count)
        #expect(json["rows"]?.elements.first?["query"]?.string == report.rows[0].query)
        #expect(json["samples"]?.number == Double(report.load.samples))
    }

    @Test("a server gets the same samples by remote write and gives the same answers")
    func against() async throws {
        let test = TestAPI()
        let plan = try Self.plan([.histogramQuantile, .aggregation, .selector], end: test.clock.now().milliseconds)
        try await serving(test.api) { port in
            let other = try await RemoteSubject("127.0.0.1:\(port)")
            let report = try await Bench(plan: plan, others: [other]).run { _ in }
            await other.close()
            #expect(other.name == "minprom")
            #expect(report.rows.count > 10)
            for row in report.rows { #expect(row.others.map(\.comparison) == [.equal], "\(row.name), \(row.kind)") }
            #expect(report.table().rendered().split(separator: "\n").allSatisfy { $0.count <= 100 })
            #expect(test.database.statistics.sampleCount == report.load.samples)
            let row = try JSONValue(parsing: report.json())["rows"]?.elements.first
            #expect(row?["against"]?.elements.first?["answers"]?["verdict"]?.string == "equal")
        }
    }

    @Test("a server that takes no samples, or is none, is an error that says what to do")
    func refused() async throws {
        let test = TestAPI(remoteWrite: false)
        let plan = try Self.plan([.selector], end: test.clock.now().milliseconds)
        try await serving(test.api) { port in
            let other = try await RemoteSubject("127.0.0.1:\(port)")
            let error = await #expect(throws: BenchError.self) {
                try await Bench(plan: plan, others: [other]).run { _ in }
            }
            await other.close()
            #expect(error?.message.contains("--web.enable-remote-write-receiver") == true)
        }
        await #expect(throws: BenchError.self) { _ = try await RemoteSubject("127.0.0.1:1") }
    }

    @Test("the run's label gets into every selector, and nowhere else")
    func labelled() {
        func labelled(_ query: String) -> String {
            QueryCase(group: .rate, name: "", query: query, kind: .range).query(run: "7")
        }
        #expect(labelled("sum(load)") == "sum(load{bench_run=\"7\"})")
        #expect(labelled("load") == "load{bench_run=\"7\"}")
        #expect(
            labelled("rate(requests_total{worker=\"1\"}[5m]) / on (handler) load")
                == "rate(requests_total{bench_run=\"7\",worker=\"1\"}[5m]) / on (handler) load{bench_run=\"7\"}")
        #expect(labelled("loads + overload") == "loads + overload")
    }

    @Test("allocations are counted: an array is one, arithmetic is none")
    func allocations() async throws {
        var kept: [[Int]] = []
        kept.reserveCapacity(20)
        let count = try await AllocationCount.counting { for index in 0..<10 { kept.append([index, index]) } }
        #expect(kept.count == 10)
        // Other tests allocate meanwhile, so there may be more. Under a sanitizer nothing is counted.
        if let count { #expect(count.calls >= 10 && count.bytes >= 10 * 48) }
    }
}
