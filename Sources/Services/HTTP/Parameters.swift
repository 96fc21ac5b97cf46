/// Parameters of a request, from the URL and from a form body, in order; names may repeat (`match[]`).
///
/// What they hold — times, durations, matchers — is the service's own affair.
public struct Parameters: Sendable {
    private var pairs: [(name: String, value: String)] = []
    /// Parameters that one request may have. More are an attack or a mistake; Go's own bound is of this size.
    static let maximumCount = 10_000

    public init() {}

    public init(_ text: String) { append(urlEncoded: text) }

    /// Adds `a=1&b=%20x`; pairs that cannot be decoded are left out, as Go's `FormValue` does.
    public mutating func append(urlEncoded text: String) {
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            guard pairs.count < Self.maximumCount else { return }
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let rest = equals == pair.endIndex ? pair[equals...] : pair[pair.index(after: equals)...]
            guard let name = PercentCoding.decode(pair[..<equals], plusIsSpace: true),
                let value = PercentCoding.decode(rest, plusIsSpace: true)
            else { continue }
            pairs.append((name, value))
        }
    }

    /// The first value of `name`, or the empty string.
    public subscript(name: String) -> String { pairs.first { $0.name == name }?.value ?? "" }

    public func all(_ name: String) -> [String] { pairs.compactMap { $0.name == name ? $0.value : nil } }
}

/// `%41` and `+` in URLs.
package enum PercentCoding {
    /// `nil` where a `%` is not followed by two hexadecimal digits. Bytes that are not UTF-8 become U+FFFD.
    package static func decode(_ text: Substring.UTF8View, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
        default: return nil
        }
    }
}
