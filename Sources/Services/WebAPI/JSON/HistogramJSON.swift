import HTTPServer
import Histograms
import TSDB

/// Native histograms in answers.
///
///     {"count":"42","sum":"34593.34","buckets":[[3,"-0.25","0.25","3"],[0,"0.25","0.5","12"]]}
///                                                │   lower   upper  count
///                                                └ bounds that belong to it   0 (…]   1 […)   2 (…)   3 […]
///
/// Empty buckets are left out, and the list of buckets where all are empty.
extension JSONText {
    mutating func append(_ histogram: FloatHistogram) {
        append("{\"count\":")
        appendSampleValue(histogram.count)
        append(",\"sum\":")
        appendSampleValue(histogram.sum)
        var isFirst = true
        for bucket in histogram.usedBuckets {
            append(isFirst ? ",\"buckets\":[[" : ",[" as StaticString)
            isFirst = false
            let rule: UInt8 =
                switch (bucket.lowerInclusive, bucket.upperInclusive) {
                case (false, true): 0
                case (true, false): 1
                case (false, false): 2
                case (true, true): 3
                }
            append(byte: UInt8(ascii: "0") + rule)
            append(byte: UInt8(ascii: ","))
            appendSampleValue(bucket.lower)
            append(byte: UInt8(ascii: ","))
            appendSampleValue(bucket.upper)
            append(byte: UInt8(ascii: ","))
            appendSampleValue(bucket.count)
            append(byte: UInt8(ascii: "]"))
        }
        if !isFirst { append(byte: UInt8(ascii: "]")) }
        append(byte: UInt8(ascii: "}"))
    }

    /// `[1435781451.781,{…}]`
    mutating func append(_ histogram: FloatHistogram, at time: Timestamp) {
        append(byte: UInt8(ascii: "["))
        appendTime(milliseconds: time.milliseconds)
        append(byte: UInt8(ascii: ","))
        append(histogram)
        append(byte: UInt8(ascii: "]"))
    }
}
