import RegularExpression
import Testing

@Suite("Errors of regular expressions")
struct RegularExpressionErrorTests {
    @Test(
        "are worded as Go's",
        arguments: [
            ("(", "missing closing ): `(`"), ("a(b|c", "missing closing ): `a(b|c`"), ("((a)", "missing closing ): `((a)`"),
            (")", "unexpected ): `)`"), ("a)b", "unexpected ): `a)b`"), ("(a))", "unexpected ): `(a))`"),
            ("[a", "missing closing ]: `[a`"), ("x[", "missing closing ]: `[`"), ("[]", "missing closing ]: `[]`"),
            ("[^]", "missing closing ]: `[^]`"), ("[a-", "missing closing ]: `[a-`"), ("a[b\\]", "missing closing ]: `[b\\]`"),
            ("*", "missing argument to repetition operator: `*`"), ("+a", "missing argument to repetition operator: `+`"),
            ("a|*", "missing argument to repetition operator: `*`"), ("(*)", "missing argument to repetition operator: `*`"),
            ("(?i)*", "missing argument to repetition operator: `*`"), ("*?", "missing argument to repetition operator: `*?`"),
            ("{2}", "missing argument to repetition operator: `{2}`"), ("\\Q\\E*", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"), ("a*+b", "invalid nested repetition operator: `*+`"),
            ("a+*?", "invalid nested repetition operator: `+*?`"), ("a??+", "invalid nested repetition operator: `??+`"),
            ("x{2}{3}", "invalid nested repetition operator: `{2}{3}`"), ("a*{2}", "invalid nested repetition operator: `*{2}`"),
            ("a{1001}", "invalid repeat count: `{1001}`"), ("a{2,1001}", "invalid repeat count: `{2,1001}`"),
            ("a{2,1}", "invalid repeat count: `{2,1}`"), ("(a{100}){11}", "invalid repeat count: `{11}`"),
            ("((a{10}){10}){11}", "invalid repeat count: `{11}`"), ("a{99999999999999999999}", "invalid repeat count: `{99999999999999999999}`"),
            ("\\", "trailing backslash at end of expression: ``"), ("a\\", "trailing backslash at end of expression: ``"),
            ("[\\", "trailing backslash at end of expression: ``"),
            ("\\8", "invalid escape sequence: `\\8`"), ("\\1", "invalid escape sequence: `\\1`"), ("\\C", "invalid escape sequence: `\\C`"),
            ("\\y", "invalid escape sequence: `\\y`"), ("\\Z", "invalid escape sequence: `\\Z`"), ("\\x", "invalid escape sequence: `\\x`"),
            ("\\x4", "invalid escape sequence: `\\x4`"), ("\\xg0", "invalid escape sequence: `\\xg0`"), ("\\x{", "invalid escape sequence: `\\x{`"),
            ("\\x{}", "invalid escape sequence: `\\x{}`"), ("\\x{110000}", "invalid escape sequence: `\\x{110000`"),
            ("\\x{4g}", "invalid escape sequence: `\\x{4g`"), ("[\\q]", "invalid escape sequence: `\\q`"),
            ("[\\b]", "invalid escape sequence: `\\b`"),
            ("\\é", "invalid escape sequence: `\\é`"),
            ("[z-a]", "invalid character class range: `z-a`"), ("[a-\\x00]", "invalid character class range: `a-\\x00`"),
            ("[[:foo:]]", "invalid character class range: `[:foo:]`"), ("[[:Alpha:]]", "invalid character class range: `[:Alpha:]`"),
            ("\\pX", "invalid character class range: `\\pX`"), ("\\p", "invalid character class range: `\\p`"),
            ("\\p{", "invalid character class range: `\\p{`"), ("\\p{Foo}", "invalid character class range: `\\p{Foo}`"),
            ("\\p{greek}", "invalid character class range: `\\p{greek}`"), ("\\p{}", "invalid character class range: `\\p{}`"),
            ("[\\pX]", "invalid character class range: `\\pX`"), ("a\\P{^Foo}b", "invalid character class range: `\\P{^Foo}`"),
            ("(?", "invalid or unsupported Perl syntax: `(?`"), ("(?i", "invalid or unsupported Perl syntax: `(?i`"),
            ("(?x)", "invalid or unsupported Perl syntax: `(?x`"), ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?!a)", "invalid or unsupported Perl syntax: `(?!`"), ("(?>a)", "invalid or unsupported Perl syntax: `(?>`"),
            ("(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"), ("(?--i)", "invalid or unsupported Perl syntax: `(?--`"),
            ("(?P=n)", "invalid or unsupported Perl syntax: `(?P`"), ("(?#a)", "invalid or unsupported Perl syntax: `(?#`"),
            ("(?'n'a)", "invalid or unsupported Perl syntax: `(?'`"), ("(?P>n)", "invalid or unsupported Perl syntax: `(?P`"),
            ("(?P<", "invalid or unsupported Perl syntax: `(?P`"), ("(?<", "invalid or unsupported Perl syntax: `(?<`"),
            ("(?P<n", "invalid named capture: `(?P<n`"), ("(?P<>a)", "invalid named capture: `(?P<>`"),
            ("(?P<a-b>a)", "invalid named capture: `(?P<a-b>`"), ("(?<é>a)", "invalid named capture: `(?<é>`"),
            ("(?<=a)", "invalid named capture: `(?<=a)`"), ("(?<n", "invalid named capture: `(?<n`"),
        ])
    func wording(expression: String, message: String) {
        #expect {
            try Pattern(expression)
        } throws: {
            ($0 as? PatternError)?.message == "error parsing regexp: " + message
        }
    }

    @Test("point at the offending part")
    func position() {
        #expect { try Pattern("ab[z-a]") } throws: { ($0 as? PatternError)?.range == 3..<6 }
        #expect { try Pattern("é**") } throws: { ($0 as? PatternError)?.range == 2..<4 }
    }

    @Test(
        "of relabeling quote the expression as it is wrapped",
        arguments: [
            ("(", "missing closing ): `^(?s:()$`"), (")", "unexpected ): `^(?s:))$`"), ("[", "missing closing ]: `[)$`"),
            ("a\\", "missing closing ): `^(?s:a\\)$`"), ("a**", "invalid nested repetition operator: `**`"),
        ])
    func wrapped(expression: String, message: String) {
        #expect { try Pattern(wrapping: expression) } throws: {
            ($0 as? PatternError)?.message == "error parsing regexp: " + message
        }
    }

    @Test("depth, size and number of ranges have bounds; none of them crashes a thread with a small stack")
    func bounds() throws {
        func code(_ expression: String) -> PatternError.Code? {
            do { _ = try Pattern(expression) } catch { return error.code }
            return nil
        }
        func nested(_ depth: Int, _ inner: String, _ open: String = "(", _ close: String = ")") -> String {
            String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
        }
        #expect(code(nested(998, "")) == nil)
        #expect(code(nested(990, "a*b|c")) == nil)
        #expect(code(nested(1001, "a")) == .nestingDepth)
        #expect(code(nested(490, "a", "(?:b|", ")*")) == nil)
        #expect(code(nested(30_000, "a")) == .nestingDepth)
        #expect(code(String(repeating: "(", count: 60_000)) == .missingParenthesis)
        #expect(code("(?:\(nested(600, "a", "(?:b", ")?")))") != .missingParenthesis)
        #expect(code("[a-z]{1000}") == nil)
        #expect(code(String(repeating: "[a-z]{1000}", count: 9)) == nil)
        #expect(code(String(repeating: "[a-z]{1000}", count: 10)) == .tooLarge)
        #expect(code(String(repeating: "a.", count: 6000)) == .tooLarge)
        #expect(code((0..<60).map { "[\\pL\\x{\(String(0x2500 + 2 * $0, radix: 16))}]" }.joined()) == .tooLarge)
        #expect(code((0..<20_000).map { "v\($0)" }.joined(separator: "|")) == nil)
    }
}
