import PromQL

/// Fuzzes the query parser: nothing traps, errors stand inside the query, and what parses prints to a fixed point, on one line
/// and on several.
///
/// The parser's modules are compiled from the files it needs, all instrumented: `scripts/fuzz-promql.sh 60`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPromQL(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let query = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    do throws(QueryError) {
        let expr = try Parser.parse(query, options: .everything)
        let printed = expr.description
        precondition(expr.formatted.utf8.count >= printed.utf8.count, "\(query)\n\(expr.formatted)")
        do throws(QueryError) {
            let again = try Parser.parse(printed, options: .everything).description
            // `+Inf ^ 2` reads as +(Inf ^ 2), upstream too; every other canonical form is its own.
            precondition(again == printed || printed.contains("Inf"), "\(query)\n\(printed)\n\(again)")
        } catch {
            let isLonger = printed.utf8.count > Parser.maximumLength
            let isDeeper = error.message.contains("nested deeper")
            // A window below a millisecond counts, and prints, as none; upstream too.
            let isTiny = error.message == "duration must be greater than 0"
            precondition(isLonger || isDeeper || isTiny, "\(query)\n\(printed)\n\(error)")
        }
    } catch {
        precondition(error.range.lowerBound >= 0 && error.range.upperBound <= query.utf8.count, "\(query)\n\(error)")
        precondition(error.positioned(in: query).contains(": parse error: "), "\(query)")
    }
    _ = try? Parser.parseMetricSelector(query)
    _ = try? Parser.parseMetric(query)
    if let series = try? Parser.parseSeriesDescription(query) {
        precondition(series.valuesStart <= query.utf8.count, "\(query)")
    }
    return 0
}
