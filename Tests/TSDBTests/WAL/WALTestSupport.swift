import Support

/// The seed of this run, to be shown where a random test fails.
func testSeed() -> UInt64 { TestSeed.seeds(1).first ?? 1 }
