#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Seeds and sizes of tests over random input. `MINPROM_TEST_SEED` repeats one run, `MINPROM_SOAK` multiplies the cases.
public enum TestSeed {
    /// `count` different seeds, or the one asked for.
    public static func seeds(_ count: Int) -> [UInt64] {
        if let text = environment("MINPROM_TEST_SEED"), let seed = UInt64(text) { return [seed] }
        return (0..<count).map { UInt64($0) &* 0x9e37_79b9 &+ 1 }
    }

    /// `base` cases, more when soaking.
    public static func cases(_ base: Int) -> Int {
        guard let text = environment("MINPROM_SOAK"), let factor = Int(text), factor > 1 else { return base }
        return base &* min(factor, 1_000_000)
    }

    public static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
