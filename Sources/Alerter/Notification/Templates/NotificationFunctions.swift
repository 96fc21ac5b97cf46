import Digest
import Numbers
import RegularExpression
import TSDB
import TextTemplate

/// The functions that notification templates have besides Go's own.
///
///     toUpper toLower title trimSpace   join match reReplaceAll stringSlice   safeHtml safeUrl urlUnescape
///     list append dict toJson base64encode base64decode   date tz now since humanizeDuration
///
/// Source: Alertmanager's documentation, “Notification template reference”, “Functions”.
enum NotificationFunctions {
    /// `now` is what the templates take for the present.
    static func all(now: Timestamp, zones: any TemplateZones) -> [String: TemplateFunction] {
        texts.merging(values) { $1 }.merging(times(now: now, zones: zones)) { $1 }
    }

    private static func text(_ change: @escaping @Sendable (String) -> String) -> TemplateFunction {
        TemplateFunction([.string]) { arguments in .string(change(arguments[0].text)) }
    }

    // MARK: Texts

    private static let texts: [String: TemplateFunction] = [
        "toUpper": text(LetterCase.upper),
        "toLower": text(LetterCase.lower),
        "title": text { LetterCase.title($0) { $0.properties.lowercaseMapping } },
        "trimSpace": text { text in
            let scalars = text.unicodeScalars
            guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
                let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
            else { return "" }
            return String(scalars[first...last])
        },
        "join": TemplateFunction([.string, .type("[]string")]) { arguments throws(TemplateError) in
            try ValueSize.joined((arguments[1].elements ?? []).map(\.text), arguments[0].text)
        },
        "match": TemplateFunction([.string, .string]) { arguments throws(TemplateError) in
            .boolean(try search(arguments[0].text).matches(arguments[1].text))
        },
        "reReplaceAll": TemplateFunction([.string, .string, .string]) { arguments throws(TemplateError) in
            guard
                let result = try search(arguments[0].text).replacingAll(in: arguments[2].text, with: arguments[1].text)
            else {
                throw TemplateError(
                    "takes more than \(TextSearch.maximumWork) steps, or makes more than \(TextSearch.maximumResult) bytes"
                )
            }
            return .string(result)
        },
        "stringSlice": TemplateFunction(rest: .string) { arguments in .strings(arguments.map(\.text)) },
        "safeHtml": TemplateFunction([.string]) { arguments in
            .object(TemplateName(typeName: "template.HTML", text: arguments[0].text))
        },
        "safeUrl": TemplateFunction([.string]) { arguments in
            .object(TemplateName(typeName: "template.URL", text: arguments[0].text))
        },
        "urlUnescape": TemplateFunction([.string]) { arguments throws(TemplateError) in
            .string(try unescaped(arguments[0].text))
        },
        "base64encode": text { Base64.encode($0.utf8, isURLSafe: true) },
        "base64decode": TemplateFunction([.string]) { arguments throws(TemplateError) in
            guard let bytes = Base64.decode(arguments[0].text, isURLSafe: true) else {
                throw TemplateError("illegal base64 data")
            }
            return .string(String(decoding: bytes, as: UTF8.self))
        },
    ]

    private static func search(_ pattern: String) throws(TemplateError) -> TextSearch {
        do throws(PatternError) { return try TextSearch(pattern) } catch { throw TemplateError(error.message) }
    }

    private static func unescaped(_ text: String) throws(TemplateError) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): result.append(32)
            case UInt8(ascii: "%"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, digits.first != "+", digits.first != "-",
                    let value = UInt8(digits, radix: 16)
                else {
                    throw TemplateError("invalid URL escape \(QuotedText.go("%" + digits))")
                }
                result.append(value)
                rest = rest.dropFirst(2)
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    // MARK: Values

    private static let values: [String: TemplateFunction] = [
        "toJson": TemplateFunction([.any]) { arguments throws(TemplateError) in
            .string(try PayloadJSON(arguments[0]).text)
        },
        "list": TemplateFunction(rest: .any) { arguments throws(TemplateError) in
            try ValueSize.checked(.list(arguments))
        },
        "append": TemplateFunction([.type("[]interface {}")], rest: .any) { arguments throws(TemplateError) in
            try ValueSize.checked(.list((arguments[0].elements ?? []) + arguments.dropFirst()))
        },
        "dict": TemplateFunction(rest: .any) { arguments throws(TemplateError) in
            guard arguments.count % 2 == 0 else { throw TemplateError("dict requires an even number of arguments") }
            var values: [String: TemplateValue] = [:]
            for index in stride(from: 0, to: arguments.count, by: 2) {
                guard case .string(let name) = arguments[index] else {
                    throw TemplateError("dict keys must be strings")
                }
                values[name] = arguments[index + 1]
            }
            return try ValueSize.checked(.map(TemplateMap(values)))
        },
        "humanizeDuration": TemplateFunction([.any]) { arguments throws(TemplateError) in
            .string(try humanized(arguments[0]))
        },
    ]

    private static func humanized(_ value: TemplateValue) throws(TemplateError) -> String {
        var seconds: Double
        switch value {
        case .float(let number): seconds = number
        case .integer(let number): seconds = Double(number)
        case .string(let text):
            guard let number = NumberText.parse(text, allowing: .go) else {
                throw TemplateError("strconv.ParseFloat: parsing \(QuotedText.go(text)): invalid syntax")
            }
            seconds = number
        case .object(let object):
            guard let duration = object as? TemplateDuration else {
                throw TemplateError("can't convert \(value.typeName) to float")
            }
            seconds = duration.seconds
        default: throw TemplateError("can't convert \(value.typeName) to float")
        }
        if seconds.isNaN || seconds.isInfinite { return NumberText.string(seconds, style: .general) }
        if seconds == 0 { return "0s" }
        let size = seconds.magnitude
        if size >= 1 {
            let sign = seconds < 0 ? "-" : ""
            let whole = size < 9e18 ? Int64(size) : Int64.max
            let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
            if days > 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(whole % 60)s" }
            if hours > 0 { return "\(sign)\(hours)h \(minutes)m \(whole % 60)s" }
            if minutes > 0 { return "\(sign)\(minutes)m \(whole % 60)s" }
            return sign + (try fourDigits(size)) + "s"
        }
        var unit = ""
        for next in ["m", "u", "n", "p", "f", "a", "z", "y"] {
            if seconds.magnitude >= 1 { break }
            unit = next
            seconds *= 1000
        }
        return (try fourDigits(seconds)) + unit + "s"
    }

    /// `%.4g`.
    private static func fourDigits(_ number: Double) throws(TemplateError) -> String {
        var set = TextTemplate()
        try set.add("{{ printf \"%.4g\" . }}", name: "")
        return try set.fill("", with: .float(number))
    }

    // MARK: Times

    private static func times(now: Timestamp, zones: any TemplateZones) -> [String: TemplateFunction] {
        [
            "now": TemplateFunction { _ in .object(TemplateTime(now)) },
            "since": TemplateFunction([.type("time.Time")]) { arguments in
                guard let time = time(arguments[0]) else { return .missing }
                return .object(TemplateTime(now).since(time))
            },
            "date": TemplateFunction([.string, .type("time.Time")]) { arguments in
                guard let time = time(arguments[1]) else { return .missing }
                return .string(TimeLayout.format(time, arguments[0].text))
            },
            "tz": TemplateFunction([.string, .type("time.Time")]) { arguments throws(TemplateError) in
                guard var time = time(arguments[1]) else { return .missing }
                let name = arguments[0].text
                guard let offset = zones.offset(in: name, at: time.seconds) else {
                    throw TemplateError("unknown time zone \(name)")
                }
                (time.offset, time.zone) = (offset.seconds, offset.abbreviation)
                return .object(time)
            },
        ]
    }

    private static func time(_ value: TemplateValue) -> TemplateTime? {
        guard case .object(let object) = value else { return nil }
        return object as? TemplateTime
    }
}
