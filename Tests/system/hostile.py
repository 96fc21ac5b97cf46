#!/usr/bin/env python3
"""Hostile input from every side: each gets a clear error, the process lives, other targets and queries go on.

    Tests/system/hostile.py [--binary .build/release/minprom]
"""

import argparse
import gzip
import http.server
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import wire

ZEROS = None


def bomb():
    """200 MB of zeros as gzip: some 200 kB on the wire."""
    global ZEROS
    if ZEROS is None:
        out = io.BytesIO()
        with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as f:
            for _ in range(200):
                f.write(bytes(1 << 20))
        ZEROS = out.getvalue()
    return ZEROS


PAGES = {
    "/healthy": b"# TYPE good counter\ngood_total 1\n",
    "/bare-label": b"{a} 1\n",
    "/empty-braces": b"{}\n",
    "/empty-braces-value": b"{} 1\n",
    "/noise": random.Random(1).randbytes(100_000),
    "/half-line": b'metric{a="b',
    "/no-value": b"metric{} \n",
    "/huge-number": b"metric 1" + b"0" * 100_000 + b"\n",
    "/escapes": b'metric{a="\\x\\y\\"} 1\n',
    "/invalid-utf8": b'metric{a="\xff\xfe"} 1\n',
    "/duplicate-label": b'metric{a="1",a="2"} 1\n',
    "/odd-time": b"metric 1 99999999999999999999999\n",
    "/far-future": b"metric 1 9999999999999\n",
    "/many-labels": b"metric{" + b",".join(b'l%d="x"' % i for i in range(20_000)) + b"} 1\n",
    "/nul": b"metric\x00name 1\n",
}


class Target(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urllib.parse.urlparse(self.path).path
        if path == "/endless":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            try:
                for _ in range(20_000):
                    self.wfile.write(b"a" * 10_000)
            except OSError:
                pass
            self.close_connection = True
            return
        if path == "/hang":
            time.sleep(30)
            self.close_connection = True
            return
        if path == "/redirect-loop":
            self.send_response(302)
            self.send_header("Location", "/redirect-loop")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path == "/bad-http":
            self.wfile.write(b"\x16\x03\x01 not http at all\r\n\r\n")
            self.close_connection = True
            return
        body = bomb() if path == "/gzip-bomb" else PAGES.get(path, b"up 1\n")
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        if path in ("/gzip-bomb", "/gzip-broken"):
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass


class Targets(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def queries():
    deep = 20_000
    yield "nested parentheses", "(" * deep + "1" + ")" * deep
    yield "nested unary", "-" * deep + "1"
    yield "long sum", "+".join(["1"] * deep)
    yield "nested functions", "abs(" * deep + "up" + ")" * deep
    yield "huge subquery", "count_over_time(up[1y:1ms])"
    yield "bare subquery", "up[1y:1ms]"
    yield "nested subqueries", "max_over_time(max_over_time(max_over_time(up[1y:1s])[1y:1s])[1y:1s])"
    yield "huge offset", "up offset 290y"
    yield "at the end of time", "up @ 9e18"
    yield "huge repetition", 'up{job=~"(a{1000}){1000}"}'
    yield "slow regex", 'up{job=~"' + "(v*)*" * 30 + 'w"}'
    yield "half a string", 'up{job="'
    yield "noise", random.Random(2).randbytes(400).decode("latin-1")
    yield "label bomb", "label_join(up, 'a', 'b'" + ", 'c'" * 5000 + ")"
    yield "many digits", "1" * 60_000
    yield "bad bytes", "up{\x00}"


def bodies():
    yield "not snappy", b"this is not snappy"
    yield "declared 4 GB", b"\xff\xff\xff\xff\x0f" + b"x" * 10
    yield "empty", b""
    yield "snappy of noise", wire.snappy(random.Random(3).randbytes(5000))
    yield "wild copy", b"\x64" + b"\xfe\xff\xff" * 10
    yield "label cut", wire.snappy(b"\x0a\x10\x0a\x0e\x0a\xff")
    yield "no labels", wire.snappy(wire.field(1, wire.field(2, b"\x09" + bytes(8) + b"\x10\x01")))
    yield "duplicate labels", wire.snappy(
        wire.field(
            1,
            wire.label("__name__", "x") + wire.label("a", "1") + wire.label("a", "2")
            + wire.field(2, b"\x09" + bytes(8) + b"\x10" + wire.varint(int(time.time() * 1000))),
        )
    )
    yield "varint without end", wire.snappy(b"\x0a" + b"\xff" * 30)


CONFIGS = {
    "typo": ("scrape_configs:\n  - job_name: a\n    scrap_interval: 5s\n", "scrap_interval"),
    "not yaml": ("a: [1, 2\nb: }", ""),
    "wrong type": ("global:\n  scrape_interval: [1]\n", "scrape_interval"),
    "bad duration": ("global:\n  scrape_interval: 5 parsecs\n", "parsecs"),
    "alias bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12)),
        "",
    ),
    "deep": ("a: " + "[" * 5000 + "]" * 5000, ""),
    "bad regex": (
        "scrape_configs:\n  - job_name: a\n    relabel_configs:\n      - source_labels: [x]\n        regex: '('\n",
        "regex",
    ),
    "duplicate job": ("scrape_configs:\n  - job_name: a\n  - job_name: a\n", "a"),
}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", default=".build/release/minprom")
    options = arguments.parse_args()
    root = tempfile.mkdtemp(prefix="minprom-hostile-")
    targets = Targets(("127.0.0.1", 0), Target)
    threading.Thread(target=targets.serve_forever, daemon=True).start()
    port = targets.server_address[1]
    hostile = [p for p in PAGES if p != "/healthy"]
    hostile += ["/endless", "/hang", "/redirect-loop", "/bad-http", "/gzip-bomb", "/gzip-broken"]
    config = "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n"
    for path in ["/healthy"] + hostile:
        config += (
            f"  - job_name: '{path[1:]}'\n    metrics_path: {path}\n    static_configs:\n      - targets: ['127.0.0.1:{port}']\n"
        )
    open(root + "/prometheus.yml", "w").write(config)
    server = wire.Server(options.binary, root + "/data", "--query.timeout=10s", config=root + "/prometheus.yml")
    server.start()
    before = server.resident()
    failures = []

    def check(name, fine, detail=""):
        print(f"{'ok  ' if fine else 'FAIL'} {name} {detail}"[:200])
        if not fine:
            failures.append(name)

    time.sleep(6)
    check("alive with hostile targets", server.alive())
    active = json.loads(wire.get(server.base, "/api/v1/targets")[1])["data"]["activeTargets"]
    for target in active:
        job = target["labels"]["job"]
        if job == "healthy":
            check("healthy target is up", target["health"] == "up")
        elif job in ("odd-time", "far-future", "many-labels", "huge-number"):
            print(f"     {job}: {target['health']} {target['lastError'][:120]}")
        else:
            check(f"target {job}", target["health"] == "down" and target["lastError"], target["lastError"])
    for sample in wire.query(server.base, 'count_over_time(up{job="healthy"}[5s])'):
        check("healthy target scraped each second", float(sample["value"][1]) >= 4, sample["value"][1])
    peak = server.resident()
    check("memory with hostile targets", peak - before < 150 << 20, f"+{(peak - before) >> 20} MiB")

    for name, query in queries():
        began = time.monotonic()
        body = urllib.parse.urlencode({"query": query}).encode()
        status, answer = wire.post(
            server.base + "/api/v1/query", body, {"Content-Type": "application/x-www-form-urlencoded"}, 20
        )
        took = time.monotonic() - began
        try:
            said = json.loads(answer)
            text = said.get("error", said["status"])
        except ValueError:
            text = repr(answer[:80])
        check(
            f"query: {name}",
            server.alive() and status in (200, 400, 413, 422, 503) and took < 11,
            f"{status} {took:.2f} s {text[:90]}",
        )
    for name, body in bodies():
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        status, answer = wire.post(server.base + "/api/v1/write", body, headers)
        expected = (204, 400) if name == "empty" else (400,)
        check(f"write: {name}", server.alive() and status in expected, f"{status} {answer[:80]!r}")
    status, _ = wire.write(server.base, wire.series({"__name__": "after"}, [(int(time.time() * 1000), 1)]))
    check("write still works", status == 204, str(status))
    check("query still works", bool(wire.query(server.base, "after")))
    check("memory at the end", server.resident() - before < 300 << 20, f"+{(server.resident() - before) >> 20} MiB")
    server.stop()

    for name, (text, mention) in CONFIGS.items():
        path = f"{root}/bad.yml"
        open(path, "w").write(text)
        try:
            result = subprocess.run(
                [
                    options.binary, f"--config.file={path}", "--storage.tsdb.path=:memory:",
                    f"--web.listen-address=127.0.0.1:{wire.free_port()}",
                ],
                capture_output=True, timeout=10, text=True,
            )
            said = (result.stderr + result.stdout).strip().split("\n")[-1]
            fine = result.returncode > 0 and mention in said
        except subprocess.TimeoutExpired:
            said, fine = "did not end", False
        check(f"config: {name}", fine, said[-150:])
    shutil.rmtree(root)
    print(f"{len(failures)} failed" if failures else "all fine")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
