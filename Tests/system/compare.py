"""`minprom compare` finds nothing where nothing is wrong, and every mistake planted in the engine.

    compare.py --binary .build/release/minprom --prometheus prometheus

1. two real Prometheis with the same data: no difference
2. a real Prometheus and minprom with the same data: no difference
3. minprom with one fault of the engine (--test.engine-fault) at a time: each is found
4. --replay of the recorded pages: no difference, and with a fault one

Between minprom and Prometheus 3.5.3, values may be 1e-12 apart (Go has logarithms and trigonometric functions of its own), texts of
errors and notes may differ, for ours are 3.14's, and so may `histogram_fraction` of buckets (docs/compatibility.md). Between two
Prometheis nothing may differ.

Exit code 1 when one of these does not hold. Standard library only.
"""

import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import wire

STALE = bytes.fromhex("020000000000f07f")  # the stale marker, little endian
ALIKE = ["--tolerance", "1e-12", "--ignore", "error-text,warnings,warning-text,infos,info-text", "--show", "1000"]
# 3.5.3 takes the buckets in the order of their labels, where "+Inf" comes first, and answers NaN; 3.14 sorts them.
OLD = ("histogram_fraction(",)
STEP = 15_000
COUNT = 160


def encode(labels, samples):
    """One TimeSeries message; a value may be eight bytes of its own."""
    body = b"".join(wire.label(k, v) for k, v in sorted(labels.items()))
    for t, v in samples:
        bits = v if isinstance(v, bytes) else struct.pack("<d", v)
        body += wire.field(2, b"\x09" + bits + b"\x10" + wire.varint(t))
    return wire.field(1, body)


def world(end):
    """Series in which every fault of the engine shows, from 40 minutes before `end`."""
    start = end - (COUNT - 1) * STEP

    def series(name, value, shift=0, **labels):
        samples = [(start + i * STEP + shift, value(i)) for i in range(COUNT)]
        return encode({"__name__": name, **labels}, [(t, v) for t, v in samples if v is not None])

    one = {"job": "demo", "instance": "127.0.0.1:9"}
    two = {"job": "demo", "instance": "127.0.0.1:8"}
    yield series("prometheus_build_info", lambda i: 1, version="1.2.3", **one)
    yield series("prometheus_build_info", lambda i: 1, version="1.2.4", **two)
    yield series("up", lambda i: 1, **one)
    yield series("up", lambda i: int(i % 31 != 0), **two)
    for code, pace in (("200", 37), ("404", 3), ("500", 1)):
        yield series("http_requests_total", lambda i: (i * pace * 7) % 1900 + i % 3, code=code, path="/", **one)
        yield series("http_requests_total", lambda i: (i * pace * 5 + 3) % 2100 + 0.25, code=code, path="/a", **two)
    yield series("demo_in_flight", lambda i: 100 - i % 17, zone="a", **one)
    yield series("demo_in_flight", lambda i: None if 40 < i < 70 else 50 + i % 5, zone="b", **two)
    yield series("demo_in_flight", lambda i: STALE if i == 90 else (7.5 if i < 90 else None), zone="c", **two)
    yield series("demo_late", lambda i: i if i < 100 else None, shift=1, **one)
    yield series("demo_late", lambda i: -i / 3, **two)
    for x, value in (("1", 1e16), ("2", 1.0), ("3", -1e16)):
        yield series("demo_big", lambda i: value, x=x, **one)
    for bounds in ("+Inf", 2.0), ("0.1", 0.2), ("1", 1.9), ("0.5", 1.1):
        le, share = bounds
        for name in "http_request_duration_seconds_bucket", "prometheus_http_request_duration_seconds_bucket":
            yield series(name, lambda i: int((i % 67) * 9 * share), le=le, path="/", **one)
            yield series(name, lambda i: int(i * 11 * share), le=le, path="/a", **two)
    yield series("http_request_duration_seconds_count", lambda i: (i % 67) * 18, path="/", **one)
    yield series("http_request_duration_seconds_sum", lambda i: (i % 67) * 7.3, path="/", **one)
    yield series("go_goroutines", lambda i: 30 + (i * i) % 11, **one)
    yield series("prometheus_http_requests_total", lambda i: i * 3, handler="/metrics", code="200", **one)


class Prometheus(wire.Server):
    """A real one: it needs a configuration."""

    def __init__(self, binary, root, name):
        os.makedirs(f"{root}/{name}")
        config = f"{root}/{name}/prometheus.yml"
        open(config, "w").write("global: {}\n")
        super().__init__(binary, f"{root}/{name}/data", config=config)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", default=".build/release/minprom")
    arguments.add_argument("--prometheus", default="prometheus")
    arguments.add_argument("--html", help="keep the report of one fault here")
    options = arguments.parse_args()
    prometheus = shutil.which(options.prometheus)
    if not prometheus:
        print(f"skipped: {options.prometheus} is not installed")
        return 0
    here = os.path.dirname(os.path.abspath(__file__))
    root = tempfile.mkdtemp(prefix="minprom-compare-")
    failures = []

    def check(name, fine, detail=""):
        print(f"{'ok  ' if fine else 'FAIL'} {name} {detail}", flush=True)
        if not fine:
            failures.append(name)

    def compare(*flags):
        result = subprocess.run([options.binary, "compare", *flags], capture_output=True, timeout=600, text=True)
        totals = re.search(r"^all +(\d+) +(\d+) +(\d+)", result.stdout, re.M)
        kinds = re.search(r"^Differences: (.*)", result.stdout, re.M)
        said = f"{totals[3]} of {totals[1]} differ" if totals else result.stderr.strip()[-300:]
        if totals:
            said += f" ({kinds[1]})" if kinds else ""
        return result.returncode, said, result.stdout

    def real(output):
        """Differences that are not 3.5.3's."""
        return [line for line in output.splitlines() if line.startswith("✗ ") and not line[2:].startswith(OLD)]

    def agrees(name, code, said, output):
        fine = code == 0 or (code == 1 and not real(output))
        check(name, fine, said)
        if not fine:
            print(output)

    end = int(time.time() * 1000) // STEP * STEP - 4 * STEP
    message = b"".join(world(end))
    pair = lambda a, b: ["--reference", a.base, "--test", b.base, "--time", str(end / 1000), "--range", "40m:15s"]

    def filled(server):
        server.start()
        status, answer = wire.write(server.base, message)
        assert status in (200, 204), (status, answer)
        return server

    servers = []
    try:
        reference = filled(Prometheus(prometheus, root, "reference"))
        servers.append(reference)
        twin = filled(Prometheus(prometheus, root, "twin"))
        servers.append(twin)
        code, said, output = compare(*pair(reference, twin))
        check("two real Prometheis agree", code == 0, said)
        twin.stop()

        os.makedirs(root + "/ours")
        config = root + "/ours/prometheus.yml"
        open(config, "w").write("global: {}\n")
        ours = filled(wire.Server(options.binary, root + "/ours/data", config=config))
        servers.append(ours)
        code, said, output = compare(*pair(reference, ours), *ALIKE)
        agrees("minprom agrees with Prometheus", code, said, output)
        ours.stop()

        said = subprocess.run(
            [options.binary, "serve", "--test.engine-fault=?"], capture_output=True, text=True, timeout=20
        ).stderr
        faults = re.search(r"one of (.*?), not", said)[1].split(", ")
        check("there are ten faults at least", len(faults) >= 10, str(len(faults)))
        for fault in faults:
            os.makedirs(f"{root}/{fault}")
            server = filled(
                wire.Server(options.binary, f"{root}/{fault}/data", f"--test.engine-fault={fault}", config=config))
            servers.append(server)
            flags = ["--html", options.html] if options.html and fault == "missed-reset" else []
            code, said, output = compare(*pair(reference, server), *ALIKE, *flags)
            check(f"fault {fault} is found", code == 1 and real(output), said)
            server.stop()

        pages = sorted(f"{here}/pages/{name}" for name in os.listdir(here + "/pages"))
        flags = [*ALIKE, "--prometheus", prometheus, "--replay-steps", "12", "--replay", *pages]
        code, said, output = compare(*flags)
        agrees("a replay agrees", code, said, output)
        code, said, output = compare("--test.engine-fault=missed-reset", *flags)
        check("a replay with a fault does not", code == 1 and real(output), said)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(root, ignore_errors=True)
    print(f"{len(failures)} failed" if failures else "all fine")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
