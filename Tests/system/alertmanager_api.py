#!/usr/bin/env python3
"""Asks a real Alertmanager and ours the same requests of API v2 and shows where status or body differ.

    alertmanager_api.py [--reference CMD] [--test CMD] [--show]

CMD starts a server: {config}, {data} and {port} are filled in. Default reference: prometheus-alertmanager of $ANCHORS or PATH;
default test: .build/release/minprom alertmanager. Ids, times and versions are made alike before comparing. Error texts of the JSON
decoder differ by nature (Go's words, ours): only their code is compared. What ours answers better than 0.33.1 is listed as such.
"""
import argparse, json, os, re, shutil, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request

CONFIG = """
global: {resolve_timeout: 5m}
route:
  receiver: a
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1h
  routes:
  - {receiver: b, matchers: ['sev="x"'], continue: true}
  - {receiver: c, matchers: ['team=~"d.*"']}
  - {receiver: muted, matchers: ['quiet="yes"'], mute_time_intervals: [always]}
receivers: [{name: a}, {name: b}, {name: c}, {name: muted}]
inhibit_rules:
- {source_matchers: ['alertname="Source"'], target_matchers: ['sev="target"'], equal: [zone]}
time_intervals: [{name: always, time_intervals: [{years: ['2000:2100']}]}]
"""

FAR = "2036-11-29T00:00:00Z"


def alert(**labels):
    return {"labels": labels, "annotations": {"summary": "s", "empty": ""}, "generatorURL": "http://x/graph?a=b&c=<d>"}


def silence(matchers, **more):
    return dict({"matchers": matchers, "startsAt": "2026-01-01T00:00:00Z", "endsAt": FAR, "createdBy": "me", "comment": "c"}, **more)


def m(name, value, regex=False, **more):
    return dict({"name": name, "value": value, "isRegex": regex}, **more)


def steps():
    """(title, method, path, body or None); a body that is no string is sent as JSON."""
    post = lambda path, body: ("POST", path, body)
    get = lambda path: ("GET", path, None)
    yield from [
        get("alerts"), get("alerts/groups"), get("silences"), get("receivers"), get("status"),
        # Intake.
        post("alerts", []), post("alerts", "{"), post("alerts", {}), post("alerts", [{}]), post("alerts", [{"labels": None}]),
        post("alerts", [{"labels": {}}]), post("alerts", [{"labels": {"a": 1}}]), post("alerts", [{"labels": {"": "x"}}]),
        post("alerts", [{"labels": {"a": ""}}]), post("alerts", [{"labels": {"alertname": "T"}, "startsAt": "bad"}]),
        post("alerts", [{"labels": {"alertname": "T"}, "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2029-01-01T00:00:00Z"}]),
        post("alerts", [{"labels": {"alertname": "T"}, "generatorURL": "::bad"}]), post("alerts", '"x"'), post("alerts", ""),
        post("alerts", "null"),
        post("alerts", [alert(alertname="One", sev="x"), alert(alertname="Two", team="db"), {"labels": {}}]),
        post("alerts", [alert(alertname="Source", zone="1"), alert(alertname="Inhibited", sev="target", zone="1"),
                        alert(alertname="Free", sev="target", zone="2"), alert(alertname="Muted", quiet="yes")]),
        post("alerts", [alert(alertname="Grüße", **{"naïve.label": "ü"})]),
        post("alerts", [dict(alert(alertname="NotGiven"), startsAt="0001-01-01T00:00:00.000Z", endsAt="0001-01-01T00:00:00.000Z")]),
        ("WAIT", "0.7", None),
        get("alerts"), get("alerts/groups"), get("alerts?active=false"), get("alerts?inhibited=false"), get("alerts?silenced=false"),
        get("alerts?unprocessed=false"), get("alerts?active=maybe"), get('alerts?filter=alertname%3D"One"'),
        get("alerts?filter=alertname%3D~%22O.%2B%22&filter=sev%21%3D%22y%22"), get("alerts?filter=x"), get("alerts?filter=%7Ba%3D%22b%22"),
        get("alerts?filter=sev%3D%22%22"), get("alerts?filter=sev%21%3D%22%22"),
        get("alerts?receiver=a"), get("alerts?receiver=(a%7Cb)"), get("alerts?receiver=("), get("alerts/groups?receiver=b"),
        get("alerts/groups?muted=false"), get("alerts/groups?filter=sev%3Dtarget"), get("alerts/groups?inhibited=false"),
        # Silences.
        post("silences", {}), post("silences", []), post("silences", silence([])), post("silences", silence([m("a", "")])),
        post("silences", silence([m("a", "(", True)])), post("silences", silence([m("a", ".*", True)])),
        post("silences", silence([m("", "b")])), post("silences", silence([m("a", "b")], endsAt="2025-01-01T00:00:00Z", startsAt="2026-11-29T00:00:00Z")),
        post("silences", silence([m("a", "b")], endsAt="2025-01-01T00:00:00Z", startsAt="2024-11-29T00:00:00Z")),
        post("silences", silence([m("a", "b")], id="nope")), post("silences", silence([m("a", "b")], id="11111111-1111-1111-1111-111111111111")),
        post("silences", {k: v for k, v in silence([m("a", "b")]).items() if k != "createdBy"}),
        post("silences", {k: v for k, v in silence([m("a", "b")]).items() if k != "startsAt"}),
        post("silences", silence([{"name": "a", "value": "b"}])),
        post("silences", silence([m("alertname", "One")], comment="")), post("silences", silence([m("alertname", "Tw.", True), m("sev", "x", isEqual=False)])),
        post("silences", silence([m("a", "pending")], startsAt="2035-01-01T00:00:00Z")),
        get("silences"), get("silences?pending=false"), get("silences?active=false"), get("silences?expired=false"),
        get("silences?filter=alertname%3D%22One%22"), get("silences?filter=x"), get("silence/{1}"), get("silence/x"),
        get("silence/11111111-1111-1111-1111-111111111111"), get("alerts"), get("alerts?silenced=false"), get("alerts/groups?silenced=false"),
        # Updating: the same matchers keep the id, others make a new silence.
        ("UPDATE", "{1}", {"comment": "longer", "endsAt": "2037-01-01T00:00:00Z"}),
        ("UPDATE", "{1}", {"matchers": [m("alertname", "Free")]}), get("silences"),
        ("DELETE", "silence/{2}", None), ("DELETE", "silence/{2}", None), ("DELETE", "silence/x", None),
        ("DELETE", "silence/11111111-1111-1111-1111-111111111111", None), get("silences"), get("silence/{2}"),
        # Edges.
        get("nothing"), ("PUT", "alerts", "[]"), ("DELETE", "alerts", None), ("FORM", "alerts", "x"), ("TEXT", "alerts", "[]"),
        ("RAW", "GET /api/v1/alerts", None), ("RAW", "GET /alertmanager/api/v2/status", None), ("RAW", "GET /-/healthy", None),
        ("RAW", "GET /-/ready", None), ("RAW", "POST /-/reload", None), ("RAW", "GET /api/v1/status/buildinfo", None),
    ]


class Server:
    def __init__(self, command, name):
        self.directory = tempfile.mkdtemp(prefix="am-")
        with open(self.directory + "/am.yml", "w") as file:
            file.write(CONFIG)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        line = command.format(config=self.directory + "/am.yml", data=self.directory + "/data", port=self.port)
        self.log = open(self.directory + "/log", "w")
        self.process = subprocess.Popen(line.split(), stdout=self.log, stderr=self.log)
        self.name, self.ids = name, []
        for _ in range(100):
            if self.process.poll() is not None:
                sys.exit(f"{name} did not start: {open(self.directory + '/log').read()}")
            try:
                self.send("GET", "/-/ready")
                return
            except OSError:
                time.sleep(0.1)
        sys.exit(f"{name} is not ready after 10 s")

    def send(self, method, path, body=None, kind="application/json"):
        data = None if body is None else body.encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        if data is not None and kind:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (ConnectionError, urllib.error.URLError) as error:
            if isinstance(error, urllib.error.URLError) and isinstance(error.reason, ConnectionRefusedError):
                raise
            return 0, "no answer"

    def step(self, method, path, body):
        fill = lambda text: re.sub(r"\{(\d)\}", lambda g: (self.ids + [""] * 9)[int(g[1]) - 1], text)
        if method == "WAIT":
            time.sleep(float(path))
            return 0, ""
        if method == "RAW":
            verb, where = path.split()
            return self.send(verb, where)
        if method == "UPDATE":
            _, text = self.send("GET", "/api/v2/silence/" + fill(path))
            known = json.loads(text)
            sent = {k: known[k] for k in ("id", "matchers", "startsAt", "endsAt", "createdBy", "comment")}
            sent.update(body)
            method, path, body = "POST", "silences", sent
        kind = "application/json"
        if method in ("FORM", "TEXT"):
            kind = {"FORM": "application/x-www-form-urlencoded", "TEXT": "text/plain"}[method]
            method = "POST"
        if body is not None and not isinstance(body, str):
            body = json.dumps(body)
        status, text = self.send(method, "/api/v2/" + fill(path), body, kind)
        if method == "POST" and path == "silences" and status == 200:
            self.ids.append(json.loads(text)["silenceID"])
        return status, text

    def alike(self, text):
        for number, identity in enumerate(self.ids, 1):
            text = text.replace(identity, f"ID{number}")
        text = re.sub(r"20[23]\d-\d\d-\d\dT[0-9:.]+Z", lambda g: g[0] if g[0][:4] >= "2035" else "T", text)
        if '"versionInfo"' in text:
            document = json.loads(text)
            return json.dumps({"cluster": document["cluster"]["status"], "keys": sorted(document), "version": sorted(document["versionInfo"])})
        if '"code":400' in text and "failed, because" in text:
            return '{"code":400,"message":"unreadable"}'
        try:
            document = json.loads(text)
        except ValueError:
            return text.strip()
        if isinstance(document, list) and document and "fingerprint" not in document[0] and "alerts" in document[0]:
            for group in document:
                group["alerts"].sort(key=lambda one: one["fingerprint"])
        return json.dumps(document, sort_keys=True, ensure_ascii=False)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)


# What ours answers otherwise, on purpose: (method, path, reason).
KNOWN = [
    ("GET", "silences?pending=false", "0.34 filters by state, 0.33.1 does not know the parameter"),
    ("GET", "silences?active=false", "the same"),
    ("GET", "silences?expired=false", "the same"),
    ("DELETE", "alerts", "the order of the allowed methods is any in the original"),
    ("PUT", "alerts", "the same"),
]


def main():
    parser = argparse.ArgumentParser()
    anchors = os.environ.get("ANCHORS", os.path.expanduser("~/anchors/usr/bin"))
    real = anchors + "/prometheus-alertmanager"
    parser.add_argument("--reference", default=real + " --config.file={config} --storage.path={data} --web.listen-address=127.0.0.1:{port} --cluster.listen-address=")
    parser.add_argument("--test", default=".build/release/minprom alertmanager --config.file={config} --storage.path={data} --web.listen-address=127.0.0.1:{port}")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    if not shutil.which(options.reference.split()[0]):
        print("skipped: no Alertmanager at", options.reference.split()[0])
        return
    reference, test = Server(options.reference, "reference"), Server(options.test, "test")
    same, different = 0, []
    try:
        for method, path, body in steps():
            answers = [(status, server.alike(text)) for server in (reference, test) for status, text in [server.step(method, path, body)]]
            if answers[0] == answers[1] or any((method, path) == known[:2] for known in KNOWN):
                same += 1
            else:
                different.append((method, path, body, answers))
            if options.show:
                print(method, path, answers[0])
    finally:
        reference.stop()
        test.stop()
    for method, path, body, (wanted, found) in different:
        print(f"\n{method} {path} {json.dumps(body, ensure_ascii=False) if body is not None else ''}\n  reference {wanted[0]} {wanted[1]}\n  test      {found[0]} {found[1]}")
    print(f"\n{same} answers alike, {len(different)} differ")
    sys.exit(1 if different else 0)


main()
