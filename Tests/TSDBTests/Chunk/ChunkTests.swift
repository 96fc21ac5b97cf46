import Support
import Testing

@testable import TSDB

@Suite("Chunks")
struct ChunkTests {
    /// Bytes of a chunk with `samples`, written sample by sample as the head does.
    static func xor(_ samples: [(Int64, Double)]) -> [UInt8] {
        var appender = XORAppender()
        var buffer = [UInt8](repeating: 0xaa, count: samples.count * 20 + 64)
        buffer.withUnsafeMutableBytes { bytes in
            for (t, v) in samples { appender.append(t, v.bitPattern, to: bytes.baseAddress!) }
            XORChunk.writeHeader(appender.count, to: bytes.baseAddress!)
        }
        return Array(buffer.prefix(appender.byteCount))
    }

    static func decodeXOR(_ bytes: [UInt8], limit: Int = .max) throws(TSDBError) -> [(Int64, UInt64)] {
        try decode(bytes) { raw, columns throws(TSDBError) in
            try XORChunk.decode(raw, limit: limit, into: &columns)
        }
    }

    static func decodeDecimal(_ bytes: [UInt8]) throws(TSDBError) -> [(Int64, UInt64)] {
        try decode(bytes) { raw, columns throws(TSDBError) in try DecimalBlock.decode(raw, into: &columns) }
    }

    private static func decode(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer, inout SampleColumns) throws(TSDBError) -> Void
    ) throws(TSDBError) -> [(Int64, UInt64)] {
        let padded = bytes + [UInt8](repeating: 0xff, count: 32)
        var columns = SampleColumns(capacity: 4)
        let count = bytes.count
        var failure: TSDBError?
        padded.withUnsafeBytes { raw in
            do throws(TSDBError) {
                try body(UnsafeRawBufferPointer(rebasing: raw[..<count]), &columns)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return (0..<columns.count).map { (columns.timestamps[$0], columns.values[$0].bitPattern) }
    }

    static func decimal(_ samples: [(Int64, Double)]) -> [UInt8] {
        var encoder = DecimalBlockEncoder(capacity: max(1, samples.count))
        encoder.encode(samples.map(\.0), samples.map(\.1), count: samples.count)
        return encoder.bytes
    }

    static func same(_ a: [(Int64, UInt64)], _ b: [(Int64, Double)]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1.bitPattern }
    }

    @Test("a chunk has the bytes that Prometheus writes")
    func goldenBytes() {
        // count 3 │ t0 = 1000 (zigzag d0 0f) │ v0 = 1.0 │ Δt = 15000 (98 75) │ same value: bit 0 │ ΔΔt 0: bit 0 │ v = 2.0: 11,
        // 1 leading zero (00001), 11 significant bits (001011), 11111111111
        let bytes = Self.xor([(1000, 1), (16000, 1), (31000, 2)])
        #expect(
            bytes == [
                0x00, 0x03, 0xd0, 0x0f, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0x98, 0x75,
                0b0_0_11_0000, 0b1_001011_1, 0b1111_1111, 0b1100_0000,
            ])
    }

    @Test("decode ∘ encode is the identity, bit for bit, for both forms", arguments: TestSeed.seeds(24))
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(60) {
            let samples = SampleShapes.random(&random, count: Int.random(in: 1...240, using: &random))
            #expect(Self.same(try Self.decodeXOR(Self.xor(samples)), samples), "xor, seed \(seed)")
            #expect(Self.same(try Self.decodeDecimal(Self.decimal(samples)), samples), "decimal, seed \(seed)")
        }
    }

    @Test("a growing chunk shows a reader its first samples only")
    func limit() throws {
        let samples: [(Int64, Double)] = (0..<50).map { (Int64($0) * 15000, Double($0 * $0)) }
        for n in 0...50 {
            #expect(Self.same(try Self.decodeXOR(Self.xor(samples), limit: n), Array(samples.prefix(n))))
        }
    }

    @Test(
        "reading may begin behind any sample, at any byte before it, and gives the rest, or what of it lies behind a time",
        arguments: TestSeed.seeds(12))
    func restarts(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(10) {
            let samples = SampleShapes.random(&random, count: Int.random(in: 1...130, using: &random))
            let bytes = Self.xor(samples)
            var appender = XORAppender()
            var buffer = [UInt8](repeating: 0, count: samples.count * 20 + 64)
            let restarts = buffer.withUnsafeMutableBytes { target in
                samples.map { t, v in
                    appender.append(t, v.bitPattern, to: target.baseAddress!)
                    return appender.restart
                }
            }
            for (index, restart) in restarts.enumerated() {
                let first = Int(restart.bit) / 8
                for offset in Set([first, max(0, first - 1), Int.random(in: 0...first, using: &random)]) {
                    let rest = try Self.decode(Array(bytes[min(offset, bytes.count)...])) { raw, columns throws(TSDBError) in
                        try XORChunk.decode(
                            raw, from: offset, restart: restart, total: samples.count, into: &columns)
                    }
                    #expect(Self.same(rest, Array(samples[(index + 1)...])), "seed \(seed), behind \(index), byte \(offset)")
                    let since = samples.randomElement(using: &random)?.0 ?? 0
                    let newest = try Self.decode(Array(bytes[min(offset, bytes.count)...])) { raw, columns throws(TSDBError) in
                        try XORChunk.decode(
                            raw, from: offset, restart: restart, total: samples.count, since: since, into: &columns)
                    }
                    #expect(Self.same(newest, samples[(index + 1)...].filter { $0.0 >= since }), "seed \(seed), since \(since)")
                }
            }
        }
    }

    @Test("cut or changed bytes are an error or other samples, never a trap", arguments: TestSeed.seeds(8))
    func damage(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(40) {
            let samples = SampleShapes.random(&random, count: Int.random(in: 1...120, using: &random))
            for original in [Self.xor(samples), Self.decimal(samples)] {
                var bytes = original
                if Bool.random(using: &random) {
                    bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
                } else {
                    for _ in 0...Int.random(in: 0...4, using: &random) {
                        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                    }
                }
                _ = try? Self.decodeXOR(bytes)
                _ = try? Self.decodeDecimal(bytes)
            }
        }
    }

    @Test("every prefix of a chunk is refused")
    func truncation() {
        let samples = (0..<120).map { (i: Int) -> (Int64, Double) in (Int64(i * 1000 + i % 7), Double(i) * 1.1) }
        let chunk = Self.xor(samples)
        for size in 0..<chunk.count { #expect(throws: TSDBError.self) { try Self.decodeXOR(Array(chunk.prefix(size))) } }
        let block = Self.decimal(samples)
        for size in 0..<block.count {
            #expect(throws: TSDBError.self) { try Self.decodeDecimal(Array(block.prefix(size))) }
        }
    }

    @Test("counters and short decimals take less than two bytes a sample")
    func size() {
        var random = SeededRandom(seed: 7)
        var total = 0.0
        let counter = (0..<120).map { i -> (Int64, Double) in
            total += Double(Int.random(in: 0...40, using: &random))
            return (1_700_000_000_000 + Int64(i) * 15000, total)
        }
        let gauge = (0..<120).map { (i: Int) -> (Int64, Double) in
            (1_700_000_000_000 + Int64(i) * 15000, Double(Int.random(in: 2000...2500, using: &random)) / 100)
        }
        #expect(Self.decimal(counter).count < 120)
        #expect(Self.decimal(gauge).count < 180)
        #expect(Self.decimal((0..<120).map { (Int64($0) * 15000, 4096.0) }).count < 24)
    }
}
