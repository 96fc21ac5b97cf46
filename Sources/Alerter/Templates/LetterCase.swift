/// Large and small letters, as Go changes them.
///
///     title   it's api.example.com   →   It's Api.example.com      the rest of a word stays as it is
///     upper   straße                 →   STRAßE                    letter by letter, so ß stays
enum LetterCase {
    static func upper(_ text: String) -> String { mapped(text) { $0.properties.uppercaseMapping } }
    static func lower(_ text: String) -> String { mapped(text) { $0.properties.lowercaseMapping } }

    private static func mapped(_ text: String, _ change: (Unicode.Scalar) -> String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let changed = change(scalar).unicodeScalars
            result.append(changed.count == 1 ? changed.first ?? scalar : scalar)
        }
        return String(result)
    }

    /// The first letter of each word large. Words are Unicode's (UAX 29): an apostrophe or a point between letters is inside one, as
    /// is `_` anywhere. `rest` is what becomes of the other letters: alerts' templates leave them, notifications' make them small.
    static func title(_ text: String, rest: (Unicode.Scalar) -> String) -> String {
        let scalars = Array(text.unicodeScalars)
        func isLetter(_ index: Int) -> Bool {
            index >= 0 && index < scalars.count && scalars[index].properties.isAlphabetic
        }
        func isDigit(_ index: Int) -> Bool {
            index >= 0 && index < scalars.count && scalars[index].properties.numericType == .decimal
        }
        var result = ""
        var isInside = false
        for (index, scalar) in scalars.enumerated() {
            let isPart =
                isLetter(index) || isDigit(index) || scalar == "_"
                || scalar.properties.canonicalCombiningClass != .notReordered
            if isPart {
                result += isInside ? rest(scalar) : scalar.properties.titlecaseMapping
                isInside = true
            } else {
                let joins =
                    "'.\u{2019}\u{00b7}:".unicodeScalars.contains(scalar) && isLetter(index - 1) && isLetter(index + 1)
                    || "'.,\u{2019};".unicodeScalars.contains(scalar) && isDigit(index - 1) && isDigit(index + 1)
                result.unicodeScalars.append(scalar)
                isInside = isInside && joins
            }
        }
        return result
    }
}
