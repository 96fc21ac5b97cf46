import Numbers

/// From a Content-Type header to a parser.
///
///     text/plain; version=0.0.4               → text
///     application/openmetrics-text; …          → openMetrics
///     application/vnd.google.protobuf; …       → protobuf
///     missing, unreadable, unknown             → the fallback protocol, or the scrape fails
///
/// Guessing from the body would make a target's meaning depend on its data; upstream stopped doing so in 3.0.
enum ContentType {
    static func format(of header: String, fallback: ScrapeProtocol?) throws(ScrapeError) -> PageFormat {
        if header.isEmpty {
            return try fallen(
                fallback,
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target")
        }
        guard let mediaType = mediaType(header) else {
            return try fallen(
                fallback, "cannot parse Content-Type \(QuotedText.go(header)) and no fallback_scrape_protocol for target")
        }
        switch mediaType {
        case "text/plain": return .text
        case "application/openmetrics-text": return .openMetrics
        case "application/vnd.google.protobuf": return .protobuf
        default:
            return try fallen(
                fallback,
                "received unsupported Content-Type \(QuotedText.go(header)) and no fallback_scrape_protocol specified for target"
            )
        }
    }

    private static func fallen(_ fallback: ScrapeProtocol?, _ problem: String) throws(ScrapeError) -> PageFormat {
        switch fallback {
        case .prometheusText0_0_4, .prometheusText1_0_0: return .text
        case .openMetricsText0_0_1, .openMetricsText1_0_0: return .openMetrics
        case .prometheusProto: return .protobuf
        case nil: throw ScrapeError(.contentType, problem)
        }
    }

    /// The bare type in lower case; `nil` where the header or its parameters are malformed (RFC 2045 §5.1).
    static func mediaType(_ header: String) -> String? {
        var rest = Array(header.utf8)[...]
        let bare = rest.prefix { $0 != UInt8(ascii: ";") }
        rest = rest.dropFirst(bare.count)
        let type = trimmed(bare).map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        let halves = type.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard halves.count == 2, halves.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isToken) }) else { return nil }
        while rest.first == UInt8(ascii: ";") {
            rest = trimmedStart(rest.dropFirst())
            if rest.isEmpty { break }
            let name = rest.prefix(while: isToken)
            rest = trimmedStart(rest.dropFirst(name.count))
            guard !name.isEmpty, rest.first == UInt8(ascii: "=") else { return nil }
            rest = trimmedStart(rest.dropFirst())
            if rest.first == UInt8(ascii: "\"") {
                rest = rest.dropFirst()
                while let byte = rest.first, byte != UInt8(ascii: "\"") {
                    rest = rest.dropFirst(byte == UInt8(ascii: "\\") ? 2 : 1)
                }
                guard rest.first == UInt8(ascii: "\"") else { return nil }
                rest = rest.dropFirst()
            } else {
                let value = rest.prefix(while: isToken)
                if value.isEmpty { return nil }
                rest = rest.dropFirst(value.count)
            }
            rest = trimmedStart(rest)
        }
        return rest.isEmpty ? String(decoding: type, as: UTF8.self) : nil
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && !"()<>@,;:\\\"/[]?=".utf8.contains(byte)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func trimmedStart(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> { bytes.drop(while: isBlank) }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = trimmedStart(bytes)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return bytes
    }
}

/// Which parser a page needs.
enum PageFormat: Sendable {
    case text, openMetrics, protobuf
}
