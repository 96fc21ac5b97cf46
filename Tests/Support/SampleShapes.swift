import TSDB

/// Random series as monitoring sees them, and as it should never see them.
public enum SampleShapes {
    /// `count` samples with ascending timestamps of one of many shapes.
    public static func random(_ random: inout SeededRandom, count: Int) -> [(Int64, Double)] {
        var time = Int64.random(in: -1_000_000...2_000_000_000_000, using: &random)
        let interval = [1, 1000, 15000, 60000].randomElement(using: &random) ?? 15000
        let jitter = [0, 0, 0, 3, 200, 100_000].randomElement(using: &random) ?? 0
        let shape = Int.random(in: 0..<10, using: &random)
        var value = Double(Int.random(in: 0...10000, using: &random))
        return (0..<count).map { index in
            time += Int64(interval) + (jitter > 0 ? Int64.random(in: 0...Int64(jitter), using: &random) : 0)
            if shape == 9 && index % 17 == 3 { time += 1 << Int64.random(in: 0...50, using: &random) }
            switch shape {
            case 0: break
            case 1: value += Double(Int.random(in: 0...100, using: &random))
            case 2: value = Double(Int.random(in: -5000...5000, using: &random)) / 100
            case 3: value = Double.random(in: -1...1, using: &random)
            case 4: value += Double.random(in: 0...3, using: &random)
            case 5: value = Double(bitPattern: UInt64.random(in: 0 ... .max, using: &random))
            case 6: value = Double(Int.random(in: 0...500, using: &random)) * 4096
            case 7:
                value =
                    index % 13 == 5
                    ? [Double.infinity, -.infinity, StaleMarker.value, NormalNaN.value, -0.0, Double.leastNonzeroMagnitude, 1e308]
                        .randomElement(using: &random) ?? 0
                    : Double(Int.random(in: 0...9, using: &random))
            case 8: value = index % 40 == 0 ? 0 : value + 1
            default: value += 0.1
            }
            return (time, value)
        }
    }
}
