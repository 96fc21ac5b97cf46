/// Names of MIME and HTTP headers.
package enum HeaderName {
    /// `x-scope-orgid` becomes `X-Scope-Orgid`; what is no header name stays as it is.
    package static func canonical(_ name: String) -> String {
        guard isValid(name) else { return name }
        var isFirst = true
        var result: [UInt8] = []
        for byte in name.utf8 {
            let isLetter = byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a
            result.append(!isLetter ? byte : isFirst ? byte & ~0x20 : byte | 0x20)
            isFirst = byte == UInt8(ascii: "-")
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A token of RFC 9110.
    package static func isValid(_ name: String) -> Bool {
        let special = Set("!#$%&'*+-.^_`|~".utf8)
        return !name.isEmpty
            && name.utf8.allSatisfy {
                ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || special.contains($0)
            }
    }
}
