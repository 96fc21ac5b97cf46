import Snappy
import Support
import Testing

@Suite struct SnappyTests {
    static func compress(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { Snappy.compress($0) } }

    static func decompress(_ bytes: [UInt8], limit: Int = 1 << 24) throws(SnappyError) -> [UInt8] {
        let result: Result<[UInt8], SnappyError> = bytes.withUnsafeBytes { input in
            do throws(SnappyError) { return .success(try Snappy.decompress(input, limit: limit)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// The format read in the plainest way, to hold the fast reader against.
    static func reference(_ input: [UInt8]) -> [UInt8]? {
        var length = 0, at = 0
        while true {
            guard at < input.count, at < 5 else { return nil }
            length |= Int(input[at] & 0x7f) << (7 * at)
            at += 1
            if input[at - 1] < 0x80 { break }
        }
        guard length < 1 << 32 else { return nil }
        var output: [UInt8] = []
        func take(_ n: Int) -> Int? {
            guard at + n <= input.count else { return nil }
            defer { at += n }
            return (0..<n).reduce(0) { $0 | Int(input[at + $1]) << (8 * $1) }
        }
        while let tag = take(1) {
            if tag & 3 == 0 {
                var n = tag >> 2
                if n >= 60 {
                    guard let more = take(n - 59) else { return nil }
                    n = more
                }
                guard at + n + 1 <= input.count else { return nil }
                output += input[at..<(at + n + 1)]
                at += n + 1
            } else {
                let width = tag & 3 == 1 ? 1 : tag & 3 == 2 ? 2 : 4
                guard let low = take(width) else { return nil }
                let count = tag & 3 == 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
                let offset = tag & 3 == 1 ? (tag >> 5) << 8 | low : low
                guard offset > 0, offset <= output.count else { return nil }
                for _ in 0..<count { output.append(output[output.count - offset]) }
            }
            if output.count > length { return nil }
        }
        return output.count == length ? output : nil
    }

    /// Bytes from dull to random, as logs, protobuf and worse have them.
    static func sample(_ random: inout SeededRandom, _ count: Int) -> [UInt8] {
        let words = (0..<20).map { _ in (0..<Int.random(in: 1...30, using: &random)).map { _ in UInt8.random(in: 97...122, using: &random) } }
        let shape = Int.random(in: 0..<5, using: &random)
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch shape {
            case 0: bytes.append(UInt8.random(in: 0...255, using: &random))
            case 1: bytes.append(7)
            case 2: bytes += words[Int.random(in: 0..<20, using: &random)]
            case 3: bytes += words[Int.random(in: 0..<20, using: &random)] + [UInt8.random(in: 0...255, using: &random)]
            default: bytes += [UInt8](repeating: UInt8.random(in: 0...3, using: &random), count: Int.random(in: 1...90, using: &random))
            }
        }
        return Array(bytes.prefix(count))
    }

    @Test("literals, copies of all three kinds and overlapping copies are read as the format says")
    func golden() throws {
        #expect(try Self.decompress([0]) == [])
        #expect(try Self.decompress([3, 2 << 2, 97, 98, 99]) == Array("abc".utf8))
        #expect(try Self.decompress([7, 2 << 2, 97, 98, 99, 1, 3]) == Array("abcabca".utf8))
        #expect(try Self.decompress([6, 2 << 2, 97, 98, 99, 2 << 2 | 2, 3, 0]) == Array("abcabc".utf8))
        #expect(try Self.decompress([6, 2 << 2, 97, 98, 99, 2 << 2 | 3, 3, 0, 0, 0]) == Array("abcabc".utf8))
        #expect(try Self.decompress([10, 0, 120, 8 << 2 | 2, 1, 0]) == Array("xxxxxxxxxx".utf8))
        #expect(try Self.decompress([3, 60 << 2, 2, 97, 98, 99]) == Array("abc".utf8))
    }

    @Test("decompress ∘ compress is the identity, and the plain reader agrees")
    func roundTrip() throws {
        for seed in TestSeed.seeds(TestSeed.cases(200)) {
            var random = SeededRandom(seed: seed)
            let size = [0...20, 0...2000, 60_000...200_000][Int(seed % 3)]
            let bytes = Self.sample(&random, Int.random(in: size, using: &random))
            let packed = Self.compress(bytes)
            #expect(try Self.decompress(packed) == bytes, "seed \(seed)")
            #expect(Self.reference(packed) == bytes, "seed \(seed)")
            #expect(packed.count <= bytes.count + bytes.count / 6 + 32)
        }
    }

    @Test("repetition is found: a text of few words shrinks to less than half")
    func ratio() {
        var random = SeededRandom(seed: 5)
        let words = (0..<40).map { _ in (0..<Int.random(in: 4...12, using: &random)).map { _ in UInt8.random(in: 97...122, using: &random) } }
        let text = (0..<5000).flatMap { _ in words[Int.random(in: 0..<40, using: &random)] }
        #expect(Self.compress(text).count < text.count / 2)
        #expect(Self.compress([UInt8](repeating: 0, count: 1_000_000)).count < 60_000)
    }

    @Test("every prefix of a block is refused")
    func prefixes() {
        var random = SeededRandom(seed: 3)
        let packed = Self.compress(Self.sample(&random, 5000))
        for cut in 0..<packed.count {
            #expect(throws: SnappyError.self) { try Self.decompress(Array(packed[..<cut])) }
        }
    }

    @Test("changed bytes give an error or other output, as the plain reader has it; never a trap")
    func mutations() {
        for seed in TestSeed.seeds(TestSeed.cases(40)) {
            var random = SeededRandom(seed: seed)
            let packed = Self.compress(Self.sample(&random, Int.random(in: 1...3000, using: &random)))
            for _ in 0..<50 {
                var damaged = packed
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                let got = try? Self.decompress(damaged)
                if let got {
                    #expect(Self.reference(damaged) == got, "seed \(seed)")
                } else if let plain = Self.reference(damaged) {
                    #expect(plain.count > 1 << 24, "seed \(seed)")
                }
            }
        }
    }

    @Test("a declared length is checked against the limit and the input before anything is allocated")
    func limit() {
        #expect(Result { () throws(SnappyError) in try Self.decompress([0x80, 0x80, 0x80, 0x80, 0x08, 0, 0], limit: 1000) }.code == .overLimit)
        #expect(Result { () throws(SnappyError) in try Self.decompress([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0], limit: .max) }.code == .truncated)
        #expect(Result { () throws(SnappyError) in try Self.decompress([0xff, 0xff, 0xff, 0xff, 0x1f]) }.code == .badLength)
        #expect(Result { () throws(SnappyError) in try Self.decompress([0xff, 0xff, 0xff, 0xff, 0xff, 0x01]) }.code == .badLength)
        #expect(Result { () throws(SnappyError) in try Self.decompress([]) }.code == .truncated)
        #expect(Result { () throws(SnappyError) in try Self.decompress([4, 0, 97, 1, 2]) }.code == .badOffset)
        #expect(Result { () throws(SnappyError) in try Self.decompress([4, 0, 97, 1, 0]) }.code == .badOffset)
        #expect(Result { () throws(SnappyError) in try Self.decompress([2, 0, 97, 1, 1]) }.code == .tooLong)
    }
}

extension Result where Success == [UInt8], Failure == SnappyError {
    fileprivate var code: SnappyError.Code? { if case .failure(let error) = self { error.code } else { nil } }
}
