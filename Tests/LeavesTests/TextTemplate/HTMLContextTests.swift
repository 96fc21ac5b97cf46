import Testing
import TextTemplate

/// Each expected text is what Go's html/template makes of the same.
@Suite("HTML escaping by context")
struct HTMLContextTests {
    private func fill(_ template: String, _ value: TemplateValue) throws -> String {
        var set = TextTemplate()
        try set.add(template, name: "t")
        return try set.fill("t", with: value, escaping: .html)
    }

    @Test(
        "a value stays a value wherever it stands",
        arguments: [
            ("<p>{{ . }}</p>", "<b>&'\"", "<p>&lt;b&gt;&amp;&#39;&#34;</p>"),
            ("<p title=\"{{ . }}\">", "a\"b onload=x", "<p title=\"a&#34;b onload=x\">"),
            ("<p title={{ . }}>", "a b=c`", "<p title=a&#32;b&#61;c&#96;>"),
            ("<a href=\"{{ . }}\">", "javascript:alert(1)", "<a href=\"#ZgotmplZ\">"),
            ("<a href=\"{{ . }}\">", "https://x/?a=1&b=2", "<a href=\"https://x/?a=1&amp;b=2\">"),
            ("<a href=\"/s?q={{ . }}&r=1\">", "a b&c", "<a href=\"/s?q=a%20b%26c&r=1\">"),
            ("<a href=\"/s?q={{ . | urlquery }}\">", "a&b", "<a href=\"/s?q=a%26b\">"),
            (
                "<script>f({{ . }})</script>{{ . }}", "</script>",
                "<script>f(\"\\u003C/script\\u003E\")</script>&lt;/script&gt;"
            ),
            ("<b onclick='f({{ . }})'>", "it's", "<b onclick='f(&#34;it\\&#39;s&#34;)'>"),
            ("<p style=\"color: {{ . }}\">", "red;} x", "<p style=\"color: ZgotmplZ\">"),
            ("<title>{{ . }}</title>{{ . }}", "</title>", "<title>&lt;/title&gt;</title>&lt;/title&gt;"),
            ("<!-- <a href=\" -->{{ . }}", "<", "<!-- <a href=\" -->&lt;"),
            ("{{ . | html }}", "<", "&lt;"), ("1 < 2 {{ . }}", "<", "1 < 2 &lt;"),
            ("<p {{ . }}>", "x=\"y\"", "<p ZgotmplZ>"),
        ])
    func contexts(template: String, value: String, expected: String) throws {
        #expect(try fill(template, .string(value)) == expected)
    }

    @Test("numbers are numbers in scripts")
    func numbers() throws {
        #expect(try fill("<script>x = {{ . }};</script>", .integer(3)) == "<script>x =  3 ;</script>")
    }

    @Test("plain text is left as it is")
    func plain() throws {
        var set = TextTemplate()
        try set.add("<p>{{ . }}", name: "t")
        #expect(try set.fill("t", with: .string("<b>")) == "<p><b>")
    }
}
