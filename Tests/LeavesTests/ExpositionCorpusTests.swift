import Exposition
import Foundation
import Histograms
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
        var metadata: [String] = []
    }

    @Test(
        "every text page is accepted or refused as by Prometheus, with the same series and values",
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

    @Test("every protobuf page gives what it gave Prometheus: series, histograms, metadata")
    func protobuf() throws {
        let own = SharedData.list(#filePath.replacing("ExpositionCorpusTests.swift", with: "pages"))
        let pages = ["common", "own"].flatMap { SharedData.files("exposition/" + $0) } + own
        var count = 0
        for file in pages where file.name.hasSuffix(".bin") {
            let page = try #require(SharedData.read(file.path))
            let json = try #require(SharedData.read(file.path + ".expected.json"))
            let expected = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
            let outcome = parse(page, ProtobufFormat.self)
            count += 1
            #expect((outcome.error == nil ? 1 : 0) == expected["up"] as? Int, "\(file.name): \(outcome.error ?? "up")")
            #expect(outcome.scraped == expected["samples_scraped"] as? Int, "\(file.name)")
            var wanted: [String: String] = [:]
            for entry in expected["series"] as? [[String: Any]] ?? [] {
                guard let metric = entry["metric"] as? [String: String] else { continue }
                let value = entry["value"] as? String ?? show(entry["histogram"] as? [String: Any] ?? [:])
                wanted[key(metric.map { ($0.key, $0.value) })] = value
            }
            #expect(outcome.series == wanted, "\(file.name)")
            let metadata = (expected["metadata"] as? [[String: String]] ?? []).map { entry in
                "\(entry["metric"] ?? "") \(entry["type"] ?? "") \(entry["help"] ?? "") \(entry["unit"] ?? "")"
            }
            #expect(outcome.metadata.sorted() == metadata.sorted(), "\(file.name)")
        }
        #expect(count >= 1)
        print("protobuf: \(count) pages")
    }

    /// A histogram as the API shows it: `count sum bounds:count …`, `[` and `]` where the bound belongs to the bucket.
    private func show(_ json: [String: Any]) -> String {
        let buckets = (json["buckets"] as? [[Any]] ?? []).map { bucket in
            let inclusive = bucket.first as? Int ?? -1
            let (lower, upper, count) = (bucket[1] as? String ?? "", bucket[2] as? String ?? "", bucket[3] as? String ?? "")
            return (inclusive & 1 == 1 ? "[" : "(") + lower + "," + upper + (inclusive == 0 || inclusive == 3 ? "]" : ")") + ":" + count
        }
        return ([json["count"] as? String ?? "", json["sum"] as? String ?? ""] + buckets).joined(separator: " ")
    }

    private func show(_ sample: HistogramSample) -> String {
        let histogram = sample.asFloat
        func text(_ number: Double) -> String { NumberText.string(number, style: .plain) }
        let buckets = histogram.usedBuckets.map { bucket in
            (bucket.lowerInclusive ? "[" : "(") + text(bucket.lower) + "," + text(bucket.upper) + (bucket.upperInclusive ? "]" : ")")
                + ":" + text(bucket.count)
        }
        return ([text(histogram.count), text(histogram.sum)] + buckets).joined(separator: " ")
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
                var help = "", unit = ""
                while let entry = try parser.next() {
                    let text = String(decoding: bytes[parser.entry.text.clamped(to: 0..<bytes.count)], as: UTF8.self)
                    switch entry {
                    case .help: (help, unit) = (text, "")
                    case .unit: unit = text
                    case .type:
                        let name = String(decoding: bytes[parser.entry.name.clamped(to: 0..<bytes.count)], as: UTF8.self)
                        outcome.metadata.append("\(name) \(parser.entry.type.rawValue) \(help) \(unit)")
                    case .comment, .series, .histogram: break
                    }
                    guard entry == .series || entry == .histogram else { continue }
                    outcome.scraped += 1
                    var packed: [UInt8] = []
                    try parser.withSource(bytes) { try labels.pack(parser.entry, of: $0, into: &packed) }
                    let key = key(unpack(packed))
                    if outcome.series[key] == nil {
                        outcome.series[key] = parser.histogram.map(show) ?? NumberText.string(parser.entry.value, style: .plain)
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
