import TSDB

/// The link from an alert back to its expression: `<external>/graph?g0.expr=up+%3D%3D+0&g0.tab=1`.
enum AlertLink {
    static func url(_ expression: String, external: String) -> String {
        "\(external)/graph?g0.expr=\(queryEscaped(expression))&g0.tab=1"
    }

    /// As Go's `url.QueryEscape`: everything but letters, digits and `-_.~` as `%XX`, a space as `+`.
    static func queryEscaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
            default: bytes.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
