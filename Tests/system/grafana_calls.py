#!/usr/bin/env python3
"""Every call that Grafana makes, to the originals and to minprom side by side; status, type and shape of the answers must be the same.

    ANCHORS=… Tests/system/grafana_calls.py [--test .build/debug/minprom] [--show]

    a page of metrics ◀─scrape─ Prometheus ─▶ Alertmanager        each call goes to both sides; ids, times and versions may
                      ◀─scrape─ minprom (with its own)            differ, keys, types, order of keys and error texts may not

The calls are those of FEATURES' table of Grafana (G-1 … G-17), read from its clients, not recorded from a Grafana. What each must answer by
itself is claimed by api.py; here the original says it. Standard library only. Exit status 0 when all are alike.
"""
import argparse
import concurrent.futures
import glob
import gzip
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
EXEMPLARS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

PROMETHEUS_CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}
scrape_configs:
- {{job_name: api, static_configs: [{{targets: ['127.0.0.1:{page}']}}]}}
- {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{prometheus}']}}]}}
- {{job_name: alertmanager, static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}
"""

RULES = """
groups:
- name: api
  rules:
  - {record: 'job:requests:rate1m', expr: 'sum by (job) (rate(flask_http_request_total[1m]))', labels: {level: job}}
  - {alert: Always, expr: 'flask_http_request_total > 0', labels: {severity: warning}, annotations: {summary: 'value {{ $value }}'}}
  - {alert: Later, expr: 'vector(1)', for: 1h, keep_firing_for: 5m}
  - {alert: Never, expr: 'vector(0) > 1'}
"""

ALERTMANAGER_CONFIG = """
route: {receiver: nobody, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers: [{name: nobody}, {name: other}]
"""


class Page(http.server.BaseHTTPRequestHandler):
    """What both sides scrape: a histogram with an exemplar, counters, something that grows."""

    started = time.time()

    def do_GET(self):
        n = int((time.time() - Page.started) * 20)
        lines = ["# HELP flask_http_request_duration_seconds Flask HTTP request duration in seconds", "# TYPE flask_http_request_duration_seconds histogram"]
        for le, part in (("0.1", 0.5), ("0.25", 0.9), ("1.0", 0.97), ("2.5", 1), ("+Inf", 1)):
            exemplar = f' # {{trace_id="t{n}"}} 0.2 {time.time():.3f}' if le == "0.25" else ""
            lines.append(f'flask_http_request_duration_seconds_bucket{{method="GET",path="/health",status="200",le="{le}"}} {int(n * part)}{exemplar}')
        lines += [f'flask_http_request_duration_seconds_sum{{method="GET",path="/health",status="200"}} {n * 0.12}',
                  f'flask_http_request_duration_seconds_count{{method="GET",path="/health",status="200"}} {n}',
                  "# HELP flask_http_request Total number of HTTP requests", "# TYPE flask_http_request counter",
                  f'flask_http_request_total{{method="GET",status="200"}} {n}', f'flask_http_request_total{{method="POST",status="503"}} {n // 10}',
                  "# HELP worker_queue_length Jobs that wait", "# TYPE worker_queue_length gauge", f"worker_queue_length {n % 300}", "# EOF", ""]
        body = "\n".join(lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", EXEMPLARS)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


# --- the two sides


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self, response):
        self.status, self.type = response.status, response.headers.get("Content-Type")
        body = response.read()
        self.text = (gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body).decode()

    def outline(self):
        """status, type and the shape of the body: of a text, the text"""
        if self.type and self.type.startswith("application/json"):
            return (self.status, self.type, outline(json.loads(self.text) if self.text.strip() else None))
        return (self.status, self.type, self.text if self.status != 200 else "(text)")


def outline(value, key=""):
    """Keys with their order, types instead of values; texts stay where they are words of a protocol, not data."""
    if isinstance(value, dict):
        if key in ("metric", "seriesLabels", "labels", "annotations", "flags"):
            return sorted(value) if key != "labels" else "labels"
        if value and all(isinstance(item, list) and item and isinstance(item[0], dict) and "help" in item[0] for item in value.values()):
            return ["of metrics", len(value), outline(list(value.values()))]
        return {name: outline(item, name) for name, item in value.items()}
    if isinstance(value, list):
        kinds = []
        for item in value:
            kind = outline(item, key)
            if kind not in kinds:
                kinds.append(kind)
        return sorted(kinds, key=repr)
    if isinstance(value, str) and key in ("status", "resultType", "errorType", "error", "type", "health", "state"):
        return value
    return type(value).__name__ if not isinstance(value, float) else "int"


class Side:
    def __init__(self, prometheus, alertmanager):
        self.ports = {"prometheus": prometheus, "alertmanager": alertmanager}

    def ask(self, server, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[server], timeout=30)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()


def servers(folder, minprom, anchors, page):
    processes, sides = [], []
    for name in ("original", "minprom"):
        directory = f"{folder}/{name}"
        os.makedirs(directory)
        prometheus, alertmanager = free_port(), free_port()
        texts = {"prometheus.yml": PROMETHEUS_CONFIG.format(page=page, prometheus=prometheus, alertmanager=alertmanager),
                 "rules.yml": RULES, "alertmanager.yml": ALERTMANAGER_CONFIG}
        for file, text in texts.items():
            with open(f"{directory}/{file}", "w") as out:
                out.write(text)
        if name == "original":
            commands = [
                [f"{anchors}/prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{prometheus}",
                 "--enable-feature=exemplar-storage"],
                [f"{anchors}/prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=alerts",
                 f"--web.listen-address=127.0.0.1:{alertmanager}", "--cluster.listen-address="]]
        else:
            commands = [
                [minprom, "serve", "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{prometheus}",
                 "--enable-feature=exemplar-storage", "--alertmanager.config.file=alertmanager.yml",
                 f"--alertmanager.web.listen-address=127.0.0.1:{alertmanager}"]]
        for command in commands:
            log = open(f"{directory}/log-{len(processes)}", "w")
            processes.append(subprocess.Popen(command, cwd=directory, stdout=log, stderr=log))
        sides.append(Side(prometheus, alertmanager))
    return processes, sides


# --- the calls: (row, what Grafana is doing, server, method, path, body, headers); NOW and AGO stand for times


def calls(now):
    q = urllib.parse.urlencode
    p, a = "prometheus", "alertmanager"
    window = {"start": f"{now - 5:.3f}", "end": f"{now:.3f}"}

    def form(row, title, path, **fields):
        yield row, title, p, "POST", path, q(fields, doseq=True), FORM
        # After a 405 or 400, or where the data source says so, the same by GET.
        yield row, title + ", by GET", p, "GET", f"{path}?{q(fields, doseq=True)}", None, {}

    yield from form("G-1", "save & test", "/api/v1/query", query="1+1", time="4", timeout="30s")
    yield "G-2", "which server is it", p, "GET", "/api/v1/status/buildinfo", None, {}
    yield from form("G-3", "panel", "/api/v1/query_range", query="rate(flask_http_request_total[1m])", step="0.5", timeout="30s", **window)
    yield from form("G-3", "panel of a histogram", "/api/v1/query_range", query="histogram_quantile(0.95, sum by (le) (rate(flask_http_request_duration_seconds_bucket[1m])))", step="1", **window)
    yield from form("G-3", "panel with a notice", "/api/v1/query_range", query="rate(worker_queue_length[1m])", step="1", **window)
    yield from form("G-3", "empty panel", "/api/v1/query_range", query="nothing", step="1", **window)
    yield from form("G-3", "wrong panel", "/api/v1/query_range", query="rate(flask_http_request_total)", step="1", **window)
    yield from form("G-3", "too fine", "/api/v1/query_range", query="up", step="1", start="0", end=window["end"])
    yield from form("G-4", "instant panel", "/api/v1/query", query="flask_http_request_total", time=window["end"])
    yield from form("G-4", "scalar", "/api/v1/query", query="scalar(worker_queue_length)", time=window["end"])
    yield from form("G-4", "raw samples", "/api/v1/query", query="worker_queue_length[3s]", time=window["end"])
    yield from form("G-4", "ALERTS", "/api/v1/query", query='ALERTS{alertstate="firing"}', time=window["end"])
    yield "G-5", "are there exemplars", p, "GET", f"/api/v1/query_exemplars?query=test&start={int(now * 1000) - 5000}&end={int(now * 1000)}", None, {}
    yield from form("G-6", "exemplars", "/api/v1/query_exemplars", query="flask_http_request_duration_seconds_bucket", start=f"{now - 30:.3f}", end=window["end"])
    yield from form("G-7", "label names", "/api/v1/labels", limit="40000", **window)
    yield from form("G-7", "label names of a metric", "/api/v1/labels", **window, **{"match[]": '{__name__="flask_http_request_total"}'})
    yield from form("G-7", "series", "/api/v1/series", limit="40000", **window, **{"match[]": ["flask_http_request_total", 'up{job="api"}']})
    yield "G-7", "label values", p, "GET", f"/api/v1/label/status/values?{q(window)}&limit=40000", None, {}
    yield "G-7", "metrics", p, "GET", f"/api/v1/label/__name__/values?{q(window)}&match[]=%7Bjob%3D%22api%22%7D", None, {}
    yield "G-7", "escaped label", p, "GET", f"/api/v1/label/U__status/values?{q(window)}", None, {}
    yield "G-7", "label values by POST", p, "POST", "/api/v1/label/status/values", q(window), FORM
    yield "G-8", "metadata", p, "GET", "/api/v1/metadata?metric=worker_queue_length", None, {}
    # Without a name it is any metric, of any type.
    yield "G-8", "metadata, limited", p, "GET", "/api/v1/metadata?limit=1&metric=worker_queue_length", None, {}
    yield "G-9", "rules", p, "GET", "/api/v1/rules", None, {}
    yield "G-9", "rules without alerts", p, "GET", "/api/v1/rules?exclude_alerts=true", None, {}
    yield "G-9", "rules, page by page", p, "GET", "/api/v1/rules?group_limit=1", None, {}
    yield "G-9", "a rule", p, "GET", "/api/v1/rules?rule_name[]=Always&rule_group[]=api", None, {}
    yield "G-9", "a rule, as asked of Mimir", p, "GET", "/api/v1/rules?file=rules.yml&rule_group=api&rule_name=Always", None, {}
    yield "G-9", "only alerts", p, "GET", "/api/v1/rules?type=alert", None, {}
    yield "G-9", "alerts", p, "GET", "/api/v1/alerts", None, {}
    for path in ("/rules/x", "/config/v1/rules/x", "/api/v1/nonsense", "/loki/api/v1/labels"):
        yield "G-10", "is it a ruler", p, "GET", path, None, {}
    yield "G-10", "may rules be written", p, "POST", "/api/v1/rules", "", FORM
    yield "G-11", "headers and parameters of the data source", p, "POST", "/api/v1/query?tenant=a", q({"query": "up", "time": "4"}), {**FORM, "X-Scope-OrgID": "1", "Authorization": "Basic YTpi"}
    yield "G-11", "gzip", p, "POST", "/api/v1/query", q({"query": "up", "time": window["end"]}), {**FORM, "Accept-Encoding": "gzip"}

    yield "G-12", "which Alertmanager is it", a, "GET", "/api/v1/status/buildinfo", None, {}
    yield "G-12", "is it Mimir's", a, "GET", "/alertmanager/api/v2/status", None, {}
    yield "G-12", "is it Prometheus's", a, "GET", "/api/v2/status", None, {}
    yield "G-13", "groups", a, "GET", "/api/v2/alerts/groups", None, {}
    yield "G-13", "groups, filtered", a, "GET", "/api/v2/alerts/groups?silenced=false&inhibited=false&active=true&receiver=nobody&filter=severity%3Dwarning", None, {}
    yield "G-13", "alerts", a, "GET", "/api/v2/alerts", None, {}
    yield "G-13", "receivers", a, "GET", "/api/v2/receivers", None, {}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now + 3600))
    silence = {"matchers": [{"name": "alertname", "value": "Always", "isRegex": False, "isEqual": True}], "startsAt": "2026-01-01T00:00:00.000Z",
               "endsAt": stamp, "createdBy": "grafana", "comment": "quiet", "id": ""}
    yield "G-13", "silence", a, "POST", "/api/v2/silences", json.dumps(silence), JSON
    yield "G-13", "silence of nobody", a, "POST", "/api/v2/silences", json.dumps({**silence, "matchers": []}), JSON
    yield "G-13", "silences", a, "GET", "/api/v2/silences", None, {}
    yield "G-13", "a silence", a, "GET", "/api/v2/silence/{id}", None, {}
    yield "G-13", "change a silence", a, "POST", "/api/v2/silences", {**silence, "comment": "quieter"}, JSON
    yield "G-13", "silenced alerts", a, "GET", "/api/v2/alerts?silenced=true&active=false", None, {}
    yield "G-13", "end a silence", a, "DELETE", "/api/v2/silence/{id}", None, {}
    yield "G-13", "a silence that is not there", a, "GET", "/api/v2/silence/7d8ab372-0ed9-4a4e-8d3e-000000000000", None, {}
    alert = [{"labels": {"alertname": "Grafana", "grafana_folder": "f"}, "annotations": {"summary": "s"}, "startsAt": "0001-01-01T00:00:00.000Z",
              "endsAt": stamp, "generatorURL": "http://localhost:3000/alerting/grafana/x/view"}]
    yield "G-14", "an alert of Grafana's", a, "POST", "/api/v2/alerts", json.dumps(alert), JSON
    yield "G-14", "a wrong alert", a, "POST", "/api/v2/alerts", json.dumps([{"labels": {}}]), JSON
    yield from form("G-15", "annotations", "/api/v1/query_range", query='ALERTS{alertstate="firing"}', step="60", **window)


def dashboard_queries():
    """the expressions of our dashboards, as Grafana would send them"""
    result = set()
    for path in glob.glob(os.path.join(ROOT, "grafana/dashboards/*.json")):
        with open(path) as file:
            for panel in json.load(file)["panels"]:
                for target in panel.get("targets", []):
                    query = target["expr"].replace("$__rate_interval", "20s")
                    result.add(re.sub(r"\$(instance|datname)\b", ".*", query))
    return sorted(result)


def loaded(side, queries, end):
    """thirty panels at once: milliseconds of each, by connections that are kept"""
    def panels(part):
        connection, times = http.client.HTTPConnection("127.0.0.1", side.ports["prometheus"], timeout=30), []
        for query in part:
            body = urllib.parse.urlencode({"query": query, "start": end - 900, "end": end, "step": 5})
            begin = time.perf_counter()
            connection.request("POST", "/api/v1/query_range", body, {**FORM, "Accept-Encoding": "gzip"})
            if connection.getresponse().read() and connection.sock is None:
                raise ConnectionError("the connection was not kept")
            times.append((time.perf_counter() - begin) * 1000)
        return times

    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        parts = [queries[i::30] or queries[:1] for i in range(30)]
        return sorted(t for times in pool.map(panels, parts) for t in times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", default=os.path.join(ROOT, ".build/debug/minprom"))
    parser.add_argument("--show", action="store_true", help="print every call")
    options = parser.parse_args()
    anchors = os.environ.get("ANCHORS", "/usr/bin")
    if not os.path.exists(anchors + "/prometheus"):
        print(f"skipped: no prometheus in {anchors} (set ANCHORS)")
        return 0
    page = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    folder, processes, different, rows = tempfile.mkdtemp(), [], 0, {}
    try:
        processes, (original, ours) = servers(folder, os.path.abspath(options.test), anchors, page.server_port)
        for side in (original, ours):
            wait(side)
        now, ids = time.time(), {}
        for row, title, server, method, path, body, headers in calls(now):
            answers = []
            for side in (original, ours):
                text = body
                if isinstance(body, dict):
                    text = json.dumps({**body, "id": ids[side]})
                answer = side.ask(server, method, path.replace("{id}", ids.get(side, "")), text, headers)
                if method == "POST" and path == "/api/v2/silences" and answer.status == 200:
                    ids[side] = json.loads(answer.text)["silenceID"]
                answers.append(answer)
            outlines = [json.dumps(answer.outline()) for answer in answers]
            alike = outlines[0] == outlines[1]
            rows.setdefault(row, []).append(alike)
            if options.show or not alike:
                print(f"{'ok  ' if alike else 'DIFF'} {row:5} {title}: {method} {path[:90]} → {answers[0].status}")
            if not alike:
                different += 1
                for name, answer, text in zip(("original", "minprom"), answers, outlines):
                    print(f"       {name}: {text[:900]}\n                {answer.text[:300]!r}")

        queries = dashboard_queries()
        strange = 0
        for query in queries:
            body = urllib.parse.urlencode({"query": query, "start": f"{now - 5:.3f}", "end": f"{now:.3f}", "step": "1"})
            statuses = [side.ask("prometheus", "POST", "/api/v1/query_range", body, FORM).outline()[:2] for side in (original, ours)]
            strange += statuses[0] != statuses[1]
            if statuses[0] != statuses[1]:
                print(f"DIFF G-16  {query}: {statuses}")
        rows["G-16"] = [strange == 0]
        for name, side in (("original", original), ("minprom", ours)):
            times = loaded(side, queries, now)
            print(f"     G-17  {name}: {len(times)} panels over 30 connections, median {statistics.median(times):.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms")
        rows["G-17"] = [True]  # a connection that broke, or an answer that never came, would have raised
        for row, alike in rows.items():
            print(f"{'ok  ' if all(alike) else 'DIFF'} {row:5} {sum(alike)} of {len(alike)} alike")
        return 1 if different or strange else 0
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        shutil.rmtree(folder)


def wait(side):
    """until there are alerts at the Alertmanager, so that no answer is empty"""
    for _ in range(600):
        try:
            if "Always" in side.ask("alertmanager", "GET", "/api/v2/alerts/groups").text:
                time.sleep(8)
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit("grafana_calls: a side does not get ready")


if __name__ == "__main__":
    sys.exit(main())
