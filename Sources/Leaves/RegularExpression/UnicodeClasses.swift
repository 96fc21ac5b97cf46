/// The named sets: `\d`, `[:alpha:]`, `\p{Lu}`, `\p{Greek}`.
enum NamedClasses {
    /// Perl's letters. `\s` has no vertical tab, which `[:space:]` has; both as in RE2.
    static func perl(_ letter: UInt8) -> ScalarSet? {
        switch letter {
        case UInt8(ascii: "d"), UInt8(ascii: "D"): posix["digit"]
        case UInt8(ascii: "s"), UInt8(ascii: "S"): ScalarSet([0x09...0x0A, 0x0C...0x0D, 0x20...0x20])
        case UInt8(ascii: "w"), UInt8(ascii: "W"): .word
        default: nil
        }
    }

    static let posix: [String: ScalarSet] = [
        "alnum": ScalarSet([0x30...0x39, 0x41...0x5A, 0x61...0x7A]),
        "alpha": ScalarSet([0x41...0x5A, 0x61...0x7A]),
        "ascii": ScalarSet([0x00...0x7F]),
        "blank": ScalarSet([0x09...0x09, 0x20...0x20]),
        "cntrl": ScalarSet([0x00...0x1F, 0x7F...0x7F]),
        "digit": ScalarSet([0x30...0x39]),
        "graph": ScalarSet([0x21...0x7E]),
        "lower": ScalarSet([0x61...0x7A]),
        "print": ScalarSet([0x20...0x7E]),
        "punct": ScalarSet([0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]),
        "space": ScalarSet([0x09...0x0D, 0x20...0x20]),
        "upper": ScalarSet([0x41...0x5A]),
        "word": .word,
        "xdigit": ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66]),
    ]

    /// A general category (`L`, `Lu`, …), a script (`Greek`) or `Any`. Names are exact.
    static func unicode(_ name: String) -> ScalarSet? {
        name == "Any" ? .all : categories[name] ?? scripts[name]
    }

    /// General categories by short name and by first letter, read from the standard library once.
    private static let categories: [String: ScalarSet] = {
        var byName: [String: [ClosedRange<UInt32>]] = [:]
        /// Above these planes there are only unassigned code points and private use.
        let scanned: [ClosedRange<UInt32>] = [0...0xD7FF, 0xE000...0x33FFF, 0xE0000...0xE0FFF]
        for block in scanned {
            var start = block.lowerBound
            var current = shortName(start)
            for value in block.dropFirst() {
                let name = shortName(value)
                if name != current {
                    byName[current, default: []].append(start...(value - 1))
                    (start, current) = (value, name)
                }
            }
            byName[current, default: []].append(start...block.upperBound)
        }
        byName["Cs", default: []].append(0xD800...0xDFFF)
        byName["Co", default: []] += [0xF0000...0xFFFFD, 0x100000...0x10FFFD]
        byName["Cn", default: []] += [0x34000...0xDFFFF, 0xE1000...0xEFFFF, 0xFFFFE...0xFFFFF, 0x10FFFE...0x10FFFF]
        for (name, ranges) in byName where name.utf8.count == 2 {
            byName[String(name.prefix(1)), default: []] += ranges
        }
        byName["LC"] = ["Lu", "Ll", "Lt"].flatMap { byName[$0] ?? [] }
        return byName.mapValues { ScalarSet($0) }
    }()

    private static func shortName(_ value: UInt32) -> String {
        guard let scalar = Unicode.Scalar(value) else { return "Cs" }
        return switch scalar.properties.generalCategory {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: "Cn"
        }
    }

    private static let scripts: [String: ScalarSet] = scriptRanges.mapValues { text in
        ScalarSet(
            text.split(separator: " ").compactMap { part in
                let ends = part.split(separator: "-").compactMap { UInt32($0, radix: 16) }
                guard let first = ends.first, let last = ends.last, first <= last else { return nil }
                return first...last
            })
    }
}
