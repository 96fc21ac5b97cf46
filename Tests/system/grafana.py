#!/usr/bin/env python3
"""A strict reader of what Grafana is given, since there is no Grafana to read it here.

    Tests/system/grafana.py --cmd '.build/debug/minprom serve --storage.tsdb.path=:memory: --web.listen-address=127.0.0.1:{port}'
    Tests/system/grafana.py --url http://127.0.0.1:9090         a running server parses the expressions
    Tests/system/grafana.py --url … --live                      and answers them: which panels are empty there
    Tests/system/grafana.py … --self-test                       plants mistakes, one at a time, and wants each of them found
    Tests/system/grafana.py --collect NAME URL                  writes metric-names/NAME.txt from a page of metrics

Looks at: fields and their types, ids and places of panels, data sources, variables, units, legends; and whether each expression parses and
each metric in it is one that the job it names really has, by the lists in metric-names (of the originals' pages, and of ours where we stand in).
Needs PyYAML.
"""
import argparse
import copy
import glob
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NAMES = os.path.join(HERE, "metric-names")

# Lists that must have a metric which is asked of a job: the original's and, where minprom plays the part, its own.
LISTS = {
    "prometheus": ["prometheus", "minprom"], "alertmanager": ["alertmanager", "minprom-alertmanager"], "node": ["node"],
    "postgres": ["postgres"], "blackbox": ["blackbox"], "blackbox_exporter": ["blackbox_exporter"], "api": ["api"], "worker": ["worker"],
    "alert_bot": ["alert_bot"],
}
SYNTHETIC = {"up", "ALERTS", "ALERTS_FOR_STATE", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added"}
BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "15m", "__interval_ms": "15000", "__range_s": "900", "__all": "x"}
UNITS = {"none", "short", "s", "ms", "bytes", "Bps", "percent", "percentunit", "reqps", "ops", "cps", "dateTimeAsIso"}
KINDS = {"timeseries", "stat", "gauge", "table", "row"}
DASHBOARD = {
    "uid": str, "title": str, "description": str, "tags": list, "schemaVersion": int, "version": int, "editable": bool, "graphTooltip": int,
    "refresh": str, "time": dict, "timezone": str, "templating": dict, "annotations": dict, "panels": list, "links": list,
}
PANEL = {"id": int, "type": str, "title": str, "datasource": dict, "targets": list, "gridPos": dict, "fieldConfig": dict, "options": dict}
PANEL_MORE = {"description": str, "transformations": list}
ROW = {"id": int, "type": str, "title": str, "collapsed": bool, "panels": list, "gridPos": dict}
TARGET = {"refId": str, "datasource": dict, "expr": str, "legendFormat": str, "editorMode": str, "instant": bool, "range": bool}
TARGET_MORE = {"format": str}
VARIABLE = {"name": str, "label": str, "type": str, "query": (str, dict), "refresh": int, "multi": bool, "includeAll": bool, "current": dict}
VARIABLE_MORE = {"datasource": dict, "definition": str, "regex": str, "sort": int, "allValue": str}


# --- reading


def metric_names():
    """list → all names that samples have, with those of histograms and summaries written out"""
    result = {}
    for path in glob.glob(os.path.join(NAMES, "*.txt")):
        names = set()
        with open(path) as file:
            for line in file:
                name, kind = line.split()
                names |= {name + s for s in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
                names |= {name + s for s in ("_sum", "_count")} if kind == "summary" else set()
        result[os.path.basename(path)[:-4]] = names
    return result


def recorded_names():
    with open(os.path.join(ROOT, "prometheus/recording.rules.yml")) as file:
        return {rule["record"] for group in yaml.safe_load(file)["groups"] for rule in group["rules"]}


class Server:
    def __init__(self, url):
        self.url = url

    def get(self, path, **parameters):
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)


def walk(tree):
    """all nodes of a parsed expression"""
    if isinstance(tree, dict):
        if "type" in tree:
            yield tree
        for value in tree.values():
            yield from walk(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from walk(value)


# --- looking


class Checker:
    def __init__(self, server):
        self.server, self.names, self.recorded = server, metric_names(), recorded_names()
        self.parsed = {}

    def check(self, dashboards, sources):
        """dashboards by file; sources: uid → type"""
        self.found = []
        uids = {}
        for file, board in dashboards.items():
            self.where = file
            self.shape(board, DASHBOARD, {}, "dashboard")
            uids.setdefault(board.get("uid"), []).append(file)
            self.dashboard(board, sources)
        for uid, files in uids.items():
            self.want(uid and re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid), f"uid {uid!r} is none")
            self.want(len(files) == 1, f"uid {uid} is of {files}")
        return self.found

    def want(self, holds, text):
        if not holds:
            self.found.append(f"{getattr(self, 'where', '')}: {text}")

    def shape(self, thing, needed, allowed, what):
        for name, kind in needed.items():
            self.want(name in thing, f"{what}: {name} is missing")
        for name, value in thing.items():
            kind = needed.get(name) or allowed.get(name)
            self.want(kind is not None, f"{what}: {name} is unknown")
            good = kind is None or isinstance(value, kind) and not (kind is int and isinstance(value, bool))
            self.want(good, f"{what}: {name} is {type(value).__name__}")

    def dashboard(self, board, sources):
        variables = {}
        for variable in board["templating"]["list"]:
            self.shape(variable, VARIABLE, VARIABLE_MORE, f"variable {variable.get('name')}")
            self.want(variable["name"] not in variables, f"variable {variable['name']} is there twice")
            variables[variable["name"]] = variable
        used = set()
        text = json.dumps(board)
        for name in re.findall(r"\$\{(\w+)[^}]*\}|\$(\w+)|\[\[(\w+)\]\]", text):
            name = next(filter(None, name))
            if name not in BUILT_IN:
                used.add(name)
                self.want(name in variables, f"variable {name} is used and not defined")
        for name, variable in variables.items():
            self.want(name in used, f"variable {name} is defined and not used")
            if variable["type"] == "datasource":
                self.want(variable["query"] in sources.values(), f"variable {name}: no data source of type {variable['query']}")
                self.want(variable["current"]["value"] in sources, f"variable {name}: no data source {variable['current']['value']}")
            elif variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
                self.want(asked, f"variable {name}: {variable['query']['query']} is not understood")
                self.want(variable["definition"] == variable["query"]["query"], f"variable {name}: definition and query differ")
                if asked:
                    self.expression(asked[1], f"variable {name}", {})
            else:
                self.want(False, f"variable {name}: type {variable['type']}")
        for annotation in board["annotations"]["list"]:
            self.source(annotation["datasource"], sources, variables, f"annotation {annotation['name']}")
            self.expression(annotation["expr"], f"annotation {annotation['name']}", variables, annotation["titleFormat"] + annotation["textFormat"])

        ids, cells = set(), {}
        for panel in board["panels"]:
            what = f"panel {panel.get('title')!r}"
            self.want(panel.get("type") in KINDS, f"{what}: type {panel.get('type')}")
            self.shape(panel, ROW if panel["type"] == "row" else PANEL, {} if panel["type"] == "row" else PANEL_MORE, what)
            self.want(panel["id"] not in ids and panel["id"] > 0, f"{what}: id {panel['id']} is there twice")
            ids.add(panel["id"])
            place = panel["gridPos"]
            self.shape(place, {"x": int, "y": int, "w": int, "h": int}, {}, f"{what}: gridPos")
            self.want(place["x"] >= 0 and place["w"] > 0 and place["x"] + place["w"] <= 24, f"{what}: beyond the 24 columns")
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.want((x, y) not in cells, f"{what}: lies upon {cells.get((x, y))!r}") if cells.get((x, y)) != panel["title"] else None
                    cells.setdefault((x, y), panel["title"])
            if panel["type"] != "row":
                self.panel(panel, what, sources, variables)

    def panel(self, panel, what, sources, variables):
        self.source(panel["datasource"], sources, variables, what)
        defaults = panel["fieldConfig"]["defaults"]
        self.want(defaults.get("unit") in UNITS, f"{what}: unit {defaults.get('unit')}")
        steps = defaults["thresholds"]["steps"]
        self.want(steps[0]["value"] is None, f"{what}: thresholds do not begin at the bottom")
        values = [step["value"] for step in steps[1:]]
        self.want(values == sorted(values), f"{what}: thresholds are not in order")
        self.want(panel["targets"], f"{what}: no queries")
        references = set()
        for target in panel["targets"]:
            self.shape(target, TARGET, TARGET_MORE, f"{what}: query")
            self.want(target["refId"] not in references, f"{what}: query {target['refId']} is there twice")
            references.add(target["refId"])
            self.source(target["datasource"], sources, variables, what)
            self.want(target["instant"] != target["range"], f"{what}: instant or range?")
            self.want(target["range"] == (panel["type"] == "timeseries"), f"{what}: a {panel['type']} of the wrong kind of query")
            self.expression(target["expr"], what, variables, target["legendFormat"])

    def source(self, source, sources, variables, what):
        uid = source.get("uid", "")
        if uid.startswith("${"):
            variable = variables.get(uid[2:-1])
            self.want(variable and variable["type"] == "datasource" and variable["query"] == source.get("type"), f"{what}: data source {uid}")
        else:
            self.want(sources.get(uid) == source.get("type"), f"{what}: data source {uid}")

    def expression(self, text, what, variables, legend=""):
        query = text
        for name in sorted(BUILT_IN, key=len, reverse=True):
            query = query.replace("$" + name, BUILT_IN[name])
        for name in variables:
            query = re.sub(rf"\$\{{{name}[^}}]*\}}|\${name}\b", ".*", query)
        if query not in self.parsed:
            self.parsed[query] = self.server.get("parse_query", query=query)
        answer = self.parsed[query]
        if answer["status"] != "success":
            self.want(False, f"{what}: {text}: {answer.get('error')}")
            return
        tree = answer["data"]
        for node in walk(tree):
            if node["type"] in ("vectorSelector", "matrixSelector"):
                self.metric(node, f"{what}: {text}")
            if node["type"] == "call" and node["func"]["name"] == "rate" and "$__" not in text:
                self.want(False, f"{what}: {text}: the window of a rate is not $__rate_interval")
        # These choose among series and change none.
        while tree["type"] == "aggregation" and tree["op"] in ("topk", "bottomk", "limitk"):
            tree = tree["expr"]
        if tree["type"] == "aggregation" and not tree.get("without"):
            for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", legend):
                self.want(label in tree["grouping"], f"{what}: legend shows {label}, which {text} does not keep")

    def metric(self, node, where):
        name = node.get("name") or next((m["value"] for m in node["matchers"] if m["name"] == "__name__" and m["type"] == "="), None)
        if name is None or name in SYNTHETIC or name in self.recorded:
            self.want(name, f"{where}: a selector without a name")
            return
        job = next((m["value"] for m in node["matchers"] if m["name"] == "job" and m["type"] == "="), None)
        if job is None:
            self.want(any(name in names for names in self.names.values()), f"{where}: nobody has {name}")
        elif job not in LISTS:
            self.want(False, f"{where}: no job {job}")
        else:
            for source in LISTS[job]:
                self.want(name in self.names[source], f"{where}: {source} has no {name}")


def provisioned(found):
    """data sources by uid, checked on the way"""
    sources = {}
    with open(os.path.join(ROOT, "grafana/provisioning/datasources/stack.yml")) as file:
        document = yaml.safe_load(file)
    with open(os.path.join(ROOT, "docker-compose.yml")) as file:
        compose = yaml.safe_load(file)
    hosts = set(compose["services"]) | {"minprom"}
    if document.get("apiVersion") != 1:
        found.append("data sources: apiVersion")
    if [s.get("isDefault") for s in document["datasources"]].count(True) != 1:
        found.append("data sources: not one default")
    for source in document["datasources"]:
        if source["uid"] in sources:
            found.append(f"data sources: uid {source['uid']} is there twice")
        sources[source["uid"]] = source["type"]
        if source["access"] != "proxy" or urllib.parse.urlparse(source["url"]).hostname not in hosts:
            found.append(f"data source {source['name']}: {source['access']} {source['url']}")
    with open(os.path.join(ROOT, "grafana/provisioning/dashboards/stack.yml")) as file:
        provider = yaml.safe_load(file)["providers"][0]
    mounts = dict(reversed(v.split(":")[:2]) for v in compose["services"]["grafana"]["volumes"])
    if mounts.get(provider["options"]["path"]) != "./grafana/dashboards":
        found.append(f"dashboards: nothing is mounted at {provider['options']['path']}")
    return sources


# --- mistakes, one at a time


def mistakes():
    def panel(change, at=1):
        return lambda boards: change(boards["api"]["panels"][at])

    def board(change, name="api"):
        return lambda boards: change(boards[name])

    yield "an expression that does not parse", panel(lambda p: p["targets"][0].update(expr="sum(rate(up[5m])"))
    yield "a metric that nobody has", panel(lambda p: p["targets"][0].update(expr='flask_http_requests_total{job="api"}'))
    yield "a metric that nobody has, over a range", panel(lambda p: p["targets"][0].update(expr='rate(flask_http_requests_total{job="api"}[$__rate_interval])'))
    yield "a metric of another job", panel(lambda p: p["targets"][0].update(expr='node_load1{job="api"}'))
    yield "a metric that only the original has", panel(lambda p: p["targets"][0].update(expr='go_goroutines{job="prometheus"}'))
    yield "a histogram without its suffix", panel(lambda p: p["targets"][0].update(expr='flask_http_request_duration_seconds{job="api"}'))
    yield "a window of its own", panel(lambda p: p["targets"][0].update(expr='rate(flask_http_request_total{job="api"}[5m])'))
    yield "an id that is there twice", panel(lambda p: p.update(id=3))
    yield "panels upon each other", panel(lambda p: p["gridPos"].update(w=9))
    yield "beyond the columns", panel(lambda p: p["gridPos"].update(x=23))
    yield "an unknown unit", panel(lambda p: p["fieldConfig"]["defaults"].update(unit="parsec"))
    yield "an unknown panel", panel(lambda p: p.update(type="pie"))
    yield "a field of another type", panel(lambda p: p.update(title=7))
    yield "an unknown field", panel(lambda p: p.update(tilte="x"))
    yield "a data source that is not there", panel(lambda p: p.update(datasource={"type": "prometheus", "uid": "elsewhere"}))
    yield "a legend of a label that is gone", panel(lambda p: p["targets"][0].update(expr="sum by (job) (up)", legendFormat="{{instance}}"))
    yield "a variable that is not defined", panel(lambda p: p["targets"][0].update(expr='up{job="$job"}'))
    yield "a variable that is not used", board(lambda b: b["templating"]["list"].append(dict(b["templating"]["list"][0], name="spare")))
    yield "a uid that is there twice", board(lambda b: b.update(uid="minprom-system"))
    yield "thresholds upside down", panel(lambda p: p["fieldConfig"]["defaults"]["thresholds"]["steps"].extend([{"color": "red", "value": 5}, {"color": "red", "value": 3}]))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(command):
    port = free_port()
    process = subprocess.Popen(
        shlex.split(command.format(port=port)), cwd=tempfile.mkdtemp(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(url + "/-/ready", timeout=1)
            return process, url
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit(f"grafana.py: {command} does not get ready")


def collect(name, url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        lines = sorted({" ".join(line.split()[2:4]) for line in answer.read().decode().splitlines() if line.startswith("# TYPE ")})
    with open(os.path.join(NAMES, name + ".txt"), "w") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{name}: {len(lines)} metrics")


def live(server, dashboards):
    """Which panels are empty on a running server."""
    full = empty = 0
    for file, board in dashboards.items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                query = target["expr"]
                for name, value in BUILT_IN.items():
                    query = re.sub(rf"\${name}\b", value, query)
                query = re.sub(r"\$(instance|datname)\b", ".*", query)
                answer = server.get("query", query=query)
                if answer["status"] == "success" and answer["data"]["result"]:
                    full += 1
                else:
                    empty += 1
                    print(f"empty  {file}: {panel['title']}: {query} {answer.get('error', '')}")
    print(f"{full} queries have an answer, {empty} have none")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url")
    parser.add_argument("--cmd", default=os.path.join(ROOT, ".build/debug/minprom") + " serve --storage.tsdb.path=:memory: --web.listen-address=127.0.0.1:{port}")
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--collect", nargs=2)
    options = parser.parse_args()
    if options.collect:
        return collect(*options.collect)
    dashboards = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "grafana/dashboards/*.json"))):
        with open(path) as file:
            dashboards[os.path.basename(path)[:-5]] = json.load(file)
    process, url = (None, options.url) if options.url else started(options.cmd)
    try:
        checker, found = Checker(Server(url)), []
        sources = provisioned(found)
        found += checker.check(dashboards, sources)
        if options.self_test:
            missed = 0
            for name, plant in mistakes():
                planted = copy.deepcopy(dashboards)
                plant(planted)
                try:
                    new = set(checker.check(planted, sources)) - set(found)
                except Exception as error:  # a mistake may be too much to go on: it is found all the same
                    new = set(checker.found) - set(found) or {f"{type(error).__name__}: {error}"}
                print(f"{'found ' if new else 'MISSED'} {name}: {'; '.join(sorted(new))[:200]}")
                missed += not new
            return missed
        if options.live:
            live(Server(url), dashboards)
        for text in found:
            print(text)
        panels = sum(len(b["panels"]) for b in dashboards.values())
        print(f"{len(dashboards)} dashboards, {panels} panels, {len(checker.parsed)} expressions: {len(found)} findings")
        return bool(found)
    finally:
        if process:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
