import TSDB
import Testing

@testable import Alerter

@Suite("Matchers as text")
struct MatcherTextTests {
    private func printed(_ text: String, _ mode: MatcherText.Mode = .fallback) -> String {
        do throws(MatcherError) {
            return MatcherText.string(try MatcherText.matchers(text, mode: mode).matchers)
        } catch { return error.message }
    }

    @Test(
        "what both grammars understand is read alike",
        arguments: [
            ("a=b", #"{a="b"}"#), ("{a=b}", #"{a="b"}"#), (#"{a="b",c=~"d"}"#, #"{a="b",c=~"d"}"#), ("a=b,c!=d", #"{a="b",c!="d"}"#),
            (#"a="b","#, #"{a="b"}"#), ("{}", "{}"), ("", "{}"), (" a = b ", #"{a="b"}"#), (#"a!~"x.*""#, #"{a!~"x.*"}"#),
            (#"a="say \"hi\"""#, #"{a="say \"hi\""}"#), (#"a="x,y",b=c"#, #"{a="x,y",b="c"}"#), (#"a="\n""#, #"{a="\n"}"#),
        ])
    func both(_ text: String, _ wanted: String) {
        #expect(printed(text) == wanted)
        #expect(printed(text, .utf8) == wanted)
        #expect(printed(text, .classic) == wanted)
    }

    @Test("what only the UTF-8 grammar understands is read with it")
    func utf8Only() throws {
        #expect(printed(#""service name"=api"#) == #"{"service name"="api"}"#)
        #expect(printed("größe=1") == #"{größe="1"}"#)
        #expect(printed(#"{"a\tb"="c"}"#) == #"{"a\tb"="c"}"#)
        #expect(try MatcherText.matchers("größe=1").warning == nil)
    }

    @Test("what only the classic grammar understands is read with it, and the warning says how to write it")
    func classicOnly() throws {
        let braces = try MatcherText.matchers("a=~[a-z]{2}x")
        #expect(MatcherText.string(braces.matchers) == #"{a=~"[a-z]{2}x"}"#)
        #expect(braces.warning != nil)
        let regex = try MatcherText.matchers(#"a="\d+",b="#)
        #expect(MatcherText.string(regex.matchers) == #"{a="\\d+",b=""}"#)
        #expect(regex.warning?.contains(#"a="\\d+",b="""#) == true)
    }

    @Test("where the grammars disagree, the classic one counts")
    func disagreement() throws {
        let reading = try MatcherText.matchers(#"a="\x41""#)
        #expect(reading.matchers == [.equal("a", #"\x41"#)])
        #expect(reading.warning != nil)
        #expect(try MatcherText.matchers(#"a="\x41""#, mode: .utf8).matchers == [.equal("a", "A")])
    }

    @Test(
        "what neither understands is refused in the classic grammar's words",
        arguments: [
            ("foo", "bad matcher format: foo"), ("=b", "bad matcher format: =b"), ("1a=", "bad matcher format: 1a="),
            (#"a="b"#, #"matcher value contains unescaped double quote: "b"#), ("a=b,,c=d", "bad matcher format: "),
            ("a=~(", "error parsing regexp: missing closing ): `^(?:()$`"),
            (#"a=~"*""#, "error parsing regexp: missing argument to repetition operator: `*`"),
        ])
    func refused(_ text: String, _ wanted: String) { #expect(printed(text) == wanted) }

    @Test(
        "the UTF-8 grammar says where it stopped",
        arguments: [
            ("foo", "end of input: expected an operator such as '=', '!=', '=~' or '!~'"),
            ("{foo=bar", "0:8: end of input: expected close brace"), ("foo=bar}", "0:8: }: expected opening brace"),
            ("foo=", "end of input: expected label value"), ("=bar", "0:1: unexpected =: expected label name"),
            ("a=b c", "4:5: unexpected c: expected a comma or close brace"),
            (#"a="b"#, #"2:4: "b: missing end ": expected label value"#), ("a!b", "1:2: !: expected one of '=~': expected an operator such as '=', '!=', '=~' or '!~'"),
            ("{a=b},c=d", "5:6: ,: expected end of input"), ("a=b,,", "4:5: unexpected ,: expected a matcher or close brace after comma"),
            ("'a'=b", "0:1: ': invalid input"),
        ])
    func positions(_ text: String, _ wanted: String) { #expect(printed(text, .utf8) == wanted) }

    @Test("one matcher has no braces")
    func single() {
        #expect(throws: MatcherError("unexpected open or close brace: {a=b}")) { try MatcherText.matcher("{a=b}") }
        #expect(throws: MatcherError("bad matcher format: ")) { try MatcherText.matcher("") }
        #expect((try? MatcherText.matcher("a=b,c"))?.value == "b,c")
    }

    @Test("matchers are sorted by name, value and kind")
    func order() throws {
        let matchers = try MatcherText.matchers(#"b="1",a=~"2",a="2",a="1",B="9""#).matchers
        #expect(MatcherText.string(MatcherText.sorted(matchers)) == #"{B="9",a="1",a="2",a=~"2",b="1"}"#)
    }
}
