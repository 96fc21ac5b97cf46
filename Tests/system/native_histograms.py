"""Native histograms in minprom and in a real Prometheus: the same answers, and what they cost.

    native_histograms.py --binary .build/release/minprom --prometheus prometheus [--series 2000] [--repeat 5]

Both get the same histograms by remote write: integer and float ones, schemas that change, resets, gauges, custom bounds, stale markers.

1. every query of QUERIES answers the same, as instant and as range query (values 1e-9 apart at most)
2. malformed histograms are refused with 400 and a reason, and the rest of their request is stored
3. CPU time of `histogram_quantile(0.95, sum(rate(h[5m])))` over --series series, one hour at 15 s, as a ratio; and memory

Exit code 1 where 1 or 2 does not hold. Standard library only.
"""

import argparse
import json
import math
import os
import random
import shutil
import struct
import sys
import tempfile
import time

import wire

STEP = 15_000
STALE = struct.unpack("<d", bytes.fromhex("020000000000f07f"))[0]

QUERIES = """
h
h{kind="float"}
rate(h[5m])
increase(h[5m])
irate(h[5m])
delta(g[5m])
idelta(g[5m])
sum(rate(h[5m]))
sum by (job) (rate(h[5m]))
avg(rate(h[5m]))
avg by (kind) (h)
count(h)
histogram_quantile(0.95, sum(rate(h[5m])))
histogram_quantile(0.5, h)
histogram_quantile(0.9, sum by (kind) (rate(h[5m])))
histogram_quantile(0.5, c)
histogram_quantile(0.5, sum(rate(c[5m])))
histogram_fraction(0, 1, rate(h[5m]))
histogram_fraction(0.1, 3, c)
histogram_count(h)
histogram_sum(rate(h[5m]))
histogram_avg(rate(h[5m]))
histogram_stddev(h)
histogram_stdvar(sum(h))
h * 2
h / 4
-h
h + h
h - h
h == h
h != h
h and on (job) c
h or c
h unless on (kind) h{kind="float"}
sum_over_time(h[3m])
avg_over_time(h[3m])
last_over_time(h[3m])
count_over_time(h[3m])
present_over_time(h[3m])
changes(h[10m])
resets(h[10m])
max_over_time(h[3m])
h > 1
abs(h)
sum(h) + sum(c)
topk(2, h)
group(h)
count_values("v", c)
absent(h{job="none"})
timestamp(h)
scalar(h)
label_replace(h, "x", "$1", "job", "(.*)")
h offset 2m
""".strip().splitlines()


def zigzag(n):
    return (n << 1) ^ (n >> 63) if n >= 0 else ((-n) << 1) - 1


def double(number, value):
    return wire.varint(number << 3 | 1) + struct.pack("<d", value)


def integer(number, value):
    return wire.varint(number << 3) + wire.varint(value)


def spans(number, gaps):
    return b"".join(wire.field(number, integer(1, zigzag(offset)) + integer(2, length)) for offset, length in gaps)


def histogram(t, schema, positive, zero=0, sum_=0.0, threshold=0.001, floats=False, hint=0, bounds=(), count=None):
    """A Histogram message; `positive` are spans and absolute counts."""
    gaps, counts = positive
    total = sum(counts) + zero if count is None else count
    out = double(2, total) if floats else integer(1, int(total))
    out += double(3, sum_) + integer(4, zigzag(schema)) + double(5, threshold)
    out += double(7, zero) if floats else integer(6, int(zero))
    out += spans(11, gaps)
    if floats:
        out += wire.field(13, b"".join(struct.pack("<d", c) for c in counts))
    else:
        deltas = [b - a for a, b in zip([0, *counts], counts)]
        out += wire.field(12, b"".join(wire.varint(zigzag(int(d))) for d in deltas))
    out += integer(14, hint) + integer(15, t)
    if bounds:
        out += wire.field(16, b"".join(struct.pack("<d", b) for b in bounds))
    return out


def series(labels, messages):
    body = b"".join(wire.label(k, v) for k, v in sorted(labels.items()))
    return wire.field(1, body + b"".join(wire.field(4, m) for m in messages))


def counter(seed, start, count, kind="int", schema=3, resets=0.004, begin=0):
    """Histograms of a counter that grows, now and then gets a bucket more, and starts again."""
    rng = random.Random(seed)
    first = rng.randrange(-8, 4)
    counts = [begin] * rng.randrange(6, 12)
    zero, total = 0, 0.0
    for index in range(count):
        if rng.random() < resets:
            counts, zero, total = [0] * len(counts), 0, 0.0
        if rng.random() < 0.01 and len(counts) < 20:
            counts.append(0)
        for bucket in range(len(counts)):
            grown = rng.randrange(0, 12 - bucket // 2)
            counts[bucket] += grown
            total += grown * 2.0 ** ((first + bucket) / 2.0**schema)
        zero += rng.randrange(0, 2)
        half = len(counts) // 2
        gaps = [(first, half), (rng.randrange(0, 1), len(counts) - half)]
        yield histogram(start + index * STEP, schema, (gaps, counts), zero, total, floats=kind == "float")


def world(end, count):
    """The series of the first check."""
    start = end - (count - 1) * STEP
    for job in "abc":
        for kind, schema in (("int", 3), ("float", 1)):
            messages = list(counter(f"{job}{kind}", start, count, kind, schema))
            yield series({"__name__": "h", "job": job, "kind": kind}, messages)
    # Half way to a coarser schema, and an end.
    halves = list(counter("x", start, count // 2, schema=4))
    halves += list(counter("x", start + count // 2 * STEP, count // 3, schema=2))
    halves.append(histogram(start + (count // 2 + count // 3) * STEP, 0, ([], []), sum_=STALE, threshold=0.0))
    yield series({"__name__": "h", "job": "x", "kind": "halves"}, halves)
    rng = random.Random(7)
    gauges = [
        histogram(start + i * STEP, 0, ([(0, 4)], [rng.randrange(0, 9) for _ in range(4)]), 1, 3.5, hint=3, floats=True)
        for i in range(count)
    ]
    yield series({"__name__": "g", "job": "a"}, gauges)
    custom, counts = [], [0, 0, 0, 0]
    for i in range(count):
        counts = [c + rng.randrange(0, 5) for c in counts]
        custom.append(histogram(start + i * STEP, -53, ([(0, 4)], counts), 0, sum(counts) * 1.5, 0.0, bounds=(0.1, 1.0, 5.0)))
    yield series({"__name__": "c", "job": "a"}, custom)


MALFORMED = {
    "spans name more buckets than there are": lambda t: histogram(t, 0, ([(0, 5)], [1, 2])),
    "a span of four billion buckets": lambda t: histogram(t, 0, ([(0, 0xFFFFFFFF)], [1])),
    "a negative offset between spans": lambda t: histogram(t, 0, ([(0, 1), (-3, 1)], [1, 1])),
    "a negative count": lambda t: histogram(t, 0, ([(0, 2)], [-4, 1]), floats=True),
    "a count below that of its buckets": lambda t: histogram(t, 0, ([(0, 2)], [4, 1]), count=2),
    "bounds that do not ascend": lambda t: histogram(t, -53, ([(0, 2)], [4, 1]), threshold=0.0, bounds=(2.0, 1.0)),
    "a custom bucket beyond its bounds": lambda t: histogram(t, -53, ([(0, 9)], [1] * 9), threshold=0.0, bounds=(1.0,)),
    "a schema that there is not": lambda t: histogram(t, 99, ([(0, 1)], [1])),
}


def close(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b))
    if isinstance(a, str) and isinstance(b, str) and a != b:
        try:
            x, y = float(a), float(b)
        except ValueError:
            return False
        return (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12)
    return a == b


def ordered(result):
    if isinstance(result, list) and result and isinstance(result[0], dict):
        return sorted(result, key=lambda row: sorted(row["metric"].items()))
    return result


def answer(server, path, **parameters):
    status, body = wire.get(server.base, path, 120, **parameters)
    document = json.loads(body)
    if status != 200:
        return status, None
    return status, ordered(document["data"]["result"])


def cpu(server):
    with open(f"/proc/{server.process.pid}/stat") as stat:
        parts = stat.read().rsplit(") ", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", default=".build/release/minprom")
    arguments.add_argument("--prometheus", default="prometheus")
    arguments.add_argument("--series", type=int, default=2000)
    arguments.add_argument("--repeat", type=int, default=5)
    options = arguments.parse_args()
    prometheus = shutil.which(options.prometheus)
    if not prometheus:
        print(f"skipped: {options.prometheus} is not installed")
        return 0
    root = tempfile.mkdtemp(prefix="minprom-histograms-")
    failures = []

    def check(name, fine, detail=""):
        if not fine:
            failures.append(name)
        if not fine or detail:
            print(f"{'ok  ' if fine else 'FAIL'} {name} {detail}", flush=True)

    def server(binary, name, *flags):
        os.makedirs(f"{root}/{name}")
        config = f"{root}/{name}/prometheus.yml"
        open(config, "w").write("global: {}\n")
        made = wire.Server(binary, f"{root}/{name}/data", *flags, config=config)
        made.start()
        return made

    reference = server(prometheus, "prometheus", "--enable-feature=native-histograms")
    ours = server(options.binary, "minprom")
    try:
        end = int(time.time() * 1000) // STEP * STEP - 4 * STEP
        # The load first, slice by slice: nobody takes what lies an hour behind.
        count = 261
        start = end - (count - 1) * STEP
        # Without resets: near zero 3.14 and minprom extrapolate a rate of histograms no further than to zero, 3.5.3 further.
        templates = [list(counter(f"t{i}", start, count, resets=0, begin=1000)) for i in range(20)]
        for slice_ in range(0, count, 29):
            for first in range(0, options.series, 200):
                body = b"".join(
                    series({"__name__": "load", "instance": f"i{n}", "job": f"j{n % 7}"}, templates[n % 20][slice_ : slice_ + 29])
                    for n in range(first, min(first + 200, options.series)))
                for one in (reference, ours):
                    status, text = wire.write(one.base, body, 120)
                    check("the load is taken", status in (200, 204), "" if status in (200, 204) else f"{status} {text[:200]!r}")

        message = b"".join(world(end, 160))
        for one in (reference, ours):
            status, text = wire.write(one.base, message, 60)
            check(f"{one.binary} takes the histograms", status in (200, 204), f"{status} {text[:200]!r}")
        same = 0
        for query in QUERIES:
            instant = [answer(one, "/api/v1/query", query=query, time=end / 1000) for one in (reference, ours)]
            ranged = [
                answer(one, "/api/v1/query_range", query=query, start=end / 1000 - 1800, end=end / 1000, step=37)
                for one in (reference, ours)
            ]
            for way, (theirs, mine) in (("instant", instant), ("range", ranged)):
                fine = close(theirs[1], mine[1]) and theirs[0] == mine[0]
                same += fine
                check(f"{way} {query}", fine, "" if fine else f"\n     Prometheus {str(theirs)[:600]}\n     minprom    {str(mine)[:600]}")
        print(f"answers: {same} of {2 * len(QUERIES)} alike")

        for name, make in MALFORMED.items():
            body = series({"__name__": "bad", "why": name}, [make(end)]) + series(
                {"__name__": "good", "why": name}, [histogram(end, 0, ([(0, 1)], [1]))])
            status, text = wire.write(ours.base, body)
            stored = wire.query(ours.base, f'good{{why="{name}"}}', time=end / 1000)
            check(f"refused: {name}", status == 400 and text and len(stored) == 1 and ours.alive(), f"{status} {text[:150]!r}")

        query = "histogram_quantile(0.95, sum(rate(load[5m])))"
        spent = {}
        for one in (reference, ours) * options.repeat:
            before, began = cpu(one), time.monotonic()
            got = answer(one, "/api/v1/query_range", query=query, start=end / 1000 - 3600, end=end / 1000, step=15)
            spent.setdefault(one, []).append((cpu(one) - before, time.monotonic() - began, got))
        check("the load answers the same", close(spent[reference][0][2][1], spent[ours][0][2][1]), "")
        median = lambda values: sorted(values)[len(values) // 2]
        theirs, mine = (median([c for c, _, _ in spent[one]]) for one in (reference, ours))
        print(f"{query} over {options.series} series, 1 h at 15 s, median of {options.repeat}, CPU seconds:")
        print(f"  Prometheus {theirs:.3f}   minprom {mine:.3f}   ratio {mine / max(theirs, 1e-9):.3f}")
        print(f"  wall: {median([w for _, w, _ in spent[reference]]):.3f} s   {median([w for _, w, _ in spent[ours]]):.3f} s")
        print(f"  memory: {reference.resident() >> 20} MiB   {ours.resident() >> 20} MiB")
    finally:
        reference.stop()
        ours.stop()
        shutil.rmtree(root, ignore_errors=True)
    print(f"{len(failures)} failed" if failures else "all fine")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
