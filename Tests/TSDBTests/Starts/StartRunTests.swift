import Support
import Testing

@testable import TSDB

@Suite("When series began to count: runs")
struct StartRunTests {
    /// Runs as `time:start`.
    private func text(_ runs: StartRuns?) -> String {
        guard let runs else { return "" }
        return (0..<runs.count).map { "\(runs[$0].time):\(runs[$0].start)" }.joined(separator: " ")
    }

    @Test("a run per start, not per sample; what was known already is no news")
    func runs() {
        var table = StartTable()
        var news: [Bool] = []
        for (time, start) in [(10, 5), (20, 5), (30, 5), (40, 33), (50, 33), (60, 0), (70, 0)] as [(Int64, Int64)] {
            news.append(table.note(7, time, start, isAlone: false))
        }
        #expect(text(table[7]) == "10:5 40:33 60:0" && news == [true, false, false, true, false, true, false])
        #expect(table.count == 1 && table[6] == nil && table[100_000] == nil)
    }

    @Test("of a series without any start nothing is kept")
    func none() {
        var table = StartTable()
        let isNews = table.note(3, 10, 0, isAlone: false), isLateNews = table.note(3, 5, 0, isAlone: true)
        #expect(!isNews && !isLateNews && table.isEmpty && table[3] == nil)
    }

    @Test("a late sample has its start alone; those around it keep theirs")
    func late() {
        func after(_ time: Int64, _ start: Int64) -> String {
            var runs = StartRuns(.init(time: 10, start: 5))
            _ = runs.append(40, 33)
            _ = runs.insert(time, start)
            return text(runs)
        }
        #expect(after(20, 7) == "10:5 20:7 21:5 40:33")
        #expect(after(20, 5) == "10:5 40:33")
        #expect(after(5, 3) == "5:3 6:0 10:5 40:33")
        #expect(after(39, 7) == "10:5 39:7 40:33")
        #expect(after(40, 7) == "10:5 40:7 41:33")
        #expect(after(50, 0) == "10:5 40:33 50:0 51:33")
        #expect(after(.max, 7) == "10:5 40:33 \(Int64.max):7")
        #expect(after(.min, 7) == "\(Int64.min):7 \(Int64.min + 1):0 10:5 40:33")
    }

    @Test("what samples that are gone had goes, too; what holds on stays")
    func truncation() {
        var table = StartTable()
        for (time, start) in [(10, 5), (40, 33), (60, 51)] as [(Int64, Int64)] { _ = table.note(1, time, start, isAlone: false) }
        table.truncate(1, before: 39)
        #expect(text(table[1]) == "10:5 40:33 60:51")
        table.truncate(1, before: 45)
        #expect(text(table[1]) == "40:33 60:51")
        table.truncate(1, before: 1000)
        #expect(text(table[1]) == "60:51")
        table.remove(1)
        table.remove(1)
        #expect(table.isEmpty)
    }

    @Test("answers as a list of samples with their starts does, and a copy stays as it was", arguments: TestSeed.seeds(6))
    func equalsModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(40) {
            var table = StartTable()
            // By slot: time → start.
            var model: [UInt32: [Int64: Int64]] = [:]
            var newest: [UInt32: Int64] = [:]
            var kept: (table: StartTable, model: [UInt32: [Int64: Int64]])?
            for _ in 0..<200 {
                let slot: UInt32 = [0, 1, 255, 256, 600].randomElement(using: &random) ?? 0
                let isLate = newest[slot] != nil && Int.random(in: 0..<4, using: &random) == 0
                let last = newest[slot] ?? 1000
                let time = isLate ? last - Int64.random(in: 1...300, using: &random) : last + Int64.random(in: 1...20, using: &random)
                if model[slot]?[time] != nil { continue }
                let start = Bool.random(using: &random) ? time - 7 : [0, 500, 900].randomElement(using: &random) ?? 0
                let before = table[slot]?.start(at: time) ?? 0
                let isNews = table.note(slot, time, start, isAlone: isLate)
                #expect(isNews == (before != start), "seed \(seed)")
                model[slot, default: [:]][time] = start
                if !isLate { newest[slot] = time }
                if Int.random(in: 0..<40, using: &random) == 0 { kept = (table, model) }
            }
            for (table, model) in [(table, model)] + (kept.map { [$0] } ?? []) {
                for (slot, samples) in model {
                    for (time, start) in samples { #expect((table[slot]?.start(at: time) ?? 0) == start, "seed \(seed), \(slot) at \(time)") }
                }
            }
        }
    }
}

@Suite("When series began to count: columns")
struct StartColumnTests {
    private func columns(_ samples: [(time: Int64, value: Double, start: Int64)]) -> SampleColumns {
        var columns = SampleColumns(capacity: 4)
        columns.removeAll(readingStarts: true)
        for (index, sample) in samples.enumerated() {
            columns.append(sample.time, sample.value)
            columns.setStart(sample.start, ofSample: index)
        }
        return columns
    }

    private func text(_ columns: borrowing SampleColumns) -> String {
        (0..<columns.count).map { "\(columns.timestamps[$0])<\(columns.start(ofSample: $0))" }.joined(separator: " ")
    }

    @Test("starts go with their samples through trimming, truncating, stale markers and copies")
    func moves() {
        let samples: [(time: Int64, value: Double, start: Int64)] = [
            (10, 1, 5), (20, StaleMarker.value, 0), (30, 3, 25), (40, 4, 0), (50, 5, 44), (60, 6, 0),
        ]
        var dropped = columns(samples)
        dropped.dropStaleMarkers()
        #expect(text(dropped) == "10<5 30<25 40<0 50<44 60<0")
        var trimmed = columns(samples)
        trimmed.trim(from: 30, through: 50, start: 1)
        #expect(text(trimmed) == "10<5 30<25 40<0 50<44")
        trimmed.truncate(to: 2)
        trimmed.append(70, 7)
        #expect(text(trimmed) == "10<5 30<25 70<0")
        var copy = columns([(1, 1, 0)])
        copy.append(2..<5, of: columns(samples))
        #expect(text(copy) == "1<0 30<25 40<0 50<44")
        copy.removeAll()
        copy.append(2..<3, of: columns(samples))
        #expect(text(copy) == "30<0" && copy.starts.isEmpty, "nobody asked")
    }

    @Test("a copy of columns has their histograms, each at its sample")
    func histograms() {
        var source = SampleColumns()
        source.append(1, 5)
        source.append(2, .init(schema: 1, count: 2, sum: 3, positiveSpans: [.init(offset: 0, length: 1)], positiveBuckets: [2]))
        source.append(3, 6)
        var copy = SampleColumns()
        copy.append(0, 9)
        copy.append(1..<3, of: source)
        #expect(copy.histograms.histogram(sample: 1)?.count == 2 && copy.histograms.histogram(sample: 2) == nil)
        #expect(copy.histograms.histogram(sample: 0) == nil && copy.values[2] == 6)
    }
}
