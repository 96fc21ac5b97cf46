import Support
import Testing

@testable import TSDB

/// Pages, fragments and checksums: the layout Prometheus reads and writes.
@Suite struct WALFramingTests {
    enum Read: Equatable {
        case record([UInt8])
        case damage(Int)
        case torn(Int)
    }

    /// Everything a segment of `bytes` gives.
    static func read(_ bytes: [UInt8]) throws -> [Read] {
        let store = MemoryFileStore()
        store.put(bytes, at: "s")
        var reader = WALSegmentReader(try store.openForReading("s"))
        var result: [Read] = []
        while let frame = try reader.next() {
            switch frame {
            case .record(let bytes, _, _): result.append(.record(Array(bytes)))
            case .damage(let offset, _, let isTorn): result.append(isTorn ? .torn(offset) : .damage(offset))
            }
        }
        return result
    }

    /// The records framed from the beginning of a segment, and where each begins and ends.
    static func frame(_ records: [[UInt8]]) -> (bytes: [UInt8], bounds: [Range<Int>]) {
        var writer = WALPageWriter()
        var bounds: [Range<Int>] = []
        for record in records {
            let start = writer.position
            record.withUnsafeBytes { writer.append($0) }
            bounds.append(start..<writer.position)
        }
        return (writer.bytes, bounds)
    }

    static func randomRecords(_ random: inout SeededRandom, count: Int, sizes: ClosedRange<Int>) -> [[UInt8]] {
        (0..<count).map { _ in
            (0..<Int.random(in: sizes, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
    }

    @Test("a short record is one full fragment, byte for byte as Prometheus writes it")
    func goldenFull() {
        // CRC-32C of "123456789" is e3069283, the checksum's published check value.
        let (bytes, _) = Self.frame([Array("123456789".utf8)])
        #expect(hex(bytes) == "01 0009 e3069283 313233343536373839")
    }

    @Test("a record that does not fit its page goes on in the next one")
    func goldenSplit() {
        let (bytes, bounds) = Self.frame([[UInt8](repeating: 0x61, count: 32 * 1024 - 7 - 7 - 2), Array("hello".utf8)])
        #expect(bounds[1].lowerBound == 32 * 1024 - 9)
        #expect(bytes.count == 32 * 1024 + 7 + 3)
        #expect(Array(bytes[(32 * 1024 - 9)..<(32 * 1024 - 6)]) == [2, 0, 2])  // first, two bytes
        #expect(Array(bytes[(32 * 1024 - 2)..<(32 * 1024)]) == Array("he".utf8))
        #expect(Array(bytes[(32 * 1024)..<(32 * 1024 + 3)]) == [4, 0, 3])  // last, three bytes
    }

    @Test("less than a header at the end of a page is zeros")
    func goldenPadding() {
        let (bytes, bounds) = Self.frame([[UInt8](repeating: 1, count: 32 * 1024 - 7 - 6), [7]])
        #expect(bounds[1].lowerBound == 32 * 1024)
        #expect(Array(bytes[(32 * 1024 - 6)..<(32 * 1024)]) == [0, 0, 0, 0, 0, 0])
    }

    @Test("records of all sizes come back")
    func roundTrip() throws {
        let seed = testSeed()
        var random = SeededRandom(seed: seed)
        for sizes in [0...40, 0...70_000, 32_740...32_770, 100_000...400_000] {
            let records = Self.randomRecords(&random, count: 30, sizes: sizes)
            #expect(try Self.read(Self.frame(records).bytes) == records.map { .record($0) }, "seed \(seed)")
        }
    }

    @Test("a segment cut at any byte gives the records that are whole, and says that the next one is torn")
    func cutAnywhere() throws {
        var random = SeededRandom(seed: testSeed())
        let records = Self.randomRecords(&random, count: 8, sizes: 1...60) + [[UInt8](repeating: 9, count: 33_000)]
        let (bytes, bounds) = Self.frame(records)
        for cut in 0...bytes.count {
            let whole = bounds.prefix { $0.upperBound <= cut }.count
            var expected = records.prefix(whole).map { Read.record($0) }
            if whole < records.count && cut > bounds[whole].lowerBound { expected.append(.torn(bounds[whole].lowerBound)) }
            let got = try Self.read(Array(bytes[..<cut]))
            #expect(got == expected, "cut at \(cut)")
        }
    }

    @Test("a flipped byte costs one record, wherever it is")
    func flipAnywhere() throws {
        let seed = testSeed()
        var random = SeededRandom(seed: seed)
        let records = Self.randomRecords(&random, count: 12, sizes: 10...60)
        let (bytes, bounds) = Self.frame(records)
        for offset in bytes.indices {
            for mask in [0xff, 0x01, 0x02, 0x04, 0x80] as [UInt8] {
                var damaged = bytes
                damaged[offset] ^= mask
                let got = try Self.read(damaged)
                let hit = bounds.firstIndex { $0.contains(offset) } ?? 0
                let survivors = got.compactMap { if case .record(let bytes) = $0 { bytes } else { nil } }
                // The compression bits stand outside of the checksum: the record comes back, and its decoder refuses it.
                let isCompressionBit = survivors.count == records.count
                if isCompressionBit { continue }
                #expect(survivors == records.indices.filter { $0 != hit }.map { records[$0] }, "byte \(offset) ^ \(mask), seed \(seed)")
                #expect(got.count > survivors.count, "damage at \(offset) was not told")
            }
        }
    }

    @Test("damage in a record over several pages costs that record alone")
    func flipInLongRecord() throws {
        let seed = testSeed()
        var random = SeededRandom(seed: seed)
        let records =
            Self.randomRecords(&random, count: 3, sizes: 50...50)
            + Self.randomRecords(&random, count: 1, sizes: 90_000...90_000)
            + Self.randomRecords(&random, count: 3, sizes: 50...50)
        let (bytes, bounds) = Self.frame(records)
        for _ in 0..<300 {
            let offset = Int.random(in: bounds[3], using: &random)
            var damaged = bytes
            damaged[offset] ^= UInt8.random(in: 1...7, using: &random)
            let survivors = try Self.read(damaged).compactMap { if case .record(let bytes) = $0 { bytes } else { nil } }
            #expect(survivors == records.enumerated().filter { $0.offset != 3 }.map(\.element), "byte \(offset), seed \(seed)")
        }
    }

    @Test("noise never traps, never invents a record")
    func noise() throws {
        let seed = testSeed()
        var random = SeededRandom(seed: seed)
        for round in 0..<60 {
            let noise = (0..<Int.random(in: 0...100_000, using: &random)).map { _ in
                round % 2 == 0 ? UInt8.random(in: 0...255, using: &random) : UInt8.random(in: 0...4, using: &random)
            }
            for read in try Self.read(noise) {
                if case .record(let bytes) = read { #expect(bytes.isEmpty, "seed \(seed), round \(round)") }
            }
        }
    }

    @Test("zeros at the end, as a power cut leaves them, are no damage")
    func zerosAtTheEnd() throws {
        let (bytes, _) = Self.frame([[1, 2, 3]])
        #expect(try Self.read(bytes + [UInt8](repeating: 0, count: 100_000)) == [.record([1, 2, 3])])
    }
}

/// Header and data in groups: type, length, checksum, rest.
private func hex(_ bytes: [UInt8]) -> String {
    func digits(_ part: ArraySlice<UInt8>) -> String {
        part.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
    return [digits(bytes[0..<1]), digits(bytes[1..<3]), digits(bytes[3..<7]), digits(bytes[7...])].joined(separator: " ")
}
