import Exposition
import Foundation
import Numbers
import Support
import Testing

/// Pages that the real Prometheus 3.5.3 scraped, with what it made of them.
@Suite("Exposition corpus")
struct ExpositionCorpusTests {
    struct Outcome {
        var series: [String: String] = [:]
        var scraped = 0
        var error: String?
    }

    @Test("every text page is accepted or refused as by Prometheus, with the same series and values",
        arguments: ["common", "prometheus", "own", "openmetrics"])
    func corpus(folder: String) throws {
        var pages = 0, sameError = 0, errors = 0
        for file in SharedData.files("exposition/" + folder) where file.name.hasSuffix(".txt") {
            let page = try #require(SharedData.read(file.path))
            let json = try #require(SharedData.read(file.path + ".expected.json"))
            let expected = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
            let isOpenMetrics = (expected["content_type"] as? String)?.hasPrefix("application/openmetrics") == true
            let outcome = isOpenMetrics ? parse(page, OpenMetricsFormat.self) : parse(page, TextFormat.self)
            pages += 1
            #expect((outcome.error == nil ? 1 : 0) == expected["up"] as? Int, "\(file.name): \(outcome.error ?? "up")")
            if let error = expected["error"] as? String, !error.isEmpty {
                errors += 1
                if error == outcome.error { sameError += 1 } else { print("\(file.name): \(error) ≠ \(outcome.error ?? "up")") }
            }
            #expect(outcome.scraped == expected["samples_scraped"] as? Int || outcome.error != nil, "\(file.name)")
            guard outcome.error == nil else { continue }
            var wanted: [String: String] = [:]
            for entry in expected["series"] as? [[String: Any]] ?? [] {
                guard let metric = entry["metric"] as? [String: String], let value = entry["value"] as? String else { continue }
                wanted[key(metric.map { ($0.key, $0.value) })] = value
            }
            #expect(outcome.series == wanted, "\(file.name)")
        }
        print("\(folder): \(pages) pages; \(sameError) of \(errors) errors in upstream's words")
    }

    private func key(_ labels: [(String, String)]) -> String {
        labels.map { "\($0.0)=\($0.1)" }.sorted().joined(separator: "\u{0}")
    }

    private func parse<Parser: ExpositionParser>(_ page: [UInt8], _: Parser.Type) -> Outcome {
        page.withUnsafeBytes { bytes in
            var outcome = Outcome()
            var parser = Parser(bytes)
            var labels = SeriesLabels()
            do {
                while let entry = try parser.next() {
                    guard entry == .series else { continue }
                    outcome.scraped += 1
                    var packed: [UInt8] = []
                    try labels.pack(parser.entry, of: bytes, into: &packed)
                    let key = key(unpack(packed))
                    if outcome.series[key] == nil {
                        outcome.series[key] = NumberText.string(parser.entry.value, style: .plain)
                    }
                }
            } catch let error as ExpositionError {
                outcome.error = error.message
            } catch SeriesLabels.Problem.duplicate(let name) {
                outcome.error = "label name \"\(name)\" is not unique: invalid sample"
            } catch { outcome.error = "\(error)" }
            return outcome
        }
    }
}

/// Names and values of a packed label set.
func unpack(_ packed: [UInt8]) -> [(String, String)] {
    var parts: [String] = [], index = 0
    while index < packed.count {
        var length = 0, shift = 0
        while packed[index] >= 0x80 {
            length |= Int(packed[index] & 0x7f) << shift
            shift += 7
            index += 1
        }
        length |= Int(packed[index]) << shift
        index += 1
        parts.append(String(decoding: packed[index..<index + length], as: UTF8.self))
        index += length
    }
    return stride(from: 0, to: parts.count, by: 2).map { (parts[$0], parts[$0 + 1]) }
}
