import Numbers
import TSDB

extension Labels {
    /// As upstream's error texts show a series: `{__name__="up", job="x"}`, the name among the labels.
    var inBraces: String {
        "{"
            + pairs.map { pair in
                let isPlain = pair.name.utf8.enumerated().allSatisfy { position, byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                        return true
                    case UInt8(ascii: "0")...UInt8(ascii: "9"): return position > 0
                    default: return false
                    }
                }
                return (isPlain ? pair.name : QuotedText.go(pair.name)) + "=" + QuotedText.go(pair.value)
            }.joined(separator: ", ") + "}"
    }
}
