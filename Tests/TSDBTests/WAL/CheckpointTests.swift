import Support
import Testing

@testable import TSDB

@Suite struct CheckpointTests {
    /// Writes a checkpoint that holds the newest sample of each series as “chunks”, and all series.
    static func checkpoint(_ wal: WAL, _ workload: Workload) throws(TSDBError) {
        let segment = try wal.cutSegment()
        let samples = workload.acknowledged
        try wal.checkpoint(through: segment) { writer throws(TSDBError) in
            for (reference, labels) in workload.series { try writer.series(reference, labels: labels) }
            for sample in samples {
                try writer.samples(
                    references: [SeriesRef(rawValue: sample.reference)], timestamps: [sample.timestamp],
                    values: [Double(bitPattern: sample.bits)], count: 1)
            }
            if writer.takesChunks {
                var failure: TSDBError?
                ([1, 2, 3] as [UInt8]).withUnsafeBytes { bytes in do throws(TSDBError) { try writer.chunks(bytes) } catch { failure = error } }
                if let failure { throw failure }
            }
        }
    }

    @Test("a checkpoint replaces the segments before it, and what follows needs nothing of them", arguments: WALCompression.allCases)
    func replaces(_ compression: WALCompression) throws {
        let store = MemoryFileStore()
        var workload = Workload(seed: 1)
        let (wal, _, _) = try WALTests.open(store, "wal", compression, segmentSize: 64 << 10)
        try wal.append(series: workload.series)
        for round in 1...3 {
            for _ in 0..<50 { try workload.scrape(wal) }
            try Self.checkpoint(wal, workload)
            for _ in 0..<20 { try workload.scrape(wal) }
            let names = try store.list("wal")
            #expect(names.filter { $0.hasPrefix("checkpoint.") }.count == 1, "round \(round): \(names)")
            #expect(names.count <= 3, "round \(round): \(names)")
        }
        let (collector, report) = try replayed(store)
        #expect(report.damageCount == 0 && report.lostSampleCount == 0)
        #expect(report.checkpoint != nil)
        #expect(collector.series.count == workload.series.count)
        #expect(collector.samples == workload.acknowledged)
        #expect(collector.chunks == (compression == .lz4 ? [[1, 2, 3]] : []))
    }

    @Test("killed or cut from power at any operation of a checkpoint: nothing acknowledged is lost, no leftovers after the next start")
    func crashAnywhere() throws {
        var number = 0
        var isFinished = false
        while !isFinished {
            number += 1
            let store = MemoryFileStore()
            var workload = Workload(seed: UInt64(number), targets: 1, perTarget: 5)
            let (wal, _, _) = try WALTests.open(store, segmentSize: 64 << 10)
            try wal.append(series: workload.series)
            for _ in 0..<12 { try workload.scrape(wal) }
            try Self.checkpoint(wal, workload)
            for _ in 0..<12 { try workload.scrape(wal) }
            try wal.synchronize()
            let last = number
            store.setFault { count, _ in count >= last ? .failure("killed") : nil }
            do {
                try Self.checkpoint(wal, workload)
                isFinished = true
            } catch {}
            for (probability, seed) in [(0.0, 0), (0.5, 1), (0.5, 2), (1.0, 3)] as [(Double, UInt64)] {
                let after = store.crashClone(dropping: probability, seed: seed)
                let (again, collector, report) = try WALTests.open(after)
                #expect(Set(collector.samples) == Set(workload.acknowledged), "operation \(number), dropping \(probability)")
                #expect(collector.series.count == workload.series.count)
                #expect(report.damageCount == 0 && report.lostSampleCount == 0)
                let names = try after.list("wal")
                #expect(names.filter { $0.hasPrefix("checkpoint.") }.count == 1, "operation \(number): \(names)")
                var more = workload
                try more.scrape(again)
                #expect(Set(try replayed(after).0.samples) == Set(more.acknowledged))
            }
        }
        #expect(number > 10)
    }

    @Test("content that throws leaves the log as it was")
    func failingContent() throws {
        let store = MemoryFileStore()
        var workload = Workload(seed: 1)
        let (wal, _, _) = try WALTests.open(store)
        for _ in 0..<5 { try workload.scrape(wal) }
        let segment = try wal.cutSegment()
        #expect(throws: TSDBError.self) {
            try wal.checkpoint(through: segment) { _ throws(TSDBError) in throw TSDBError(.invalid, "no") }
        }
        #expect(try store.list("wal") == ["00000000", "00000001"])
        #expect(try replayed(store).0.samples == workload.acknowledged)
    }
}
