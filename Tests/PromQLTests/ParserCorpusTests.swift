import Support
import Testing

@testable import PromQL

/// Every query of the shared corpora parses, and its canonical form is a fixed point.
@Suite struct ParserCorpusTests {
    @Test("queries from the compliance suite and from real alerts, rules and dashboards parse and print to a fixed point")
    func realQueries() throws {
        for file in ["compliance", "realworld"] {
            guard let text = SharedData.text("queries/\(file).jsonl") else { continue }
            var count = 0
            for line in text.split(separator: "\n") {
                let query = try #require(jsonString("q", in: line), "\(line)")
                expectFixedPoint(query)
                count += 1
            }
            #expect(count >= 100, "\(file)")
        }
    }

    @Test("queries of upstream's test scripts parse, but for those that must fail")
    func scripts() throws {
        let names = [
            "aggregators", "at_modifier", "collision", "duration_expression", "extended_vectors", "fill-modifier",
            "functions", "histograms", "info", "limit", "literals", "name_label_dropping", "native_histograms",
            "operators", "range_queries", "selectors", "staleness", "start_timestamps", "subquery", "trig_functions",
            "type_and_unit",
        ]
        var count = 0
        for name in names {
            guard let text = SharedData.text("promqltest/\(name).test") else { continue }
            for query in scriptQueries(text) {
                expectFixedPoint(query)
                count += 1
            }
        }
        #expect(count == 0 || count > 1000, "\(count) queries")
    }

    private func expectFixedPoint(_ query: String) {
        do {
            let printed = try Parser.parse(query, options: .everything).description
            let again = try Parser.parse(printed, options: .everything).description
            #expect(again == printed, "\(query)")
        } catch {
            Issue.record("\(query)\n\(error.positioned(in: query))")
        }
    }

    /// The expressions behind `eval instant at …` and `eval range from … to … step …` that are not expected to fail.
    private func scriptQueries(_ text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var queries: [String] = []
        for (index, line) in lines.enumerated() {
            var words = line.split(separator: " ", omittingEmptySubsequences: true)[...]
            guard let first = words.popFirst(), first.hasPrefix("eval"), first != "eval_fail" else { continue }
            let expectsFailure = lines[(index + 1)...].prefix { $0.first == " " || $0.first == "\t" }
                .contains { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }).starts(with: ["expect", "fail"]) }
            if expectsFailure { continue }
            switch words.popFirst() {
            case "instant": words = words.dropFirst(2)
            case "range": words = words.dropFirst(6)
            default: continue
            }
            guard let start = words.first?.startIndex else { continue }
            queries.append(String(line[start...]))
        }
        return queries
    }

    /// The string under `key` of a flat JSON object.
    private func jsonString(_ key: String, in line: Substring) -> String? {
        guard let start = line.range(of: "\"\(key)\": \"") else { return nil }
        var result = String.UnicodeScalarView()
        var scalars = line[start.upperBound...].unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            if scalar == "\"" { return String(result) }
            guard scalar == "\\" else {
                result.append(scalar)
                continue
            }
            guard let escaped = scalars.next() else { return nil }
            switch escaped {
            case "n": result.append("\n")
            case "t": result.append("\t")
            case "r": result.append("\r")
            case "u":
                var digits = ""
                for _ in 0..<4 { digits.unicodeScalars.append(scalars.next() ?? "!") }
                guard let code = UInt32(digits, radix: 16), let unit = Unicode.Scalar(code) else { return nil }
                result.append(unit)
            default: result.append(escaped)
            }
        }
        return nil
    }
}

extension Substring {
    fileprivate func range(of text: String) -> Range<Index>? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
