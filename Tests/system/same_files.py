#!/usr/bin/env python3
"""Two servers that read the same prometheus.yml have the same targets and the same rules.

    Tests/system/same_files.py http://localhost:9090 http://localhost:19090        both profiles up (docs/stack.md)
    ANCHORS=… Tests/system/same_files.py [--test .build/debug/minprom]             starts a Prometheus and a minprom by itself

Asks both /api/v1/targets and /api/v1/rules, and shows every difference but those of time, value and state: labels before and after
relabeling, intervals, URLs, pools, dropped targets; groups, order, queries, durations, labels, annotations. Exit status 0 when alike.
"""
import argparse
import difflib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Of the moment, not of the file.
MOMENT = {"lastScrape", "lastScrapeDuration", "lastError", "health", "globalUrl", "lastEvaluation", "evaluationTime", "alerts", "state", "activeAt", "value"}


def steady(value):
    if isinstance(value, dict):
        # A recording rule without labels: 3.5.3 leaves the field out, 3.14 and minprom give {}.
        return {
            # Folders differ; the file's name does not.
            key: os.path.basename(item) if key == "file" else steady(item)
            for key, item in value.items() if key not in MOMENT and (key, item) != ("labels", {})
        }
    if isinstance(value, list):
        return [steady(item) for item in value]
    return value


def asked(url, path):
    with urllib.request.urlopen(url + path, timeout=10) as answer:
        return json.load(answer)["data"]


def described(url):
    targets, rules = asked(url, "/api/v1/targets"), asked(url, "/api/v1/rules")
    targets["activeTargets"].sort(key=lambda t: (t["scrapePool"], t["scrapeUrl"]))
    return {
        "targets": json.dumps(steady(targets), indent=1, sort_keys=True).splitlines(),
        "rules": json.dumps(steady(rules), indent=1, sort_keys=True).splitlines(),
    }


def compared(original, ours):
    different = 0
    for what in ("targets", "rules"):
        lines = list(difflib.unified_diff(original[what], ours[what], "original", "minprom", lineterm="", n=2))
        print(f"{'DIFF' if lines else 'ok  '} {what}: {len(original[what])} lines")
        print("\n".join(lines))
        different += bool(lines)
    return different


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("urls", nargs="*")
    parser.add_argument("--test", default=os.path.join(ROOT, ".build/debug/minprom"))
    options = parser.parse_args()
    if options.urls:
        return compared(*map(described, options.urls))
    prometheus = os.environ.get("ANCHORS", "/usr/bin") + "/prometheus"
    if not os.path.exists(prometheus):
        print(f"skipped: no {prometheus} (set ANCHORS)")
        return 0
    folder, processes, urls = tempfile.mkdtemp(), [], []
    try:
        for name, command in (("original", [prometheus]), ("minprom", [os.path.abspath(options.test), "serve"])):
            port = free_port()
            urls.append(f"http://127.0.0.1:{port}")
            log = open(f"{folder}/{name}.log", "w")
            processes.append(subprocess.Popen(
                [*command, f"--config.file={ROOT}/prometheus/prometheus.yml", f"--storage.tsdb.path={folder}/{name}", f"--web.listen-address=127.0.0.1:{port}"],
                cwd=folder, stdout=log, stderr=log))
        for url in urls:
            for _ in range(300):
                try:
                    if len(asked(url, "/api/v1/targets")["activeTargets"]) >= 9:
                        break
                except OSError:
                    pass
                time.sleep(0.1)
        return compared(*map(described, urls))
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


sys.exit(main())
