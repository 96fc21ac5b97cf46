#!/usr/bin/env python3
"""Queries of death: each gets an answer in time, the process stays small, and light queries and writes go on beside them.

    Tests/system/deaths.py [--binary .build/release/minprom] [--kinds] [--attack] [--only SUBSTRING]
    Tests/system/deaths.py --binary /usr/bin/prometheus                      the same against Prometheus

5,000 series × 240 samples; 10 s per query, 5 M samples, 8 queries at once. Two parts:

    kinds    every query alone: JSON, 2xx/4xx/503, within 11 s; resident memory never above 1 GiB
    attack   six attackers for 25 s beside light queries and writes: light p99 ≤ 250 ms and none failed, write p99 ≤ 1 s,
             and 12 s later no more than 1.3 times the memory of before
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import wire

TIMEOUT = 10
STEP = 14  # seconds between samples; 240 of them are less than an hour
SAMPLES = 240
CAP = 4 << 30  # bytes at which a process is taken for dead


# MARK: The data


def labels():
    for i in range(3000):
        yield {
            "__name__": "load", "job": "ab"[i % 2], "group": str(i % 10), "instance": f"host-{i % 300}:9100",
            "index": str(i), "path": f"/api/v1/{'x' * (i % 40)}/{i}",
        }
    for i in range(1000):
        yield {"__name__": "requests_total", "job": "ab"[i % 2], "code": str(200 + i % 50), "index": str(i)}
    for host in range(100):
        for bound in ("0.005", "0.01", "0.05", "0.1", "0.5", "1", "2.5", "5", "10", "+Inf"):
            yield {"__name__": "latency_bucket", "instance": f"host-{host}", "le": bound}


def fill(base, end):
    """Writes everything, oldest first; `end` is the time of the last sample in seconds."""
    chance = random.Random(5)
    message = b""
    count = 0
    for number, one in enumerate(labels()):
        value = 0.0
        samples = []
        for step in range(SAMPLES):
            value = value + chance.random() * 10 if "_" in one["__name__"] else chance.random() * 1000
            samples.append(((end - (SAMPLES - 1 - step) * STEP) * 1000, value))
        message += wire.series(one, samples)
        count += 1
        if count == 250:
            status, answer = wire.write(base, message, 60)
            if status not in (200, 204):
                raise RuntimeError(f"write: {status} {answer[:200]!r}")
            message, count = b"", 0
    if message:
        wire.write(base, message, 60)


# MARK: The queries


def join_bomb(levels, width=2):
    """Every level makes the label `width` times as long."""
    query = "load"
    for _ in range(levels):
        query = f'label_join({query}, "path", "", ' + ", ".join(['"path"'] * width) + ")"
    return query


def nest(inside, before, behind, times):
    for _ in range(times):
        inside = before + inside + behind
    return inside


def kinds(end):
    """(name, path, query, further parameters). Times are of the last hour."""
    everything = '{__name__=~".+"}'

    def instant(name, query, **more):
        return (name, "/api/v1/query", query, dict({"time": end}, **more))

    def over(name, query, span=3300, step=15, **more):
        return (name, "/api/v1/query_range", query, dict({"start": end - span, "end": end, "step": step}, **more))

    year = 365 * 86400
    yield instant("subquery of a year by milliseconds", "count_over_time(load[1y:1ms])")
    yield instant("the same, bare", "load[1y:1ms]")
    yield instant("bare subquery of the hour by milliseconds", "load[1h:1ms]")
    yield instant("subquery of a constant", "sum_over_time(vector(1)[1y:1ms])")
    yield instant("subquery of the time", "avg_over_time(time()[300y:1s])")
    yield instant("subqueries three deep", "max_over_time(max_over_time(max_over_time(load[1h:1s])[1h:1s])[1h:1s])")
    yield instant("subqueries five deep", nest("load", "max_over_time(", "[1h:1m])", 5))
    yield instant("subqueries fifty deep", nest("load", "max_over_time(", "[1h:1m])", 50))
    yield instant("quantiles over a subquery", "quantile_over_time(0.9, rate(requests_total[5m])[1h:1s])")
    yield over("subquery in a range query", "max_over_time(load[1h:1s])")
    yield over("range function over everything", "quantile_over_time(0.5, load[55m])", step=1)
    yield over("standard deviation of long windows", "stddev_over_time(load[55m])", step=1)
    yield over("smoothing of long windows", "deriv(load[55m])", step=1)
    yield over("predict_linear of long windows", "predict_linear(load[55m], 3600)", step=1)
    yield over("everything by the second", everything, step=1)
    yield over("everything, most steps", everything, span=10_999, step=1)
    yield over("sum of everything, most steps", f"sum({everything})", span=10_999, step=1)
    yield over("sum by index, most steps", "sum by (index) (load)", span=10_999, step=1)
    yield over("too many steps", "load", span=11_001, step=1)
    yield over("steps without end", "load", span=year * 100, step=0.001)
    yield over("a tiny step", "vector(1)", span=3600, step=1e-9)
    yield over("a huge step", "load", span=year * 200, step=year * 1000)
    yield over("negative span", "load", span=-100)
    yield instant("everything", everything)
    yield instant("everything, an hour of it", everything + "[1h]")
    yield instant("a thousand years", everything + "[1000y]")
    yield instant("offset of centuries", "load offset 290y")
    yield instant("negative offset of centuries", "load offset -290y")
    yield instant("at the end of time", "load @ 9e18")
    yield instant("at no number", "load @ NaN")
    yield instant("topk of everything", f"topk(1e9, {everything})")
    yield over("topk of everything over time", "topk(3000, load)", step=1)
    yield over("bottomk by index", "bottomk by (index) (1e6, load)", step=1)
    yield over("quantile over all", "quantile(0.5, load)", step=1)
    yield over("quantile by group", "quantile by (group) (0.99, load)", step=1)
    yield over("count_values", 'count_values("v", load)')
    yield over("count_values by the second", 'count_values("v", load)', step=1)
    yield instant("count_values of a subquery", 'count_values("v", max_over_time(load[1h:15s]))')
    yield over("count_values, nested", 'count_values("w", count_values("v", load) + on () group_left () vector(1))')
    yield instant("cross join", 'load + on () group_left () load')
    yield over("cross join over time", "load * on () group_left () load", step=1)
    yield instant("many to many", "load + on (group) load")
    yield over("join by group", "load * on (group) group_left () sum by (group) (load)", step=1)
    yield over("join with itself", "load / load - load * load + load % load", step=1)
    yield over("or of everything", f"{everything} or {everything} or {everything} or {everything}", step=5)
    yield over("unless of everything", f"{everything} unless load unless on (index) requests_total", step=1)
    yield over("and, wide", nest("load", "", " and load", 100), step=15)
    yield over("or, wide", nest("load", "", " or load", 100), step=15)
    yield over("sum, wide", nest("load", "", " + load", 200), step=15)
    yield instant("group_left that copies a long label", f"load + on (index) group_left (path) {join_bomb(12)}")
    yield instant("label_join, 20 doublings", join_bomb(20))
    yield instant("label_join, 40 doublings", join_bomb(40))
    yield instant("label_join, 5,000 sources", 'label_join(load, "a", "b"' + ', "path"' * 5000 + ")")
    yield instant("label_join, powers of 50", join_bomb(6, 50))
    yield instant("label_replace, powers", nest("load", "label_replace(", ', "path", "$1$1$1$1$1$1$1$1", "path", "(.*)")', 12))
    yield instant("label_replace, a long template", f'label_replace(load, "path", "{"$1" * 20_000}", "path", "(.*)")')
    yield instant("label_replace over a long label", f'label_replace({join_bomb(14)}, "a", "$1", "path", "(.*?)*(x*)*y")')
    yield instant("sort_by_label of long labels", f'sort_by_label({join_bomb(10)}, "path")')
    yield instant("absent of everything", f"absent({everything})")
    yield over("absent_over_time of everything", f"absent_over_time({everything}[1h])", step=1)
    yield over("histogram_quantile", "histogram_quantile(0.9, rate(latency_bucket[30m]))", step=1)
    yield over("histogram of everything", f"histogram_quantile(0.9, {everything})", step=1)
    yield over("rate of everything", f"rate({everything}[1h])", step=1)
    yield instant("pattern: nested stars", 'load{path=~"' + "(v*)*" * 30 + 'w"}')
    yield instant("pattern: repeated repetitions", 'load{path=~"((a{0,100}){0,100}){0,100}"}')
    yield instant("pattern: large repetition", 'load{path=~"(a{1000}){1000}"}')
    yield instant("pattern: dots", 'load{path=~"' + ".*x" * 300 + '"}')
    yield instant("pattern: alternatives", 'load{path=~"' + "|".join(f"/api/v1/x*/{i}.*" for i in range(3000)) + '"}')
    yield instant("pattern: optional letters", 'load{path=~"' + "x?" * 500 + "x" * 500 + '"}')
    yield instant("pattern: Unicode classes", 'load{path=~"' + r"[\\p{L}\\p{N}]*" * 200 + '"}')
    yield instant("patterns, two hundred", "load{" + ",".join(f'path=~".*{i % 10}.*|(a*)*{i}"' for i in range(200)) + "}")
    yield instant("parentheses, 20,000 deep", "(" * 20_000 + "1" + ")" * 20_000)
    yield instant("signs, 60,000 deep", "-" * 60_000 + "1")
    yield instant("functions, 10,000 deep", nest("load", "abs(", ")", 10_000))
    yield instant("functions, 240 deep", nest("load", "abs(", ")", 240))
    yield instant("sums, 240 deep", nest("load", "sum without (none) (", ")", 240))
    yield instant("braces without end", "load" + "{" * 60_000)
    yield instant("5 MB of query", "load" + " + load" * 700_000)
    yield instant("a number of 60,000 digits", "1" * 60_000)
    yield instant("noise", random.Random(2).randbytes(2000).decode("latin-1"))
    yield ("series: everything", "/api/v1/series", None, {"match[]": everything})
    yield ("series: a thousand selectors", "/api/v1/series", None, {"match[]": [everything] * 1000})
    yield ("labels: heavy patterns", "/api/v1/labels", None, {"match[]": ['load{path=~"' + "(v*)*" * 30 + f'w{i}"}}' for i in range(50)]})
    yield ("values: everything, often", "/api/v1/label/path/values", None, {"match[]": [everything] * 1000})


# MARK: Asking


def ask(port, path, query, parameters, patience):
    """(status, bytes of the answer, seconds, whether it is JSON, its first words)"""
    form = dict(parameters)
    if query is not None:
        form["query"] = query
    body = urllib.parse.urlencode(form, doseq=True).encode()
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        if path.endswith("/values"):
            connection.request("GET", path + "?" + body.decode())
        else:
            connection.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        first, last, size = b"", b"", 0
        while True:
            piece = response.read(1 << 20)
            if not piece:
                break
            first = first if size > 65536 else first + piece
            last = (last + piece)[-16:]
            size += len(piece)
        took = time.monotonic() - began
        if size <= len(first):
            try:
                said = json.loads(first)
                text, fine = said.get("error", said["status"]), True
            except ValueError:
                text, fine = repr(first[:60]), False
        else:
            # Too long to be read as a tree: its head and its end have to do.
            fine = first.startswith(b'{"status":"success"') and last.rstrip().endswith(b"}")
            text = "success"
        return response.status, size, took, fine, text
    except (OSError, http.client.HTTPException) as error:
        return 0, 0, time.monotonic() - began, False, f"{type(error).__name__}: {error}"
    finally:
        connection.close()


class Watch:
    """The largest resident memory of a process, looked at every 20 ms; ends it at the cap."""

    def __init__(self, server):
        self.server, self.peak, self.stopped = server, 0, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopped:
            try:
                now = self.server.resident()
            except (OSError, AttributeError):
                now = 0
            self.peak = max(self.peak, now)
            if now > CAP:
                self.server.process.send_signal(signal.SIGKILL)
                return
            time.sleep(0.02)

    def stop(self):
        self.stopped = True
        self.thread.join()
        return self.peak


def start(options, root):
    flags = [f"--query.timeout={TIMEOUT}s", "--query.max-samples=5000000", "--query.max-concurrency=8"]
    path = root + "/prometheus.yml"
    with open(path, "w") as file:
        file.write("global:\n  scrape_interval: 15s\n")
    server = wire.Server(options.binary, root + "/data", *flags, config=path)
    server.start()
    fill(server.base, int(time.time()) - 2)
    return server


def part_kinds(options, root, check):
    server = start(options, root)
    end = int(time.time()) - 2
    base = server.resident()
    highest = 0
    rows = []
    for name, path, query, parameters in kinds(end):
        if options.only and options.only not in name:
            continue
        if not server.alive():
            shutil.rmtree(root + "/data", ignore_errors=True)
            server = start(options, root)
        watch = Watch(server)
        status, size, took, is_json, text = ask(server.port, path, query, parameters, TIMEOUT + 10)
        if status == 0:
            time.sleep(0.3)
        peak = watch.stop()
        highest = max(highest, peak)
        allowed = 200 <= status < 300 or 400 <= status < 500 or status == 503
        fine = is_json and allowed and took <= TIMEOUT + 1 and server.alive() and peak <= 1 << 30
        rows.append((name, status, took, size, peak, fine))
        check(
            name, fine,
            f"{status} {took:.2f} s {size >> 10} KiB, peak {peak >> 20} MiB{'' if server.alive() else ', DIED'} {text[:80]!r}")
        if status == 0 and server.alive():
            # It still works on it: the next one is to be alone, too.
            server.kill()
    print(
        f"kinds: {sum(r[5] for r in rows)} of {len(rows)}; longest {max(r[2] for r in rows):.1f} s; memory {base >> 20} MiB before, "
        f"{highest >> 20} MiB at most")
    if server.alive():
        server.stop()


# MARK: Attack

ATTACKERS = [
    ("/api/v1/query", "quantile_over_time(0.9, rate(requests_total[5m])[1h:1s])"),
    ("/api/v1/query_range", "stddev_over_time(load[55m])"),
    ("/api/v1/query_range", '{__name__=~".+"}'),
    ("/api/v1/query_range", "load * on (group) group_left () sum by (group) (load)"),
    ("/api/v1/query", "max_over_time(max_over_time(max_over_time(load[1h:1s])[1h:1s])[1h:1s])"),
    ("/api/v1/query_range", "topk(3000, load)"),
]

LIGHT = [
    'load{index="7"}', "sum(load)", 'rate(requests_total{index="3"}[5m])', "count by (job) (requests_total)", "vector(1)",
    'histogram_quantile(0.9, rate(latency_bucket{instance="host-3"}[5m]))',
]


def attacker(port, number, until, results):
    path, query = ATTACKERS[number]
    end = int(time.time()) - 2
    parameters = {"time": end} if path.endswith("query") else {"start": end - 3300, "end": end, "step": 1}
    count, statuses = 0, {}
    while time.time() < until:
        status, *_ = ask(port, path, query, parameters, 60)
        statuses[status] = statuses.get(status, 0) + 1
        count += 1
        if status == 0:
            time.sleep(0.05)
    results.put(("attacker", number, statuses))


def light(port, number, until, results):
    times, failed = [], []
    turn = 0
    while time.time() < until:
        query = LIGHT[turn % len(LIGHT)]
        turn += 1
        status, _, took, is_json, text = ask(port, "/api/v1/query", query, {"time": int(time.time()) - 2}, 30)
        times.append(took)
        if status != 200 or not is_json:
            failed.append(f"{status} {text}")
        time.sleep(0.05)
    results.put(("light", times, failed))


def writer(base, until, results):
    times, failed = [], []
    turn = 0
    while time.time() < until:
        now = int(time.time() * 1000)
        message = b"".join(
            wire.series({"__name__": "written", "index": str(i)}, [(now, float(turn))]) for i in range(500))
        began = time.monotonic()
        try:
            status, answer = wire.write(base, message, 30)
            if status not in (200, 204):
                failed.append(f"{status} {answer[:100]!r}")
        except OSError as error:
            failed.append(str(error))
        times.append(time.monotonic() - began)
        turn += 1
        time.sleep(0.1)
    results.put(("write", times, failed))


def quantile(times, q):
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * q))] if times else float("nan")


def part_attack(options, root, check):
    server = start(options, root)
    # Once everything that is made on first use.
    for query in LIGHT:
        ask(server.port, "/api/v1/query", query, {"time": int(time.time()) - 2}, 30)
    time.sleep(1)
    base = server.resident()
    watch = Watch(server)
    results = multiprocessing.Queue()
    until = time.time() + 25
    workers = [multiprocessing.Process(target=attacker, args=(server.port, i, until, results)) for i in range(6)]
    workers += [multiprocessing.Process(target=light, args=(server.port, i, until, results)) for i in range(2)]
    workers.append(multiprocessing.Process(target=writer, args=(server.base, until, results)))
    for worker in workers:
        worker.start()
    reports = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    peak = watch.stop()
    lights = [t for r in reports if r[0] == "light" for t in r[1]]
    light_failed = [t for r in reports if r[0] == "light" for t in r[2]]
    writes = [t for r in reports if r[0] == "write" for t in r[1]]
    write_failed = [t for r in reports if r[0] == "write" for t in r[2]]
    for report in sorted(r[1:] for r in reports if r[0] == "attacker"):
        print(f"     attacker {report[0]}: answers by status {report[1]}")
    check(
        "light queries under attack", quantile(lights, 0.99) <= 0.25 and not light_failed,
        f"{len(lights)}, p50 {quantile(lights, 0.5) * 1000:.0f} ms, p99 {quantile(lights, 0.99) * 1000:.0f} ms, "
        f"failed {len(light_failed)} {light_failed[:1]}")
    check(
        "writes under attack", quantile(writes, 0.99) <= 1 and not write_failed,
        f"{len(writes)}, p50 {quantile(writes, 0.5) * 1000:.0f} ms, p99 {quantile(writes, 0.99) * 1000:.0f} ms, "
        f"failed {len(write_failed)} {write_failed[:1]}")
    check("memory under attack", peak <= 1 << 30, f"{base >> 20} MiB before, {peak >> 20} MiB at most")
    time.sleep(12)
    after = server.resident() if server.alive() else 0
    check("memory 12 s later", server.alive() and after <= 1.3 * base, f"{after >> 20} MiB, {after / base:.2f} times")
    check("alive", server.alive())
    server.stop()


# MARK: Bounds of their own


def part_bounds(options, root, check):
    """Length and depth are refused at once; a client that leaves takes its query with it."""
    server = start(options, root)
    end = int(time.time()) - 2
    for name, query in (
        ("65 KiB of query", "load" + " + load" * 9500),
        ("251 deep", nest("load", "abs(", ")", 251)),
    ):
        status, _, took, _, text = min(
            (ask(server.port, "/api/v1/query", query, {"time": end}, 20) for _ in range(5)), key=lambda a: a[2])
        check(f"{name} is refused at once", status == 400 and took <= 0.01, f"{status} {took * 1000:.1f} ms {text[:60]!r}")

    def cpu():
        with open(f"/proc/{server.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    body = urllib.parse.urlencode(
        {"query": "stddev_over_time(load[55m])", "start": end - 3300, "end": end, "step": 1}).encode()
    connections = []
    for _ in range(4):
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/api/v1/query_range", body, {"Content-Type": "application/x-www-form-urlencoded"})
        connections.append(connection)
    time.sleep(1)
    busy = cpu()
    time.sleep(0.5)
    used = cpu() - busy
    for connection in connections:
        connection.close()
    time.sleep(0.1)
    left = cpu()
    time.sleep(1)
    rest = cpu() - left
    check("left queries end", used > 0.2 and rest <= 0.1, f"{used:.2f} s of CPU in 0.5 s before, {rest:.2f} s in 1 s after")
    server.stop()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", default=".build/release/minprom")
    arguments.add_argument("--kinds", action="store_true")
    arguments.add_argument("--attack", action="store_true")
    arguments.add_argument("--bounds", action="store_true")
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    failures = []

    def check(name, fine, detail=""):
        print(f"{'ok  ' if fine else 'FAIL'} {name}: {detail}"[:240], flush=True)
        if not fine:
            failures.append(name)

    every = not (options.kinds or options.attack or options.bounds)
    for wanted, part in (
        (options.kinds or every, part_kinds), (options.bounds or every, part_bounds), (options.attack or every, part_attack),
    ):
        if not wanted:
            continue
        root = tempfile.mkdtemp(prefix="minprom-deaths-")
        try:
            part(options, root, check)
        finally:
            shutil.rmtree(root, ignore_errors=True)
    print(f"{len(failures)} failed: {', '.join(failures)}" if failures else "all fine")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
