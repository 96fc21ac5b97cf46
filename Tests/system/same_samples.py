#!/usr/bin/env python3
"""The stack's queries over the same samples at 1,000 random instants each, on Prometheus and on minprom (M-14, M-15, M-16).

    ANCHORS=… Tests/system/same_samples.py [--test .build/debug/minprom] [--seed 14] [--from http://localhost:9090]

The samples are an api's as we make it up here (counters with resets, gaps, a histogram), or with --from those that a running stack has of
its own. Both servers get them by remote write. A value may differ by 1e-12 of itself; how many are equal to the last digit is told.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import wire

QUERIES = [
    "rate(flask_http_request_total[1m])",
    "histogram_quantile(0.95, sum(rate(flask_http_request_duration_seconds_bucket[5m])) by (le))",
    "histogram_quantile(0.95, sum by (le) (rate(flask_http_request_duration_seconds_bucket[5m])))",
    "rate(flask_http_request_exceptions_total[5m])",
]
BOUNDS = ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "+Inf"]
INTERVAL, SCRAPES = 5_000, 360


def ask(base, query, **parameters):
    with urllib.request.urlopen(f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": query, **parameters}), timeout=30) as answer:
        return json.load(answer)["data"]["result"]


def invented(chance, end):
    """One api's page, scraped half an hour long; it restarts twice and is away now and then."""
    own = {"instance": "api:8000", "job": "api"}
    counts = {"200": 0, "503": 0, "exceptions": 0}
    buckets = [0] * len(BOUNDS)
    result = {}
    for scrape in range(SCRAPES):
        moment = end - (SCRAPES - scrape) * INTERVAL + chance.randrange(-3, 4)
        if scrape in (100, 250):
            counts, buckets = dict.fromkeys(counts, 0), [0] * len(BOUNDS)
        for _ in range(chance.randrange(0, 120)):
            slow = min(chance.expovariate(8 if scrape % 90 < 60 else 0.7), 20)
            counts["200" if chance.random() < 0.95 else "503"] += 1
            counts["exceptions"] += chance.random() < 0.02
            for index, bound in enumerate(BOUNDS):
                buckets[index] += slow <= float(bound.replace("+Inf", "inf"))
        if chance.random() < 0.04:
            continue
        page = [({"__name__": "flask_http_request_total", "method": "GET", "status": status, **own}, counts[status]) for status in ("200", "503")]
        page.append(({"__name__": "flask_http_request_exceptions_total", "method": "GET", "status": "500", **own}, counts["exceptions"]))
        page += [({"__name__": "flask_http_request_duration_seconds_bucket", "le": le, "method": "GET", "path": "/health", "status": "200", **own}, n)
                 for le, n in zip(BOUNDS, buckets)]
        for labels, value in page:
            result.setdefault(json.dumps(labels, sort_keys=True), []).append((moment, float(value)))
    return [(json.loads(labels), samples) for labels, samples in result.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", default=".build/debug/minprom")
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--from", dest="origin")
    options = parser.parse_args()
    original = os.path.join(os.environ.get("ANCHORS", "/usr/bin"), "prometheus")
    if not os.access(original, os.X_OK):
        sys.exit(f"skipped: {original} is not there")
    chance = random.Random(options.seed)
    if options.origin:
        rows = [(row["metric"], [(round(t * 1000), float(v)) for t, v in row["values"]])
                for row in ask(options.origin, '{job="api",__name__=~"flask_http_request.*"}[30m]')]
    else:
        rows = invented(chance, int(time.time()) * 1000)
    message = b"".join(wire.series(labels, samples) for labels, samples in rows)
    moments = [moment for _, samples in rows for moment, _ in samples]
    print(f"{len(rows)} series, {len(moments)} samples, seed {options.seed}")
    folder, processes, bases, failed = tempfile.mkdtemp(prefix="minprom-samples-"), [], [], False
    try:
        open(folder + "/empty.yml", "w", encoding="utf-8").close()
        for name, command in (("original", [original]), ("minprom", [options.test, "serve"])):
            port = wire.free_port()
            bases.append(f"http://127.0.0.1:{port}")
            processes.append(subprocess.Popen(
                command + [f"--config.file={folder}/empty.yml", f"--storage.tsdb.path={folder}/{name}", f"--web.listen-address=127.0.0.1:{port}",
                           "--web.enable-remote-write-receiver"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            for _ in range(200):
                try:
                    if urllib.request.urlopen(bases[-1] + "/-/ready", timeout=1).status == 200:
                        break
                except OSError:
                    time.sleep(0.1)
            status, text = wire.write(bases[-1], message)
            if status not in (200, 204):
                sys.exit(f"{name}: remote write: {status} {text}")
        for query in QUERIES:
            values = exact = differ = 0
            for _ in range(1000):
                moment = f"{chance.uniform(min(moments), max(moments) + 60_000) / 1000:.3f}"
                one, other = ({json.dumps(r["metric"], sort_keys=True): r["value"][1] for r in ask(base, query, time=moment)} for base in bases)
                if one.keys() != other.keys():
                    differ += 1
                    print(f"{query} at {moment}: {sorted(one)} {sorted(other)}")
                    continue
                for key in one:
                    values += 1
                    if one[key] == other[key]:
                        exact += 1
                        continue
                    a, b = float(one[key]), float(other[key])
                    if not abs(a - b) <= 1e-12 * max(abs(a), abs(b)):
                        differ += 1
                        print(f"{query} at {moment}: {key} {one[key]} {other[key]}")
            failed = failed or differ > 0 or values == 0
            print(f"{'ok    ' if not differ and values else 'FAILED'} {query}: {values} values, {exact} equal to the last digit, {differ} differ")
    finally:
        for process in processes:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
