import Numbers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Go's `fmt.Sprintf`, `Sprint` and `Sprintln` over template values.
///
///     %v %d %s %q %x %X %o %b %c %U %e %E %f %F %g %G %t %T %%      flags + - # space 0, width, precision, *, [n]
///
/// A verb that does not fit its value is no error but shows in the text: `%!d(string=hi)`, `%!f(MISSING)`,
/// `%!(EXTRA int=3)`.
/// Source: documentation of Go's package `fmt`.
enum Printf {
    /// Go's bound on widths and precisions.
    private static let maximumWidth = 1_000_000

    // MARK: Print

    /// A space between two values unless one of them is a text.
    static func print(_ values: [TemplateValue]) -> String {
        var result = ""
        var wasText = true
        for (index, value) in values.enumerated() {
            var isText = false
            if case .string = value { isText = true }
            if index > 0 && !isText && !wasText { result += " " }
            result += plain(value)
            wasText = isText
        }
        return result
    }

    static func printLine(_ values: [TemplateValue]) -> String {
        values.map(plain).joined(separator: " ") + "\n"
    }

    /// One text as it is, anything else as `print` shows it.
    static func joined(_ values: [TemplateValue]) -> String {
        if values.count == 1, case .string(let text) = values[0] { return text }
        return print(values)
    }

    private static func plain(_ value: TemplateValue) -> String {
        switch value {
        case .missing, .null: "<nil>"
        default: value.text
        }
    }

    // MARK: Format

    static func format(
        _ format: String, _ values: [TemplateValue], maximumBytes: Int
    ) throws(TemplateError) -> String {
        var formatter = Formatter(values: values)
        var result = ""
        var rest = Array(format.unicodeScalars)[...]
        while let percent = rest.firstIndex(of: "%") {
            result.unicodeScalars.append(contentsOf: rest[..<percent])
            rest = rest[(percent + 1)...]
            result += formatter.verb(&rest)
            if result.utf8.count > maximumBytes { throw TemplateError("makes more than \(maximumBytes) bytes") }
        }
        result.unicodeScalars.append(contentsOf: rest)
        return result + formatter.extra
    }

    /// What stands between `%` and the verb.
    private struct Options {
        var plus = false, minus = false, sharp = false, space = false, zero = false
        var width: Int?
        var precision: Int?
    }

    private struct Formatter {
        let values: [TemplateValue]
        private var index = 0
        private var isReordered = false
        /// `[n]` named no argument.
        private var isBadIndex = false

        init(values: [TemplateValue]) { self.values = values }

        /// Arguments that no verb asked for.
        var extra: String {
            guard !isReordered, index < values.count else { return "" }
            let rest = values[index...].map { value in
                switch value {
                case .missing, .null: "<nil>"
                default: "\(value.typeName)=\(value.text)"
                }
            }
            return "%!(EXTRA " + rest.joined(separator: ", ") + ")"
        }

        mutating func verb(_ rest: inout ArraySlice<Unicode.Scalar>) -> String {
            var options = Options()
            flags: while let scalar = rest.first {
                switch scalar {
                case "#": options.sharp = true
                case "0": options.zero = true
                case "+": options.plus = true
                case "-": options.minus = true
                case " ": options.space = true
                default: break flags
                }
                rest.removeFirst()
            }
            var complaint = ""
            var afterIndex = takeIndex(&rest)
            if rest.first == "*" {
                rest.removeFirst()
                afterIndex = false
                if let width = nextInteger() {
                    options.width = width.magnitude <= maximumWidth ? Int(width.magnitude) : nil
                    if width < 0 { options.minus = true }
                    if width.magnitude > maximumWidth { complaint += "%!(BADWIDTH)" }
                } else {
                    complaint += "%!(BADWIDTH)"
                }
            } else if let width = takeNumber(&rest) {
                if afterIndex { isBadIndex = true }
                options.width = width
            }
            if rest.first == "." {
                rest.removeFirst()
                if afterIndex { isBadIndex = true }
                afterIndex = takeIndex(&rest)
                if rest.first == "*" {
                    rest.removeFirst()
                    afterIndex = false
                    if let precision = nextInteger(), precision <= maximumWidth {
                        options.precision = precision < 0 ? nil : precision
                        if precision < 0 { complaint += "%!(BADPREC)" }
                    } else {
                        complaint += "%!(BADPREC)"
                    }
                } else {
                    options.precision = takeNumber(&rest) ?? 0
                }
            }
            if !afterIndex { _ = takeIndex(&rest) }
            guard let verb = rest.popFirst() else { return complaint + "%!(NOVERB)" }
            if verb == "%" { return complaint + "%" }
            defer { isBadIndex = false }
            if isBadIndex { return complaint + "%!\(verb)(BADINDEX)" }
            guard index < values.count else { return complaint + "%!\(verb)(MISSING)" }
            let value = values[index]
            index += 1
            return complaint + Printf.text(value, verb, options)
        }

        /// `[3]`: the next argument is the third.
        private mutating func takeIndex(_ rest: inout ArraySlice<Unicode.Scalar>) -> Bool {
            guard rest.first == "[" else { return false }
            isReordered = true
            guard let close = rest.firstIndex(of: "]") else {
                isBadIndex = true
                rest.removeFirst()
                return false
            }
            var digits = rest[(rest.startIndex + 1)..<close]
            rest = rest[(close + 1)...]
            if let number = takeNumber(&digits), digits.isEmpty, number >= 1, number <= values.count {
                index = number - 1
            } else {
                isBadIndex = true
            }
            return true
        }

        private mutating func takeNumber(_ rest: inout ArraySlice<Unicode.Scalar>) -> Int? {
            var number: Int?
            while let scalar = rest.first, scalar >= "0", scalar <= "9" {
                let next = (number ?? 0) * 10 + Int(scalar.value - 48)
                if next > maximumWidth { return nil }
                number = next
                rest.removeFirst()
            }
            return number
        }

        private mutating func nextInteger() -> Int? {
            guard index < values.count else { return nil }
            let value = values[index]
            index += 1
            guard case .integer(let number) = value else { return nil }
            return Int(exactly: number)
        }
    }

    // MARK: Values

    private static func text(_ value: TemplateValue, _ verb: Unicode.Scalar, _ options: Options) -> String {
        if verb == "T" { return padded(value.typeName, options) }
        switch value {
        case .missing, .null: return verb == "v" ? padded("<nil>", options) : "%!\(verb)(<nil>)"
        case .boolean(let flag):
            return verb == "t" || verb == "v" ? padded(flag ? "true" : "false", options) : bad(value, verb)
        case .integer(let number): return integer(number, verb, options) ?? bad(value, verb)
        case .float(let number): return float(number, verb, options) ?? bad(value, verb)
        case .string(let text): return string(text, verb, options) ?? bad(value, verb)
        case .list(let elements, _): return "[" + elements.map { text($0, verb, options) }.joined(separator: " ") + "]"
        case .map(let map):
            let pairs = map.sortedNames.map { name in
                text(.string(name), verb, options) + ":" + text(map.values[name] ?? .missing, verb, options)
            }
            return "map[" + pairs.joined(separator: " ") + "]"
        case .object(let object) where object.list != nil && verb != "v" && verb != "s":
            return text(.list(object.list?.elements ?? []), verb, options)
        case .object(let object): return string(object.text, verb, options) ?? bad(value, verb)
        }
    }

    private static func bad(_ value: TemplateValue, _ verb: Unicode.Scalar) -> String {
        "%!\(verb)(\(value.typeName)=\(value.text))"
    }

    private static func string(_ text: String, _ verb: Unicode.Scalar, _ options: Options) -> String? {
        func cut(_ text: String) -> String {
            guard let precision = options.precision else { return text }
            var scalars = String.UnicodeScalarView()
            scalars.append(contentsOf: text.unicodeScalars.prefix(precision))
            return String(scalars)
        }
        switch verb {
        case "v" where options.sharp: return padded(QuotedText.go(text), options)
        case "v", "s": return padded(cut(text), options)
        case "q":
            let inner = cut(text)
            return padded(options.sharp && !inner.contains("`") ? "`\(inner)`" : QuotedText.go(inner), options)
        case "x", "X":
            let bytes = options.precision.map { Array(text.utf8.prefix($0)) } ?? Array(text.utf8)
            let prefix = options.sharp ? "0\(verb)" : ""
            let pairs = bytes.map { byte in
                let digits = String(byte, radix: 16, uppercase: verb == "X")
                return (digits.utf8.count < 2 ? "0" : "") + digits
            }
            if options.space { return padded(pairs.map { prefix + $0 }.joined(separator: " "), options) }
            return padded(bytes.isEmpty ? "" : prefix + pairs.joined(), options)
        default: return nil
        }
    }

    private static func integer(_ number: Int64, _ verb: Unicode.Scalar, _ options: Options) -> String? {
        func digits(_ radix: Int, _ prefix: String, uppercase: Bool = false) -> String {
            var text = String(number.magnitude, radix: radix, uppercase: uppercase)
            if let precision = options.precision {
                if precision == 0 && number == 0 { return padded("", options) }
                text = String(repeating: "0", count: max(0, precision - text.utf8.count)) + text
            }
            return signed(
                text, prefix: options.sharp ? prefix : "", isNegative: number < 0, options,
                mayZeroFill: options.precision == nil)
        }
        switch verb {
        case "v", "d": return digits(10, "")
        case "b": return digits(2, "0b")
        case "o": return digits(8, "0")
        case "O":
            var options = options
            options.sharp = false
            return signed(
                "0o" + String(number.magnitude, radix: 8), prefix: "", isNegative: number < 0, options,
                mayZeroFill: false)
        case "x": return digits(16, "0x")
        case "X": return digits(16, "0X", uppercase: true)
        case "c": return padded(String(scalar(number)), options)
        case "q":
            let quoted = QuotedText.go(String(scalar(number))).dropFirst().dropLast()
            let text = quoted == "\\\"" ? "\"" : quoted == "'" ? "\\'" : String(quoted)
            return padded("'\(text)'", options)
        case "U":
            let digits = String(UInt64(bitPattern: number), radix: 16, uppercase: true)
            let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
            return padded(options.sharp ? "\(code) '\(scalar(number))'" : code, options)
        case "e", "E", "f", "F", "g", "G", "s", "t": return nil
        default: return nil
        }
    }

    private static func scalar(_ number: Int64) -> Unicode.Scalar {
        UInt32(exactly: number).flatMap(Unicode.Scalar.init) ?? "\u{FFFD}"
    }

    private static func float(_ number: Double, _ verb: Unicode.Scalar, _ options: Options) -> String? {
        let style: Unicode.Scalar
        switch verb {
        case "v": style = "g"
        case "F": style = "f"
        case "e", "E", "f", "g", "G": style = verb
        default: return nil
        }
        guard number.isFinite else {
            var options = options
            options.zero = false
            let name = number.isNaN ? "NaN" : "Inf"
            if number.isNaN { return padded((options.plus ? "+" : options.space ? " " : "") + name, options) }
            options.plus = true
            return signed(name, prefix: "", isNegative: number < 0, options, mayZeroFill: false)
        }
        let digits: String
        if options.precision == nil && (style == "g" || style == "G") {
            let shortest = NumberText.string(number.magnitude, style: .general)
            digits = style == "G" ? shortest.uppercased() : shortest
        } else {
            digits = Self.digits(number.magnitude, style, precision: options.precision ?? 6)
        }
        return signed(digits, prefix: "", isNegative: number.sign == .minus, options, mayZeroFill: true)
    }

    /// The C library rounds as Go does: the exact decimal value, half to even.
    private static func digits(_ number: Double, _ style: Unicode.Scalar, precision: Int) -> String {
        // No double has more than 1,074 decimals; what is beyond are zeros.
        let exact = min(precision, 1100)
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1500) { buffer in
            let count = withVaList([Int32(exact), number]) {
                vsnprintf(buffer.baseAddress, buffer.count, "%.*\(style)", $0)
            }
            return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        guard precision > exact, style == "f" else { return text }
        return text + String(repeating: "0", count: precision - exact)
    }

    // MARK: Layout

    private static func signed(
        _ digits: String, prefix: String, isNegative: Bool, _ options: Options, mayZeroFill: Bool
    ) -> String {
        let sign = isNegative ? "-" : options.plus ? "+" : options.space ? " " : ""
        if options.zero, !options.minus, mayZeroFill, let width = options.width {
            let length = sign.utf8.count + prefix.utf8.count + digits.utf8.count
            return sign + prefix + String(repeating: "0", count: max(0, width - length)) + digits
        }
        var plain = options
        plain.zero = false
        return padded(sign + prefix + digits, plain)
    }

    /// Filled up to the width with spaces, or zeros where asked for; widths count characters.
    private static func padded(_ text: String, _ options: Options) -> String {
        guard let width = options.width else { return text }
        let missing = width - text.unicodeScalars.count
        guard missing > 0 else { return text }
        if options.minus { return text + String(repeating: " ", count: missing) }
        return String(repeating: options.zero ? "0" : " ", count: missing) + text
    }
}
