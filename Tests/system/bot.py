#!/usr/bin/env python3
"""The alert bot as a process: its door, its memory, its hands. Standard library only.

    Tests/system/bot.py [--binary .build/debug/minprom] [--ports 21100-21199] [--kills 40] [--seed 1]

A small web server stands for the api (`/-/quit`, counted), for Prometheus (`/api/v1/query`) and for Docker's socket.
"""

import argparse
import concurrent.futures
import http.client
import http.server
import json
import os
import random
import shutil
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

TOKEN, ADMIN = "bot-secret", "admin-secret"


class World(http.server.ThreadingHTTPServer):
    """The api and Prometheus. `value` is what every query finds."""

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.lock, self.quits, self.tokens, self.value, self.delay = threading.Lock(), 0, set(), 0.05, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


    def handle_error(self, *_):
        pass  # A bot that was killed does not read its answer.


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b"{}"
        if self.path == "/-/quit":
            with self.server.lock:
                self.server.quits += 1
                self.server.tokens.add(self.headers.get("Authorization"))
            time.sleep(self.server.delay)
        elif self.path == "/api/v1/query":
            vector = [{"metric": {}, "value": [time.time(), str(self.server.value)]}]
            body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": vector}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Bot:
    def __init__(self, options, root, port, policy):
        self.options, self.root, self.port, self.process = options, root, port, None
        self.log = root + "/data/incident_log.jsonl"
        with open(root + "/policy.yml", "w") as file:
            file.write(policy)

    def start(self, *flags):
        environment = dict(os.environ, BOT_TOKEN=TOKEN, ADMIN_TOKEN=ADMIN)
        with open(self.root + "/bot.out", "a") as out:
            self.process = subprocess.Popen(
                [self.options.binary, "bot", "--config.file=" + self.root + "/policy.yml", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--storage.path=" + self.root + "/data", *flags], env=environment, stdout=out, stderr=out)
        end = time.time() + 20
        while time.time() < end:
            try:
                if self.get("/-/ready")[0] == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise SystemExit("the bot does not start: " + open(self.root + "/bot.out").read()[-2000:])

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(20)

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def post(self, body, token=TOKEN):
        headers = {"User-Agent": "minprom", "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        return self.request("POST", "/webhook", body if isinstance(body, bytes) else json.dumps(body).encode(), headers)[0]

    def lines(self):
        with open(self.log, "rb") as file:
            return [json.loads(line) for line in file.read().split(b"\n")[:-1]]

    def verify(self):
        return subprocess.run([self.options.binary, "bot", "verify-log", self.log], capture_output=True, text=True)


def webhook(name, starts="2026-11-29T17:00:00Z", status="firing", count=1, mark="", **labels):
    alerts = [
        {"status": status, "labels": dict(labels, alertname=name), "annotations": {"summary": name}, "startsAt": starts,
         "fingerprint": f"{name}-{mark}{number}"} for number in range(count)]
    return {"version": "4", "groupKey": "{}:{}", "externalURL": "http://minprom:9093", "alerts": alerts}


def wait(claim, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if claim():
            return True
        time.sleep(0.05)
    return False


results = []


def check(claim, holds, shown=""):
    results.append(bool(holds))
    print(f"{'PASS' if holds else 'FAIL'}  {claim}{'  ' + str(shown) if shown != '' else ''}", flush=True)


POLICY = """
max_actions_per_hour: 1000000
sources: [{{name: minimal, user_agent: minprom, prometheus: "http://127.0.0.1:{world}"}}]
targets: {{api: {{url: "http://127.0.0.1:{world}", restart: true}}}}
commands:
  hang: {{argv: [/bin/sh, -c, "sleep 300 & echo $! > {root}/child; sleep 300"]}}
  record: {{argv: [/usr/bin/python3, {root}/record.py, "--service={{labels.service}}"]}}
notifiers: {{pager: {{file: pages.jsonl}}}}
defaults: {{cooldown: 0s, max_actions: 1000000, circuit: 1000000, escalate: [pager]}}
policies:
- name: restart
  match: {{alertname: Slow}}
  steps: [{{restart: api}}]
  verify: {{query: p95, condition: "< 0.2", delay: 1s, every: 1s, within: 10s}}
- {{name: quick, match: {{alertname: Quick}}, steps: [{{restart: api}}], escalate_after: 0s}}
- {{name: hang, match: {{alertname: Hang}}, steps: [{{run: hang, timeout: 500ms}}]}}
- {{name: record, match: {{alertname: Record}}, steps: [{{run: record}}]}}
- {{name: ask, match: {{alertname: Ask}}, mode: approval, steps: [{{restart: api}}]}}
"""


def door(bot, world):
    body = webhook("Slow")
    check("no token: 401; a wrong one: 401; GET: 405",
          [bot.post(body, None), bot.post(body, "x"), bot.post(body, TOKEN + "x"), bot.get("/webhook")[0]] == [401, 401, 401, 405])
    check("what is no webhook: 400", [bot.post(text) for text in (b"", b"[null]", b"{}", b'{"alerts":[null]}')] == [400] * 4)
    large = b'{"version":"4","alerts":[' + b" " * (1 << 20)
    check("a body over 1 MiB: 413", bot.post(large) == 413)
    check("nothing of this did anything", world.quits == 0)
    times = []
    for number in range(20):
        start = time.time()
        bot.post(webhook("Nothing", starts=str(number)))
        times.append(time.time() - start)
    check("a webhook is answered at once", sorted(times)[10] < 0.2, f"median {sorted(times)[10] * 1000:.0f} ms")


def heals(bot, world):
    before = len(bot.lines())
    check("an incident heals", bot.post(webhook("Slow", starts="heals")) == 200
          and wait(lambda: any(line["event"] == "verified" for line in bot.lines()[before:])))
    bot.post(webhook("Slow", starts="heals", status="resolved"))
    wait(lambda: any(line["event"] == "resolved" for line in bot.lines()[before:]))
    events = [line["event"] for line in bot.lines()[before:] if line.get("alert") == "Slow"]
    check("its lines", events == ["received", "decision", "intent", "action", "verified", "resolved"], events)
    check("the admin token went with it", world.tokens == {"Bearer " + ADMIN})


def duplicates(bot, world):
    before = world.quits
    body = webhook("Slow", starts="duplicates")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: bot.post(body), range(1000)))
    wait(lambda: bot.get("/metrics")[1].count("bot_incident_log_lines") and not os.listdir(bot.root + "/data/queue"), 60)
    time.sleep(1)
    check("1,000 same webhooks at once: one action", world.quits - before == 1, f"{statuses.count(200)} taken, {statuses.count(503)} put off")
    start, lines = time.time(), len(bot.lines())
    bot.post(webhook("Nothing", starts="many", count=1000))
    done = wait(lambda: sum(line["event"] == "received" for line in bot.lines()[lines:]) == 1000, 60)
    check("1,000 alerts in one webhook are all heard", done, f"{time.time() - start:.1f} s")


def hands(bot, world):
    bot.post(webhook("Hang"))
    slow = []

    def look():
        start = time.time()
        bot.get("/api/incidents")
        slow.append(time.time() - start)
        return any(line.get("action") == "run" and line["event"] == "action" for line in bot.lines())

    check("a program that hangs is killed at its timeout, twice tried again, then people are told",
          wait(look) and wait(lambda: any(line["event"] == "escalated" and line["alert"] == "Hang" for line in bot.lines()), 30))
    results_of = [line["result"] for line in bot.lines() if line["event"] == "action" and line["alert"] == "Hang"]
    child = int(open(bot.root + "/child").read())
    state = open(f"/proc/{child}/stat").read().split()[2] if os.path.exists(f"/proc/{child}") else "gone"
    check("and so is what it had started", results_of == ["timeout"] * 3 and state in ("gone", "Z"), f"{results_of} child {state}")
    check("nobody waits for it", max(slow) < 1, f"slowest page {max(slow) * 1000:.0f} ms")

    canary, record = bot.root + "/canary", bot.root + "/argv"
    with open(bot.root + "/record.py", "w") as file:
        file.write(f"import json,sys\nopen({record!r},'a').write(json.dumps(sys.argv[1:])+chr(10))\n")
    pieces = [f"$(touch {canary})", f"`touch {canary}`", f"; touch {canary}", f"\ntouch {canary}", "--flag", "../../x", "a\u0000b", "\u202eapi", "a b", "-"]
    values = [a + b for a in pieces for b in ["", "api", *pieces]][:119] + ["x" * 100_000]
    for number, value in enumerate(values):
        bot.post(webhook("Record", starts=f"h{number}", service=value))
    bot.post(webhook("Record", starts="good", service="api-1"))
    wait(lambda: os.path.exists(record) and open(record).read().endswith("\n"))
    wait(lambda: not os.listdir(bot.root + "/data/queue"), 60)
    recorded = [json.loads(line) for line in open(record)] if os.path.exists(record) else []
    check(f"{len(values)} hostile label values: no canary, no word changed",
          not os.path.exists(canary) and recorded == [["--service=api-1"]], recorded)


def approvals(bot, world):
    before = world.quits
    bot.post(webhook("Ask"))
    pages = bot.root + "/data/pages.jsonl"
    wait(lambda: os.path.exists(pages) and '"approval"' in open(pages).read())
    notice = next(json.loads(line) for line in open(pages) if '"approval"' in line)
    link = "/" + notice["link"].split("/", 3)[3]
    path, signature = link.split("?sig=")
    forged = path + "?sig=" + signature[::-1] + "&verdict=approve"
    check("a link's GET decides nothing", bot.get(link)[0] == 200 and world.quits == before)
    check("forged: 403; unsigned: 403; another's: 404",
          [bot.request("POST", forged)[0], bot.request("POST", path + "?verdict=approve")[0], bot.request("POST", "/approve/00-0?sig=x&verdict=approve")[0]] == [403, 403, 404])
    check("the page gives links to the token only", "/approve/" not in bot.get("/api/incidents")[1]
          and "/approve/" in bot.request("GET", "/api/incidents", headers={"Authorization": "Bearer " + TOKEN})[1])
    bot.kill()
    bot.start()
    check("after kill -9 the link works, once", bot.request("POST", link + "&verdict=approve")[0] == 200
          and wait(lambda: world.quits == before + 1) and bot.request("POST", link + "&verdict=approve")[0] == 410)
    time.sleep(0.5)
    check("and was one action", world.quits == before + 1)


def kills(bot, world, options, chance):
    """A new incident each round, killed at a random moment around its action."""
    before, unknown, worst = world.quits, 0, 0.0
    posted = []
    for number in range(options.kills):
        name = f"k{number}"
        bot.post(webhook("Quick", starts=name, mark=name))
        posted.append(name)
        world.delay = chance.choice([0, 0.05])
        time.sleep(chance.uniform(0, 0.08))
        bot.kill()
        start = time.time()
        bot.start()
        worst = max(worst, time.time() - start)
        bot.post(webhook("Quick", starts=name, mark=name))
    wait(lambda: not os.listdir(bot.root + "/data/queue"), 30)

    def of(event):
        return {line["incident_id"] for line in bot.lines() if line["event"] == event and line["alert"] == "Quick"}

    wait(lambda: len(of("received")) == options.kills and of("action") >= of("received"), 30)
    time.sleep(1)
    lines = bot.lines()
    ids = {line["incident_id"]: line["key"]["starts_at"] for line in lines if line["event"] == "received" and line["key"]["starts_at"] in posted}
    intents = [line["incident_id"] for line in lines if line["event"] == "intent" and line["incident_id"] in ids]
    unknown = sum(line.get("result") == "unknown" for line in lines if line["event"] == "action" and line["incident_id"] in ids)
    check(f"{options.kills} × kill -9: every incident heard, one intent each",
          len(ids) == options.kills and sorted(intents) == sorted(ids), f"{len(ids)} incidents, {len(intents)} intents")
    done = world.quits - before
    check("every action done at most once, the rest unknown", options.kills - unknown <= done <= options.kills, f"{done} done, {unknown} unknown")
    verdict = bot.verify()
    check("the chain holds", verdict.returncode == 0, verdict.stdout.strip()[-120:])
    print(f"      ready again after {worst:.2f} s at worst")


def edited(bot):
    data = bytearray(open(bot.log, "rb").read())
    copy = bot.root + "/edited.jsonl"
    line = 17
    at = sum(len(part) + 1 for part in bytes(data).split(b"\n")[:line - 1]) + 30
    data[at] ^= 1
    open(copy, "wb").write(data)
    answer = subprocess.run([bot.options.binary, "bot", "verify-log", copy], capture_output=True, text=True)
    check("one edited byte is found, at its line", answer.returncode == 1 and "line 17:" in answer.stderr, answer.stderr.strip()[-90:])


def docker(options, root, port, chance):
    """A unix socket in place of Docker's, and the filter before it."""
    path, seen = root + "/docker.sock", []

    class Docker(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    class DockerHandler(http.server.BaseHTTPRequestHandler):
        def address_string(self):
            return "docker"

        def log_message(self, *_):
            pass

        def answer(self):
            seen.append((self.command, self.path))
            body = b'{"Config":{"Env":["PASSWORD=x"]},"State":{"Status":"running","Running":true}}' if self.command == "GET" else b""
            self.send_response(200 if body else 204)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

    server = Docker(path, DockerHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    out = open(root + "/proxy.out", "w")
    proxy = subprocess.Popen(
        [options.binary, "bot", "docker-proxy", "--allow=flask_api,worker", "--docker.socket=" + path,
         f"--web.listen-address=127.0.0.1:{port}", "--audit.log=" + root + "/audit.jsonl"], stdout=out, stderr=out)
    connection = None

    def ask(method, target, body=None):
        nonlocal connection
        for _ in range(100):
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.putrequest(method, target, skip_host=False)
                if body:
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                answer = connection.getresponse()
                text = answer.read().decode()
                return answer.status, text
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.05)
        raise SystemExit("the proxy does not answer")

    try:
        check("restart and state of a listed container pass", ask("POST", "/containers/flask_api/restart")[0] == 204
              and json.loads(ask("GET", "/containers/worker/json")[1])["State"]["Running"])
        check("a state holds no environment", "PASSWORD" not in ask("GET", "/containers/worker/json")[1])
        seen.clear()
        parts = ["containers", "flask_api", "worker", "restart", "json", "exec", "create", "images", "v1.43", "..", ".", "", "info", "flask_ap",
                 "%2e%2e", "FLASK_API", "postgres_db", "archive?path=/", "_ping", "json?size=1", "restart?t=0", "restart%00"]
        others, refused = 2000, 0
        for _ in range(others):
            while True:
                method = chance.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
                target = "/" + "/".join(chance.choice(parts) for _ in range(chance.randint(1, 4)))
                if chance.random() < 0.5:
                    target = f"/containers/{chance.choice(parts)}/{chance.choice(parts)}"
                if (method, target.rstrip("?")) not in [(m, f"/containers/{n}/{w}") for n in ("flask_api", "worker") for m, w in (("POST", "restart"), ("GET", "json"))]:
                    break
            refused += ask(method, target)[0] == 403
        check(f"{others} other requests over the socket: all refused, none reached Docker", refused == others and not seen, f"{refused} refused, {seen[:3]}")
        lines = [json.loads(line) for line in open(root + "/audit.jsonl")]
        check("all of them are in the audit", sum(line["result"] == "refused" for line in lines) == others)
    finally:
        proxy.terminate()
        proxy.wait(20)
        server.shutdown()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", default=".build/debug/minprom")
    arguments.add_argument("--ports", default="21100-21199")
    arguments.add_argument("--kills", type=int, default=40)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    chance = random.Random(options.seed)
    port = int(options.ports.split("-")[0])
    root = tempfile.mkdtemp(prefix="minprom-bot-")
    os.makedirs(root + "/data")
    world = World(port)
    bot = Bot(options, root, port + 1, POLICY.format(world=port, root=root))
    bot.start()
    try:
        door(bot, world)
        heals(bot, world)
        duplicates(bot, world)
        hands(bot, world)
        approvals(bot, world)
        kills(bot, world, options, chance)
        edited(bot)
        check("SIGTERM ends it with 0", bot.kill(signal.SIGTERM) == 0)
        before = world.quits
        bot.start("--dry-run")
        bot.post(webhook("Slow", starts="dry"))
        check("a dry run writes “would” and does nothing", wait(lambda: any(line.get("result") == "would" and line.get("dry_run") for line in bot.lines()))
              and world.quits == before)
        docker(options, root, port + 2, chance)
    finally:
        bot.process.kill()
        bot.process.wait()
    print(f"{sum(results)} of {len(results)} hold")
    if all(results):
        shutil.rmtree(root)
    else:
        print("left in", root)
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
