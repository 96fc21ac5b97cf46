"""Native histograms between minprom and a real Prometheus: on the wire and on disk.

    histogram_exchange.py --binary .build/release/minprom --prometheus prometheus [--only read|disk|page]

read   a Prometheus with an empty database reads minprom's by remote read: every query of native_histograms.py must answer as minprom does, and as
       a Prometheus does that was sent the same samples. What went over the wire must have been chunks of all encodings, not samples.
disk   a directory that a Prometheus wrote until it was killed, opened by minprom: the same answers as a Prometheus gives over a copy of it,
       by each compression of the log, with a checkpoint and without.
page   minprom's own metrics by protobuf: a Prometheus stores the same series and values as by text, and native histograms besides.

Exit code 1 where something does not hold. Standard library only.
"""

import argparse
import collections
import http.server
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import urllib.request

import native_histograms as native
import wire

STEP = native.STEP
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

# Beyond those of native_histograms.py: floats, series of both kinds, series with gaps.
QUERIES = native.QUERIES + """
f
rate(f[5m])
sum by (job) (rate(f[5m]))
mixed
last_over_time(mixed[30m])
count_over_time(mixed[30m])
gappy
delta(gappy[10m])
irate(gappy[10m])
histogram_count(gappy)
sum(rate(many[5m]))
histogram_quantile(0.9, sum by (job) (rate(many[5m])))
resets(many[40m])
histogram_sum(many)
count({__name__=~".+"})
count by (__name__) ({__name__=~"h|f|gappy"})
{__name__=~"h|mixed",job!="a"}
""".strip().splitlines()


def series(labels, floats=(), histograms=()):
    """A TimeSeries with samples of both kinds."""
    body = b"".join(wire.label(k, v) for k, v in sorted(labels.items()))
    for t, v in floats:
        body += wire.field(2, native.double(1, v) + native.integer(2, t))
    return wire.field(1, body + b"".join(wire.field(4, m) for m in histograms))


def world(end, count):
    """Slices of requests, old to new: everything of native_histograms.py, and more."""
    start = end - (count - 1) * STEP
    rng = random.Random(11)
    yield b"".join(native.world(end, count))
    total, floats = 0.0, []
    for i in range(count):
        total = 0 if rng.random() < 0.01 else total + rng.choice([0, 1, 2.5, rng.random()])
        floats.append((start + i * STEP, total))
    floats[-20] = (floats[-20][0], native.STALE)
    body = b"".join(series({"__name__": "f", "job": job}, floats) for job in "ab")
    # Scraped with holes, and ended in the middle.
    whole = list(native.counter("gappy", start, count, resets=0.05))
    kept = [m for i, m in enumerate(whole) if rng.random() > 0.3 and not 60 < i < 90]
    body += series({"__name__": "gappy", "job": "a"}, histograms=kept)
    # Many buckets, so that a chunk is full of bytes before it is of samples.
    for job in "abc":
        for n in range(4):
            wide = list(native.counter(f"many{job}{n}", start, count, "float" if n == 3 else "int", schema=5, begin=3))
            body += series({"__name__": "many", "job": job, "n": str(n)}, histograms=wide)
    yield body
    # Floats, then histograms, then floats again, sent as they come to be.
    parts = list(native.counter("mixed", start, count))
    for first, last, is_float in ((0, 50, True), (50, 110, False), (110, count, True)):
        span = range(first, last)
        floats = [(start + i * STEP, float(i)) for i in span] if is_float else ()
        yield series({"__name__": "mixed", "job": "m"}, floats, () if is_float else [parts[i] for i in span])


class Wire(http.server.ThreadingHTTPServer):
    """Stands between a reader and minprom, and notes what the answers were."""

    daemon_threads = True

    def __init__(self, target):
        self.target, self.types, self.encodings = target, collections.Counter(), collections.Counter()
        super().__init__(("127.0.0.1", 0), Relay)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {k: v for k, v in self.headers.items() if k.lower() in ("content-type", "content-encoding")}
        request = urllib.request.Request(self.server.target + self.path, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, kind, encoding, content = answer.status, answer.headers["Content-Type"], answer.headers.get("Content-Encoding"), answer.read()
        except urllib.error.HTTPError as error:
            status, kind, encoding, content = error.code, error.headers["Content-Type"], None, error.read()
        self.server.types[kind] += 1
        if "streamed" in kind:
            self.server.encodings.update(encodings(content))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def take(data, position):
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def fields(data):
    position = 0
    while position < len(data):
        key, position = take(data, position)
        if key & 7 == 2:
            length, position = take(data, position)
            yield key >> 3, data[position : position + length]
            position += length
        else:
            value, position = take(data, position)
            yield key >> 3, value


def encodings(content):
    """The encodings of all chunks of a streamed answer."""
    position = 0
    while position < len(content):
        length, position = take(content, position)
        position += 4
        for number, value in fields(content[position : position + length]):
            if number == 1:
                for part, chunk in fields(value):
                    if part == 2:
                        yield dict(fields(chunk))[3]
        position += length


class Page(http.server.ThreadingHTTPServer):
    """Serves pages that stand still: path → (content type, bytes)."""

    daemon_threads = True

    def __init__(self, pages):
        self.pages = pages
        super().__init__(("127.0.0.1", 0), PageHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class PageHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, body = self.server.pages[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Check:
    def __init__(self, options):
        self.options, self.failures, self.root = options, [], tempfile.mkdtemp(prefix="minprom-exchange-")
        self.servers = []

    def say(self, name, fine, detail=""):
        if not fine:
            self.failures.append(name)
        if not fine or detail:
            print(f"{'ok  ' if fine else 'FAIL'} {name} {detail}", flush=True)

    def server(self, binary, name, *flags, config="global: {}\n", data=None):
        os.makedirs(f"{self.root}/{name}")
        path = f"{self.root}/{name}/prometheus.yml"
        open(path, "w").write(config)
        if binary == self.options.prometheus:
            flags = ("--enable-feature=native-histograms", *flags)
        made = wire.Server(binary, data or f"{self.root}/{name}/data", *flags, config=path)
        self.servers.append(made)
        made.start()
        return made

    def compare(self, title, servers, queries, start, end, step=37):
        """All servers answer as the first one does, as instants at the end and over the range."""
        alike = total = 0
        for query in queries:
            instants = [native.answer(s, "/api/v1/query", query=query, time=end / 1000) for s in servers]
            ranges = [native.answer(s, "/api/v1/query_range", query=query, start=start / 1000, end=end / 1000, step=step) for s in servers]
            for way, answers in (("instant", instants), ("range", ranges)):
                total += 1
                fine = all(a[0] == answers[0][0] and native.close(a[1], answers[0][1]) for a in answers[1:])
                alike += fine
                shown = "" if fine else "".join(f"\n     {s.binary} {str(a)[:500]}" for s, a in zip(servers, answers))
                self.say(f"{title}: {way} {query}", fine, shown)
        print(f"{title}: {alike} of {total} answers alike", flush=True)

    def send(self, server, message):
        status, text = wire.write(server.base, message, 60)
        self.say(f"{server.binary} takes the samples", status in (200, 204), "" if status in (200, 204) else f"{status} {text[:300]!r}")

    # Remote read

    def read(self):
        reference = self.server(self.options.prometheus, "reference")
        ours = self.server(self.options.binary, "ours", config="global: {external_labels: {region: eu}}\n")
        relay = Wire(ours.base)
        reader = self.server(
            self.options.prometheus, "reader", config=f'remote_read: [{{url: "{relay.url}/api/v1/read", read_recent: true}}]\n')
        end = int(time.time() * 1000) // STEP * STEP - 4 * STEP
        for message in world(end, 160):
            for one in (reference, ours):
                self.send(one, message)
        # What the reader gets has the external labels; taken off, all three say the same.
        answer = native.answer
        try:
            native.answer = lambda server, path, **parameters: without(answer(server, path, **parameters), "region" if server is reader else None)
            self.compare("remote read", [reference, reader, ours], QUERIES, end - 39 * 60_000, end)
        finally:
            native.answer = answer
        self.say("external labels are asked for and given", len(wire.query(reader.base, 'h{region="eu"}', time=end / 1000 - 1200)) == 7, "7 series")
        chunks = {k: relay.encodings[k] for k in (1, 2, 3)}
        streamed = ["application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"]
        self.say("all answers were streamed chunks", list(relay.types) == streamed, f"{sum(relay.types.values())} answers")
        self.say("chunks of floats, integer and float histograms", all(chunks.values()) and set(relay.encodings) == {1, 2, 3}, str(chunks))
        for one in (reference, reader, ours):
            one.stop()

    # Its disk

    def disk(self):
        for compression in ("snappy", "none", "zstd"):
            named = compression != "none"
            flag = f"--storage.tsdb.wal-compression-type={compression}" if named else "--no-storage.tsdb.wal-compression"
            writer = self.server(self.options.prometheus, f"writer-{compression}", flag)
            end = int(time.time() * 1000) // STEP * STEP - 4 * STEP
            for message in world(end, 160):
                self.send(writer, message)
            writer.kill()
            if compression == "zstd":
                self.refused("disk, zstd", writer.directory)
            else:
                self.reopen(f"disk, {compression}", writer.directory, end - 39 * 60_000, end, QUERIES)
        self.checkpoint()

    def copy(self, title, directory, name):
        made = f"{self.root}/{title.replace(', ', '-')}-{name}"
        shutil.copytree(directory, made, ignore=shutil.ignore_patterns("lock"))
        return made

    def refused(self, title, directory):
        try:
            self.server(self.options.binary, title.replace(", ", "-"), data=self.copy(title, directory, "mine")).stop()
            refused = False
        except RuntimeError:
            refused = "zstd" in open(f"{self.root}/server.log", errors="replace").read()
        self.say(f"{title}: refused, with what to do", refused, "as docs/format/wal.md says")

    def reopen(self, title, directory, start, end, queries):
        label = title.replace(", ", "-")
        theirs = self.server(self.options.prometheus, label + "-t", data=self.copy(title, directory, "theirs"))
        mine = self.server(self.options.binary, label + "-m", data=self.copy(title, directory, "mine"))
        self.compare(title, [theirs, mine], queries, start, end)
        # What minprom has made of it survives in its own form.
        mine.kill()
        mine.start()
        self.compare(title + ", opened again", [theirs, mine], queries[::5], start, end)
        theirs.stop()
        mine.stop()

    def checkpoint(self):
        """Blocks of twenty minutes, so that the head is cut and the log gets a checkpoint within minutes."""
        flags = ("--storage.tsdb.min-block-duration=20m", "--storage.tsdb.max-block-duration=20m", "--storage.tsdb.wal-compression-type=snappy")
        writer = self.server(self.options.prometheus, "writer-checkpoint", *flags)
        end = int(time.time() * 1000) // STEP * STEP - 4 * STEP
        count = 400
        start = end - (count - 1) * STEP
        # Where the head begins is the clock's choice, and right behind a reset 3.5.3 extrapolates rates otherwise: only `gappy` has resets.
        parts = {
            (job, kind): list(native.counter(f"{job}{kind}", start, count, kind, 3, resets=0, begin=1000))
            for job in "abcd" for kind in ("int", "float")}
        gappy = list(native.counter("gappy", start, count, resets=0.05))
        custom = [
            native.histogram(start + i * STEP, -53, ([(0, 4)], [i, 2 * i, i // 2, 1]), 0, i * 1.5, 0.0, bounds=(0.1, 1.0, 5.0)) for i in range(count)]
        floats = [(start + i * STEP, i * 0.25) for i in range(count)]

        def feed(first, last):
            body = b"".join(
                series({"__name__": "h", "job": job, "kind": kind}, histograms=messages[first:last]) for (job, kind), messages in parts.items())
            body += series({"__name__": "c", "job": "a"}, histograms=custom[first:last]) + series({"__name__": "f", "job": "a"}, floats[first:last])
            body += series({"__name__": "gappy", "job": "a"}, histograms=[m for i, m in enumerate(gappy[first:last]) if i % 7 > 1])
            self.send(writer, body)

        # Every start begins a segment, and of few segments no checkpoint is made.
        for first in range(0, 360, 40):
            feed(first, first + 40)
            writer.kill()
            writer.start()
        began = time.monotonic()
        made = []
        while not made and time.monotonic() - began < 200:
            time.sleep(1)
            made = [name for name in os.listdir(writer.directory + "/wal") if name.startswith("checkpoint.") and not name.endswith(".tmp")]
        self.say("Prometheus made a checkpoint", bool(made), f"{made} after {time.monotonic() - began:.0f} s")
        feed(360, count)
        page = wire.get(writer.base, "/metrics")[1].decode()
        oldest = next(float(line.split()[1]) for line in page.splitlines() if line.startswith("prometheus_tsdb_head_min_time_seconds "))
        writer.kill()
        # What is older stands in blocks, which minprom does not read.
        begin = int(oldest * 1000)
        self.say("the head spans some minutes", end - begin > 15 * 60_000, f"{(end - begin) / 60_000:.0f} min")
        absent = ("many", "mixed", "[40m]", "[30m]", "offset", "(g[")
        queries = [q for q in QUERIES if not any(word in q for word in absent)]
        self.reopen("disk, checkpoint", writer.directory, begin + 10 * 60_000, end, queries)

    # Our page

    def page(self):
        ours = self.server(
            self.options.binary, "page-ours",
            config="global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
            "  - {job_name: own, scheme: internal, scrape_native_histograms: true, static_configs: [{targets: [self]}]}\n")
        for _ in range(20):
            wire.query(ours.base, "up")
            wire.get(ours.base, "/api/v1/labels")

        def fetch(accept):
            request = urllib.request.Request(ours.base + "/metrics", headers={"Accept": accept})
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.headers["Content-Type"], answer.read()

        before, protobuf, after = fetch("text/plain"), fetch(PROTOBUF), fetch("text/plain")
        types = protobuf[0].startswith("application/vnd.google.protobuf") and before[0].startswith("text/plain")
        self.say("the content types", types, f"{len(before[1])} bytes of text, {len(protobuf[1])} of protobuf")
        pages = Page({"/before": before, "/protobuf": protobuf, "/after": after})
        target = f"127.0.0.1:{pages.server_port}"
        job = "{{job_name: {0}, metrics_path: /{0}, honor_labels: true, {1}static_configs: [{{targets: ['{2}']}}]}}"
        jobs = [job.format(name, more, target) for name, more in (
            ("before", ""), ("protobuf", "scrape_protocols: [PrometheusProto], always_scrape_classic_histograms: true, "), ("after", ""))]
        live = f"{{job_name: live, static_configs: [{{targets: ['127.0.0.1:{ours.port}']}}]}}"
        config = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs: [" + ", ".join([*jobs, live]) + "]\n"
        scraper = self.server(self.options.prometheus, "page-scraper", config=config)
        # Targets are found some seconds after the start.
        began = time.monotonic()
        while time.monotonic() - began < 60 and len(wire.query(scraper.base, "count_over_time(up[1m]) >= 3")) < 4:
            time.sleep(0.5)

        def stored(name):
            rows = wire.query(scraper.base, f'{{job="{name}",__name__!~"scrape_.*|up"}}')
            found = {}
            for row in rows:
                labels = tuple(sorted((k, v) for k, v in row["metric"].items() if k != "job"))
                found[labels, "histogram" in row] = row.get("value", row.get("histogram"))[1]
            return found

        first, middle, last = stored("before"), stored("protobuf"), stored("after")
        natives = {k: v for k, v in middle.items() if k[1]}
        plain = {k: v for k, v in middle.items() if not k[1]}
        missing = [k for k in first if k not in plain] + [k for k in plain if k not in last]
        self.say("the same series by protobuf as by text", not missing and len(plain) > 100, f"{len(plain)} series {missing[:5]}")

        def between(key):
            low, value, high = (float(x) for x in (first.get(key, 0), plain[key], last[key]))
            return low == value or value == high or min(low, high) <= value <= max(low, high) or value != value and low != low

        wrong = [k for k in plain if k in last and not between(k)]
        equal = sum(first.get(k) == v for k, v in plain.items())
        self.say("the same values", not wrong, f"{equal} equal, the others moved meanwhile {wrong[:5]}")
        names = {dict(k[0])["__name__"] for k in natives}
        self.say("native histograms", names == {"prometheus_http_request_duration_seconds"}, f"{len(natives)} series of {sorted(names)}")
        counts = {k[0]: v for k, v in plain.items() if dict(k[0])["__name__"] == "prometheus_http_request_duration_seconds_count"}
        for key, value in natives.items():
            labels = dict(key[0])
            labels["__name__"] += "_count"
            self.say(f"count of {labels.get('handler')}", counts.get(tuple(sorted(labels.items()))) == value["count"])
            self.say(f"buckets of {labels.get('handler')}", sum(float(b[3]) for b in value["buckets"]) == float(value["count"]))
        targets = json.loads(wire.get(scraper.base, "/api/v1/targets")[1])["data"]["activeTargets"]
        down = [(t["scrapePool"], t["lastError"]) for t in targets if t["health"] != "up"]
        self.say("all targets are up", len(targets) == 4 and not down, str(down or ""))
        seen = wire.query(scraper.base, 'histogram_count(prometheus_http_request_duration_seconds{job="live",handler="/metrics"})')
        self.say("a live scrape brings native histograms", len(seen) == 1 and float(seen[0]["value"][1]) >= 3, str(seen and seen[0]["value"][1]))
        seen = wire.query(ours.base, 'histogram_count(prometheus_http_request_duration_seconds{job="own",handler="/metrics"})')
        self.say("so does minprom's scrape of itself", len(seen) == 1 and float(seen[0]["value"][1]) >= 3, str(seen and seen[0]["value"][1]))

        def told(name):
            rows = json.loads(wire.get(scraper.base, "/api/v1/targets/metadata", match_target=f'{{job="{name}"}}')[1])["data"]
            return {row["metric"]: (row["type"], row["help"]) for row in rows}

        text, messages = told("before"), told("protobuf")
        different = [(name, text.get(name), messages[name]) for name in messages if messages[name] != text.get(name)]
        self.say("types and help alike", messages and not different, f"{len(messages)} families {different[:3] or ''}")
        scraper.stop()
        ours.stop()


def without(answered, name):
    """The answer without the label `name` in its series."""
    status, rows = answered
    if name and isinstance(rows, list):
        for row in rows:
            if isinstance(row, dict):
                row["metric"].pop(name, None)
        rows = native.ordered(rows)
    return status, rows


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", default=".build/release/minprom")
    arguments.add_argument("--prometheus", default="prometheus")
    arguments.add_argument("--only", choices=["read", "disk", "page"])
    options = arguments.parse_args()
    options.prometheus = shutil.which(options.prometheus)
    if not options.prometheus:
        print("skipped: prometheus is not installed")
        return 0
    check = Check(options)
    try:
        for name in ("page", "read", "disk"):
            if options.only in (None, name):
                getattr(check, name)()
    finally:
        for server in check.servers:
            if server.process and server.alive():
                server.process.kill()
        shutil.rmtree(check.root, ignore_errors=True)
    print(f"{len(check.failures)} failed" if check.failures else "all fine")
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
