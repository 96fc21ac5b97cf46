import Numbers
import Support
import Testing

@Suite("Numbers as text")
struct NumberTextTests {
    @Test(
        "values are laid out as Go lays them out",
        arguments: [
            (0.0, "0", "0", "0"), (-0.0, "-0", "-0", "-0"), (1, "1", "1", "1"), (-42, "-42", "-42", "-42"),
            (0.1, "0.1", "0.1", "0.1"), (-1.5, "-1.5", "-1.5", "-1.5"), (100_000, "100000", "100000", "100000"),
            (1_000_000, "1000000", "1e+06", "1000000"), (1_234_567, "1234567", "1.234567e+06", "1234567"),
            (123_456.5, "123456.5", "123456.5", "123456.5"), (0.0001, "0.0001", "0.0001", "0.0001"),
            (0.00001, "0.00001", "1e-05", "0.00001"), (1e-6, "0.000001", "1e-06", "0.000001"),
            (1e-7, "1e-07", "1e-07", "0.0000001"), (1.5e-7, "1.5e-07", "1.5e-07", "0.00000015"),
            (1e20, "100000000000000000000", "1e+20", "100000000000000000000"),
            (1e21, "1e+21", "1e+21", "1000000000000000000000"), (1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308", ""),
            (.leastNonzeroMagnitude, "5e-324", "5e-324", ""), (0x1p60, "1152921504606847000", "1.152921504606847e+18", "1152921504606847000"),
            (9_007_199_254_740_993, "9007199254740992", "9.007199254740992e+15", "9007199254740992"),
            (0.30000000000000004, "0.30000000000000004", "0.30000000000000004", "0.30000000000000004"),
            (.nan, "NaN", "NaN", "NaN"), (.infinity, "+Inf", "+Inf", "+Inf"), (-.infinity, "-Inf", "-Inf", "-Inf"),
        ])
    func layout(value: Double, plain: String, general: String, fixed: String) {
        #expect(NumberText.string(value, style: .plain) == plain)
        #expect(NumberText.string(value, style: .general) == general)
        if !fixed.isEmpty { #expect(NumberText.string(value, style: .fixed) == fixed) }
    }

    @Test("the longest text fits the stated bound")
    func longest() {
        for value in [-Double.leastNonzeroMagnitude, -2.2250738585072014e-308, -1.7976931348623157e308] {
            #expect(NumberText.string(value, style: .fixed).utf8.count <= NumberText.maximumLength)
        }
    }

    @Test("writing and reading back is identity, and the digits are the shortest")
    func roundTrip() {
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        var failures: [String] = []
        for round in 0..<1_000_000 {
            let value: Double =
                switch round % 5 {
                case 0: Double(bitPattern: random.next())
                case 1: Double(Int64(truncatingIfNeeded: random.next() >> (random.next() % 64)))
                case 2: Double(random.next() % 1_000_000_000) / 1000
                case 3: Double(random.next() % 1_000_000) * 0.1
                default: Double.random(in: 0..<1, using: &random)
                }
            guard value.isFinite else { continue }
            let style: NumberText.Style = round % 3 == 0 ? .plain : round % 3 == 1 ? .general : .fixed
            let text = NumberText.string(value, style: style)
            guard let back = NumberText.parse(text), back.bitPattern == value.bitPattern,
                round % 10 != 0 || significantDigits(text) == significantDigits(value.description)
            else {
                failures.append("\(value) as \(style): \(text)")
                continue
            }
        }
        #expect(failures.isEmpty, "seed \(seed): \(failures.prefix(5))")
    }

    @Test("whole numbers have their digits and no zeros in front")
    func wholeNumbers() {
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        var numbers: [Int64] = (0..<16).flatMap { power -> [Int64] in
            let ten = (0..<power).reduce(Int64(1)) { product, _ in product * 10 }
            return [ten - 1, ten, ten + 1, 9 * ten]
        }
        numbers += [1 << 53 - 1, 1 << 53] + (0..<100_000).map { _ in Int64(random.next() >> (11 + random.next() % 53)) }
        let wrong = numbers.filter { number in
            [number, -number].contains { $0 != 0 && NumberText.string(Double($0), style: .plain) != String($0) }
        }
        #expect(wrong.isEmpty, "seed \(seed): \(wrong.prefix(5))")
    }

    @Test("around every power of two and of ten, and for the smallest numbers, the digits are the standard library's")
    func boundaries() {
        var values = (0..<2047).flatMap { exponent -> [Double] in
            let power = Double(sign: .plus, exponentBitPattern: UInt(exponent), significandBitPattern: 0)
            return [power.nextDown, power, power.nextUp, power.nextUp.nextUp]
        }
        values += (-323...308).flatMap { exponent -> [Double] in
            let power = Double("1e\(exponent)") ?? 1
            return [power.nextDown, power, power.nextUp]
        }
        values += (1...5_000).map { Double(bitPattern: $0) }
        let wrong = values.filter { value in
            value > 0 && significantDigits(NumberText.string(value, style: .general)) != significantDigits(value.description)
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    /// Digits without sign, point, exponent and zeros at either end.
    private func significantDigits(_ text: String) -> [UInt8] {
        var digits = text.utf8.prefix { $0 != UInt8(ascii: "e") }.filter { $0 >= 48 && $0 <= 57 }
        while digits.last == 48 { digits.removeLast() }
        return Array(digits.drop { $0 == 48 })
    }

    @Test(
        "numbers are read as Go reads them",
        arguments: [
            ("0", 0.0), ("-0", -0.0), ("+1", 1), ("12", 12), (".5", 0.5), ("5.", 5), ("-1.5e3", -1500), ("1E3", 1000),
            ("1e+03", 1000), ("0.1", 0.1), ("123456789012345678901234567890", 1.2345678901234568e29),
            ("9007199254740993", 9_007_199_254_740_992), ("1e22", 1e22), ("1e23", 1e23), ("1e-400", 0),
            ("1.7976931348623157e308", 1.7976931348623157e308), ("Inf", .infinity), ("+iNf", .infinity),
            ("-infinity", -.infinity), ("00012", 12), ("0.000000000000000000000000000000000001", 1e-36),
        ])
    func reading(text: String, value: Double) {
        #expect(NumberText.parse(text)?.bitPattern == value.bitPattern)
    }

    @Test("NaN in any case is the normal NaN")
    func nan() {
        for text in ["NaN", "nan", "NAN"] { #expect(NumberText.parse(text)?.bitPattern == 0x7ff8_0000_0000_0001) }
    }

    @Test(
        "what Go refuses is refused",
        arguments: [
            "", " ", "+", "-", ".", "e5", "1e", "1e+", "1 ", " 1", "1x", "--1", "1.2.3", "0x1", "0x1p1", "1_000", "nan(5)",
            "+nan", "-NaN", "in", "infin", "1e400", "-1e400", "1e1.5", "٣", "1\0", "0x", "1e9_", "Inf1",
        ])
    func refused(text: String) { #expect(NumberText.parse(text) == nil) }

    @Test(
        "hexadecimal and underscores are read where they are allowed",
        arguments: [
            ("0x1p-2", 0.25), ("0X1.8P3", 12), ("-0x.8p1", -1), ("1_000.5", 1000.5), ("0x_1p4", 16), ("0x1_0p0", 16),
        ])
    func goSpellings(text: String, value: Double) { #expect(NumberText.parse(text, allowing: .go) == value) }

    @Test(
        "misplaced underscores and hexadecimal without exponent are refused",
        arguments: [
            "_1", "1_", "1__0", "1_.5", "1._5", "0x1", "0xp1", "0x1p", "1e_5",
        ])
    func goRefused(text: String) { #expect(NumberText.parse(text, allowing: .go) == nil) }

    @Test(
        "PromQL literals are integers of any base first",
        arguments: [
            ("0x1f", 31.0), ("0b101", 5), ("017", 15), ("0o17", 15), ("08", 8), ("1_000", 1000), ("1e3", 1000),
            ("-5", -5), ("0", 0), ("Inf", .infinity), ("0x1p3", 8), ("9223372036854775808", 9_223_372_036_854_775_808),
        ])
    func literals(text: String, value: Double) { #expect(NumberText.parseLiteral(text) == value) }

    @Test("arbitrary bytes never crash the reader")
    func noise() {
        var random = SeededRandom(seed: TestSeed.seeds(1)[0])
        let alphabet = Array("0123456789.eE+-xXpP_infaNy \0".utf8)
        for _ in 0..<100_000 {
            let bytes = (0..<random.next() % 24).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            bytes.withUnsafeBytes {
                _ = NumberText.parse($0)
                _ = NumberText.parse($0, allowing: .go)
            }
            _ = NumberText.parseLiteral(String(decoding: bytes, as: UTF8.self))
            _ = try? DurationText.parse(String(decoding: bytes, as: UTF8.self))
            _ = try? DurationText.parseGo(String(decoding: bytes, as: UTF8.self))
            _ = TimeText.parse(String(decoding: bytes, as: UTF8.self))
        }
    }
}

@Suite("Durations as text")
struct DurationTextTests {
    @Test(
        "Prometheus durations are read",
        arguments: [
            ("0", 0), ("0s", 0), ("15s", 15_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("250ms", 250),
            ("1y2w3d4h5m6s7ms", 33_019_506_007), ("106751d", 9_223_286_400_000),
        ] as [(String, Int64)])
    func reading(text: String, milliseconds: Int64) throws { #expect(try DurationText.parse(text) == milliseconds) }

    @Test(
        "errors are upstream's",
        arguments: [
            ("", "empty duration string"), ("1", "not a valid duration string: \"1\""),
            ("-1m", "not a valid duration string: \"-1m\""), ("1m1d", "not a valid duration string: \"1m1d\""),
            ("1m1m", "not a valid duration string: \"1m1m\""), ("1.5h", "unknown unit \".\" in duration \"1.5h\""),
            ("5k", "unknown unit \"k\" in duration \"5k\""), ("300y", "duration out of range"),
            ("106752d", "duration out of range"), ("99999999999999999999s", "not a valid duration string: \"99999999999999999999s\""),
            ("18446744073709551615y", "duration out of range"),
        ])
    func errors(text: String, message: String) {
        #expect(throws: DurationError(message)) { try DurationText.parse(text) }
    }

    @Test(
        "Prometheus durations are printed",
        arguments: [
            (0, "0s"), (90_000, "1m30s"), (5_400_000, "1h30m"), (86_400_000, "1d"), (90 * 86_400_000, "90d"),
            (7 * 86_400_000, "1w"), (365 * 86_400_000, "1y"), (-5000, "-5s"), (1001, "1s1ms"),
        ] as [(Int64, String)])
    func printing(milliseconds: Int64, text: String) { #expect(DurationText.string(milliseconds: milliseconds) == text) }

    @Test(
        "Go durations are printed and read back",
        arguments: [
            (0, "0s"), (15_000_000_000, "15s"), (90_000_000_000, "1m30s"), (5_400_000_000_000, "1h30m0s"),
            (1_500_000_000, "1.5s"), (20_000_000, "20ms"), (1_500_000, "1.5ms"), (3000, "3µs"), (7, "7ns"),
            (86_400_000_000_000, "24h0m0s"), (-1_000_000_000, "-1s"), (1_000_000_001, "1.000000001s"),
        ] as [(Int64, String)])
    func goDurations(nanoseconds: Int64, text: String) throws {
        #expect(DurationText.goString(nanoseconds: nanoseconds) == text)
        #expect(try DurationText.parseGo(text) == nanoseconds)
    }

    @Test("parse ∘ print is identity")
    func roundTrip() throws {
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        for _ in 0..<20_000 {
            let milliseconds = Int64(random.next() >> (22 + random.next() % 40))
            let text = DurationText.string(milliseconds: milliseconds)
            if milliseconds <= DurationText.maximumMilliseconds {
                #expect(try DurationText.parse(text) == milliseconds, "seed \(seed)")
            }
            let nanoseconds = Int64(truncatingIfNeeded: random.next() >> (1 + random.next() % 60))
            #expect(try DurationText.parseGo(DurationText.goString(nanoseconds: nanoseconds)) == nanoseconds, "seed \(seed)")
        }
    }
}

@Suite("Times as text")
struct TimeTextTests {
    @Test(
        "RFC 3339 is printed and read back",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_795_370_400_123, "2026-11-22T18:00:00.123Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"), (1_435_781_451_780, "2015-07-01T20:10:51.78Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59Z"), (-62_135_596_800_000, "0001-01-01T00:00:00Z"),
        ] as [(Int64, String)])
    func times(milliseconds: Int64, text: String) {
        #expect(TimeText.string(milliseconds: milliseconds) == text)
        #expect(TimeText.parse(text) == milliseconds)
    }

    @Test("zones are minded")
    func zones() {
        #expect(TimeText.parse("1970-01-01T01:00:00+01:00") == 0)
        #expect(TimeText.parse("1969-12-31T18:30:00.5-05:30") == 500)
    }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "2026", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T18:00:00",
            "2026-11-22 18:00:00Z", "2026-11-22T18:00:00.Z", "2026-11-22T18:00:60Z", "2026-11-22T18:00:00Zx",
        ])
    func refused(text: String) { #expect(TimeText.parse(text) == nil) }

    @Test("1970-01-01 was a Thursday")
    func weekdays() {
        #expect(TimeText.civil(seconds: 0).weekday == 4)
        #expect(TimeText.civil(seconds: -86_400).weekday == 3)
        #expect(TimeText.civil(seconds: .min).month >= 1)
    }
}

@Suite("Quoted text")
struct QuotedTextTests {
    @Test(
        "quotes as Go's %q",
        arguments: [
            ("a\"b\\", "\"a\\\"b\\\\\""), ("line\nbreak\t", "\"line\\nbreak\\t\""), ("é", "\"é\""), ("\u{1}", "\"\\x01\""),
            ("\u{feff}", "\"\\ufeff\""), ("\u{a0}", "\"\\u00a0\""),
        ])
    func quoting(text: String, quoted: String) { #expect(QuotedText.go(text) == quoted) }

    @Test("bytes that are not UTF-8 become \\x")
    func strayBytes() {
        #expect(QuotedText.go([0x61, 0xff, 0xc3, 0xa9, 0xc3]) == "\"a\\xffé\\xc3\"")
    }
}
