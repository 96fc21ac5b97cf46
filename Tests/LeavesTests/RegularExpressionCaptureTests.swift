import Testing

@testable import RegularExpression

@Suite("Groups of regular expressions")
struct RegularExpressionCaptureTests {
    /// Groups 1… joined with commas, `-` for one that took no part; nil where there is no match.
    private func groups(_ expression: String, _ text: String) throws -> String? {
        try Pattern(expression).captures(in: text).map { captures in
            (1..<max(1, captures.count)).map { captures[$0].map(String.init) ?? "-" }.joined(separator: ",")
        }
    }

    @Test(
        "take what leftmost-first matching gives them",
        arguments: [
            ("(.*)", "abc", "abc"), ("(.*)", "", ""), ("(a)(b)?", "a", "a,-"), ("(a|ab)(c|bcd)(d*)", "abcd", "a,bcd,"),
            ("(ab|a)(c|bcd)(d*)", "abcd", "ab,c,d"), ("(a*)(a*)", "aaa", "aaa,"), ("(a*?)(a*)", "aaa", ",aaa"),
            ("(a+?)(a*)", "aaa", "a,aa"), ("(a*)(a+)", "aaa", "aa,a"), ("(?U)(a*)(a*)", "aaa", ",aaa"), ("(?U)(a*?)(a*)", "aaa", "aaa,"),
            ("(a)|(b)", "b", "-,b"), ("(a|b)*", "abab", "b"), ("((a)|(b))*", "ab", "b,a,b"), ("(a*)*", "aa", "aa"), ("(a*)*", "", ""),
            ("(a*)+", "", ""), ("(a|b)*(c)", "c", "-,c"), ("(a??)(a?)", "a", ",a"), ("(a{2,3})(a*)", "aaaa", "aaa,a"),
            ("(a{2,3}?)(a*)", "aaaa", "aa,aa"), ("(|a)(a|)", "a", ",a"), ("(|a)*", "aa", "a"), ("(|a)+", "aa", "a"),
            ("([^:]+):(\\d+)", "host:90", "host,90"), ("(.*):(.*)", "a:b:c", "a:b,c"), ("(.*?):(.*)", "a:b:c", "a,b:c"),
            ("(.+)-(\\w+)-(\\d+)", "a-b-c-9", "a-b,c,9"), ("(é+)(.)", "éé日", "éé,日"), ("^(a)$", "a", "a"), ("(\\b)(a)(\\b)", "a", ",a,"),
            ("(?m)(^a$\\n?)*", "a\na", "a"), ("(?i)(AB)c", "abC", "ab"), ("(a)(?:b)(c)", "abc", "a,c"), ("((((a))))", "a", "a,a,a,a"),
            ("(a{0})b", "b", ""), ("(a){0}b", "b", "-"), ("(a)*b", "b", "-"), ("(?:(a)|b)*", "ab", "a"), ("(x*)(?:(y)|z)*(w?)", "xxyzw", "xx,y,w"),
        ])
    func preference(expression: String, text: String, expected: String) throws {
        #expect(try groups(expression, text) == expected)
        #expect(try Pattern(wrapping: expression).captures(in: text)?.count == Pattern(expression).groupNames.count)
    }

    @Test("there are none where the text does not match as a whole")
    func mismatch() throws {
        #expect(try groups("(a)", "ab") == nil)
        #expect(try groups("a", "a") == "")
    }

    @Test(
        "fill a template in as Go does",
        arguments: [
            ("$1", "a"), ("${1}", "a"), ("$1x", ""), ("${1}x", "ax"), ("$1-$2", "a-b"), ("$$", "$"), ("$$1", "$1"), ("$", "$"),
            ("$-", "$-"), ("a$", "a$"), ("${1", "${1"), ("${}", "${}"), ("$3", ""), ("$0", "a:b"), ("$01", ""), ("${01}", ""), ("$word", "b"),
            ("${word}s", "bs"), ("$words", ""), ("${nothing}", ""), ("$é", ""), ("$99999999999", ""), ("$1$1", "aa"), ("é${1}é", "éaé"), ("$1é", ""),
            ("$1:$", "a:$"),
            ("${1}${word}", "ab"), ("$ 1", "$ 1"), ("{$1}", "{a}"), ("${ 1}", "${ 1}"), ("$_", ""),
        ])
    func expansion(template: String, expected: String) throws {
        let captures = try #require(try Pattern("(.+):(?P<word>.+)").captures(in: "a:b"))
        #expect(captures.expand(template: template) == expected)
    }

    @Test("of equal name: the first that took part counts")
    func equalNames() throws {
        #expect(try Pattern("(?P<x>a)|(?P<x>b)").captures(in: "b")?.expand(template: "<$x>") == "<b>")
        #expect(try Pattern("(?P<x>a)|(?<y>b)").groupNames == ["", "x", "y"])
    }

    @Test("are found across blocks of places")
    func longTexts() throws {
        for length in [0, 1, 254, 255, 256, 257, 511, 512, 513, 5000] {
            let (head, tail) = (String(repeating: "a", count: length), String(repeating: "é", count: length))
            let captures = try #require(try Pattern("(a*)(b)([^b]*)").captures(in: head + "b" + tail))
            #expect(captures[1].map(String.init) == head)
            #expect(captures[3].map(String.init) == tail)
        }
    }

    @Test("broken UTF-8 matches like U+FFFD, byte by byte")
    func brokenBytes() throws {
        func matches(_ expression: String, _ bytes: [UInt8]) throws -> Bool {
            let pattern = try Pattern(expression)
            return bytes.withUnsafeBytes { pattern.matches($0) }
        }
        #expect(try matches("..", [0xFF, 0x61]))
        #expect(try matches("...", [0xE6, 0x97, 0x61]))
        #expect(try matches(".", [0xE6, 0x97, 0xA5]))
        #expect(try matches("...", [0xED, 0xA0, 0x80]))
        #expect(try matches("..", [0xC0, 0x80]))
        #expect(try matches("\u{FFFD}a", [0x80, 0x61]))
        #expect(try matches("\u{FFFD}.*", [0x80, 0x61]))
        #expect(try matches(".*é", [0xC3, 0xC3, 0xA9]))
        #expect(try !matches(".", [0xF4, 0x90, 0x80, 0x80]))
        #expect(try matches("\\W", [0xFF]))
    }

    @Test("what can be read off an expression")
    func analysis() throws {
        #expect(try Pattern("a|b|foo(1|2)").literals == ["a", "b", "foo1", "foo2"])
        #expect(try Pattern("^(prod|dev)$").literals == ["dev", "prod"])
        #expect(try Pattern("(?i)ab").literals == ["AB", "Ab", "aB", "ab"])
        #expect(try Pattern("a{2,3}|").literals == ["", "aa", "aaa"])
        #expect(try Pattern("a|a").literals == ["a"])
        #expect(try Pattern("").literals == [""])
        #expect(try Pattern("[0-9]{2}").literals?.count == 100)
        #expect(try Pattern("[0-9]{3}").literals == nil)
        #expect(try Pattern("a.*|b").literals == nil)
        #expect(try Pattern("\u{FFFD}").literals == nil)
        #expect(try Pattern((0..<1000).map { "v\($0)" }.joined(separator: "|")).literals?.count == 1000)
        #expect(try Pattern("foo(bar|baz).*").prefix == "fooba")
        #expect(try Pattern("^foo.*").prefix == "foo")
        #expect(try Pattern("fo*").prefix == "f")
        #expect(try Pattern("(foo)+").prefix == "foo")
        #expect(try Pattern("é.|è.").prefix == "")
        #expect(try Pattern("(?i)foo.*").prefix == "")
        #expect(try Pattern(".*").matchesEverything && Pattern("^(.*)$").matchesEverything && Pattern(wrapping: "(.*)").matchesEverything)
        #expect(try Pattern(".+").requiresNonEmpty && !Pattern(".*").requiresNonEmpty && !Pattern(".+.+").requiresNonEmpty)
        #expect(try !Pattern("(?-s).*").matchesEverything && !Pattern("a.*").matchesEverything)
    }
}
