import Histograms
import PromQL
import Support
import TSDB
import Testing

@Suite("native histograms in the notation of series")
struct HistogramNotationTests {
    private func histograms(_ text: String) throws -> [FloatHistogram] {
        try SeriesNotation.values(text).compactMap { if case .histogram(let histogram, _) = $0 { histogram } else { nil } }
    }

    private func fault(_ text: String) -> String? {
        do throws(SeriesNotation.Fault) {
            _ = try SeriesNotation.values(text)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("all properties, in any order and with blanks between them")
    func properties() throws {
        let text =
            "{{sum:-0.3 schema:1  count:3.1 z_bucket:7.1 z_bucket_w:0.05 n_buckets:[4.1 -5] n_offset:-5 "
            + "buckets:[5.1 10  7 ] offset:-3 counter_reset_hint:gauge  }}"
        let histogram = try #require(histograms(text).first)
        #expect(histogram.schema == 1 && histogram.sum == -0.3 && histogram.count == 3.1)
        #expect(histogram.zeroCount == 7.1 && histogram.zeroThreshold == 0.05)
        #expect(histogram.positiveSpans == [BucketSpan(offset: -3, length: 3)] && histogram.positiveBuckets == [5.1, 10, 7])
        #expect(histogram.negativeSpans == [BucketSpan(offset: -5, length: 2)] && histogram.negativeBuckets == [4.1, -5])
        #expect(histogram.hint == .gauge)
        let custom = try #require(histograms("{{schema:-53 custom_values:[5 10] buckets:[1 2 3] count:6 sum:NaN}}").first)
        #expect(custom.customBounds == [5, 10] && custom.sum.isNaN)
        let empty = try histograms("{{}} {{ }}")
        #expect(empty.count == 2 && empty[0].positiveSpans.isEmpty)
    }

    @Test("a hint counts as stated also where it says that nothing is known")
    func statedHints() throws {
        let stated = try SeriesNotation.values("{{}} {{counter_reset_hint:unknown}} {{counter_reset_hint:NOT_RESET}}x1").map {
            if case .histogram(_, let isHinted) = $0 { isHinted } else { false }
        }
        #expect(stated == [false, true, true, true])
    }

    @Test("repeated, added up and taken away; floats, gaps and stale markers between")
    func repetitions() throws {
        #expect(try histograms("{{sum:1}}x2 _x2 {{sum:2}} stale 5").map(\.sum) == [1, 1, 1, 2])
        #expect(try SeriesNotation.values("{{sum:1}}x2 _x2 {{sum:2}} stale 5").count == 8)
        #expect(try histograms("{{sum:1}}+{{sum:1}}x2 {{sum:2}}+{{sum:2}}x2").map(\.sum) == [1, 2, 3, 2, 4, 6])
        let falling = try histograms("{{buckets:[5 10 7] schema:1}}-{{buckets:[1 2 3] schema:1}}x2")
        #expect(falling.map(\.positiveBuckets) == [[5, 10, 7], [4, 8, 4], [3, 6, 1]])
        let reduced = try histograms("{{buckets:[5] schema:0}}+{{buckets:[1 2] schema:1}}x2")
        #expect(reduced.map(\.positiveBuckets) == [[5], [6, 2], [7, 4]])
        #expect(try histograms("{{sum:1}}+{{sum:1}}x0").count == 1)
    }

    @Test(
        "what is wrong is said as upstream says it",
        arguments: [
            ("{{schema:1 schema:1}}", "duplicate key \"schema\" in histogram"),
            ("{{foo:1}}", "bad histogram descriptor found: \"foo\""),
            ("{{schema :1}}", "missing `:` for histogram descriptor"),
            ("{{schema: 1}}", "unexpected \" \" in series values"),
            ("{{buckets:[ 1]}}", "unexpected \" \" in series values"),
            ("{{counter_reset_hint:foo}}", "bad histogram descriptor found: \"foo\""),
            (
                "{{buckets:[5 10 7] schema:1}}+{{buckets:[1 2 3] schema:0}}x2",
                "error combining histograms: cannot merge from schema 0 to 1"
            ),
        ])
    func faults(_ text: String, _ message: String) { #expect(fault(text) == message) }

    @Test("nothing that someone may write traps")
    func hostile() {
        for text in [
            "{{", "{{}", "{{schema:99}}", "{{schema:-2147483649}}", "{{offset:2147483647 buckets:[1 1]}}", "{{buckets:[]}}",
            "{{buckets:[1 2}}", "{{buckets:1}}", "{{sum:1e999x}}", "{{}}x99999999999999999999", "{{}}x1000001", "{{}}+{{}}",
            "{{}}+5x3", "{{}}5", "{{schema:-53 buckets:[1 1 1] custom_values:[1]}}", "{{schema:-53 custom_values:[2 1]}}",
            "{{schema:-53 n_buckets:[1]}}", "{{custom_values:[1]}}", "{{schema:1sum:2}}", "{{count:+1}}", "{{sum:}}", "{{count}}",
            "{{schema:1.5}}", "{{}}+{{schema:-53}}x2", "{{ schema:1}}", "{{\u{e9}:1}}", "{{z_bucket_w:-1}}", "{{z_bucket_w:NaN}}",
        ] {
            #expect(fault(text) != nil, "\(text)")
        }
        let list = String(repeating: "1 ", count: 20_000)
        #expect(fault("{{buckets:[\(list)]}}+{{buckets:[\(list)]}}x1000000") == "more than 10000000 buckets")
        #expect(fault("{{offset:-2147483648 buckets:[1]}}+{{offset:2147483646 buckets:[1]}}x3") == nil)
    }

    @Test("cut and changed at random, a line is read or refused")
    func mutations() {
        var random = SeededRandom(seed: 20_261_129)
        let line = Array("{{schema:-53 count:4 sum:5 custom_values:[1 2] buckets:[1 2 1] counter_reset_hint:reset}}+{{sum:1}}x5 _ 3".utf8)
        for _ in 0..<2000 {
            var bytes = line
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = line[Int.random(in: 0..<line.count, using: &random)]
                default: bytes.insert(line[Int.random(in: 0..<line.count, using: &random)], at: place)
                }
            }
            _ = fault(String(decoding: bytes, as: UTF8.self))
        }
    }
}
