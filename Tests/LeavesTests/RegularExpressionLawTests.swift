import Support
import Testing

@testable import RegularExpression

/// An expression of a test, with a matcher that simply tries everything.
private indirect enum Expression {
    case character(Character)
    case any
    case oneOf([Character], negated: Bool)
    case sequence([Expression])
    case choice([Expression])
    case group(Expression, number: Int)
    case repeated(Expression, minimum: Int, maximum: Int?, greedy: Bool)
    case wordBoundary
    case lineStart

    var text: String {
        switch self {
        case .character(let character): return String(character)
        case .any: return "."
        case .oneOf(let members, let negated): return "[" + (negated ? "^" : "") + String(members) + "]"
        case .sequence(let parts): return "(?:" + parts.map(\.text).joined() + ")"
        case .choice(let branches): return "(?:" + branches.map(\.text).joined(separator: "|") + ")"
        case .group(let inner, _): return "(" + inner.text + ")"
        case .repeated(let inner, let minimum, let maximum, let greedy):
            let counts = maximum.map { $0 == minimum ? "{\(minimum)}" : "{\(minimum),\($0)}" } ?? "{\(minimum),}"
            return "(?:" + inner.text + ")" + counts + (greedy ? "" : "?")
        case .wordBoundary: return "\\b"
        case .lineStart: return "(?m:^)"
        }
    }

    /// Tries every way in order of preference; `rest` says whether the remainder matches.
    func match(
        _ text: [Character], _ place: Int, _ bounds: [Int], _ budget: inout Int, _ rest: (Int, [Int], inout Int) -> [Int]?
    ) -> [Int]? {
        budget -= 1
        guard budget > 0 else { return nil }
        switch self {
        case .character(let wanted):
            return place < text.count && text[place] == wanted ? rest(place + 1, bounds, &budget) : nil
        case .any: return place < text.count ? rest(place + 1, bounds, &budget) : nil
        case .oneOf(let members, let negated):
            guard place < text.count, members.contains(text[place]) != negated else { return nil }
            return rest(place + 1, bounds, &budget)
        case .wordBoundary:
            func isWord(_ index: Int) -> Bool { text.indices.contains(index) && text[index].isASCII && text[index].isLetter }
            return isWord(place - 1) != isWord(place) ? rest(place, bounds, &budget) : nil
        case .lineStart: return place == 0 || text[place - 1] == "\n" ? rest(place, bounds, &budget) : nil
        case .sequence(let parts):
            guard let first = parts.first else { return rest(place, bounds, &budget) }
            return first.match(text, place, bounds, &budget) { place, bounds, budget in
                Expression.sequence(Array(parts.dropFirst())).match(text, place, bounds, &budget, rest)
            }
        case .choice(let branches):
            for branch in branches {
                if let found = branch.match(text, place, bounds, &budget, rest) { return found }
            }
            return nil
        case .group(let inner, let number):
            var opened = bounds
            opened[2 * number] = place
            return inner.match(text, place, opened, &budget) { end, bounds, budget in
                var closed = bounds
                closed[2 * number + 1] = end
                return rest(end, closed, &budget)
            }
        case .repeated(let inner, let minimum, let maximum, let greedy):
            if minimum > 0 {
                let less = Expression.repeated(
                    inner, minimum: minimum - 1, maximum: maximum.map { $0 - 1 }, greedy: greedy)
                return inner.match(text, place, bounds, &budget) { less.match(text, $0, $1, &$2, rest) }
            }
            func more(_ bounds: [Int], _ budget: inout Int) -> [Int]? {
                if maximum == 0 { return nil }
                let less = Expression.repeated(inner, minimum: 0, maximum: maximum.map { $0 - 1 }, greedy: greedy)
                return inner.match(text, place, bounds, &budget) { end, bounds, budget in
                    // A round that took nothing is the last one.
                    end == place && maximum == nil ? rest(end, bounds, &budget) : less.match(text, end, bounds, &budget, rest)
                }
            }
            if greedy {
                if let found = more(bounds, &budget) { return found }
                return rest(place, bounds, &budget)
            }
            if let found = rest(place, bounds, &budget) { return found }
            return more(bounds, &budget)
        }
    }

    static func random(_ random: inout SeededRandom, depth: Int, groups: inout Int) -> Expression {
        let alphabet: [Character] = ["a", "b", "é", "\n"]
        switch random.next() % (depth == 0 ? 6 : 12) {
        case 0...2: return .character(alphabet[Int(random.next() % 3)])
        case 3: return .any
        case 4: return .oneOf([alphabet[Int(random.next() % 4)], "b"], negated: random.next() % 3 == 0)
        case 5: return random.next() % 4 == 0 ? (random.next() % 2 == 0 ? .wordBoundary : .lineStart) : .character("a")
        case 6, 7: return .sequence((0..<random.next() % 4).map { _ in .random(&random, depth: depth - 1, groups: &groups) })
        case 8: return .choice((0..<1 + random.next() % 3).map { _ in .random(&random, depth: depth - 1, groups: &groups) })
        case 9, 10:
            groups += 1
            let number = groups
            return .group(.random(&random, depth: depth - 1, groups: &groups), number: number)
        default:
            let minimum = Int(random.next() % 3)
            let maximum = random.next() % 2 == 0 ? nil : minimum + Int(random.next() % 3)
            return .repeated(
                .random(&random, depth: depth - 1, groups: &groups), minimum: minimum, maximum: maximum,
                greedy: random.next() % 3 != 0)
        }
    }
}

@Suite("Laws of regular expressions")
struct RegularExpressionLawTests {
    @Test("random expressions match as trying everything does, and their groups take the same", arguments: TestSeed.seeds(4))
    func reference(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var compared = 0, matched = 0
        for _ in 0..<TestSeed.cases(3000) {
            var groups = 0
            let expression = Expression.random(&random, depth: 4, groups: &groups)
            let source = expression.text
            let pattern: Pattern
            do { pattern = try Pattern(source) } catch {
                #expect(error.code == .invalidRepeatCount, "seed \(seed): \(source)")
                continue
            }
            for _ in 0..<6 {
                let text = (0..<random.next() % 9).map { _ in ["a", "b", "é", "\n"][Int(random.next() % 4)] as Character }
                var budget = 20_000
                let start = [Int](repeating: -1, count: 2 * (groups + 1))
                let expected = expression.match(text, 0, start, &budget) { place, bounds, _ in
                    place == text.count ? bounds : nil
                }
                guard budget > 0 else { continue }
                compared += 1
                #expect(pattern.matches(String(text)) == (expected != nil), "seed \(seed): \(source.debugDescription) on \(text)")
                let captures = pattern.captures(in: String(text))
                guard let expected, let captures else { continue }
                matched += 1
                for group in 1..<max(1, groups + 1) {
                    let taken = expected[2 * group + 1] < 0 ? nil : String(text[expected[2 * group]..<expected[2 * group + 1]])
                    #expect(
                        captures[group].map(String.init) == taken,
                        "seed \(seed): group \(group) of \(source.debugDescription) on \(text)")
                }
            }
        }
        #expect(compared > 1000 && matched > 100, "seed \(seed): \(compared) compared, \(matched) matched")
    }

    @Test("time is linear in the text: counted in instructions visited")
    func linearTime() throws {
        let expressions = [
            "(v*)*w", "(v*)*(v*)*(v*)*w", "(v|vv)+w", "(v+)+w", "(v|v?)+w", "(.*)(.*)(.*)(.*)(.*)w", "(v?){30}v{30}", "(.*v){20}w",
            "((v*)*)*w", ".*v.{12}", "(a|v)*v(a|v){14}w",
        ]
        for source in expressions {
            let tree = try Parser(source, flags: .dotMatchesNewline).parse()
            let program = Program(tree)
            let alphabet = Alphabet(of: program)
            let instructions = program.instructions.count
            for pattern in ["v", "va", "vvav"] {
                let text = Array(String(repeating: pattern, count: 10_000 / pattern.utf8.count).utf8)
                var dfa = LazyDFA(program, alphabet)
                _ = text.withUnsafeBytes { dfa.matches($0) }
                // A transition visits the program at most twice: to leave a state, and to see whether the next one accepts.
                #expect(dfa.visitedInstructions <= 2 * instructions * (text.count + 2), "\(source)")
                var search = text.withUnsafeBytes { CaptureSearch(program, alphabet, Predecessors(in: program), $0) }
                _ = search.run()
                // Marks are made twice, with two edges per instruction at most, and followed once.
                #expect(search.visitedInstructions <= 8 * instructions * (text.count + 1), "\(source)")
            }
        }
    }

    @Test("a table that is too small is begun anew, with the same answers")
    func fullTable() throws {
        let source = "(a|b)*a(a|b){16}"
        let tree = try Parser(source, flags: .dotMatchesNewline).parse()
        let program = Program(tree)
        var dfa = LazyDFA(program, Alphabet(of: program))
        var random = SeededRandom(seed: 1)
        for _ in 0..<40 {
            let text = (0..<4000).map { _ in random.next() % 2 == 0 ? UInt8(ascii: "a") : UInt8(ascii: "b") }
            let expected = text[text.count - 17] == UInt8(ascii: "a")
            #expect(text.withUnsafeBytes { dfa.matches($0) } == expected)
        }
        #expect(dfa.resets > 0)
    }

    @Test("threads share a pattern")
    func threads() async throws {
        let pattern = try Pattern("([a-f0-9]{2}:){5}[a-f0-9]{2}|x(y|z)+")
        await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<2000).reduce(0) { sum, index in
                        let good = pattern.matches("0a:1b:2c:3d:4e:\((index + task) % 10)f") && pattern.matches("xyzzy")
                        return sum + (good && !pattern.matches("0a:1b:\(index)") ? 1 : 0)
                    }
                }
            }
            for await sum in group { #expect(sum == 2000) }
        }
    }

    @Test("random bytes as expression and as text never crash")
    func noise() {
        var random = SeededRandom(seed: TestSeed.seeds(1)[0])
        let pieces = [
            "(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "\\", "^", "$", ".", "a", "é", "-", ":", "P", "<", ">", "2", ",", "i", "p", "x",
        ]
        for _ in 0..<TestSeed.cases(20_000) {
            let source = (0..<random.next() % 16).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined()
            guard let pattern = try? Pattern(source) else { continue }
            let bytes = (0..<random.next() % 12).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            _ = bytes.withUnsafeBytes { pattern.matches($0) }
            _ = pattern.captures(in: String(decoding: bytes, as: UTF8.self))?.expand(template: source)
        }
    }
}
