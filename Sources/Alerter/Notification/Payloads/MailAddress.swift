/// An address in a mail's header: `Ops <ops@example.org>`, of which SMTP takes `ops@example.org`.
public enum MailAddress {
    /// The bare addresses of a list; `nil` where one of them is none. None of them can hold a space, a bracket or a line's end.
    public static func list(_ text: String) -> [String]? {
        guard text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 || $0 == "\t" }) else { return nil }
        var addresses: [String] = []
        var current = ""
        var (isQuoted, isEscaped, isAngle) = (false, false, false)
        for scalar in text.unicodeScalars + [","] {
            if isEscaped {
                isEscaped = false
            } else if scalar == "\\" && isQuoted {
                isEscaped = true
            } else if scalar == "\"" {
                isQuoted.toggle()
            } else if !isQuoted && (scalar == "<" || scalar == ">") {
                isAngle = scalar == "<"
            } else if scalar == "," && !isQuoted && !isAngle {
                guard let address = bare(current) else { return nil }
                addresses.append(address)
                current = ""
                continue
            }
            current.unicodeScalars.append(scalar)
        }
        return isQuoted || isAngle ? nil : addresses
    }

    private static func bare(_ text: String) -> String? {
        var inner = text[...]
        if let open = text.lastIndex(of: "<") {
            guard let close = text[open...].firstIndex(of: ">"),
                text[text.index(after: close)...].allSatisfy({ $0.isWhitespace })
            else { return nil }
            inner = text[text.index(after: open)..<close]
        }
        let scalars = inner.unicodeScalars.drop { $0.properties.isWhitespace }
        guard let last = scalars.lastIndex(where: { !$0.properties.isWhitespace }) else { return nil }
        let address = scalars[...last]
        guard let at = address.lastIndex(of: "@"), at != address.startIndex,
            address.index(after: at) != address.endIndex,
            address.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f && !"<>(),;:\"\\[]".unicodeScalars.contains($0) }),
            address[..<at].allSatisfy({ $0 != "@" })
        else { return nil }
        return String(String.UnicodeScalarView(address))
    }
}
