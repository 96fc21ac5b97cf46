import Support
import Testing

@testable import TSDB

@Suite struct WALTests {
    static func open(
        _ store: any FileStore, _ directory: String = "wal", _ compression: WALCompression = .lz4, segmentSize: Int = 1 << 20
    ) throws -> (WAL, Collector, WALReplayReport) {
        var collector = Collector()
        var options = WALOptions()
        options.compression = compression
        options.segmentSize = segmentSize
        let (wal, report) = try WAL.open(directory, store, options: options, visitor: &collector)
        return (wal, collector, report)
    }

    @Test("what was appended is replayed, in order, over several segments and openings", arguments: WALCompression.allCases)
    func roundTrip(_ compression: WALCompression) throws {
        let store = MemoryFileStore()
        var workload = Workload(seed: testSeed())
        for opening in 0..<3 {
            let (wal, before, report) = try Self.open(store, "wal", compression, segmentSize: 64 << 10)
            #expect(before.samples == workload.acknowledged)
            #expect(report.damageCount == 0 && report.tornTail == nil)
            if opening == 0 {
                try wal.append(series: workload.series)
                try wal.appendTombstone(SeriesRef(rawValue: 5), from: Timestamp(milliseconds: -5), through: Timestamp(milliseconds: 7))
                try wal.append(record: [6, 1, 2, 3])
            }
            for _ in 0..<400 { try workload.scrape(wal) }
            try wal.close()
        }
        let (collector, report) = try replayed(store)
        #expect(collector.samples == workload.acknowledged)
        #expect(collector.series == Dictionary(uniqueKeysWithValues: workload.series.map { ($0.reference.rawValue, $0.labels) }))
        #expect(collector.tombstones == [LoggedSample(SeriesRef(rawValue: 5), -5, 7)])
        #expect(collector.others == [[6, 1, 2, 3]])
        #expect(report.segments.count > 2)
        #expect(report.sampleCount == workload.acknowledged.count)
    }

    @Test("the records are Prometheus' own, byte for byte, where it must read them")
    func golden() throws {
        let store = MemoryFileStore()
        let (wal, _, _) = try Self.open(store, "wal", .none)
        try wal.append(series: [(SeriesRef(rawValue: 7), ["__name__": "up", "job": "a"])])
        let position = try wal.append(
            references: [SeriesRef(rawValue: 7), SeriesRef(rawValue: 5)], timestamps: [1000, 999], values: [1, -2], count: 2)
        try wal.flush(through: position)
        let series: [UInt8] =
            [1] + [0, 0, 0, 0, 0, 0, 0, 7] + [2] + [8] + Array("__name__".utf8) + [2] + Array("up".utf8)
            + [3] + Array("job".utf8) + [1] + Array("a".utf8)
        let samples: [UInt8] =
            [2] + [0, 0, 0, 0, 0, 0, 0, 7] + [0, 0, 0, 0, 0, 0, 3, 0xe8]
            + [0, 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0] + [3, 1, 0xc0, 0, 0, 0, 0, 0, 0, 0]
        var page = WALPageWriter()
        series.withUnsafeBytes { page.append($0) }
        samples.withUnsafeBytes { page.append($0) }
        #expect(store.bytes(of: "wal/00000000") == page.bytes)
    }

    @Test("cut at any byte: the acknowledged records before the cut are back, nothing else, and writing goes on")
    func cutAnywhere() throws {
        let store = MemoryFileStore()
        var workload = Workload(seed: testSeed(), targets: 2, perTarget: 4)
        let (wal, _, _) = try Self.open(store)
        var ends: [(size: Int, samples: Int)] = [(0, 0)]
        for _ in 0..<25 {
            try workload.scrape(wal)
            ends.append((try #require(store.bytes(of: "wal/00000000")).count, workload.acknowledged.count))
        }
        let bytes = try #require(store.bytes(of: "wal/00000000"))
        for cut in 0...bytes.count {
            let damaged = MemoryFileStore()
            damaged.put(Array(bytes[..<cut]), at: "wal/00000000")
            let (again, collector, report) = try Self.open(damaged)
            let whole = ends.last { $0.size <= cut } ?? (0, 0)
            #expect(collector.samples == Array(workload.acknowledged[..<whole.samples]), "cut at \(cut)")
            #expect(report.damageCount == 0)
            #expect(damaged.bytes(of: "wal/00000000")?.count == whole.size, "the torn tail is still there")
            if cut % 10 == 0 {
                var more = Workload(seed: 1)
                try more.scrape(again)
                let (after, report) = try replayed(damaged)
                #expect(after.samples.count == whole.samples + more.acknowledged.count)
                #expect(report.damageCount == 0 && report.tornTail == nil)
            }
        }
    }

    @Test("flip any byte: that record and its dependants are lost and reported, nothing is wrong", arguments: WALCompression.allCases)
    func flipAnywhere(_ compression: WALCompression) throws {
        let store = MemoryFileStore()
        var workload = Workload(seed: testSeed(), targets: 2, perTarget: 4)
        let (wal, _, _) = try Self.open(store, "wal", compression)
        for _ in 0..<40 { try workload.scrape(wal) }
        let bytes = try #require(store.bytes(of: "wal/00000000"))
        for offset in bytes.indices {
            var damaged = bytes
            damaged[offset] ^= [0xff, 0x08, 0x01][offset % 3]
            let copy = MemoryFileStore()
            copy.put(damaged, at: "wal/00000000")
            let (collector, report) = try replayed(copy)
            var position = workload.sent.startIndex
            for sample in collector.samples {
                guard let found = workload.sent[position...].firstIndex(of: sample) else {
                    Issue.record("byte \(offset): \(sample) was never written")
                    return
                }
                position = found + 1
            }
            let lost = workload.sent.count - collector.samples.count
            // A length in the last record that points behind the file looks as if the file were torn.
            #expect(report.damageCount == 1 || report.tornTail != nil, "byte \(offset)")
            #expect(report.damageCount <= 1)
            #expect(lost - report.lostSampleCount == 4, "byte \(offset): more than one record is gone")
            #expect(report.lostSampleCount <= (compression == .lz4 ? 15 * 4 : 0), "byte \(offset)")
        }
    }

    @Test("each failing operation: nothing acknowledged is lost, nothing is there that was not sent, and the log goes on")
    func everyFault() throws {
        for number in 1...60 {
            for isShort in [false, true] {
                let store = MemoryFileStore()
                var workload = Workload(seed: UInt64(number))
                let (wal, _, _) = try Self.open(store, segmentSize: 64 << 10)
                store.setFault { count, operation in
                    guard count == number else { return nil }
                    if isShort, case .append(_, let size) = operation { return .shortWrite(size / 2, "No space left on device") }
                    return .failure("No space left on device")
                }
                var failures = 0
                for round in 0..<60 {
                    do { try workload.scrape(wal) } catch { failures += 1 }
                    if round % 7 == 0 { do { try wal.synchronize() } catch { failures += 1 } }
                    if round % 25 == 24 { do { _ = try wal.cutSegment() } catch { failures += 1 } }
                }
                store.setFault(nil)
                try wal.synchronize()
                let (collector, report) = try replayed(store)
                #expect(collector.samples == workload.sent, "operation \(number), \(failures) failures")
                #expect(report.damageCount == 0 && report.tornTail == nil, "operation \(number)")
                #expect(failures <= 1)
            }
        }
    }

    @Test("killed at any operation: every acknowledged sample is back, in order, and none that was not sent")
    func killAnywhere() throws {
        for number in 1...120 {
            let store = MemoryFileStore()
            var workload = Workload(seed: UInt64(number))
            let (wal, _, _) = try Self.open(store, segmentSize: 64 << 10)
            store.setFault { count, operation in
                guard count >= number else { return nil }
                if count == number, case .append(_, let size) = operation { return .shortWrite(size / 3, "killed") }
                return .failure("killed")
            }
            for round in 0..<80 {
                do {
                    try workload.scrape(wal)
                    if round % 9 == 0 { try wal.synchronize() }
                    if round % 30 == 29 { _ = try wal.cutSegment() }
                } catch { break }
            }
            let after = store.crashClone(dropping: 0, seed: 0)
            let (_, collector, report) = try Self.open(after)
            #expect(report.damageCount == 0, "operation \(number)")
            #expect(collector.samples.starts(with: workload.acknowledged), "operation \(number)")
            #expect(workload.sent.starts(with: collector.samples), "operation \(number)")
        }
    }

    @Test("a power cut costs nothing that was synchronized, and never makes a wrong sample")
    func powerCut() throws {
        for seed in TestSeed.seeds(TestSeed.cases(150)) {
            let store = MemoryFileStore()
            var workload = Workload(seed: seed)
            let (wal, _, _) = try Self.open(store, segmentSize: 64 << 10)
            var durable = 0
            for _ in 0..<Int.random(in: 1...120, using: &workload.random) {
                try workload.scrape(wal)
                switch Int.random(in: 0..<12, using: &workload.random) {
                case 0:
                    try wal.synchronize()
                    durable = workload.acknowledged.count
                case 1: _ = try wal.cutSegment()
                default: break
                }
            }
            let (_, collector, _) = try Self.open(store.crashClone(dropping: 0.5, seed: seed))
            #expect(collector.samples.starts(with: workload.acknowledged[..<durable]), "seed \(seed)")
            var position = workload.sent.startIndex
            for sample in collector.samples {
                guard let found = workload.sent[position...].firstIndex(of: sample) else {
                    Issue.record("seed \(seed): \(sample) was never written")
                    return
                }
                position = found + 1
            }
        }
    }

    @Test("after a failed fdatasync the segment is written anew before success is reported")
    func failedSync() throws {
        let store = MemoryFileStore()
        var workload = Workload(seed: 3)
        let (wal, _, _) = try Self.open(store)
        for _ in 0..<10 { try workload.scrape(wal) }
        store.setFault { _, operation in
            if case .synchronize = operation { return .failure("Input/output error") }
            return nil
        }
        #expect(throws: TSDBError.self) { try wal.synchronize() }
        #expect(throws: TSDBError.self) { try wal.synchronize() }
        store.setFault { _, operation in
            // The old file's pages are gone for good: only a new file can be synchronized.
            if case .synchronize("wal/00000000") = operation { return .failure("Input/output error") }
            return nil
        }
        try wal.synchronize()
        store.setFault(nil)
        #expect(wal.statistics.synchronizeFailureCount > 0)
        let synchronized = workload.acknowledged
        for _ in 0..<10 { try workload.scrape(wal) }
        let (_, collector, _) = try Self.open(store.crashClone(dropping: 1, seed: 1))
        #expect(collector.samples.starts(with: synchronized))
        #expect(try replayed(store).0.samples == workload.acknowledged)
    }

    @Test("synchronizeIfDue keeps to the interval and to what is new")
    func due() throws {
        let store = MemoryFileStore()
        var workload = Workload(seed: 1)
        let (wal, _, _) = try Self.open(store)
        try wal.synchronizeIfDue(Timestamp(milliseconds: 0))
        #expect(wal.statistics.synchronizeCount == 0)
        try workload.scrape(wal)
        try wal.synchronizeIfDue(Timestamp(milliseconds: 100))
        #expect(wal.statistics.synchronizeCount == 1)
        try workload.scrape(wal)
        try wal.synchronizeIfDue(Timestamp(milliseconds: 1099))
        #expect(wal.statistics.synchronizeCount == 1)
        try wal.synchronizeIfDue(Timestamp(milliseconds: 1100))
        #expect(wal.statistics.synchronizeCount == 2)
        try wal.synchronizeIfDue(Timestamp(milliseconds: 5000))
        #expect(wal.statistics.synchronizeCount == 2)
    }

    @Test("a disk that takes nothing: appending ends with an error that names the bound")
    func queueLimit() throws {
        let store = MemoryFileStore()
        var options = WALOptions()
        options.queueLimit = 10_000
        var nobody = Collector()
        let (wal, _) = try WAL.open("wal", store, options: options, visitor: &nobody)
        store.setFault { _, _ in .failure("No space left on device") }
        var workload = Workload(seed: 1)
        var errors: [TSDBError.Code] = []
        for _ in 0..<400 { do { try workload.scrape(wal) } catch { errors.append(error.code) } }
        #expect(errors.first == .io && errors.last == .limit)
        #expect(wal.statistics.queuedBytes < 11_000)
        store.setFault(nil)
        try wal.flush()
        #expect(try replayed(store).0.samples == workload.sent)
    }

    @Test("many committers: each is acknowledged only when its own samples are in the file")
    func groupCommit() async throws {
        let store = MemoryFileStore()
        let (wal, _, _) = try Self.open(store, segmentSize: 64 << 10)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for round in 0..<200 {
                        let reference = SeriesRef(slot: UInt32(writer), generation: 0)
                        let position = try wal.append(
                            references: [reference], timestamps: [Int64(round)], values: [Double(round * writer)], count: 1)
                        try wal.flush(through: position)
                        if round % 50 == 49 {
                            let clone = store.crashClone(dropping: 0, seed: 0)
                            let mine = try replayed(clone).0.samples.filter { $0.reference == reference.rawValue }
                            #expect(mine.count >= round + 1)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let (collector, _) = try replayed(store)
        #expect(collector.samples.count == 800)
        for writer in 0..<4 {
            let mine = collector.samples.filter { $0.reference == UInt64(writer) }
            #expect(mine.map(\.timestamp) == (0..<200).map(Int64.init))
            #expect(mine.map { Double(bitPattern: $0.bits) } == (0..<200).map { Double($0 * writer) })
        }
    }

    @Test("a record under zstd ends the replay with a sentence that says what to do")
    func zstd() throws {
        var page = WALPageWriter()
        [1, 2, 3].withUnsafeBytes { page.append($0, compression: .zstd) }
        let store = MemoryFileStore()
        store.put(page.bytes, at: "wal/00000000")
        let error = #expect(throws: TSDBError.self) { _ = try replayed(store) }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("zstd") == true)
    }

    @Test("noise in the place of a log never traps and never gives a sample")
    func noise() throws {
        for seed in TestSeed.seeds(TestSeed.cases(100)) {
            var random = SeededRandom(seed: seed)
            var page = WALPageWriter()
            for _ in 0..<30 {
                let first: UInt8 = [1, 2, 3, 4, 6, 200, 201, 202, 203, 0][Int.random(in: 0..<10, using: &random)]
                let rest = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                let compression: WALFormat.RecordCompression = Bool.random(using: &random) ? .none : .snappy
                ([first, UInt8.random(in: 0...2, using: &random)] + rest).withUnsafeBytes { page.append($0, compression: compression) }
            }
            let store = MemoryFileStore()
            store.put(page.bytes, at: "wal/00000000")
            _ = try replayed(store)
        }
    }
}
