import Numbers
import TextTemplate

/// Numbers as people read them: four significant digits and a prefix.
///
///     decimal      1234567 → 1.235M      0.00012 → 120u
///     binary       1048576 → 1Mi         0.12 → 0.12
///     duration     93784 → 1d 2h 3m 4s   0.12345 → 123.5ms
///     percentage   0.1234567 → 12.35%
///     timestamp    1435065584.128 → 2015-06-23 13:19:44.128 +0000 UTC
///
/// Source: Prometheus, `template/template.go`; `common/helpers/templates`.
enum Humanize {
    private static let large = ["k", "M", "G", "T", "P", "E", "Z", "Y"]
    private static let largeBinary = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]
    private static let small = ["m", "u", "n", "p", "f", "a", "z", "y"]

    /// What templates pass: a number, a text that holds one, a duration (in seconds).
    static func number(_ value: TemplateValue) throws(TemplateError) -> Double {
        switch value {
        case .float(let number): return number
        case .integer(let number): return Double(number)
        case .string(let text):
            guard let number = NumberText.parse(text, allowing: .go) else {
                let reason = isDecimal(text) ? "value out of range" : "invalid syntax"
                throw TemplateError("strconv.ParseFloat: parsing \(QuotedText.go(text)): \(reason)")
            }
            return number
        case .object(let object):
            if let duration = object as? TemplateDuration { return duration.seconds }
        case .missing, .null, .boolean, .list, .map: break
        }
        throw TemplateError("can't convert \(value.typeName) to float")
    }

    /// Whether `text` is written as a decimal number; one that was not read all the same is too large.
    private static func isDecimal(_ text: String) -> Bool {
        func isSign(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") }
        func areDigits(_ bytes: some Sequence<UInt8>) -> Bool { bytes.allSatisfy { (0x30...0x39).contains($0) } }
        var bytes = Array(text.utf8)[...]
        if isSign(bytes.first) { bytes.removeFirst() }
        let mantissa = bytes.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
        if mantissa.count < bytes.count {
            var exponent = bytes[(mantissa.endIndex + 1)...]
            if isSign(exponent.first) { exponent.removeFirst() }
            guard !exponent.isEmpty, areDigits(exponent) else { return false }
        }
        let parts = mantissa.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { areDigits($0) } && parts.contains { !$0.isEmpty }
    }

    static func decimal(_ number: Double) -> String {
        guard number != 0, number.isFinite else { return digits(number) }
        if number.magnitude >= 1 { return scaledDown(number, by: 1000, large) }
        return scaledUp(number)
    }

    static func binary(_ number: Double) -> String {
        guard number.magnitude > 1, number.isFinite else { return digits(number) }
        return scaledDown(number, by: 1024, largeBinary)
    }

    static func percentage(_ fraction: Double) -> String { digits(fraction * 100) + "%" }

    static func duration(seconds: Double) -> String {
        guard seconds.isFinite else { return digits(seconds) }
        guard seconds != 0 else { return digits(seconds) + "s" }
        guard seconds.magnitude >= 1 else { return scaledUp(seconds) + "s" }
        let sign = seconds < 0 ? "-" : ""
        // Upstream converts as the processor does: what does not fit is the smallest number.
        let whole = Int64(exactly: seconds.magnitude.rounded(.towardZero)) ?? .min
        let (days, hours, minutes, rest) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60)
        // From minutes on, whole seconds.
        if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(rest)s" }
        if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(rest)s" }
        if minutes != 0 { return "\(sign)\(minutes)m \(rest)s" }
        return sign + digits(seconds.magnitude) + "s"
    }

    static func timestamp(seconds: Double) throws(TemplateError) -> String {
        try time(seconds: seconds)?.text ?? digits(seconds)
    }

    /// A time with milliseconds; `nil` for what is no number.
    static func time(seconds: Double) throws(TemplateError) -> TemplateTime? {
        guard seconds.isFinite else { return nil }
        let nanoseconds = seconds * 1e9
        guard nanoseconds.magnitude <= 0x1p63 else {
            let shown = NumberText.string(seconds, style: .general)
            throw TemplateError("\(shown) cannot be represented as a nanoseconds timestamp since it overflows int64")
        }
        let milliseconds = (Int64(exactly: nanoseconds.rounded(.towardZero)) ?? .min) / 1_000_000
        return TemplateTime(.init(milliseconds: milliseconds))
    }

    // MARK: Scaling

    private static func digits(_ number: Double) -> String { SignificantDigits.text(number, digits: 4) }

    private static func scaledDown(_ number: Double, by base: Double, _ prefixes: [String]) -> String {
        var number = number, prefix = ""
        for next in prefixes {
            if number.magnitude < base { break }
            prefix = next
            number /= base
        }
        return digits(number) + prefix
    }

    private static func scaledUp(_ number: Double) -> String {
        var number = number, prefix = ""
        for next in small {
            if number.magnitude >= 1 { break }
            prefix = next
            number *= 1000
        }
        return digits(number) + prefix
    }
}
