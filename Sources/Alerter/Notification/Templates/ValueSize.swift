import TextTemplate

/// Bounds what templates can put together: ten lines that double a list forty times would never be done printing it.
///
///     {{ $x := list "a" }}{{ range 40 }}{{ $x = list $x $x }}{{ end }}{{ $x }}
enum ValueSize {
    /// Bytes that a list or a text made by a function may come to.
    static let maximum = 4 << 20
    /// What a value counts besides its text, and an alert at the least.
    private static let value = 16
    private static let record = 256

    /// `result`, if it is not too large.
    static func checked(_ result: TemplateValue) throws(TemplateError) -> TemplateValue {
        var budget = maximum
        guard fits(result, &budget) else { throw TemplateError("makes more than \(maximum) bytes") }
        return result
    }

    /// Texts with a separator between them.
    static func joined(_ texts: [String], _ separator: String) throws(TemplateError) -> TemplateValue {
        var size = 0
        for text in texts {
            size += text.utf8.count + separator.utf8.count
            guard size <= maximum + separator.utf8.count else {
                throw TemplateError("makes more than \(maximum) bytes")
            }
        }
        return .string(texts.joined(separator: separator))
    }

    /// Ends as soon as the budget does: what is shared a million times is not walked a million times.
    private static func fits(_ value: TemplateValue, _ budget: inout Int) -> Bool {
        budget -= Self.value
        switch value {
        case .missing, .null, .boolean, .integer, .float: break
        case .string(let text): budget -= text.utf8.count
        case .list(let elements, _):
            for element in elements { guard fits(element, &budget) else { return false } }
        case .map(let map):
            for (name, element) in map.values {
                budget -= name.utf8.count
                guard fits(element, &budget) else { return false }
            }
        case .object(let object): budget -= record * max(1, object.list?.elements.count ?? 1)
        }
        return budget >= 0
    }
}
