import Numbers

/// Upstream's words for what is wrong with a line. People search the web for these sentences.
extension ExpositionError {
    /// A token that may not stand there; shows the token and the line up to one byte behind it.
    static func unexpected(
        _ kind: ExpositionToken, _ expectation: String, _ bytes: ExpositionBytes, token: Int, line: Int, position: Int
    ) -> ExpositionError {
        let end = min(bytes.limit, position + 1)
        let shown = bytes.quoted(min(token, end)..<end)
        let context = bytes.quoted(min(line, end)..<end)
        return ExpositionError(
            "\(expectation), got \(shown) (\"\(kind.rawValue)\") while parsing: \(context)", offset: token)
    }

    /// A number that is none, in the words of Go's `strconv`.
    static func badFloat(_ bytes: ExpositionBytes, _ number: Range<Int>, line: Range<Int>) -> ExpositionError {
        let context = bytes.quoted(line), text = bytes.quoted(number)
        let slice = bytes.slice(number)
        if slice.contains(where: { $0 | 0x20 == UInt8(ascii: "p") || $0 == UInt8(ascii: "_") }) {
            return ExpositionError("unsupported character in float while parsing: \(context)", offset: number.lowerBound)
        }
        // What is a number but does not fit is out of range; everything else is not a number.
        let reason = isOversized(slice) ? "value out of range" : "invalid syntax"
        return ExpositionError(
            "strconv.ParseFloat: parsing \(text): \(reason) while parsing: \(context)", offset: number.lowerBound)
    }

    /// Whether the text is a number with an exponent too large: without the exponent it parses.
    private static func isOversized(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let mark = text.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) else {
            return text.count > 300 && text.allSatisfy { $0 &- 48 < 10 || $0 == 46 || $0 == 45 || $0 == 43 }
        }
        var exponent = text[(mark + 1)...]
        if exponent.first == UInt8(ascii: "+") || exponent.first == UInt8(ascii: "-") { exponent.removeFirst() }
        return NumberText.parse(UnsafeRawBufferPointer(rebasing: text[..<mark])) != nil
            && !exponent.isEmpty && exponent.allSatisfy { $0 &- 48 < 10 }
    }
}

extension UnsafeRawBufferPointer {
    /// The same bytes.
    @inline(__always)
    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count > 0, let a = baseAddress, let b = other.baseAddress else { return true }
        return sameBytes(a, b, count)
    }
}
