/// Simple case folding: which code points count as one letter under `(?i)`.
///
///     k K K (Kelvin)        s S ſ (long s)        σ Σ ς        θ Θ ϑ ϴ
///
/// Such a group is an *orbit*. A folded set holds every orbit it touches in full.
/// Source: Unicode Standard, §5.18 “Case Mappings” and CaseFolding.txt (statuses C and S). The orbits are derived from
/// the single-scalar upper and lower case mappings the standard library carries.
enum CaseFolding {
    /// Blocks with cased letters; everything else folds to itself.
    private static let casedBlocks: [ClosedRange<UInt32>] = [
        0x41...0x587, 0x10A0...0x10FF, 0x13A0...0x13FF, 0x1C80...0x1CBF, 0x1D79...0x1D8E, 0x1E00...0x1FFF,
        0x2126...0x2188, 0x24B6...0x24E9, 0x2C00...0x2DFF, 0xA640...0xA7FF, 0xAB30...0xABBF, 0xFF21...0xFF5A,
        0x10400...0x10D8F, 0x118A0...0x118DF, 0x16E40...0x16EDF, 0x1E900...0x1E943,
    ]

    /// Every orbit of two members or more.
    private static let orbits: [[UInt32]] = {
        var parent: [UInt32: UInt32] = [:]
        func root(_ scalar: UInt32) -> UInt32 {
            var current = scalar
            while let next = parent[current], next != current { current = next }
            return current
        }
        func join(_ a: UInt32, _ mapping: String) {
            // A mapping to several letters (ß → SS) is full folding, which expressions do not use.
            guard mapping.unicodeScalars.count == 1, let b = mapping.unicodeScalars.first?.value, a != b else { return }
            let (x, y) = (root(a), root(b))
            parent[max(x, y)] = min(x, y)
            parent[min(x, y)] = min(x, y)
        }
        for block in casedBlocks {
            // Dotless ı has the capital I, but folding keeps it apart (status T, Turkic only).
            for value in block where value != 0x131 {
                guard let scalar = Unicode.Scalar(value) else { continue }
                join(value, scalar.properties.lowercaseMapping)
                join(value, scalar.properties.uppercaseMapping)
            }
        }
        var groups: [UInt32: [UInt32]] = [:]
        for scalar in parent.keys.sorted() { groups[root(scalar), default: []].append(scalar) }
        return groups.values.filter { $0.count > 1 }
    }()

    private static let orbitOf: [UInt32: Int] = {
        var index: [UInt32: Int] = [:]
        for (number, orbit) in orbits.enumerated() { for scalar in orbit { index[scalar] = number } }
        return index
    }()

    /// The orbit of an ASCII character, without the tables.
    private static func asciiOrbit(_ scalar: UInt32) -> [UInt32] {
        switch scalar {
        case 0x53, 0x73: [0x53, 0x73, 0x17F]
        case 0x4B, 0x6B: [0x4B, 0x6B, 0x212A]
        case 0x41...0x5A, 0x61...0x7A: [scalar, scalar ^ 0x20]
        default: [scalar]
        }
    }

    /// `set` and everything that folds to one of its members.
    static func folded(_ set: ScalarSet) -> ScalarSet {
        guard let last = set.ranges.last, !set.isAll else { return set }
        var ranges = set.ranges
        if last.upperBound < 0x80 {
            for range in set.ranges { for scalar in range { ranges += asciiOrbit(scalar).map { $0...$0 } } }
        } else if let few = set.members(limit: 64) {
            for scalar in few { if let number = orbitOf[scalar] { ranges += orbits[number].map { $0...$0 } } }
        } else {
            for orbit in orbits where orbit.contains(where: set.contains) { ranges += orbit.map { $0...$0 } }
        }
        return ScalarSet(ranges)
    }
}
