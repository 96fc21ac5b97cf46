/// A command written as one line, in words as a shell splits them: blanks, quotes, backslashes; nothing is expanded.
///
///     --log.level=debug "two words" 'as it $is'
enum ShellWords {
    /// `nil` where a quote is not closed.
    static func split(_ text: String) -> [String]? {
        var words: [String] = [], word: String?
        var quote: Character?, isEscaped = false
        for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\" && quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !isEscaped else { return nil }
        if let word { words.append(word) }
        return words
    }
}
