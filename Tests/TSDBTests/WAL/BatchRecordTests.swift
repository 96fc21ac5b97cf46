import Support
import Testing

@testable import TSDB

/// The batch record: what goes in comes out, and what cannot be known is dropped, never guessed.
@Suite struct BatchRecordTests {
    struct Sample: Equatable {
        var reference: SeriesRef
        var timestamp: Int64
        var value: Double

        static func == (a: Sample, b: Sample) -> Bool {
            a.reference == b.reference && a.timestamp == b.timestamp && a.value.bitPattern == b.value.bitPattern
        }
    }

    /// Some targets, each with some series of all shapes, scraped in turn: a list of batches.
    static func scrapes(_ random: inout SeededRandom, targets: Int, rounds: Int) -> [[Sample]] {
        var series: [[(SeriesRef, [(Int64, Double)])]] = []
        var slot: UInt32 = 0
        for _ in 0..<targets {
            series.append(
                (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    slot += UInt32.random(in: 0...9, using: &random) == 0 ? 3 : 1
                    let generation = UInt32.random(in: 0...5, using: &random) == 0 ? UInt32.random(in: 1...70_000, using: &random) : 0
                    return (SeriesRef(slot: slot, generation: generation), SampleShapes.random(&random, count: rounds))
                })
        }
        var batches: [[Sample]] = []
        for round in 0..<rounds {
            for target in 0..<targets {
                let ragged = Int.random(in: 0...3, using: &random) == 0
                let common = series[target][0].1[round].0
                var batch = series[target].map { reference, samples in
                    Sample(reference: reference, timestamp: ragged ? samples[round].0 : common, value: samples[round].1)
                }
                if Int.random(in: 0...5, using: &random) == 0 { batch.shuffle(using: &random) }
                if Int.random(in: 0...5, using: &random) == 0 {
                    batch += batch.prefix(3).map { Sample(reference: $0.reference, timestamp: $0.timestamp + 1, value: $0.value + 1) }
                }
                if Int.random(in: 0...9, using: &random) == 0 { batch = [] }
                batches.append(batch)
            }
        }
        return batches
    }

    static func encode(_ encoder: inout BatchEncoder, _ batch: [Sample]) throws -> [UInt8] {
        var body: [UInt8] = []
        try encoder.encode(batch.map(\.reference), batch.map(\.timestamp), batch.map(\.value), count: batch.count, to: &body)
        return body
    }

    static func decode(_ decoder: inout BatchDecoder, _ body: [UInt8]) -> [Sample]? {
        let isSound = body.withUnsafeBytes { bytes in
            do { try decoder.decode(bytes) } catch { return false }
            return true
        }
        guard isSound else { return nil }
        return (0..<decoder.count).map {
            Sample(reference: decoder.references[$0], timestamp: decoder.timestamps[$0], value: decoder.values[$0])
        }
    }

    @Test("a scrape has the bytes that docs/format/wal.md draws")
    func golden() throws {
        var encoder = BatchEncoder(epoch: 3)
        let body = try Self.encode(
            &encoder,
            [
                Sample(reference: SeriesRef(slot: 8, generation: 0), timestamp: 1000, value: 5),
                Sample(reference: SeriesRef(slot: 9, generation: 0), timestamp: 1000, value: 0),
                Sample(reference: SeriesRef(slot: 10, generation: 0), timestamp: 1000, value: -1.25),
            ])
        // flags, epoch, count │ slots: 8 zigzag 16 twice 32 + run, 3 − 2 │ generation 0 × 3 │ link 0 × 3 │ 1000 zigzag 2000 × 3
        // │ tags 1, 0 │ 7 │ 10, −125 zigzag 249
        #expect(body == [0, 3, 3, 33, 1, 0, 2, 0, 2, 0xd0, 0x0f, 2, 0x01, 0x07, 10, 249])
        let second = try Self.encode(
            &encoder,
            [
                Sample(reference: SeriesRef(slot: 9, generation: 0), timestamp: 2000, value: 300),
                Sample(reference: SeriesRef(slot: 8, generation: 7), timestamp: 2001, value: .pi),
            ])
        // slots 9, then 8 where 10 was expected │ generations 0, 7 │ links 1, 0 │ 2000, +1 │ tags 2, 15 │ 600 │ π's pattern, twice
        #expect(
            second == [0, 3, 2, 36, 6, 0, 0, 7, 0, 1, 0, 0, 0, 0xa0, 0x1f, 0, 2, 0, 0xf2, 0x58, 0x02]
                + (0..<8).map { UInt8(truncatingIfNeeded: (Double.pi.bitPattern << 1) >> UInt64($0 * 8)) })
    }

    @Test("decode ∘ encode is the identity, bit for bit, over series of every shape")
    func roundTrip() throws {
        for seed in TestSeed.seeds(TestSeed.cases(60)) {
            var random = SeededRandom(seed: seed)
            let batches = Self.scrapes(&random, targets: Int.random(in: 1...5, using: &random), rounds: 50)
            var encoder = BatchEncoder(epoch: seed)
            var decoder = BatchDecoder()
            for (index, batch) in batches.enumerated() {
                if index == batches.count / 2 { encoder.begin(epoch: seed &+ 1) }
                let body = try Self.encode(&encoder, batch)
                #expect(Self.decode(&decoder, body) == batch, "seed \(seed), batch \(index)")
                #expect(decoder.lostCount == 0)
            }
        }
    }

    @Test("without some records, what is read is right, and at most sixteen samples of a series are missing behind a loss")
    func losses() throws {
        for seed in TestSeed.seeds(TestSeed.cases(60)) {
            var random = SeededRandom(seed: seed)
            let batches = Self.scrapes(&random, targets: 3, rounds: 60)
            var encoder = BatchEncoder(epoch: 1)
            var decoder = BatchDecoder()
            var missing: [UInt32: Int] = [:]
            for (index, batch) in batches.enumerated() {
                if Int.random(in: 0..<200, using: &random) == 0 { encoder.begin(epoch: encoder.epoch + 1) }
                let body = try Self.encode(&encoder, batch)
                if Int.random(in: 0..<25, using: &random) == 0 {
                    for sample in batch { missing[sample.reference.slot] = 0 }
                    continue
                }
                guard let got = Self.decode(&decoder, body) else {
                    Issue.record("seed \(seed), batch \(index): not read")
                    return
                }
                #expect(got.count + decoder.lostCount == batch.count)
                // `got` is a subsequence of the batch: equal samples in the same order, some left out.
                var position = 0
                for sample in batch {
                    if position < got.count && got[position] == sample {
                        position += 1
                        missing[sample.reference.slot] = nil
                    } else {
                        let lost = (missing[sample.reference.slot] ?? 100) + 1
                        missing[sample.reference.slot] = lost
                        #expect(lost <= 15, "seed \(seed), batch \(index): \(lost) lost")
                    }
                }
                #expect(position == got.count, "seed \(seed), batch \(index): a sample that nobody wrote")
            }
        }
    }

    @Test("a slot's next series is not read by the values of the one before")
    func generations() throws {
        var encoder = BatchEncoder(epoch: 1)
        var decoder = BatchDecoder()
        let old = SeriesRef(slot: 5, generation: 1), new = SeriesRef(slot: 5, generation: 2)
        _ = Self.decode(&decoder, try Self.encode(&encoder, [Sample(reference: old, timestamp: 1, value: 1000)]))
        _ = try Self.encode(&encoder, [Sample(reference: new, timestamp: 2, value: 7)])  // lost
        let body = try Self.encode(&encoder, [Sample(reference: new, timestamp: 3, value: 8)])
        #expect(Self.decode(&decoder, body) == [])
        #expect(decoder.lostCount == 1)
    }

    @Test("cut and changed bodies never trap, and never ask for more memory than they pay for")
    func mutations() throws {
        for seed in TestSeed.seeds(TestSeed.cases(30)) {
            var random = SeededRandom(seed: seed)
            let batches = Self.scrapes(&random, targets: 2, rounds: 10)
            var encoder = BatchEncoder(epoch: 1)
            for batch in batches {
                let body = try Self.encode(&encoder, batch)
                var decoder = BatchDecoder()
                for cut in 0..<body.count { #expect(Self.decode(&decoder, Array(body[..<cut])) == nil) }
                for _ in 0..<40 {
                    var damaged = body
                    damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                    _ = Self.decode(&decoder, damaged)
                }
            }
        }
    }

    @Test("a slot beyond the limit is refused on both sides")
    func slotLimit() throws {
        var encoder = BatchEncoder(epoch: 1)
        let error = #expect(throws: TSDBError.self) {
            _ = try Self.encode(&encoder, [Sample(reference: SeriesRef(slot: 1 << 27, generation: 0), timestamp: 0, value: 0)])
        }
        #expect(error?.code == .limit)
        var body: [UInt8] = [0, 1, 1]
        body.appendVarint(UInt64(1 << 27) << 2)
        body += [0, 0, 0, 0, 0, 0, 0]
        var decoder = BatchDecoder()
        #expect(Self.decode(&decoder, body) == nil)
    }
}
