import Support
import Testing
import TextTemplate

/// Templates made of random pieces: whatever they say, they give a text or an error.
@Suite struct TextTemplateFuzzTests {
    @Test(arguments: TestSeed.seeds(2)) func `No template ends the process`(_ seed: UInt64) {
        let pieces = [
            "{{", "}}", "{{-", "-}}", " ", "\n", "if", "else", "end", "range", "with", "define", "template", "block",
            "break", "continue", "nil", "true", ".", ".Alerts", ".Labels.job", "$", "$x", ":=", "=", "|", "(", ")", ",",
            "\"a\"", "`r`", "'c'", "'", "\"", "1", "1.5", "-", "0x", "1e", "printf", "index", "slice", "len", "eq",
            "lt",
            "and", "html", "print", "\"%*[9]d%\"", "/*", "*/", "é", "\u{0}", "99999999999999999999",
            "9223372036854775807",
        ]
        var random = SeededRandom(seed: seed)
        var limits = TextTemplate.Limits()
        limits.steps = 2000
        for _ in 0..<TestSeed.cases(1500) {
            var text = ""
            for _ in 0..<Int.random(in: 1...24, using: &random) {
                text += pieces[Int.random(in: 0..<pieces.count, using: &random)]
                if Bool.random(using: &random) { text += " " }
            }
            // Half of them in an action, where more is grammar.
            if Bool.random(using: &random) { text = "{{ " + text + " }}" }
            _ = TextTemplateTests.fill(text, limits)
        }
    }
}
