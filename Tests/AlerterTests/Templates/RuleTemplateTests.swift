import Histograms
import Support
import TSDB
import Testing
import TextTemplate

@testable import Alerter
@testable import PromQL

/// Rules' templates, case by case. Expected texts are Prometheus'.
@Suite("Rules' templates")
struct RuleTemplateTests {
    static let now = Timestamp(milliseconds: 1_353_755_652_000)

    static let storage: MemorySeries = {
        let storage = MemorySeries()
        for (instance, value) in [("b", 21.0), ("a", 11.0)] {
            storage.append(
                ["__name__": "metric", "instance": instance, "__value__": instance + "!"], now.milliseconds, value)
        }
        return storage
    }()

    static func template() -> RuleTemplate {
        RuleTemplate(
            externalLabels: ["region": "eu"], externalURL: "http://testhost:9090/path/prefix", at: now
        ) { (query: String) throws(QueryError) -> QueryResult.Value in
            try Engine().instant(query, on: storage, at: now).value
        }
    }

    /// The text, or the error's.
    static func expand(_ text: String, value: Double = 12.5) -> String {
        let labels: Labels = ["__name__": "up", "instance": "db1.example.com:5432", "job": "api"]
        switch template().expand(text, name: "__alert_X", labels: labels, value: value) {
        case .success(let text): return text
        case .failure(let error): return "error: \(error.message)"
        }
    }

    @Test(
        "a native histogram prints as upstream prints it, has fields, and is no number",
        arguments: [
            ("{{ $value }}", "{count:3, sum:10, (1,2]:3}"),
            ("{{ .Value.Count }} {{ .Value.Sum }} {{ $value.Schema }}", "3 10 0"),
            ("{{ query \"h\" | first | value }} {{ (query \"h\" | first).Value.Sum }}", "{count:3, sum:10, (1,2]:3} 10"),
            (
                "{{ $value | humanize }}",
                "error: error executing template __alert_X: template: __alert_X:1:124: executing \"__alert_X\" at <humanize>: "
                    + "error calling humanize: can't convert *histogram.FloatHistogram to float"
            ),
        ])
    func histograms(_ text: String, _ expected: String) {
        let histogram = FloatHistogram(
            count: 3, sum: 10, positiveSpans: [BucketSpan(offset: 1, length: 1)], positiveBuckets: [3])
        let template = RuleTemplate(externalLabels: [:], externalURL: "", at: Self.now) { _ in
            var vector = InstantVector(at: Self.now)
            vector.append(["a": "b"], 10, histogram)
            return .vector(vector)
        }
        switch template.expand(text, name: "__alert_X", labels: [:], value: .histogram(histogram)) {
        case .success(let text): #expect(text == expected)
        case .failure(let error): #expect("error: \(error.message)" == expected)
        }
    }

    @Test(arguments: [
        ("plain } text {", "plain } text {"),
        ("{{ $labels.instance }} {{ .Labels.job }} {{ $labels.nope }}.", "db1.example.com:5432 api ."),
        ("{{ $value }} {{ .Value }} {{ printf \"%.2f\" $value }}", "12.5 12.5 12.50"),
        (
            "{{ $externalLabels.region }} {{ .ExternalLabels.region }} {{ $externalURL }}",
            "eu eu http://testhost:9090/path/prefix"
        ),
        (
            "{{ range $name, $value := $labels }}{{ $name }}={{ $value }} {{ end }}",
            "__name__=up instance=db1.example.com:5432 job=api "
        ),
        ("{{ if gt $value 10.0 }}much{{ else }}little{{ end }}", "much"),
        (
            "{{ . }}",
            "{map[__name__:up instance:db1.example.com:5432 job:api] map[region:eu] http://testhost:9090/path/prefix 12.5}"
        ),
        ("{{ define \"x\" }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template \"x\" (args 1 \"2\") }}", "1-2"),
        ("{{ with args 1 }}{{ .arg1 }}{{ end }}", "<no value>"),
        ("{{ safeHtml \"<b>\" }}{{ \"<b>\" }}", "<b><b>"),
    ])
    func `Labels and values come out`(_ text: String, _ expected: String) {
        #expect(Self.expand(text) == expected)
    }

    @Test(arguments: [
        ("{{ query \"1.5\" | first | value }}", "1.5"),
        ("{{ query \"metric{instance='a'}\" | first | value }}", "11"),
        ("{{ query \"metric{instance='a'}\" | first | label \"instance\" }}", "a"),
        ("{{ query \"metric{instance='a'}\" | first | label \"foo\" }}|", "|"),
        ("{{ query \"metric{instance='a'}\" | first | strvalue }}", "a!"),
        (
            "{{ with $x := query \"metric{instance='b'}\" | first }}{{ $x.Labels.__name__ }} {{ $x.Value }}{{ $x.Labels.foo }}{{ end }}",
            "metric 21"
        ),
        (
            "{{ range query \"metric\" | sortByLabel \"instance\" }}{{ .Labels.instance }}:{{ .Value }}: {{ end }}",
            "a:11: b:21: "
        ),
        ("{{ range query \"sort_desc(metric)\" }}{{ .Value | humanize }} {{ end }}", "21 11 "),
        ("{{ with query \"absent_series\" }}some{{ else }}none{{ end }}", "none"),
        ("{{ len (query \"metric\") }} {{ query \"sum(metric)\" | first }}", "2 {map[] 32}"),
        (
            "{{ query \"absent_series\" | first }}",
            "error: error executing template __alert_X: template: __alert_X:1:139: executing \"__alert_X\" at <first>: error calling first: first() called on vector with no elements"
        ),
        (
            "{{ query \"metric[5m]\" }}",
            "error: error executing template __alert_X: template: __alert_X:1:115: executing \"__alert_X\" at <query \"metric[5m]\">: error calling query: rule result is not a vector or scalar"
        ),
        (
            "{{ query \"sum(\" }}",
            "error: error executing template __alert_X: template: __alert_X:1:115: executing \"__alert_X\" at <query \"sum(\">: error calling query: 1:5: parse error: unclosed left parenthesis"
        ),
        (
            "{{ label \"a\" nil }}",
            "error: error executing template __alert_X: template: __alert_X:1:115: executing \"__alert_X\" at <label \"a\" nil>: error calling label: runtime error: invalid memory address or nil pointer dereference"
        ),
        (
            "{{ (query \"metric\").banana }}",
            "error: error executing template __alert_X: template: __alert_X:1:122: executing \"__alert_X\" at <\"metric\">: can't evaluate field banana in type template.queryResult"
        ),
    ])
    func `Queries are asked`(_ text: String, _ expected: String) {
        #expect(Self.expand(text) == expected)
    }

    @Test(arguments: [
        ("humanize", "0 1 1.235M 120m -1 +Inf NaN 9.223E", "0 1.0 1234567 .12 -1 +Inf NaN 9223372036854775807"),
        ("humanize", "1e+04Y 999 1k 1y 1e-06y -12.35k", "1e28 999 1000 1e-24 1e-30 -12345.6"),
        (
            "humanize1024", "0 1 1Mi 0.12 1.177Mi 8Ei -1ki 1023 -Inf",
            "0 1 1048576 .12 1234567 9223372036854775807 -1024 1023 -Inf"
        ),
        (
            "humanizeDuration", "0s 1s 1m 0s 1h 0m 0s 1d 0h 0m 0s 1d 1h 0m 0s -2d 3h 4m 5s 14m 59s",
            "0 1 60 3600 86400 90000 -183845 899.99"
        ),
        (
            "humanizeDuration", "100ms 100us 123.5ms 1m 0s 1m 0s 1.234s 12.35s 14d 6h 56m 7s NaN",
            ".1 .0001 .12345 60.1 60.5 1.2345 12.345 1234567 NaN"
        ),
        ("humanizePercentage", "-22.22% 0% 12.35% 123.5% 1.235e+08%", "-0.22222 0.0 0.1234567 1.23456 1234567"),
        (
            "humanizeTimestamp",
            "1970-01-01 00:00:00 +0000 UTC 1969-12-31 23:59:59 +0000 UTC 2262-04-11 23:47:16 +0000 UTC 2015-06-23 13:19:44.128 +0000 UTC +Inf",
            "0 -1 9223372036 1435065584.128 +Inf"
        ),
    ])
    func `Numbers are written for people`(_ function: String, _ expected: String, _ numbers: String) throws {
        // As numbers of the data, and as texts.
        let texts = numbers.split(separator: " ").map(String.init)
        let fromTexts = texts.map { Self.expand("{{ \"\($0)\" | \(function) }}") }.joined(separator: " ")
        #expect(fromTexts == expected)
        let fromValues = try texts.map { text in
            Self.expand("{{ $value | \(function) }}", value: try #require(Double(text)))
        }.joined(separator: " ")
        #expect(fromValues == expected)
    }

    @Test(arguments: [
        ("{{ humanize 1234567 }} {{ humanize1024 -1 }} {{ humanizeDuration 3600 }}", "1.235M -1 1h 0m 0s"),
        (
            "{{ (1435065584.128 | toTime).Format \"2006-01-02 15:04\" }} {{ toTime 0 }}",
            "2015-06-23 13:19 1970-01-01 00:00:00 +0000 UTC"
        ),
        ("{{ (\"1800\" | toDuration).String }} {{ toDuration 1.5 }}", "30m0s 1.5s"),
        (
            "{{ now }} {{ (now | toTime).Format \"Mon Jan 2 15:04:05 2006\" }}",
            "1.353755652e+09 Sat Nov 24 11:14:12 2012"
        ),
        ("{{ (\"-30m\" | parseDuration | toDuration | (now | toTime).Add).UnixMilli }}", "1353753852000"),
        ("{{ printf \"%0.2f\" (parseDuration \"-1h2m10ms\") }}", "-3720.01"),
    ])
    func `Times and durations are values`(_ text: String, _ expected: String) {
        #expect(Self.expand(text) == expected)
    }

    @Test(arguments: [
        ("{{ \"aa bb CC it's x.y a_b 3d\" | title }}", "Aa Bb CC It's X.y A_b 3d"),
        ("{{ \"aA ß é\" | toUpper }} {{ \"aA É\" | toLower }}", "AA ß É aa é"),
        ("{{ match \"a+\" \"xaay\" }} {{ match \"^a+$\" \"b\" }}", "true false"),
        ("{{ reReplaceAll \"(a)b\" \"x$1\" \"abcab\" }}", "xacxa"),
        ("{{ $labels.instance | stripPort }} {{ $labels.instance | stripDomain }}", "db1.example.com db1:5432"),
        (
            "{{ graphLink \"up == 0\" }} {{ tableLink \"up\" }}",
            "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1"
        ),
        ("{{ pathPrefix }} {{ externalURL }}", "/path/prefix http://testhost:9090/path/prefix"),
        ("{{ urlQueryEscape \"a b&c\" }}", "a+b%26c"),
    ])
    func `Texts are changed`(_ text: String, _ expected: String) {
        #expect(Self.expand(text) == expected)
    }

    @Test(arguments: [
        (
            "{{ humanize \"one\" }}",
            "115: executing \"__alert_X\" at <humanize \"one\">: error calling humanize: strconv.ParseFloat: parsing \"one\": invalid syntax"
        ),
        (
            "{{ humanize \"1e999\" }}",
            "115: executing \"__alert_X\" at <humanize \"1e999\">: error calling humanize: strconv.ParseFloat: parsing \"1e999\": value out of range"
        ),
        (
            "{{ humanize $labels }}",
            "115: executing \"__alert_X\" at <humanize $labels>: error calling humanize: can't convert map[string]string to float"
        ),
        (
            "{{ humanizeTimestamp 1e19 }}",
            "115: executing \"__alert_X\" at <humanizeTimestamp 1e19>: error calling humanizeTimestamp: 1e+19 cannot be represented as a nanoseconds timestamp since it overflows int64"
        ),
        (
            "{{ toTime \"NaN\" }}",
            "115: executing \"__alert_X\" at <toTime \"NaN\">: error calling toTime: value is NaN or Inf"
        ),
        (
            "{{ parseDuration \"5x\" }}",
            "115: executing \"__alert_X\" at <parseDuration \"5x\">: error calling parseDuration: unknown unit \"x\" in duration \"5x\""
        ),
        (
            "{{ reReplaceAll \"(\" \"\" \"\" }}",
            "115: executing \"__alert_X\" at <reReplaceAll \"(\" \"\" \"\">: error calling reReplaceAll: regexp: Compile(`(`): error parsing regexp: missing closing ): `(`"
        ),
        (
            "{{ match \"[\" \"\" }}",
            "115: executing \"__alert_X\" at <match \"[\" \"\">: error calling match: error parsing regexp: missing closing ]: `[`"
        ),
        (
            "{{ $labels.instance.x }}",
            "122: executing \"__alert_X\" at <$labels.instance.x>: can't evaluate field x in type string"
        ),
        (
            "{{ .Foo }}",
            "115: executing \"__alert_X\" at <.Foo>: can't evaluate field Foo in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"
        ),
        (
            "{{ stripPort $value }}",
            "125: executing \"__alert_X\" at <$value>: wrong type for value; expected string; got float64"
        ),
    ])
    func `Errors say where and what`(_ text: String, _ expected: String) {
        #expect(Self.expand(text) == "error: error executing template __alert_X: template: __alert_X:1:" + expected)
    }

    @Test(arguments: [
        ("{{ $value", "unclosed action"),
        ("{{ nope }}", "function \"nope\" not defined"),
        ("{{ tmpl \"a\" . }}", "function \"tmpl\" not defined"),
        ("{{ $x }}", "undefined variable \"$x\""),
        ("{{ if }}a{{ end }}", "missing value for if"),
    ])
    func `What cannot be read is told when it is checked and when it is filled in`(_ text: String, _ expected: String) {
        #expect(RuleTemplate.check(text, name: "__alert_X")?.message == "template: __alert_X:1: " + expected)
        #expect(Self.expand(text) == "error: error parsing template __alert_X: template: __alert_X:1: " + expected)
    }

    @Test("good templates pass the check, without data to look at")
    func check() {
        #expect(RuleTemplate.check("no template { {", name: "x") == nil)
        #expect(
            RuleTemplate.check("{{ query \"up\" | first | value | humanize }} {{ pathPrefix }} {{ now }}", name: "x")
                == nil)
    }

    @Test("a template is read once, and fits each alert")
    func reuse() throws {
        let template = Self.template()
        for instance in ["a", "b"] {
            for _ in 0..<2 {
                let result = template.expand(
                    "on {{ $labels.instance }}", name: "n", labels: ["instance": instance], value: 1)
                #expect(try result.get() == "on \(instance)")
            }
        }
    }

    @Test("a template that asks without end is stopped")
    func questions() {
        let text = Self.expand("{{ range 20000 }}{{ $x := query \"1\" }}{{ end }}")
        #expect(text.hasSuffix("error calling query: asks more than 10000 queries"))
        // The bound is each text's own.
        let template = Self.template()
        for _ in 0..<3 {
            let result = template.expand(
                "{{ range 5000 }}{{ $x := query \"1\" }}{{ end }}", name: "n", labels: Labels(), value: 1)
            #expect(throws: Never.self) { try result.get() }
        }
    }
}
