"""The alert rules that people run, in a real Prometheus and in minprom: labels and annotations come out the same.

    rule_corpus.py --prometheus prometheus [--binary .build/release/minprom] [--record] [--port 21400]

Loads Tests/rules/*.yml and, by remote write, the data beside them (*.series: two and a half hours of it, and nine minutes to come) into
a Prometheus and into minprom, waits until each rule has been evaluated, and compares `/api/v1/rules` and `/api/v1/alerts`: groups, rules,
states, and of each alert its labels, annotations, state and value.

Data and rules are such that nothing depends on when rules are evaluated: gauges stand still, counters climb evenly, and values that
carry the noise of a rate are rounded where they are shown. So values may be 1e-9 apart (relatively) and texts not at all.

--record writes what Prometheus made of them to Tests/rules/expected.json, which the tests of rules' templates hold against ours.

Exit code 1 where something differs, or where a rule does not fire. Standard library only.
"""

import argparse
import json
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import wire

STEP = 30_000
BEHIND = 300
AHEAD = 18
RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rules")
EXTERNAL_URL = "http://prometheus.example.com/metrics/"

# Prometheus 3.5.3 words these differently from 3.14, whose texts are ours.
OLD = ()


def families():
    return sorted(name[:-4] for name in os.listdir(RULES) if name.endswith(".yml"))


def read_series(line):
    """`metric{a="b"} 1+2x320` → labels, value(step)."""
    key, notation = line.strip().rsplit(" ", 1)
    name, _, rest = key.partition("{")
    labels = {k: json.loads(f'"{v}"') for k, v in re.findall(r'([a-zA-Z_0-9]+)="((?:[^"\\]|\\.)*)"', rest)}
    if name:
        labels["__name__"] = name
    start, slope, count = re.fullmatch(r"(-?[\d.]+(?:e-?\d+)?)([+-][\d.]+)?x(\d+)", notation).groups()
    if int(count) < BEHIND + AHEAD:
        raise SystemExit(f"too short: {line}")
    # Added up step by step, as the notation of scripts is read.
    values = [float(start)]
    for _ in range(int(count)):
        values.append(values[-1] + float(slope or 0))
    return labels, values


def fill(base, now):
    """Everything up to a time for all series, then the next: a head takes nothing much older than what it has."""
    series = [read_series(line) for name in families() for line in open(f"{RULES}/{name}.series") if line.strip()]
    for begin in range(0, BEHIND + AHEAD, 20):
        message = b""
        for labels, values in series:
            steps = range(begin, min(begin + 20, BEHIND + AHEAD))
            message += wire.series(labels, [(now + (step - BEHIND) * STEP, values[step]) for step in steps])
        status, body = wire.write(base, message, 60)
        if status // 100 != 2:
            raise SystemExit(f"{base}: {status} {body[:300]}")
    return len(series)


class Server:
    def __init__(self, name, command, port, log):
        self.name, self.base = name, f"http://127.0.0.1:{port}/metrics"
        self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def wait(self):
        for _ in range(300):
            try:
                if wire.get(self.base, "/-/ready")[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with {self.process.returncode}")
            time.sleep(0.1)
        raise SystemExit(f"{self.name} is not ready")

    def api(self, path):
        status, body = wire.get(self.base, path, 60)
        if status != 200:
            raise SystemExit(f"{self.name} {path}: {status} {body[:300]}")
        return json.loads(body)["data"]

    def evaluated(self, since):
        """Groups once each rule has been evaluated after `since`."""
        for _ in range(120):
            groups = self.api("/api/v1/rules")["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            if rules and all(rule["lastEvaluation"] > since for rule in rules):
                return groups
            time.sleep(0.5)
        raise SystemExit(f"{self.name}: rules are not evaluated")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def alerts_of(rule):
    """Alerts in an order of their own, without times."""
    kept = [
        {k: alert.get(k) for k in ("labels", "annotations", "state", "value")} for alert in rule.get("alerts") or []
    ]
    return sorted(kept, key=lambda alert: sorted(alert["labels"].items()))


def same_value(a, b):
    a, b = float(a), float(b)
    return a == b or math.isclose(a, b, rel_tol=1e-9) or (math.isnan(a) and math.isnan(b))


def compare(theirs, ours, differ):
    """Both lists of groups, by file and name."""
    by_name = {group["name"]: group for group in ours}
    if set(by_name) != {group["name"] for group in theirs}:
        differ("groups", sorted(group["name"] for group in theirs), sorted(by_name))
    for group in theirs:
        other = by_name.get(group["name"], {"rules": []})
        for key in ("interval", "limit"):
            if group[key] != other.get(key):
                differ(f"{group['name']} {key}", group[key], other.get(key))
        if [r["name"] for r in group["rules"]] != [r["name"] for r in other["rules"]]:
            differ(f"{group['name']} rules", [r["name"] for r in group["rules"]], [r["name"] for r in other["rules"]])
            continue
        for rule, own in zip(group["rules"], other["rules"]):
            place = f"{group['name']}/{rule['name']}"
            for key in ("query", "duration", "keepFiringFor", "labels", "annotations", "health", "type", "state"):
                if rule[key] != own.get(key):
                    differ(f"{place} {key}", rule[key], own.get(key))
            compare_alerts(place, alerts_of(rule), alerts_of(own), differ)


def compare_alerts(place, theirs, ours, differ):
    if [a["labels"] for a in theirs] != [a["labels"] for a in ours]:
        differ(f"{place} labels", [a["labels"] for a in theirs], [a["labels"] for a in ours])
        return
    for a, b in zip(theirs, ours):
        for name in sorted(set(a["annotations"]) | set(b["annotations"])):
            x, y = a["annotations"].get(name), b["annotations"].get(name)
            if x != y:
                differ(f"{place} annotation {name}", x, y)
        if a["state"] != b["state"]:
            differ(f"{place} state", a["state"], b["state"])
        if not same_value(a["value"], b["value"]):
            differ(f"{place} value", a["value"], b["value"])


def record(groups, path):
    expected = [
        {
            "group": group["name"],
            "rules": [{"name": rule["name"], "alerts": alerts_of(rule)} for rule in group["rules"]],
        }
        for group in sorted(groups, key=lambda group: group["name"])
    ]
    for group in expected:
        for rule in group["rules"]:
            for alert in rule["alerts"]:
                del alert["state"]
    with open(path, "w") as file:
        json.dump(expected, file, indent=1, ensure_ascii=False, sort_keys=True)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default="prometheus")
    parser.add_argument("--binary", help="minprom; without it only Prometheus runs")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--port", type=int, default=21400)
    options = parser.parse_args()
    root = tempfile.mkdtemp(prefix="rules-")
    config = f"{root}/prometheus.yml"
    with open(config, "w") as file:
        file.write(
            "global:\n  evaluation_interval: 5s\n  external_labels: {cluster: blue, region: eu-west-1}\n"
            f"rule_files: ['{os.path.abspath(RULES)}/*.yml']\n"
        )
    commands = [
        (
            "prometheus",
            [options.prometheus, f"--config.file={config}", f"--storage.tsdb.path={root}/prometheus",
             f"--web.listen-address=127.0.0.1:{options.port}", f"--web.external-url={EXTERNAL_URL}",
             "--web.route-prefix=/metrics", "--web.enable-remote-write-receiver"],
        )
    ]
    if options.binary:
        commands.append(
            (
                "minprom",
                [options.binary, f"--config.file={config}", f"--storage.tsdb.path={root}/minprom",
                 f"--web.listen-address=127.0.0.1:{options.port + 1}", f"--web.external-url={EXTERNAL_URL}",
                 "--web.route-prefix=/metrics", "--web.enable-remote-write-receiver"],
            )
        )
    differences = []

    def differ(place, theirs, ours):
        differences.append(place)
        print(f"differs: {place}\n  prometheus {theirs}\n  minprom    {ours}")

    servers = []
    try:
        for number, (name, command) in enumerate(commands):
            servers.append(Server(name, command, options.port + number, open(f"{root}/{name}.log", "w")))
        for server in servers:
            server.wait()
        now = int(time.time() * 1000) // STEP * STEP
        for server in servers:
            print(f"{server.name}: {fill(server.base, now)} series")
        since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1))
        found = [server.evaluated(since) for server in servers]
        silent = [rule["name"] for group in found[0] for rule in group["rules"] if not rule["alerts"]]
        count = sum(len(group["rules"]) for group in found[0])
        alerts = sum(len(rule["alerts"]) for group in found[0] for rule in group["rules"])
        print(f"prometheus: {count} rules, {alerts} alerts, silent: {silent or 'none'}")
        if options.record:
            record(found[0], os.path.join(RULES, "expected.json"))
        if options.binary:
            compare(found[0], found[1], differ)
            flat = [server.api("/api/v1/alerts")["alerts"] for server in servers]
            order = [alerts_of({"alerts": alerts}) for alerts in flat]
            compare_alerts("/api/v1/alerts", order[0], order[1], differ)
            print(f"{len(differences)} differences")
    finally:
        for server in servers:
            server.stop()
        if not differences:
            shutil.rmtree(root, ignore_errors=True)
        else:
            print(f"logs in {root}")
    sys.exit(1 if differences or silent else 0)


if __name__ == "__main__":
    main()
