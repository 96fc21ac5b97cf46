import Exposition

/// Any bytes through both exposition parsers, labels included.
///
///     f="-O -sanitize=fuzzer -parse-as-library -I ."; l="-emit-module -emit-library -static"
///     swiftc $f $l -module-name Numbers    Sources/Leaves/Numbers/*.swift    -o libNumbers.a
///     swiftc $f $l -module-name Exposition Sources/Leaves/Exposition/*.swift -o libExposition.a
///     swiftc $f Fuzz/ExpositionFuzz.swift -L . -lExposition -lNumbers -o fuzz
///     SWIFT_BACKTRACE=enable=no timeout 70 ./fuzz -max_total_time=60 -max_len=400
///
/// A finding becomes a case in Tests/LeavesTests/ExpositionTests.swift.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzExposition(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let page = UnsafeRawBufferPointer(start: data, count: count)
    walk(TextFormat(page), page)
    walk(OpenMetricsFormat(page), page)
    return 0
}

private func walk<Parser: ExpositionParser>(_ parser: Parser, _ page: UnsafeRawBufferPointer) {
    var parser = parser
    var labels = SeriesLabels()
    var known: Range<Int>?
    do {
        while true {
            if let known, parser.takeSample(of: UnsafeRawBufferPointer(rebasing: page[known])) { continue }
            guard let entry = try parser.next() else { return }
            guard entry == .series else { continue }
            known = parser.entry.series
            precondition(parser.entry.series.upperBound <= page.count, "series range \(parser.entry.series) outside the page")
            var packed: [UInt8] = []
            try labels.pack(parser.entry, of: page, into: &packed)
            if parser.entry.exemplar != nil { _ = labels.packExemplar(parser.entry, of: page, into: &packed) }
        }
    } catch {}
}
