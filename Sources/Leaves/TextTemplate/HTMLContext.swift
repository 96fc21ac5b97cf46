/// Where in an HTML page the output stands, and what a value must look like to stay a value there.
///
///     <p title="{{ 1 }}"><a href="{{ 2 }}?q={{ 3 }}">{{ 4 }}</a><script>f({{ 5 }})</script>
///      1 attribute    2 address: only known schemes    3 part of its query    4 text    5 JavaScript value
///
/// The template's own text is markup and moves the state on; a value never does, for it is escaped so that it cannot end
/// what it stands in. A value of type `template.HTML` (`safeHtml`) is markup in text, `template.URL` (`safeUrl`) an address
/// of any scheme.
///
/// Source: documentation of Go's package `html/template`, “Contexts”. Unlike Go's we look at where a value comes out, not
/// at all the branches beforehand, and leave comments where they are.
struct HTMLContext {
    private enum State: Equatable {
        case text, comment
        case tagOpen, tagName, tag, attributeName, afterAttributeName, beforeValue
        case value(quote: UInt8?)
        /// Inside `<title>`, `<textarea>`: text, but no tags; `<script>`, `<style>`: another language.
        case raw
    }

    private enum Kind { case plain, address, style, script }

    private var state = State.text
    /// Lowercase: of the tag being read, and then of the element whose raw text it is.
    private var element: [UInt8] = []
    private var isClosing = false
    private var attribute: [UInt8] = []
    /// Of an address, what is written of it so far.
    private var valueBefore: [UInt8] = []
    /// The last bytes, for `-->` and `</title`.
    private var tail: [UInt8] = []

    // MARK: Markup

    mutating func advance(over markup: String) {
        for byte in markup.utf8 { advance(over: byte) }
    }

    private mutating func advance(over byte: UInt8) {
        let isSpace = byte == 32 || (9...13).contains(byte)
        switch state {
        case .text:
            if byte == UInt8(ascii: "<") { (state, element, isClosing, tail) = (.tagOpen, [], false, []) }
        case .comment:
            tail.append(byte)
            if tail.suffix(3).elementsEqual("-->".utf8) { state = .text }
            tail = tail.suffix(2)
        case .tagOpen:
            if byte == UInt8(ascii: "/") {
                isClosing = true
            } else if byte == UInt8(ascii: "!") {
                state = .tagName
                element = [byte]
            } else if Self.isLetter(byte) {
                state = .tagName
                element = [byte | 0x20]
            } else {
                state = .text
            }
        case .tagName:
            if byte == UInt8(ascii: ">") {
                endTag()
            } else if isSpace || byte == UInt8(ascii: "/") {
                state = .tag
            } else {
                if element.count < 32 { element.append(Self.lowercase(byte)) }
                if element.elementsEqual("!--".utf8) { (state, tail) = (.comment, []) }
            }
        case .tag:
            if byte == UInt8(ascii: ">") {
                endTag()
            } else if !isSpace && byte != UInt8(ascii: "/") {
                (state, attribute) = (.attributeName, [Self.lowercase(byte)])
            }
        case .attributeName:
            if byte == UInt8(ascii: "=") {
                state = .beforeValue
            } else if byte == UInt8(ascii: ">") {
                endTag()
            } else if isSpace {
                state = .afterAttributeName
            } else if attribute.count < 32 {
                attribute.append(Self.lowercase(byte))
            }
        case .afterAttributeName:
            if byte == UInt8(ascii: "=") {
                state = .beforeValue
            } else if byte == UInt8(ascii: ">") {
                endTag()
            } else if !isSpace {
                (state, attribute) = (.attributeName, [Self.lowercase(byte)])
            }
        case .beforeValue:
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                (state, valueBefore) = (.value(quote: byte), [])
            } else if byte == UInt8(ascii: ">") {
                endTag()
            } else if !isSpace {
                (state, valueBefore) = (.value(quote: nil), [byte])
            }
        case .value(let quote):
            if byte == quote || (quote == nil && isSpace) {
                state = .tag
            } else if quote == nil && byte == UInt8(ascii: ">") {
                endTag()
            } else if valueBefore.count < 4096 {
                valueBefore.append(byte)
            }
        case .raw:
            tail.append(Self.lowercase(byte))
            let end = Array("</".utf8) + element
            if tail.suffix(end.count) == end[...] { (state, isClosing, tail) = (.tagName, true, []) }
            if tail.count > 64 { tail = tail.suffix(32) }
        }
    }

    private mutating func endTag() {
        tail = []
        let hasRawText = ["script", "style", "title", "textarea"].contains { element.elementsEqual($0.utf8) }
        state = hasRawText && !isClosing ? .raw : .text
    }

    // MARK: Values

    /// `value` as it may appear here. `function` made it: what `html` and `urlquery` escape is not escaped twice.
    mutating func escaped(_ value: TemplateValue, after function: String?) -> String {
        let text = value.typeName == "<nil>" ? "" : value.text
        switch (state, rawKind) {
        case (.text, _), (.raw, .plain):
            if value.typeName == "template.HTML", state == .text { return text }
            return function == "html" ? text : Self.text(text)
        case (.raw, _): return rawKind == .script ? Self.scriptValue(value) : Self.filteredStyle(text)
        case (.comment, _): return ""
        case (.tagOpen, _), (.tagName, _), (.tag, _), (.attributeName, _), (.afterAttributeName, _):
            if state == .tag { (state, attribute) = (.attributeName, []) }
            let isName = !text.isEmpty && text.utf8.allSatisfy { Self.isLetter($0) || (0x30...0x39).contains($0) }
            return isName ? text : Self.refused
        case (.beforeValue, _):
            // `title={{ . }}` without quotes.
            (state, valueBefore) = (.value(quote: nil), [])
            return attributeValue(value, text, quoted: false, after: function)
        case (.value(let quote), _): return attributeValue(value, text, quoted: quote != nil, after: function)
        }
    }

    /// What Go puts where a value could do harm.
    private static let refused = "ZgotmplZ"

    private var rawKind: Kind {
        element.elementsEqual("script".utf8) ? .script : element.elementsEqual("style".utf8) ? .style : .plain
    }

    private mutating func attributeValue(
        _ value: TemplateValue, _ text: String, quoted: Bool, after function: String?
    ) -> String {
        let result: String
        switch attributeKind {
        case .plain: result = function == "html" ? text : Self.attribute(text, quoted: quoted)
        case .script: result = Self.attribute(Self.scriptValue(value), quoted: quoted)
        case .style: result = Self.attribute(Self.filteredStyle(text), quoted: quoted)
        case .address:
            let address: String
            if valueBefore.contains(UInt8(ascii: "?")) || valueBefore.contains(UInt8(ascii: "#")) {
                address = function == "urlquery" ? text : Escaping.urlQuery(text, spaceAs: "%20")
            } else if valueBefore.isEmpty && value.typeName != "template.URL" && !Self.hasSafeScheme(text) {
                address = "#" + Self.refused
            } else {
                address = Self.normalizedURL(text)
            }
            valueBefore += Array(address.utf8.prefix(4096))
            result = Self.attribute(address, quoted: quoted)
        }
        if valueBefore.isEmpty { valueBefore = Array(text.utf8.prefix(1)) }
        return result
    }

    private var attributeKind: Kind {
        let name = String(decoding: attribute, as: UTF8.self)
        if name.hasPrefix("on") { return .script }
        if name == "style" { return .style }
        let addresses: Set<String> = [
            "action", "archive", "background", "cite", "classid", "codebase", "data", "formaction", "href", "icon",
            "longdesc", "manifest", "poster", "profile", "src", "usemap", "xlink:href", "xmlns",
        ]
        return addresses.contains(name) || name.contains("src") || name.contains("uri") || name.contains("url")
            ? .address : .plain
    }

    /// No scheme at all, or one that fetches and does not run anything.
    private static func hasSafeScheme(_ address: String) -> Bool {
        guard let colon = address.firstIndex(of: ":"), !address[..<colon].contains("/") else { return true }
        return ["http", "https", "mailto"].contains(address[..<colon].lowercased())
    }

    /// As `html`, and `+`, which old browsers took for an encoding's mark.
    private static func text(_ text: String) -> String {
        Escaping.html(text).split(separator: "+", omittingEmptySubsequences: false).joined(separator: "&#43;")
    }

    private static func attribute(_ text: String, quoted: Bool) -> String {
        let escaped = Self.text(text)
        if quoted { return escaped }
        var result = ""
        for scalar in escaped.unicodeScalars {
            if scalar == " " || scalar == "=" || scalar == "`" || (9...13).contains(scalar.value) {
                result += "&#\(scalar.value);"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A URL with what may not stand in one escaped; what is escaped already stays.
    private static func normalizedURL(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                if "-._~!#$&*+,/:;=?@[]%".utf8.contains(byte) {
                    result.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    let digits = String(byte, radix: 16)
                    result += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
                }
            }
        }
        return result
    }

    private static func scriptValue(_ value: TemplateValue) -> String {
        switch value {
        case .boolean, .integer, .float: " \(value.text) "
        case .missing, .null: " null "
        default: "\"" + Escaping.javaScript(value.text) + "\""
        }
    }

    /// A value in a style sheet may be a word or a number, nothing that calls or ends.
    private static func filteredStyle(_ text: String) -> String {
        let forbidden = "\0\"'()/;@[\\]`{}<>".unicodeScalars
        let lower = text.lowercased()
        let isHarmless =
            !text.unicodeScalars.contains { forbidden.contains($0) } && !lower.contains("expression")
            && !lower.contains("mozbinding") && !lower.contains("--")
        return isHarmless ? text : refused
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(lowercase(byte)) }
}
