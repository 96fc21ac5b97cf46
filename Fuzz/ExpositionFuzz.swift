import Exposition
import Histograms

/// Any bytes through the three exposition parsers, labels, exemplars and the checks of histograms included.
///
///     f="-O -sanitize=fuzzer -parse-as-library -I ."; l="-emit-module -emit-library -static"
///     swiftc $f $l -module-name Numbers    Sources/Leaves/Numbers/*.swift    -o libNumbers.a
///     swiftc $f $l -module-name Histograms Sources/Leaves/Histograms/*.swift -o libHistograms.a
///     swiftc $f $l -module-name Exposition Sources/Leaves/Exposition/*.swift -o libExposition.a
///     swiftc $f Fuzz/ExpositionFuzz.swift -L . -lExposition -lHistograms -lNumbers -o fuzz
///     SWIFT_BACKTRACE=enable=no timeout 70 ./fuzz -max_total_time=60 -max_len=400
///
/// A finding becomes a case in Tests/LeavesTests/ExpositionTests.swift.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzExposition(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let page = UnsafeRawBufferPointer(start: data, count: count)
    walk(TextFormat(page), page)
    walk(OpenMetricsFormat(page), page)
    var options = ProtobufFormat.Options()
    options.keepsClassicHistograms = true
    walk(ProtobufFormat(page, options: options), page)
    return 0
}

private func walk<Parser: ExpositionParser>(_ parser: Parser, _ page: UnsafeRawBufferPointer) {
    var parser = parser
    var labels = SeriesLabels()
    var known: Range<Int>?
    var collector = ClassicCollector()
    do {
        while true {
            if let known, parser.takeSample(of: UnsafeRawBufferPointer(rebasing: page[known])) { continue }
            guard let kind = try parser.next() else { return }
            if kind == .type { collector.noteType(parser.entry, of: page) }
            guard kind == .series || kind == .histogram else { continue }
            try parser.withSource(page) { source in
                let range = parser.entry.series
                precondition(range.upperBound <= source.count, "series range \(range) outside its bytes")
                known = source.baseAddress == page.baseAddress ? range : nil
                var packed: [UInt8] = []
                try labels.pack(parser.entry, of: source, into: &packed)
                if kind == .histogram { collector.noteNative(parser.entry, of: source) }
                if collector.take(parser.entry, of: source) == .finishFirst { _ = collector.finish() }
            }
            while parser.entry.exemplar != nil {
                var packed: [UInt8] = []
                _ = labels.packExemplar(parser.entry, of: page, into: &packed)
                if !parser.nextExemplar() { break }
            }
            if let histogram = parser.histogram { compute(histogram) }
        }
    } catch {}
}

/// What validation lets through can be computed with.
private func compute(_ sample: HistogramSample) {
    do {
        switch sample {
        case .integer(var histogram):
            try histogram.validate()
            histogram.compact()
            histogram.reduceResolution(to: -4)
        case .float(var histogram):
            try histogram.validate()
            histogram.compact()
            histogram.reduceResolution(to: -4)
        }
        _ = sample.asFloat.usedBuckets
    } catch {}
}
