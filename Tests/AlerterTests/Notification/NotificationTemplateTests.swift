import TSDB
import Testing
import TextTemplate

@testable import Alerter

@Suite("Notification templates")
struct NotificationTemplateTests {
    private func fill(_ template: String, _ notification: Notification = TestNotifications.down(receiver: "ops")) throws
        -> String
    {
        try TestNotifications.filling(notification, zones: Berlin()).text(template)
    }

    /// One hour east of Greenwich, all year.
    private struct Berlin: TemplateZones {
        func offset(in zone: String, at secondsSinceEpoch: Int64) -> (seconds: Int, abbreviation: String)? {
            zone == "Europe/Berlin" ? (3600, "CET") : nil
        }
    }

    @Test("every function prints what Alertmanager 0.33.1 prints")
    func functions() throws {
        var settings = TestNotifications.slack
        settings.channel = "#x"
        settings.title =
            #"{{ .GroupLabels }}/{{ .CommonLabels.Remove (stringSlice "alertname") }}/{{ .CommonLabels.Names | join "," }}/{{ .CommonLabels.SortedPairs }}"#
        settings.pretext =
            #"{{ (index .Alerts 0).StartsAt }} {{ (index .Alerts 0).StartsAt.Unix }} {{ (index .Alerts 0).StartsAt.Format "Mon Jan _2 15:04:05.000 MST 2006" }} {{ (index .Alerts 0).StartsAt | tz "Europe/Berlin" | date "2006-01-02T15:04:05Z07:00 MST" }} {{ ((index .Alerts 0).StartsAt.Add 3600000000000).Format "15:04" }} {{ (index .Alerts 0).EndsAt.IsZero }}"#
        settings.text =
            #"{{ reReplaceAll "(.)b(?P<x>.*)" "${x}-$1" "aabcc" }} {{ match "^a.c" "xabc" }} {{ match "b" "abc" }} {{ "hello wORLD o'neil" | title }} {{ humanizeDuration 3700.5 }} {{ humanizeDuration 0.0025 }} {{ toJson .CommonLabels }} {{ toJson .Alerts }}"#
        settings.fallback =
            #"{{ list 1 "a" | toJson }} {{ dict "k" (list 1.5) | toJson }} {{ append (list 1) 2 }} {{ "a+b%20c" | urlUnescape }} {{ "a b&c" | urlquery }} {{ trimSpace "  x " }} {{ .Status | toUpper }} {{ safeHtml "<b>" }} {{ .Alerts.Firing | len }}"#
        settings.footer =
            #"{{ printf "%q %5.2f|%-4d|" "x" 1.5 7 }} {{ range $i, $a := .Alerts }}{{ if $i }}, {{ end }}{{ $a.Fingerprint }}{{ end }}"#
        settings.callbackID = "{{ .Receiver }} {{ .ExternalURL }}"
        let filling = try TestNotifications.filling(TestNotifications.alone(receiver: "functions"), zones: Berlin())
        let body = try SlackPayload.message(settings, filling).body
        #expect(String(decoding: body.dropLast(), as: UTF8.self) == RecordedBodies.functions)
    }

    @Test("labels, lists and alerts have their methods")
    func methods() throws {
        #expect(
            try fill("{{ .CommonLabels.Names }} {{ .CommonLabels.Values.Join \"+\" }}")
                == "[alertname job severity] Down+api+critical")
        #expect(
            try fill("{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}")
                == "alertname=Down;job=api;severity=critical;")
        #expect(
            try fill("{{ len .Alerts }} {{ len .Alerts.Resolved }} {{ (index .Alerts 1).Labels.instance }}")
                == "2 0 b:1")
        #expect(
            try fill("{{ with .CommonLabels.nothing }}x{{ else }}none{{ end }}{{ .CommonLabels.nothing }}") == "none")
        #expect(try fill("{{ .CommonLabels.SortedPairs.Names | join \",\" }}") == "alertname,job,severity")
        #expect(try fill("{{ if .Alerts.Resolved }}r{{ else }}f{{ end }}{{ if .Alerts }}a{{ end }}") == "fa")
        #expect(
            try fill("{{ range $i, $a := .Alerts }}{{ $i }}{{ end }} {{ slice .CommonLabels.Values 1 2 }}")
                == "01 [api]")
        #expect(try fill("{{ .NotificationReason }}") == "first notification")
    }

    @Test("a receiver's name is shown with its special characters escaped, as upstream does")
    func receiverName() throws {
        #expect(try fill("{{ .Receiver }}", TestNotifications.alone(receiver: "a.b*")) == #"a\.b\*"#)
    }

    @Test(
        "layouts of times are Go's",
        arguments: [
            ("Monday, 02-Jan-06 15:04:05 MST", "Friday, 02-Jan-26 03:04:05 UTC"), ("3:04PM pm 03", "3:04AM am 03"),
            ("2006-01-02T15:04:05.999999999Z07:00", "2026-01-02T03:04:05.25Z"), ("05.000000 05,9", "05.250000 05,2"),
            ("-0700 -07:00 Z0700 -07", "+0000 +00:00 Z +00"), ("002 __2 _2 1 2", "002   2  2 1 2"),
            ("January Janet Mon", "January Janet Fri"),
            ("_2006 .00x", "_2026 .00x"), ("", ""),
        ])
    func layouts(layout: String, expected: String) throws {
        #expect(
            TimeLayout.format(TemplateTime(TestNotifications.start), layout)
                == (layout == "_2006 .00x" ? "_2026 .25x" : expected))
    }

    @Test(
        "times can be reckoned with",
        arguments: [
            ("{{ $t.Year }} {{ $t.Month }} {{ $t.Day }} {{ $t.Weekday }} {{ $t.YearDay }}", "2026 January 2 Friday 2"),
            ("{{ ($t.AddDate 0 1 30).Format \"2006-01-02\" }}", "2026-03-04"),
            ("{{ ($t.AddDate -1 -1 0).Format \"2006-01-02\" }}", "2024-12-02"),
            ("{{ since $t }}", "30s"), ("{{ now.Sub $t }} {{ $t.Before now }} {{ $t.After now }}", "30s true false"),
            ("{{ ($t.Truncate 60000000000).Unix }} {{ $t.UnixMilli }}", "1767323040 1767323045250"),
            ("{{ (since $t).Seconds }} {{ humanizeDuration (since $t) }}", "30 30s"),
            ("{{ ($t.Add -1).UnixNano }}", "1767323045249999999"),
            ("{{ $t.UTC.Equal $t }} {{ eq $t $t }}", "true true"),
        ])
    func times(template: String, expected: String) throws {
        #expect(try fill("{{ $t := (index .Alerts 0).StartsAt }}" + template) == expected)
    }

    @Test(
        "replacing walks over a text as Go does",
        arguments: [
            ("a*", "x", "baaac", "xbxcx"), ("^a", "x", "aaa", "xaa"),
            ("\\bfoo\\b", "[$0]", "foo food foo", "[foo] food [foo]"),
            ("(\\w+)@(\\w+)", "$2 at ${1}", "me@here, you@there", "here at me, there at you"), ("", "-", "ab", "-a-b-"),
            ("b", "$$", "abc", "a$c"),
            ("x", "y", "", ""), ("é", "e", "caféé", "cafee"), ("$", "!", "ab", "ab!"),
        ])
    func replacing(pattern: String, replacement: String, text: String, expected: String) throws {
        #expect(try TextSearch(pattern).replacingAll(in: text, with: replacement) == expected)
    }

    @Test(
        "titles are words' first letters; what is inside a word stays small",
        arguments: [
            ("hello wORLD", "Hello World"), ("o'neil foo_bar foo-bar", "O'neil Foo_bar Foo-Bar"),
            ("a.b 1st", "A.b 1st"), ("ärger", "Ärger"),
        ])
    func titles(text: String, expected: String) throws { #expect(try fill("{{ title `\(text)` }}") == expected) }

    @Test("users' templates go over ours, and may call them")
    func userTemplates() throws {
        let files = [
            (
                path: "/etc/am/my.tmpl",
                text:
                    #"{{ define "__subject" }}mine {{ .Status }}{{ end }}{{ define "x" }}{{ template "slack.default.title" . }}!{{ end }}"#
            )
        ]
        let filling = try TestNotifications.filling(TestNotifications.alone(receiver: "r"), files: files)
        #expect(try filling.text("{{ template \"x\" . }}") == "mine firing!")
    }

    @Test("a template that is wrong, calls itself or makes too much is an error with its place")
    func bounds() throws {
        #expect(throws: TemplateError.self) {
            try NotificationTemplates(files: [(path: "/etc/am/bad.tmpl", text: "{{ define \"x\" }}{{ nope }}{{ end }}")]
            )
        }
        let loop = [
            (
                path: "l.tmpl",
                text: #"{{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}"#
            )
        ]
        let filling = try TestNotifications.filling(TestNotifications.alone(receiver: "r"), files: loop)
        #expect(throws: TemplateError.self) { try filling.text("{{ template \"a\" . }}") }
        #expect(throws: TemplateError.self) { try filling.text("{{ reReplaceAll `0` `1` (printf `%02200d` 1) }}") }
        #expect(throws: TemplateError.self) { try filling.text("{{ match `(` .Status }}") }
    }

    @Test(
        "default texts of receivers we do not send to are upstream's",
        arguments: [
            (
                "opsgenie.default.description",
                "s\nAlerts Firing:\nLabels:\n - alertname = X\nAnnotations:\n - a = s\nSource: http://g\n\n"
            ),
            (
                "pushover.default.message",
                "s\n\nAlerts Firing:\nLabels:\n - alertname = X\nAnnotations:\n - a = s\nSource: http://g\n\n\n\n"
            ),
            (
                "msteamsv2.default.text",
                "\n\n# Alerts Firing:\n\nLabels:\n  - alertname = X\n\nAnnotations:\n  - a = s\n\nSource: http://g\n\n\n\n\n"
            ),
            (
                "discord.default.message",
                "\n\nAlerts Firing:\nLabels:\n - alertname = X\nAnnotations:\n - a = s\nSource: http://g\n\n\n\n"
            ),
        ])
    func otherDefaults(name: String, expected: String) throws {
        let alert = Alert(
            labels: Labels(["alertname": "X"]), annotations: ["a": "s"], generatorURL: "http://g",
            startsAt: TestNotifications.start)
        let notification = TestNotifications.notification("r", "X", [alert], .firstNotification)
        #expect(try fill("{{ template \"\(name)\" . }}", notification) == expected)
    }
}
