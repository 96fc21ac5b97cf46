import ConfigurationFile

/// `.env` and `env_file`: a variable a line.
///
///     # a comment
///     export NAME=value    # a comment behind a blank
///     QUOTED="a\nb"        RAW='as $it is'
public enum VariableFile {
    public static func read(_ text: String, file: String) throws(ConfigError) -> [ComposeService.Variable] {
        var result: [ComposeService.Variable] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var line = line.drop { $0 == " " || $0 == "\t" }
            if line.hasPrefix("export ") { line = line.dropFirst(7) }
            guard let first = line.first, first != "#" else { continue }
            let sides = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = trimmed(sides[0])
            guard !name.isEmpty, !name.contains(" ") else {
                throw ConfigError("a line is NAME=value", at: YAMLPosition(line: index + 1), file: file)
            }
            result.removeAll { $0.name == name }
            result.append(.init(name: name, value: sides.count > 1 ? value(sides[1]) : nil))
        }
        return result
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
        return String(text)
    }

    private static func value(_ text: Substring) -> String {
        let text = trimmed(text)
        guard let quote = text.first, quote == "\"" || quote == "'" else {
            // A comment begins behind a blank.
            var previous: Character = " "
            var end = text.endIndex
            for index in text.indices {
                if text[index] == "#" && (previous == " " || previous == "\t") {
                    end = index
                    break
                }
                previous = text[index]
            }
            return trimmed(text[..<end])
        }
        var result = "", isEscaped = false
        for character in text.dropFirst() {
            if isEscaped {
                switch character {
                case "n": result += "\n"
                case "t": result += "\t"
                case "r": result += "\r"
                default: result.append(character)
                }
                isEscaped = false
            } else if character == "\\" && quote == "\"" {
                isEscaped = true
            } else if character == quote {
                break
            } else {
                result.append(character)
            }
        }
        return result
    }
}
