import Support
import TSDB
import Testing

@testable import PromQL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Laws of the parser over random and over hostile input.
@Suite struct ParserLawTests {
    private let seed = TestSeed.seeds(1).first ?? 1
    private let count = TestSeed.cases(20_000)

    @Test("printing and parsing again gives the same tree")
    func roundTrip() {
        var generator = ExprGenerator(seed: seed)
        for round in 0..<count {
            let query = generator.expression(depth: 1 + round % 5)
            do {
                let expr = try Parser.parse(query, options: .everything)
                let printed = expr.description
                let again = try Parser.parse(printed, options: .everything)
                guard shape(again) == shape(expr), again.description == printed else {
                    Issue.record("seed \(seed)\n\(query)\n\(printed)\n\(shape(expr))\n\(shape(again))")
                    return
                }
            } catch {
                Issue.record("seed \(seed)\n\(query)\n\(error.positioned(in: query))")
                return
            }
        }
    }

    @Test("of two operators the tighter one groups; equals group from the left, powers from the right")
    func precedence() throws {
        let levels = [["or"], ["and", "unless"], ["==", "<", ">="], ["+", "-"], ["*", "/", "%", "atan2"], ["^"]]
        for (p, first) in levels.enumerated().flatMap({ p, ops in ops.map { (p, $0) } }) {
            for (q, second) in levels.enumerated().flatMap({ q, ops in ops.map { (q, $0) } }) {
                let right = q > p || (q == p && first == "^")
                let bare = try Parser.parse("a \(first) b \(second) c")
                let grouped = try Parser.parse(
                    right ? "a \(first) (b \(second) c)" : "(a \(first) b) \(second) c")
                #expect(shape(bare) == shape(grouped), "\(first) \(second)")
            }
            let signed = try Parser.parse("-a \(first) b")
            let grouped = try Parser.parse(first == "^" ? "-(a ^ b)" : "(-a) \(first) b")
            #expect(shape(signed) == shape(grouped), "- \(first)")
        }
    }

    @Test("mutilated queries give an error or an expression, with positions inside the query")
    func mutilated() {
        var generator = ExprGenerator(seed: seed &+ 1)
        var random = SeededRandom(seed: seed &+ 2)
        let junk = Array("(){}[],=!~<>+-*/%^@:\"'`\\#.0159eExn _\n\t".utf8) + [0xC3, 0xFF, 0xEF, 0x00]
        for _ in 0..<count {
            var bytes = Array(generator.expression(depth: 3).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(junk.randomElement(using: &random) ?? 0, at: index)
                case 2: bytes[index] = junk.randomElement(using: &random) ?? 0
                default: bytes.removeSubrange(index...)
                }
            }
            let query = String(decoding: bytes, as: UTF8.self)
            do {
                let printed = try Parser.parse(query, options: .everything).description
                let again = try Parser.parse(printed, options: .everything).description
                #expect(again == printed, "seed \(seed): \(query)")
            } catch {
                let isInside = error.range.lowerBound >= 0 && error.range.upperBound <= query.utf8.count
                #expect(isInside && !error.message.isEmpty, "seed \(seed): \(query)")
            }
        }
    }

    @Test(
        "nesting beyond the bound is an error, on a small stack and at once",
        arguments: [
            ("(", "1", ")"), ("-", "x", ""), ("- (", "x", ")"), ("", "1", "+1"), ("", "x", " or x"), ("2^", "2", ""),
            ("abs(", "x", ")"), ("sum(", "x", ")"), ("sum by (a) (", "x", ") + 1"), ("", "x", "[5m:]"), ("x[(", "5m", ")]"),
            ("x[-", "5m", "]"), ("x[", "5m", "+5m]"), ("x[min_of(1,", "5m", ")]"), ("x offset (", "5m", ")"),
            ("x offset -", "5m", ""),
        ])
    func nesting(open: String, core: String, close: String) {
        // `x[` and `]` stand once, the rest is repeated.
        let prefix = open.hasPrefix("x[") ? "x[" : open.hasPrefix("x offset ") ? "x offset " : ""
        let suffix = open.hasPrefix("x[") ? "]" : ""
        let opening = String(open.dropFirst(prefix.count))
        let closing = suffix.isEmpty ? close : String(close.dropLast())
        func query(_ depth: Int) -> String {
            prefix + String(repeating: opening, count: depth) + core + String(repeating: closing, count: depth) + suffix
        }
        let deep = query(7_000)
        let fits = query(60)
        onSmallStack {
            let clock = ContinuousClock()
            let elapsed = clock.measure {
                do throws(QueryError) {
                    let expr = try Parser.parse(deep, options: .everything)
                    Issue.record("\(deep.prefix(40)) is accepted, as \(expr.description.prefix(40))")
                } catch {
                    let isBound = error.message.contains("nested deeper") || error.message.contains("longer than")
                    #expect(isBound, "\(deep.prefix(40)): \(error)")
                }
            }
            #expect(elapsed < .seconds(20))
            do throws(QueryError) {
                let printed = try Parser.parse(fits, options: .everything).description
                let again = try Parser.parse(printed, options: .everything).description
                #expect(again == printed)
            } catch {
                let isTyping = error.message.contains("subquery is only allowed")
                #expect(isTyping, "\(fits): \(error)")
            }
        }
    }

    @Test("the deepest permitted trees are checked, printed and freed on a small stack")
    func deepest() {
        let n = Parser.maximumDepth - 1
        let chain = "x" + String(repeating: " + x", count: Parser.maximumHeight - 1)
        let parens = String(repeating: "(", count: n) + "x" + String(repeating: ")", count: n)
        let powers = String(repeating: "x ^ ", count: n) + "x"
        let calls = String(repeating: "abs(", count: n) + "x" + String(repeating: ")", count: n)
        let sums = String(repeating: "sum by (a) (", count: n) + "x" + String(repeating: ")", count: n)
        for query in [chain, parens, powers, calls, sums] {
            onSmallStack {
                do {
                    let expr = try Parser.parse(query)
                    #expect(expr.description == query)
                } catch {
                    Issue.record("\(query.prefix(40)): \(error)")
                }
                let deeper = query.hasPrefix("x +") ? query + " + x" : "(" + query + ")"
                #expect(throws: QueryError.self) { try Parser.parse(deeper) }
            }
        }
    }

    @Test("a query beyond 64 KiB is refused, one just below is read")
    func length() throws {
        let comment = "x #" + String(repeating: "c", count: Parser.maximumLength - 3)
        #expect(try Parser.parse(comment).description == "x")
        let error = #expect(throws: QueryError.self) { try Parser.parse(comment + "c") }
        #expect(error?.message == "query is longer than 65536 bytes")
    }

    /// Runs `body` on a thread with 512 KiB of stack, as the platforms' secondary threads have.
    private func onSmallStack(_ body: @escaping () -> Void) {
        final class Box {
            let body: () -> Void
            init(_ body: @escaping () -> Void) { self.body = body }
        }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 * 1024)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Box(body)).toOpaque()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, context)
        #expect(code == 0)
        pthread_join(thread, nil)
    }

    /// The tree with every node in brackets, without positions: independent of the printer's layout.
    private func shape(_ expr: Expr) -> String {
        switch expr {
        case .number(let node):
            return node.value.isNaN ? "[nan]" : "[\(node.value)\(node.isDuration ? " duration" : "")]"
        case .string(let node): return "[\(node.value.debugDescription)]"
        case .paren(let inner, _): return shape(inner)
        case .unary(let node): return "[\(node.op.rawValue) \(shape(node.operand))]"
        case .binary(let node):
            let matching = node.matching.map {
                "\($0.cardinality) \($0.isOn) \($0.labels) \($0.include) \($0.fillLeft ?? .infinity) "
                    + "\($0.fillRight ?? .infinity)"
            }
            return "[\(shape(node.left)) \(node.op) \(node.returnsBool) \(matching ?? "") \(shape(node.right))]"
        case .aggregate(let node):
            return "[\(node.op) \(node.isWithout) \(node.grouping) \(node.parameter.map(shape) ?? "") "
                + "\(shape(node.operand))]"
        case .call(let node): return "[\(node.function.name) \(node.arguments.map(shape))]"
        case .vectorSelector(let node): return shape(node)
        case .matrixSelector(let node):
            return "[\(shape(node.selector)) \(node.window.milliseconds) \(shape(node.windowExpr))]"
        case .subquery(let node):
            return "[\(shape(node.operand)) \(node.window.milliseconds) \(shape(node.windowExpr)) "
                + "\(node.step.milliseconds) \(shape(node.stepExpr)) \(node.offset.milliseconds) "
                + "\(shape(node.offsetExpr)) \(String(describing: node.at))]"
        }
    }

    private func shape(_ node: VectorSelector) -> String {
        let matchers = node.matchers.map { "\($0.name)\($0.kind.rawValue)\($0.value)" }.sorted()
        return "[\(node.name) \(matchers) \(node.offset.milliseconds) \(shape(node.offsetExpr)) "
            + "\(String(describing: node.at)) \(node.isAnchored) \(node.isSmoothed)]"
    }

    private func shape(_ expr: DurationExpr?) -> String {
        switch expr {
        case nil: return "-"
        case .number(let value, _, _)?: return "\(value)"
        case .step?: return "step"
        case .range?: return "range"
        case .unary(let op, let operand, _)?: return "[\(op.rawValue) \(shape(operand))]"
        case .binary(let op, let left, let right, _)?: return "[\(shape(left)) \(op.rawValue) \(shape(right))]"
        case .minOf(let left, let right, _)?: return "[min \(shape(left)) \(shape(right))]"
        case .maxOf(let left, let right, _)?: return "[max \(shape(left)) \(shape(right))]"
        case .paren(let inner, _)?: return shape(inner)
        }
    }
}
