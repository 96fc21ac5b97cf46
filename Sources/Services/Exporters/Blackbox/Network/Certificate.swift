import NIOSSL

/// Who a certificate is for and who gave it, read from its bytes.
///
///     SEQUENCE { SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, … }, …, signature }
///
/// Names are written as Go writes them: last part first, `CN=api,O=Example`.
/// Source: RFC 5280 §4.1, RFC 2253; DER: ITU-T X.690. What is not as it should be reads as nothing.
struct Certificate {
    let subject: String
    let issuer: String
    let isSelfIssued: Bool

    init?(_ certificate: NIOSSLCertificate) {
        guard let der = try? certificate.toDERBytes() else { return nil }
        self.init(der)
    }

    init?(_ der: [UInt8]) {
        var outer = DER(der[...])
        guard var certificate = outer.take(0x30), var body = certificate.take(0x30) else { return nil }
        _ = body.take(0xa0)
        guard body.take(0x02) != nil, body.take(0x30) != nil, let issuer = body.take(0x30), body.take(0x30) != nil,
            let subject = body.take(0x30)
        else { return nil }
        self.issuer = Self.name(issuer)
        self.subject = Self.name(subject)
        isSelfIssued = issuer.bytes.elementsEqual(subject.bytes)
    }

    /// Attributes in Go's order of writing, which is turned round in the end. Others come before them.
    private static let known: [([UInt8], String)] = [
        ([85, 4, 6], "C"), ([85, 4, 10], "O"), ([85, 4, 11], "OU"), ([85, 4, 7], "L"), ([85, 4, 8], "ST"), ([85, 4, 9], "STREET"),
        ([85, 4, 17], "POSTALCODE"), ([85, 4, 3], "CN"), ([85, 4, 5], "SERIALNUMBER"),
    ]

    private static func name(_ sequence: DER) -> String {
        var sequence = sequence
        var values: [String: [String]] = [:]
        var others: [String] = []
        while var set = sequence.take(0x31) {
            while var pair = set.take(0x30), let oid = pair.take(0x06), let value = pair.takeAny() {
                let text = escaped(String(decoding: value.content, as: UTF8.self))
                if let name = known.first(where: { $0.0.elementsEqual(oid.bytes) })?.1 {
                    // Of these two the last one counts.
                    if name == "CN" || name == "SERIALNUMBER" { values[name] = [text] } else { values[name, default: []].append(text) }
                } else {
                    others.append(oidText(Array(oid.bytes)) + "=" + "#" + TLSReport.hexadecimal(value.whole))
                }
            }
        }
        let parts = others + known.compactMap { known in values[known.1]?.map { known.1 + "=" + $0 }.joined(separator: "+") }
        return parts.reversed().joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        let scalars = Array(value.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let isEdge = index == 0 || index == scalars.count - 1
            let isSpecial = ",+\"\\<>;".unicodeScalars.contains(scalar)
            if isSpecial || (scalar == "#" && index == 0) || (scalar == " " && isEdge) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    private static func oidText(_ bytes: [UInt8]) -> String {
        var numbers: [UInt64] = []
        var number: UInt64 = 0
        for byte in bytes {
            number = number << 7 | UInt64(byte & 0x7f)
            if byte & 0x80 == 0 {
                if numbers.isEmpty {
                    let first = min(2, number / 40)
                    numbers = [first, number - first * 40]
                } else {
                    numbers.append(number)
                }
                number = 0
            }
        }
        return numbers.map { String($0) }.joined(separator: ".")
    }
}

/// Reads DER: tag, length, content.
private struct DER {
    private(set) var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// The content of the next value where it has this tag.
    mutating func take(_ tag: UInt8) -> DER? {
        guard bytes.first == tag else { return nil }
        return takeAny().map { DER($0.content) }
    }

    mutating func takeAny() -> (whole: [UInt8], content: ArraySlice<UInt8>)? {
        var rest = bytes.dropFirst()
        guard bytes.first != nil, let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first & 0x80 != 0 {
            let count = Int(first & 0x7f)
            guard (1...3).contains(count), rest.count >= count else { return nil }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(count)
        }
        guard rest.count >= length else { return nil }
        let content = rest.prefix(length)
        let whole = bytes[bytes.startIndex..<content.endIndex]
        bytes = rest.dropFirst(length)
        return (Array(whole), content)
    }
}
