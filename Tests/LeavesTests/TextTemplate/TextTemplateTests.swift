import Testing
import TextTemplate

/// The language, case by case. Expected texts are what Go's `text/template` makes of the same (checked with amtool).
@Suite struct TextTemplateTests {
    static let data: TemplateValue = .map(
        TemplateMap([
            "Status": .string("firing"), "Value": .float(12.5), "Count": .integer(7), "Empty": .list([]),
            "Alerts": .list([
                .map(TemplateMap(["Labels": labels(["job": "api", "instance": "a:1"])])),
                .map(TemplateMap(["Labels": labels(["job": "db", "instance": "b:2"])])),
            ]),
            "Labels": labels(["job": "api", "path": "/x?y=1&z=<2>"]),
        ]))

    static func labels(_ values: [String: String]) -> TemplateValue { .map(TemplateMap(strings: values)) }

    static let functions: [String: TemplateFunction] = [
        "toUpper": TemplateFunction([.string]) { arguments in
            guard case .string(let text) = arguments[0] else { return .null }
            return .string(text.uppercased())
        },
        "fail": TemplateFunction { _ throws(TemplateError) in throw TemplateError("broken") },
    ]

    /// The text, or the error's.
    static func fill(_ text: String, _ limits: TextTemplate.Limits = TextTemplate.Limits()) -> String {
        var templates = TextTemplate(functions: functions)
        do throws(TemplateError) {
            try templates.add(text, name: "t")
            return try templates.fill("t", with: data, limits: limits)
        } catch { return "error: \(error.message)" }
    }

    @Test(arguments: [
        (#"{{ .Status }} {{ .Alerts | len }} {{ $.Count }}"#, "firing 2 7"),
        (#"{{ .Labels.job }}{{ .Labels.nope }}{{ .Nope }}"#, "api<no value>"),
        (#"{{ index .Labels "job" }} {{ (index .Alerts 1).Labels.job | toUpper }}"#, "api DB"),
        (#"{{ range $i, $a := .Alerts }}{{ $i }}={{ $a.Labels.job }};{{ end }}"#, "0=api;1=db;"),
        (#"{{ range $k, $v := .Labels }}{{ $k }}:{{ $v }} {{ end }}"#, "job:api path:/x?y=1&z=<2> "),
        (#"{{ range .Empty }}x{{ else }}none{{ end }}{{ range .Nope }}x{{ end }}"#, "none"),
        (#"{{ range 3 }}{{ . }}{{ if eq . 1 }}{{ break }}{{ end }},{{ end }}"#, "0,1"),
        (#"{{ range $i := 5 }}{{ if lt $i 3 }}{{ continue }}{{ end }}{{ $i }}{{ end }}"#, "34"),
        (#"{{ if eq .Status "x" }}a{{ else if .Empty }}b{{ else }}c{{ end }}"#, "c"),
        (#"{{ with .Empty }}a{{ else with .Status }}{{ . }}{{ end }}{{ with $x := 5 }}{{ $x }}{{ end }}"#, "firing5"),
        (#"{{ $x := 1 }}{{ $x = 2 }}{{ if true }}{{ $x = 3 }}{{ $y := 4 }}{{ end }}{{ $x }}"#, "3"),
        (#"{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" .Status }}{{ template "x" }}"#, "[firing][<no value>]"),
        (#"{{ block "y" .Status }}<{{ . }}>{{ end }}"#, "<firing>"),
        (#"a {{- /* gone */ -}} b {{- 3 -}} c"#, "ab3c"),
        (
            "{{ `raw \"x\"` }} {{ 'a' }} {{ 0x10 }} {{ 1_000 }} {{ 1e3 }} {{ .5 }} {{ -3 }} {{ +2 }} {{ 0b11 }} {{ 017 }}",
            #"raw "x" 97 16 1000 1000 0.5 -3 2 3 15"#
        ),
        (#"{{ "\u00e9\x41\101\\" }}"#, #"éAA\"#),
        ("{{ \"a\" }}{{\n\"b\" }}", "ab"),
    ])
    func `Text comes out as Go writes it`(_ template: String, _ expected: String) {
        #expect(Self.fill(template) == expected)
    }

    @Test(arguments: [
        (#"{{ and 1 0 2 }} {{ or 0 "" "x" }} {{ not 0 }} {{ or true fail }}"#, "0 x true true"),
        (
            #"{{ eq "a" "b" "a" }} {{ ne 1 2 }} {{ lt 1 2 }} {{ ge "b" "a" }} {{ gt .Value 12.0 }}"#,
            "true true true true true"
        ),
        (#"{{ len "é" }} {{ slice "abcdef" 1 3 }} {{ index "abc" 1 }}"#, "2 bc 98"),
        (#"{{ print 1 2 "a" "b" 3 }} {{ print 1.0 100000000.0 1e-7 }}"#, "1 2ab3 1 1e+08 1e-07"),
        (#"{{ html "<a href='x'>&\"" }}"#, "&lt;a href=&#39;x&#39;&gt;&amp;&#34;"),
        (#"{{ js "it's <b> \"q\"\n" }}"#, #"it\'s \u003Cb\u003E \"q\"\u000A"#),
        (#"{{ urlquery "a b&c/d" }}"#, "a+b%26c%2Fd"),
        (#"{{ "abc" | toUpper | printf "%s-%s" "x" }}"#, "x-ABC"),
        (
            #"{{ printf "%s %q %5s|%-5s|%05d %x %X %+d" "a" "b\"" "c" "d" 42 255 255 3 }}"#,
            #"a "b\""     c|d    |00042 ff FF +3"#
        ),
        (
            #"{{ printf "%.2f %e %g %v %v %t %c %U %T %%" 1.5 1234.5 1e21 1e6 .Value true 65 8984 "x" }}"#,
            "1.50 1.234500e+03 1e+21 1e+06 12.5 true A U+2318 string %"
        ),
        (
            #"{{ printf "%d %s %f" "a" 1 "x" }} {{ printf "%d" }} {{ printf "%d" 1 2 "a" }} {{ printf "%!" }} {{ printf "%z" 3 }}"#,
            "%!d(string=a) %!s(int=1) %!f(string=x) %!d(MISSING) 1%!(EXTRA int=2, string=a) %!!(MISSING) %!z(int=3)"
        ),
        (
            #"{{ printf "%[2]d %[1]d" 1 2 }} {{ printf "%*d" 5 42 }} {{ printf "%.3s|%6.2f|%-8.3f|%+.1e" "abcdef" 3.14159 2.5 12345.678 }}"#,
            "2 1    42 abc|  3.14|2.500   |+1.2e+04"
        ),
        (
            #"{{ printf "%6d|%-6d|%06d|% d|%x|%q|%#x|%#q" 42 42 -42 42 "hello" 'x' "hi" "raw" }}"#,
            "    42|42    |-00042| 42|68656c6c6f|'x'|0x6869|`raw`"
        ),
    ])
    func `Functions answer as Go's`(_ template: String, _ expected: String) {
        #expect(Self.fill(template) == expected)
    }

    @Test(arguments: [
        ("{{ $nope }}", #"1: undefined variable "$nope""#),
        ("{{ nofunc 1 }}", #"1: function "nofunc" not defined"#),
        ("{{ if }}a{{ end }}", "1: missing value for if"),
        ("{{ .Status", "1: unclosed action"),
        ("{{ end }}", "1: unexpected {{end}}"),
        ("{{ else }}", "1: unexpected {{else}}"),
        ("a\n{{ if true }}", "2: unexpected EOF"),
        ("{{ break }}", "1: {{break}} outside {{range}}"),
        (#"{{ "unterminated }}"#, "1: unterminated quoted string"),
        ("{{ 1.2.3 }}", #"1: unexpected ".3" in operand"#),
        ("{{ 3 | 4 }}", "1: non executable command in pipeline stage 2"),
        (#"{{ "a".foo }}"#, #"1: unexpected . after term "\"a\"""#),
        ("{{ ( .Status }}", "1: unclosed left paren"),
        ("{{ .Status ) }}", "1: unexpected right paren"),
        ("{{ # }}", ##"1: unexpected "#" in command"##),
        ("{{ .Status! }}", "1: bad character U+0021 '!'"),
        ("{{ define a }}x{{ end }}", #"1: unexpected "a" in define clause"#),
        ("{{ if not .Status }}a{{else with .Status}}b{{end}}", "1: unexpected <with> in input"),
        ("{{ 99999999999999999999 }}", #"1: integer overflow: "99999999999999999999""#),
    ])
    func `What cannot be read says where and why`(_ template: String, _ message: String) {
        #expect(Self.fill(template) == "error: template: t:" + message)
    }

    @Test(arguments: [
        ("{{ .Status.foo }}", "1:10", ".Status.foo", "can't evaluate field foo in type string"),
        ("x\n  {{ toUpper 3 }}", "2:13", "3", "expected string; found 3"),
        ("{{ toUpper .Count }}", "1:11", ".Count", "wrong type for value; expected string; got int"),
        (#"{{ toUpper "a" "b" }}"#, "1:3", "toUpper", "wrong number of args for toUpper: want 1 got 2"),
        ("{{ toUpper nil }}", "1:11", "nil", "cannot assign nil to string"),
        ("{{ fail }}", "1:3", "fail", "error calling fail: broken"),
        ("{{ eq 1 1.0 }}", "1:3", "eq 1 1.0", "error calling eq: incompatible types for comparison: int and float64"),
        ("{{ lt true false }}", "1:3", "lt true false", "error calling lt: invalid type for comparison"),
        ("{{ len 3 }}", "1:3", "len 3", "error calling len: len of type int"),
        ("{{ index .Alerts 5 }}", "1:3", "index .Alerts 5", "error calling index: index out of range: 5"),
        (#"{{ slice "abc" 2 1 }}"#, "1:3", #"slice "abc" 2 1"#, "error calling slice: invalid slice index: 2 > 1"),
        (#"{{ range "abc" }}x{{ end }}"#, "1:9", #""abc""#, "range can't iterate over abc"),
        (#"{{ template "nope" . }}"#, "1:12", #"{{template "nope" .}}"#, #"template "nope" not defined"#),
        ("{{ nil }}", "1:3", "nil", "nil is not a command"),
        ("{{ 3 4 }}", "1:3", "3", "can't give argument to non-function 3"),
        ("{{ call .Status }}", "1:3", "call .Status", "error calling call: non-function .Status of type string"),
        ("{{ and }}", "1:3", "and", "wrong number of args for and: want at least 1 got 0"),
    ])
    func `What fails names the part`(_ template: String, _ place: String, _ part: String, _ message: String) {
        #expect(Self.fill(template) == "error: template: t:\(place): executing \"t\" at <\(part)>: \(message)")
    }

    @Test func `Filling in always ends`() {
        var limits = TextTemplate.Limits()
        limits.steps = 10_000
        limits.bytes = 1000
        let bombs = [
            #"{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}"#,
            #"{{ range 1000000000000 }}{{ end }}"#,
            #"{{ range 100 }}{{ range 100 }}{{ range 100 }}{{ end }}{{ end }}{{ end }}"#,
            #"{{ range 100 }}0123456789ABCDEF{{ end }}"#,
            #"{{ $x := "ab" }}{{ range 100 }}{{ $x = printf "%s%s" $x $x }}{{ end }}"#,
            #"{{ printf "%999999d" 1 }}"#,
            String(repeating: "{{ if true }}", count: 100_000),
            "{{ " + String(repeating: "(", count: 100_000),
            String(repeating: "{{ if 1 }}{{ else ", count: 100_000),
        ]
        for bomb in bombs {
            let text = Self.fill(bomb, limits)
            #expect(text.hasPrefix("error: template: t:"), "\(bomb.prefix(60)): \(text.prefix(200))")
        }
    }
}
