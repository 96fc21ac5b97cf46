#!/usr/bin/env python3
"""The halves of alerting in every mixture with the originals', and the originals' tools against ours.

    Tests/system/alert_interop.py                                      the originals alone: what the others are compared with
    Tests/system/alert_interop.py --minprom .build/release/minprom
    Tests/system/alert_interop.py --minprom … --only amtool --verbose

    flow      an alert from a metric to two receivers, silenced, resolved: Prometheus → ours, ours → Alertmanager, ours → ours, one process
    amtool    a session of commands; the same is printed as against Alertmanager
    promtool  the same against the rules' server
    api       shapes of every answer, and statuses and texts of errors, beside the originals'
    vmalert   with ours as data source, as remote write target and as notifier

Needs $ANCHORS with prometheus, promtool, prometheus-alertmanager, amtool and vmalert.
"""

import argparse
import asyncio
import difflib
import json
import os
import re
import sys

import alertlab
import webhooks

ANCHORS = alertlab.ANCHORS

VMALERT_RULES = """
groups:
- name: foreign
  interval: 1s
  rules:
  - {alert: Foreign, expr: problem == 1, labels: {team: b}, annotations: {summary: 'told by vmalert'}}
  - {alert: ForeignSlow, expr: slow == 1, for: 10s, labels: {team: b}}
  - {record: foreign:problem, expr: problem * 2}
"""


class Report:
    """Claims, each true or not."""

    def __init__(self, verbose):
        self.failed = self.total = 0
        self.verbose = verbose

    def claim(self, text, holds, detail=""):
        self.total += 1
        self.failed += not holds
        print(("ok   " if holds else "FAIL ") + text)
        if detail and (not holds or self.verbose):
            print("\n".join("       " + line for line in str(detail).rstrip().splitlines()))


# MARK: From a metric to a receiver


async def flow(lab, name, report):
    def claim(text, holds, detail=""):
        report.claim(f"flow {name}: {text}", holds, detail)

    lab.exporter.set("problem", 1, team="a")
    lab.exporter.set("problem", 1, team="b")
    await lab.until(lambda: lab.told("pager", "Problem") and lab.told("chat", "Problem"), 15)
    await asyncio.sleep(5)  # resent more than once
    pager, chat = lab.told("pager", "Problem"), lab.told("chat", "Problem")
    claim("each receiver is told once, however often the alert is sent", len(pager) == 1 and len(chat) == 1, f"{pager} {chat}")
    if not pager:
        return
    body = lab.receivers["pager"].arrivals[0].body
    alert = body["alerts"][0]
    labels = {"alertname": "Problem", "instance": f"127.0.0.1:{lab.exporter.port}", "job": "lab", "team": "a"}
    claim("labels and annotations arrive", (alert["labels"], alert["annotations"]) == (labels, {"summary": "Problem of a"}), alert)
    claim("the alert links to its expression", "/graph?g0.expr=problem+%3D%3D+1&g0.tab=1" in alert["generatorURL"], alert["generatorURL"])
    claim("a firing alert has no end", alert["endsAt"].startswith("0001-01-01T00:00:00Z"), alert["endsAt"])
    claim("the group's key", body["groupKey"] == '{}:{alertname="Problem"}', body["groupKey"])
    _, known = await lab.ask(lab.web, "GET", "/api/v1/alertmanagers")
    urls = [one["url"] for one in known["data"]["activeAlertmanagers"]]
    claim("the rules' server lists its Alertmanager", urls == [f"http://127.0.0.1:{lab.alerts}/api/v2/alerts"], urls)
    _, here = await lab.ask(lab.alerts, "GET", "/api/v2/alerts", filter='team="a"')
    _, there = await lab.ask(lab.web, "GET", "/api/v1/alerts")
    starts = [a["activeAt"] for a in there["data"]["alerts"] if a["labels"]["team"] == "a"]
    same = len(here) == len(starts) == 1 and here[0]["startsAt"][:19] == starts[0][:19] and here[0]["receivers"] == [{"name": "pager"}]
    claim("both halves agree when it began", same, f"{here} {starts}")
    _, series = await lab.ask(lab.web, "GET", "/api/v1/query", query='ALERTS{alertstate="firing"}')
    claim("ALERTS has both", len(series["data"]["result"]) == 2, series)

    identity = await lab.silence(alertname="Long", team="a")
    lab.exporter.set("problem", 0, team="a")
    lab.exporter.set("problem", 0, team="b")
    await lab.until(lambda: lab.told("pager", "Problem", "resolved") and lab.told("chat", "Problem", "resolved"), 15)
    ends = [lab.told(r, "Problem", "resolved") for r in ("pager", "chat")]
    claim("both are told of the end, once", [len(e) for e in ends] == [1, 1], ends)
    await asyncio.sleep(3)
    count = sum(len(lab.told(r, "Problem")) for r in ("pager", "chat"))
    claim("and of nothing more", count == 4, count)
    status, silence = await lab.ask(lab.alerts, "GET", f"/api/v2/silence/{identity}")
    claim("a silence is there", status == 200 and silence["status"]["state"] == "active", silence)


# MARK: Tools


async def command(*words, stdin=None):
    """What a program prints, and its exit status."""
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(stdin), 30)
    except TimeoutError:
        process.kill()
        return "no answer in 30 s"
    return output.decode(errors="replace") + f"exit {process.returncode}\n"


def normalised(text):
    """Without what differs between two runs (ids, times, ports), and without what Go's JSON library says of a body."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( ?UTC|Z|\+00:00)?", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", text)
    text = re.sub(r"(body from .{0,4} failed, because ).*", r"\1…", text)
    text = re.sub(r"/tmp/alertlab-\w+", "DIRECTORY", text)
    text = re.sub(r"\b\d{10}(\.\d+)?\b", "SECONDS", text)
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in text.splitlines())


async def amtool_session(lab):
    """[(command, output)] of a session that leaves no trace but in the server."""
    transcript = []

    async def amtool(*words, stdin=None):
        output = await command(ANCHORS + "/amtool", f"--alertmanager.url=http://127.0.0.1:{lab.alerts}", "--no-version-check", *words, stdin=stdin)
        transcript.append((" ".join(words), output))
        return output

    await amtool("alert", "add", "Interop", "team=a", "severity=page", "--annotation=summary=said by amtool")
    await amtool("alert", "add", "alertname=Interop", "team=b", "--generator-url=http://where/it/is", "--end=2099-01-01T00:00:00Z")
    await amtool("alert", "add", "team=b", "alertname=Past", "--start=2020-01-01T00:00:00Z", "--end=2020-01-01T00:01:00Z")
    await asyncio.sleep(0.3)
    for words in (["alert", "query"], ["alert", "query", "-o", "extended"], ["alert", "query", "-o", "json"], ["alert"],
                  ["alert", "query", "team=a"], ["alert", "query", "Interop"], ["alert", "query", "team=~a|c", "severity!=info"],
                  ["alert", "query", "--receiver=chat"], ["alert", "query", "--receiver=ch.*"], ["alert", "query", "--receiver=nobody"],
                  ["alert", "query", "nothing=here"], ["alert", "query", "team=~("]):
        await amtool(*words)
    for words in (["silence", "add", "alertname=Interop", "team=b", "-c", "for a test", "-a", "me", "-d", "2h"],
                  ["silence", "add", "team=~x|y", "job!=z", "--comment=later", "--author=me", "--start=2090-01-01T00:00:00Z", "--end=2091-01-01T00:00:00Z"],
                  ["silence", "add", "-c", "none", "-a", "me"], ["silence", "add", "a=~.*", "-c", "all", "-a", "me"],
                  ["silence", "add", "a=b", "-c", "backwards", "-a", "me", "--start=2091-01-01T00:00:00Z", "--end=2090-01-01T00:00:00Z"],
                  ["silence", "query"], ["silence", "query", "-o", "extended"], ["silence", "query", "team=b"], ["silence", "query", "--created-by=me"],
                  ["silence", "query", "--created-by=you"], ["silence", "query", "--within=1h"], ["silence", "query", "--expired"],
                  ["alert", "query"], ["alert", "query", "--silenced"], ["alert", "query", "--silenced", "-o", "json"], ["alert", "query", "--active"]):
        await amtool(*words)
    identity = (await amtool("silence", "query", "-q", "team=b")).split()[0]
    await amtool("silence", "query", "--id", identity, "-o", "json")
    await amtool("silence", "update", "-d", "3h", "-c", "longer", identity)
    await amtool("silence", "query", "team=b")
    exported = (await amtool("silence", "query", "-o", "json", "team=b")).rsplit("exit", 1)[0]
    await amtool("silence", "expire", identity)
    await amtool("silence", "expire", identity)
    await amtool("silence", "expire", "00000000-0000-0000-0000-000000000000")
    await amtool("silence", "query", "--expired", "--within=1h")
    await amtool("alert", "query", "team=b")
    await amtool("silence", "import", "--force", stdin=exported.encode())
    await amtool("silence", "query", "team=b")
    for words in (["config", "show"], ["config", "routes"], ["config", "routes", "test", "team=b"], ["config", "routes", "test", "team=c"],
                  ["config", "routes", "test", "--tree", "team=b"], ["config", "routes", "test", "--verify.receivers=chat", "team=b"],
                  ["config", "routes", "test", "--verify.receivers=pager", "team=b"], ["cluster", "show"]):
        await amtool(*words)
    return transcript


async def promtool_session(lab):
    transcript = []
    url = f"http://127.0.0.1:{lab.web}"
    for words in (["check", "healthy", f"--url={url}"], ["check", "ready", f"--url={url}"],
                  ["query", "instant", url, 'sum by (alertname, alertstate) (ALERTS{alertname="Problem"})'],
                  ["query", "instant", url, "count(ALERTS_FOR_STATE)"], ["query", "labels", url, "alertname"],
                  ["query", "series", f"{url}", '--match=ALERTS{alertname="Problem"}'], ["query", "instant", url, "problem =="],
                  ["check", "rules", lab.rules_file], ["check", "config", lab.prometheus_file]):
        transcript.append((" ".join(words), await command(ANCHORS + "/promtool", *words)))
    return transcript


def compare_sessions(tool, real, ours, report):
    for (words, expected), (_, found) in zip(real, ours):
        a, b = normalised(expected), normalised(found)
        difference = "\n".join(list(difflib.unified_diff(a.splitlines(), b.splitlines(), "original", "ours", lineterm="", n=1))[2:])
        report.claim(f"{tool} {normalised(words)}", a == b, difference)


# MARK: The API


SILENCE = {
    "matchers": [{"name": "a", "value": "b", "isRegex": False, "isEqual": True}], "createdBy": "me", "comment": "c",
    "startsAt": "2090-01-01T00:00:00Z", "endsAt": "2091-01-01T00:00:00Z",
}

# (half, method, path, body); answered the same by both. What begins with a word and a colon is about a request that is wrong.
REQUESTS = [
    ("alerts", "GET", "/api/v2/status", None), ("alerts", "GET", "/api/v2/receivers", None), ("alerts", "GET", "/api/v2/alerts", None),
    ("alerts", "GET", "/api/v2/alerts/groups", None), ("alerts", "GET", "/api/v2/silences", None),
    ("alerts", "GET", "/api/v2/alerts?filter=alertname%3DProblem&active=false", None),
    ("alerts", "GET", "/api/v2/alerts?receiver=pa.*", None), ("alerts", "GET", "/api/v2/alerts/groups?receiver=chat", None),
    ("web", "GET", "/api/v1/rules", None), ("web", "GET", "/api/v1/rules?type=alert", None), ("web", "GET", "/api/v1/rules?type=wrong", None),
    ("web", "GET", "/api/v1/rules?rule_name%5B%5D=Problem", None), ("web", "GET", "/api/v1/rules?rule_group%5B%5D=none", None),
    ("web", "GET", "/api/v1/alerts", None), ("web", "GET", "/api/v1/alertmanagers", None), ("web", "GET", "/api/v1/rules?group_limit=1", None),
    ("web", "GET", "/api/v1/rules?exclude_alerts=true", None), ("web", "GET", "/api/v1/rules?match%5B%5D=%7Bteam%3D%22x%22%7D", None),
    ("alerts", "GET", "/api/v2/alerts?filter=%7B", None), ("alerts", "GET", "/api/v2/alerts?filter=a%3D~%28", None),
    ("alerts", "GET", "/api/v2/alerts?receiver=%28", None), ("alerts", "GET", "/api/v2/alerts?active=perhaps", None),
    ("alerts", "GET", "/api/v2/silences?filter=%7B", None), ("alerts", "GET", "/api/v2/silence/not-an-id", None),
    ("alerts", "GET", "/api/v2/silence/00000000-0000-0000-0000-000000000000", None),
    ("alerts", "DELETE", "/api/v2/silence/00000000-0000-0000-0000-000000000000", None), ("alerts", "DELETE", "/api/v2/silence/not-an-id", None),
    ("alerts", "GET", "/api/v2/nothing", None), ("alerts", "GET", "/api/v1/alerts", None),
    ("alerts", "GET", "/alertmanager/api/v2/status", None), ("alerts", "GET", "/-/healthy", None), ("alerts", "GET", "/-/ready", None),
    ("alerts", "POST", "/api/v2/alerts", b"{"), ("alerts", "POST", "/api/v2/alerts", {}), ("alerts", "POST", "/api/v2/alerts", []),
    ("alerts", "POST", "/api/v2/alerts", b""), ("alerts", "POST", "/api/v2/alerts", [{}]), ("alerts", "POST", "/api/v2/alerts", [{"labels": {}}]),
    ("alerts", "POST", "/api/v2/alerts", [{"labels": {"a": 1}}]), ("alerts", "POST", "/api/v2/alerts", [{"labels": {"": "b"}}]),
    ("alerts", "POST", "/api/v2/alerts", [{"labels": {"a": "b"}, "startsAt": "soon"}]), ("alerts", "POST", "/api/v2/alerts", [{"labels": None}]),
    ("alerts", "POST", "/api/v2/alerts", [{"labels": {"a": "b"}, "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2029-01-01T00:00:00Z"}]),
    ("alerts", "POST", "/api/v2/alerts", [{"labels": {"a": "b"}, "generatorURL": "not a url"}]),
    ("alerts", "POST", "/api/v2/silences", b"{"), ("alerts", "POST", "/api/v2/silences", {}), ("alerts", "POST", "/api/v2/silences", []),
    ("alerts", "POST", "/api/v2/silences", SILENCE), ("alerts", "POST", "/api/v2/silences", {**SILENCE, "comment": ""}),
    ("alerts", "POST", "/api/v2/silences", {**SILENCE, "createdBy": ""}), ("alerts", "POST", "/api/v2/silences", {**SILENCE, "matchers": []}),
    ("alerts", "POST", "/api/v2/silences", {**SILENCE, "matchers": [{"name": "a", "value": "(", "isRegex": True}]}),
    ("alerts", "POST", "/api/v2/silences", {**SILENCE, "matchers": [{"name": "a", "value": "", "isRegex": False}]}),
    ("alerts", "POST", "/api/v2/silences", {**SILENCE, "matchers": [{"name": "", "value": "b", "isRegex": False}]}),
    ("alerts", "POST", "/api/v2/silences", {**SILENCE, "endsAt": "2089-01-01T00:00:00Z"}),
    ("alerts", "POST", "/api/v2/silences", {**SILENCE, "startsAt": "2019-01-01T00:00:00Z", "endsAt": "2020-01-01T00:00:00Z"}),
    ("alerts", "POST", "/api/v2/silences", {**SILENCE, "id": "00000000-0000-0000-0000-000000000000"}),
    ("alerts", "POST", "/api/v2/silences", {k: v for k, v in SILENCE.items() if k != "endsAt"}),
]

# What makes the original drop the connection; ours must answer 400 and live.
HOSTILE = [
    ("POST", "/api/v2/alerts", b"[null]"), ("POST", "/api/v2/alerts", b'[{"labels":{"a":null}}]'), ("POST", "/api/v2/silences", b"null"),
    ("POST", "/api/v2/silences", b'{"matchers":[null],"startsAt":null,"endsAt":null,"createdBy":null,"comment":null}'),
    ("POST", "/api/v2/silences", json.dumps({**SILENCE, "comment": "x" * 2_000_000}).encode()),
    ("POST", "/api/v2/alerts", b"[" * 100_000), ("POST", "/api/v2/alerts", b'[{"labels":{"a":"' + b"x" * 100 + b'\xff"}}]'),
]


def shape(value, path=""):
    """Paths of a JSON value with the kinds of what is there: `[].labels: object`."""
    if isinstance(value, dict):
        open_ended = path.split(".")[-1] in ("labels", "annotations", "groupLabels")
        inside = set() if open_ended else set().union(*(shape(v, f"{path}.{k}") for k, v in value.items()))
        return {f"{path}: object"} | inside
    if isinstance(value, list):
        return {f"{path}: list"}.union(*(shape(v, path + "[]") for v in value))
    return {f"{path}: {type(value).__name__}".replace("float", "number").replace("int", "number")}


async def api_session(lab):
    answers = []
    for half, method, path, body in REQUESTS:
        try:
            status, answer = await lab.ask(getattr(lab, half), method, path, body)
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError, TimeoutError) as error:
            status, answer = "no answer", type(error).__name__
        answers.append((f"{method} {path} {'' if body is None else json.dumps(body) if not isinstance(body, bytes) else body}", status, answer))
    return answers


def compare_answers(real, ours, report):
    for (request, status, expected), (_, other, found) in zip(real, ours):
        text = f"api {request[:150]}"
        if status != other:
            report.claim(text, False, f"{other} {str(found)[:300]}\nnot {status} {str(expected)[:300]}")
        elif status == 200 and isinstance(expected, (dict, list)):
            a, b = shape(expected), shape(found)
            report.claim(text, a == b, "\n".join([f"missing {p}" for p in sorted(a - b)] + [f"more    {p}" for p in sorted(b - a)]))
        else:
            a, b = (normalised(x.decode() if isinstance(x, bytes) else json.dumps(x)) for x in (expected, found))
            report.claim(text, a == b, f"{b[:300]}\nnot {a[:300]}")


async def hostile(lab, report):
    for method, path, body in HOSTILE:
        try:
            status, answer = await webhooks.request(lab.alerts, method, path, body)
            detail = f"{status} {answer[:200]}"
            holds = 400 <= status < 500
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError, TimeoutError) as error:
            holds, detail = False, type(error).__name__
        report.claim(f"hostile {method} {path} {body[:60]}: refused with a reason", holds, detail)
    status, _ = await lab.ask(lab.alerts, "GET", "/-/healthy")
    report.claim("hostile: the server lives", status == 200)


# MARK: vmalert


async def vmalert(lab, name, report):
    def claim(text, holds, detail=""):
        report.claim(f"vmalert {name}: {text}", holds, detail)

    rules = lab.file("vmalert.yml", VMALERT_RULES)
    port = lab.port()
    process = alertlab.Process(
        [
            ANCHORS + "/vmalert", f"-rule={rules}", f"-datasource.url=http://127.0.0.1:{lab.web}",
            f"-remoteWrite.url=http://127.0.0.1:{lab.web}/api/v1/write", f"-remoteRead.url=http://127.0.0.1:{lab.web}",
            f"-notifier.url=http://127.0.0.1:{lab.alerts}", "-evaluationInterval=1s", "-remoteWrite.flushInterval=200ms",
            f"-httpListenAddr=127.0.0.1:{port}", "-remoteWrite.disablePathAppend", "-rule.evalDelay=0s", "-datasource.queryStep=5s",
            "-loggerLevel=WARN",
        ],
        port,
        f"{lab.directory}/vmalert.log",
    )

    async def start():
        with open(process.log, "ab") as log:
            process.process = await asyncio.create_subprocess_exec(*process.command, stdout=log, stderr=log)

    await start()
    try:
        lab.exporter.set("problem", 1, team="x")
        lab.exporter.set("slow", 1, team="x")
        told = await lab.until(lambda: lab.told("chat", "Foreign", "firing"), 15)
        claim("its alert is routed and told", told is not None, open(process.log).read()[-600:])
        if told is not None:
            alert = lab.told("chat", "Foreign")[0]
            claim("with its own labels", alert[2].get("alertgroup") == "foreign" and alert[2].get("team") == "b", alert)

        async def vector(query):
            return (await lab.ask(lab.web, "GET", "/api/v1/query", query=query))[1]["data"]["result"]

        await asyncio.sleep(2)
        recorded = await vector("foreign:problem")
        claim("its recording rule is written to us", recorded and recorded[0]["value"][1] == "2", recorded)
        alerts = await vector('ALERTS{alertname=~"Foreign.*"}')
        claim("its ALERTS are written to us", {a["metric"]["alertstate"] for a in alerts} == {"firing", "pending"}, alerts)
        # What it would restore after a restart it asks for with MetricsQL's default_rollup, which Prometheus has not either.
        await process.end(9)
        await start()
        await asyncio.sleep(4)
        claim("restarted, it tells nothing again", len(lab.told("chat", "Foreign")) == 1, lab.told("chat", "Foreign"))
        lab.exporter.set("problem", 0, team="x")
        ended = await lab.until(lambda: lab.told("chat", "Foreign", "resolved"), 15)
        claim("the end is told", ended is not None)
        claim("told once each", len(lab.told("chat", "Foreign")) == 2, lab.told("chat", "Foreign"))
    finally:
        await process.end(15)


# MARK: All of it


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minprom")
    parser.add_argument("--only", default="", help="flow (or “flow ours → ours”), amtool, promtool, api or vmalert")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--ports", default="20000-28000")
    options = parser.parse_args()
    for program in [alertlab.PROMETHEUS[0], alertlab.ALERTMANAGER[0], *([options.minprom] if options.minprom else [])]:
        if not os.access(program, os.X_OK):
            parser.error(f"there is no {program}")
    ports = webhooks.Ports(options.ports)
    report = Report(options.verbose)
    prometheus, alertmanager = alertlab.PROMETHEUS, alertlab.ALERTMANAGER
    real = alertlab.pair(prometheus, alertmanager)
    mixtures = {"originals": real}
    if options.minprom:
        ours, half = [options.minprom], [options.minprom, "alertmanager"]
        mixtures = {
            "Prometheus → ours": alertlab.pair(prometheus, half), "ours → Alertmanager": alertlab.pair(ours, alertmanager),
            "ours → ours": alertlab.pair(ours, half), "one process": alertlab.whole(ours),
        }
    one = mixtures.get("one process", real)

    def wanted(section):
        return section.startswith(options.only) or not options.only

    for name, servers in mixtures.items():
        if wanted(f"flow {name}"):
            async with alertlab.Lab(servers, ports) as lab:
                await flow(lab, name, report)
    if wanted("vmalert"):
        async with alertlab.Lab(one, ports) as lab:
            await vmalert(lab, "one process" if options.minprom else "originals", report)
    for section, session in (("amtool", amtool_session), ("promtool", promtool_session), ("api", api_session)):
        if not wanted(section):
            continue
        transcripts = []
        for servers in (real, one):
            async with alertlab.Lab(servers, ports) as lab:
                if section != "amtool":
                    lab.exporter.set("problem", 1, team="a")
                    await lab.until(lambda: lab.told("pager", "Problem"), 15)
                if section == "api":
                    await lab.silence(team="a")
                transcripts.append(await session(lab))
                if section == "api" and servers is one and options.minprom:
                    await hostile(lab, report)
        if section == "api":
            compare_answers(*transcripts, report)
        else:
            compare_sessions(section, *transcripts, report)
        if options.verbose:
            for row in transcripts[1]:
                print("\n".join(str(part) for part in row))
    print(f"{report.total - report.failed} of {report.total} claims hold")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
