"""What receivers get: the real Alertmanager and minprom are given the same configuration and the same alerts, and every request they
make is compared: webhook, Slack and PagerDuty bodies byte for byte (but for what differs between two runs), mails by header and part.

    python3 Tests/system/notifications.py --real "$ANCHORS/prometheus-alertmanager --config.file={config} --storage.path={storage} \\
        --web.listen-address={listen} --web.external-url={url} --cluster.listen-address=" \\
        --ours ".build/release/minprom alertmanager --config.file={config} --storage.path={storage} --web.listen-address={listen} --web.external-url={url}"

One side alone with --record DIR writes what it sent into DIR. Mails want aiosmtpd (PyPI); without it they are left out.
"""

import argparse
import email
import email.policy
import http.server
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

try:
    from aiosmtpd.controller import Controller
except ImportError:
    Controller = None

URL = "http://alertmanager.example:9093/prefix"


class Recorder:
    """Takes requests and mails on two ports and keeps them."""

    def __init__(self, port):
        self.port = port
        self.requests = []
        self.mails = []
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorder.requests.append((self.path, self.headers, body))
                answer = b"ok" if self.path.startswith(("/slack", "/functions")) else b'{"status":"success"}'
                self.send_response(202 if self.path.startswith("/pagerduty") else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.smtp = None
        if Controller:

            class Sink:
                async def handle_DATA(self, server, session, envelope):
                    recorder.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
                    return "250 OK"

            self.smtp = Controller(Sink(), hostname="127.0.0.1", port=port + 1)
            self.smtp.start()

    def close(self):
        self.server.shutdown()
        if self.smtp:
            self.smtp.stop()


def configuration(port, case):
    """Names of receivers are cases; each gets the alerts whose label `case` says so."""
    base = f"http://127.0.0.1:{port}"
    receivers = {
        "webhook": f"webhook_configs: [{{url: '{base}/webhook'}}]",
        "webhook-max": f"webhook_configs: [{{url: '{base}/webhook-max?group={{{{ .GroupLabels.alertname }}}}', max_alerts: 1}}]",
        "slack": f"slack_configs: [{{api_url: '{base}/slack', channel: '#alerts', send_resolved: true}}]",
        "slack-full": f"""slack_configs:
  - api_url: '{base}/slack-full'
    channel: '#{{{{ .CommonLabels.alertname | toLower }}}}'
    send_resolved: true
    link_names: true
    short_fields: true
    icon_emoji: ':bell:'
    image_url: http://example/i.png
    thumb_url: http://example/t.png
    message_text: 'plain <text>'
    mrkdwn_in: [text]
    pretext: '{{{{ .CommonAnnotations.summary }}}}'
    text: '{{{{ range .Alerts }}}}{{{{ .Labels.instance | title | printf "%s;" }}}}{{{{ end }}}}'
    fields:
    - {{title: Job, value: '{{{{ .CommonLabels.job }}}}'}}
    - {{title: Long, value: '{{{{ .Status | title }}}}', short: false}}
    actions:
    - {{type: button, text: Look, url: 'http://example/?a=1&b=2', style: primary}}
    - {{type: button, text: Ack, name: ack, value: '{{{{ .Status }}}}', confirm: {{text: Sure, title: T, ok_text: Y, dismiss_text: N}}}}""",
        "pagerduty": f"pagerduty_configs: [{{routing_key: key-1, url: '{base}/pagerduty'}}]",
        "pagerduty-full": f"""pagerduty_configs:
  - routing_key: 'key-{{{{ .Status }}}}'
    url: '{base}/pagerduty-full'
    severity: '{{{{ .CommonLabels.severity }}}}'
    class: cl
    component: co
    group: '{{{{ .GroupLabels.alertname }}}}'
    source: somewhere
    details: {{custom: '{{{{ .CommonAnnotations.summary }}}}', number: '{{{{ len .Alerts }}}}', flag: 'true', list: '[1, a]', empty: ''}}
    images: [{{src: 'http://example/i.png', alt: A, href: 'http://example'}}, {{alt: left out}}]
    links: [{{href: 'http://example/{{{{ .GroupLabels.alertname }}}}', text: 'a & b'}}]""",
        "functions": f"""slack_configs:
  - api_url: '{base}/functions'
    channel: '#x'
    send_resolved: true
    title: '{{{{ .GroupLabels }}}}/{{{{ .CommonLabels.Remove (stringSlice "alertname") }}}}/{{{{ .CommonLabels.Names | join "," }}}}/{{{{ .CommonLabels.SortedPairs }}}}'
    pretext: '{{{{ if eq .GroupLabels.alertname "Alone" }}}}{{{{ (index .Alerts 0).StartsAt }}}} {{{{ (index .Alerts 0).StartsAt.Unix }}}} {{{{ (index .Alerts 0).StartsAt.Format "Mon Jan _2 15:04:05.000 MST 2006" }}}} {{{{ (index .Alerts 0).StartsAt | tz "Europe/Berlin" | date "2006-01-02T15:04:05Z07:00 MST" }}}} {{{{ ((index .Alerts 0).StartsAt.Add 3600000000000).Format "15:04" }}}} {{{{ (index .Alerts 0).EndsAt.IsZero }}}}{{{{ end }}}}'
    text: '{{{{ reReplaceAll "(.)b(?P<x>.*)" "${{x}}-$1" "aabcc" }}}} {{{{ match "^a.c" "xabc" }}}} {{{{ match "b" "abc" }}}} {{{{ "hello wORLD o''neil" | title }}}} {{{{ humanizeDuration 3700.5 }}}} {{{{ humanizeDuration 0.0025 }}}} {{{{ toJson .CommonLabels }}}} {{{{ toJson .Alerts }}}}'
    fallback: '{{{{ list 1 "a" | toJson }}}} {{{{ dict "k" (list 1.5) | toJson }}}} {{{{ append (list 1) 2 }}}} {{{{ "a+b%20c" | urlUnescape }}}} {{{{ "a b&c" | urlquery }}}} {{{{ trimSpace "  x " }}}} {{{{ .Status | toUpper }}}} {{{{ safeHtml "<b>" }}}} {{{{ .Alerts.Firing | len }}}}'
    footer: '{{{{ printf "%q %5.2f|%-4d|" "x" 1.5 7 }}}} {{{{ range $i, $a := .Alerts }}}}{{{{ if $i }}}}, {{{{ end }}}}{{{{ $a.Fingerprint }}}}{{{{ end }}}}'
    callback_id: '{{{{ .Receiver }}}} {{{{ .ExternalURL }}}}'""",
    }
    if Controller:
        receivers["email"] = f"""email_configs:
  - to: 'Ops <ops@example.org>, second@example.org'
    from: minprom@example.org
    smarthost: 127.0.0.1:{port + 1}
    require_tls: false
    send_resolved: true
    text: '{{{{ template "__subject" . }}}} {{{{ range .Alerts }}}}{{{{ .Annotations.summary }}}} = é ... a line longer than seventy-six characters to see where it is broken up{{{{ end }}}}'
    headers: {{X-Status: '{{{{ .Status }}}}', Subject: '{{{{ .CommonAnnotations.summary }}}} ü'}}"""
    lines = ["route:", "  receiver: webhook", "  group_by: [alertname]", "  group_wait: 200ms", "  group_interval: 1s", "  routes:"]
    for name in receivers:
        lines.append(f"  - {{receiver: '{name}', continue: true}}")
    lines.append("receivers:")
    for name, text in receivers.items():
        lines.append(f"- name: '{name}'")
        lines.append("  " + text.replace("\n", "\n  ") if "\n" not in text else "  " + "\n  ".join(text.split("\n")))
    return "\n".join(lines) + "\n"


def alerts(status, start):
    """Every awkward thing at once. Times are fixed, but for the group of two: an old alert is told at once, without its fellow."""
    ends = "2026-01-02T04:00:00Z" if status == "resolved" else "2099-01-01T00:00:00Z"
    common = {"startsAt": "2026-01-02T03:04:05.678Z", "endsAt": ends}
    young = {"startsAt": start, "endsAt": start if status == "resolved" else ends}
    return [
        dict(
            young,
            labels={"alertname": "Down", "job": "api", "instance": "a:1", "severity": "critical"},
            annotations={"summary": "5 < 6 & 7 > 2", "empty": ""},
            generatorURL="http://prometheus/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        ),
        dict(
            young,
            labels={"alertname": "Down", "job": "api", "instance": "b:1", "severity": "critical"},
            annotations={"summary": "5 < 6 & 7 > 2", "more": "tab\tand\nline \u2028 \x01 \x7f \"quoted\" é 😀 \\"},
            generatorURL="",
        ),
        dict(common, labels={"alertname": "Long" + "é" * 1100, "v": "x"}, annotations={"summary": "l"}, generatorURL="http://p/"),
        dict(common, labels={"alertname": "Alone"}, annotations={}, generatorURL="http://p/"),
    ]


def post(listen, body):
    request = urllib.request.Request(
        f"http://{listen}/prefix/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).read()


def run(command, port, listen_port):
    """The requests and mails of one side: each alert fires and then resolves."""
    recorder = Recorder(port)
    directory = tempfile.mkdtemp(prefix="notifications-")
    config = os.path.join(directory, "alertmanager.yml")
    with open(config, "w") as file:
        file.write(configuration(port, None))
    listen = f"127.0.0.1:{listen_port}"
    values = {"config": config, "storage": os.path.join(directory, "data"), "listen": listen, "url": URL}
    words = [word.format(**values) for word in shlex.split(command)]
    log = open(os.path.join(directory, "log"), "w")
    process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{listen}/prefix/-/ready", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        recorder.start = time.strftime("%Y-%m-%dT%H:%M:%S.25Z", time.gmtime())
        post(listen, alerts("firing", recorder.start))
        time.sleep(3)
        post(listen, alerts("resolved", recorder.start))
        time.sleep(4)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        recorder.close()
    with open(os.path.join(directory, "log")) as file:
        complaints = [line for line in file if "level=WARN" in line or "level=ERROR" in line]
    return recorder, complaints, directory


def normal(recorder, text):
    return text.replace(f"127.0.0.1:{recorder.port}", "RECORDER").replace(recorder.start, "START")


def shape(recorder):
    """What is compared: {key: text}. A key names the path, the group and how the group stood."""
    found = {}
    for path, headers, body in recorder.requests:
        text = normal(recorder, body.decode())
        kind = "resolved" if re.search(r'"status":"resolved"|"event_action":"resolve"|RESOLVED', text) else "firing"
        group = re.search(r"(Down|Long|Alone)", text)
        key = f"{path} {group.group(1) if group else '?'} {kind}"
        if key in found:
            key += " again"
        found[key] = f"Content-Type: {headers['Content-Type']}\n{text}"
    for sender, recipients, content in recorder.mails:
        message = email.message_from_bytes(content, policy=email.policy.SMTP)
        raw = email.message_from_bytes(content, policy=email.policy.compat32)
        status = raw["X-Status"]
        plain = raw.get_payload()[0].get_payload() if raw.is_multipart() else raw.get_payload()
        group = re.search(r"(Down|Long|Alone)", message.as_string())
        lines = [f"MAIL {sender} RCPT {recipients}"]
        for name in sorted(raw.keys()):
            value = raw[name]
            if name in ("Message-Id", "Date"):
                value = re.sub(r"[0-9]+", "N", value.split("@")[0])
                value = re.sub(r"[A-Z][a-z]{2}\b", "Abc", value)
            if name == "Content-Type":
                value = re.sub(r"boundary=.*", "boundary=", value)
            lines.append(f"{name}: {value}")
        for part in raw.walk():
            if not part.is_multipart():
                lines.append(str(sorted(part.items())))
        lines.append(plain)
        found[f"mail {group.group(1)} {status}"] = "\n".join(lines)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--real")
    parser.add_argument("--ours")
    parser.add_argument("--record", help="directory for what was sent")
    parser.add_argument("--port", type=int, default=21300, help="first of eight ports to use")
    options = parser.parse_args()
    sides = {}
    for index, name in enumerate(("real", "ours")):
        command = getattr(options, name)
        if not command:
            continue
        recorder, complaints, directory = run(command, options.port + index * 4, options.port + index * 4 + 2)
        sides[name] = shape(recorder)
        print(f"{name}: {len(recorder.requests)} requests, {len(recorder.mails)} mails; log in {directory}")
        for line in complaints[:20]:
            print("   ", line.strip()[:400])
        if options.record:
            os.makedirs(os.path.join(options.record, name), exist_ok=True)
            for key, text in sides[name].items():
                with open(os.path.join(options.record, name, re.sub(r"[^a-zA-Z0-9-]+", "_", key)), "w") as file:
                    file.write(text)
            for number, mail in enumerate(recorder.mails):
                with open(os.path.join(options.record, name, f"mail-{number}.eml"), "wb") as file:
                    file.write(mail[2])
    if len(sides) < 2:
        return
    different = 0
    for key in sorted(set(sides["real"]) | set(sides["ours"])):
        real, ours = sides["real"].get(key), sides["ours"].get(key)
        if real != ours:
            different += 1
            print(f"DIFFERENT {key}\n  real {real!r}\n  ours {ours!r}")
    print(f"{len(sides['real'])} compared, {different} different")
    sys.exit(1 if different or not sides["real"] else 0)


if __name__ == "__main__":
    main()
