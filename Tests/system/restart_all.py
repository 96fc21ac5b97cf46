#!/usr/bin/env python3
"""Everything is stopped and started again (M-12): alerts keep their start, silences hold, nobody is told twice, no row and no sample is lost.

    Tests/system/restart_all.py [--minprom .build/release/minprom] [--kill]

A copy of the minimal stack with two rules more, which fire always (one without and one with `for`) and whose notifications come here as well
as to the bot, is brought up with `minprom up`, and told of a silence. Then the supervisor gets SIGINT (with --kill: every process SIGKILL), and is started again over the same folders. Needs
the stack's ports. Exit status 1 where something is not as before.
"""
import argparse
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = ["compose-minimal.yml", "compose-shared.yml", "prometheus", "alertmanager", "blackbox", "bot", "postgres"]
RULES = """
  - name: always
    rules:
      - {alert: Always, expr: vector(1), labels: {severity: warning, service: always}}
      - {alert: AlwaysLater, expr: vector(1), for: 10s, labels: {severity: warning, service: later}}
"""
ROUTE = """
  routes:
    - {matchers: ['service=~"always|later"'], receiver: witness, continue: true}
"""
RECEIVER = """
  - name: witness
    webhook_configs: [{url: 'http://127.0.0.1:PORT/', send_resolved: true}]
"""
NAMES = {"Always", "AlwaysLater"}


class Witness(http.server.BaseHTTPRequestHandler):
    """Hears what the bot hears, and keeps it."""

    heard = []

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        Witness.heard.append((body["groupLabels"]["alertname"], body["status"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def get(url, body=None):
    request = urllib.request.Request(url, data=body and json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def wait(check, seconds):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if value := check():
                return value
        except OSError:
            pass
        time.sleep(0.3)
    return None


class Stack:
    def __init__(self, folder, minprom):
        self.folder, self.minprom = folder, minprom

    def start(self):
        self.process = subprocess.Popen(
            [self.minprom, "up", "-f", "compose-minimal.yml"], cwd=self.folder, stdout=open(self.folder + "/up.log", "a"), stderr=subprocess.STDOUT)
        begin = time.time()
        if not wait(lambda: get("http://localhost:9090/api/v1/query?query=1") and get("http://localhost:5001/api/incidents"), 90):
            sys.exit(open(self.folder + "/up.log").read()[-3000:] + "\nthe stack does not come up")
        return time.time() - begin

    def stop(self, kill):
        if kill:
            for pid in reversed(family(self.process.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        else:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def lines(self):
        with open(self.folder + "/data/bot/incident_log.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def received(self):
        return sorted(line["alert"] for line in self.lines() if line["event"] == "received" and line["alert"] in NAMES)


def family(pid):
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                for child in file.read().split():
                    found += family(int(child))
        except FileNotFoundError:
            pass
    return found


def state():
    rules = {a["labels"]["alertname"]: a for a in get("http://localhost:9090/api/v1/alerts")["data"]["alerts"]}
    alerts = {a["labels"]["alertname"]: a for a in get("http://localhost:9093/api/v2/alerts")}
    if not (NAMES <= rules.keys() and NAMES <= alerts.keys() and all(rules[n]["state"] == "firing" for n in NAMES)):
        return None
    # The series that remembers activeAt counts in seconds, here as in the original.
    return {n: (rules[n]["activeAt"][:19], alerts[n]["startsAt"], alerts[n]["status"]["state"]) for n in NAMES}


def rows():
    return get("http://localhost:8000/transactions?limit=1")["transactions"][0]["id"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minprom", default=".build/release/minprom")
    parser.add_argument("--kill", action="store_true", help="SIGKILL to all instead of an orderly end")
    options = parser.parse_args()
    failures = []

    def check(name, good, note=""):
        print(f"{'ok    ' if good else 'FAILED'} {name}  {note}", flush=True)
        if not good:
            failures.append(name)

    folder = tempfile.mkdtemp(prefix="minprom-restart-")
    os.chmod(folder, 0o755)
    for part in PARTS:
        source = os.path.join(HERE, part)
        (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, os.path.join(folder, part))
    with open(folder + "/prometheus/alert.rules.yml", "a", encoding="utf-8") as file:
        file.write(RULES)
    witness = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Witness)
    threading.Thread(target=witness.serve_forever, daemon=True).start()
    path = folder + "/alertmanager/config.yml"
    text = open(path, encoding="utf-8").read()
    assert "\n  routes:\n" in text and "\nreceivers:\n" in text
    text = text.replace("\n  routes:\n", ROUTE, 1).replace("\nreceivers:\n", "\nreceivers:" + RECEIVER.replace("PORT", str(witness.server_port)), 1)
    open(path, "w", encoding="utf-8").write(text)
    stack = Stack(folder, os.path.abspath(options.minprom))
    try:
        print(f"up after {stack.start():.1f} s")
        before = wait(lambda: (state() if stack.received() == sorted(NAMES) else None), 60)
        if not before:
            sys.exit("the alerts do not reach the bot")
        silence = get("http://localhost:9093/api/v2/silences", {
            "matchers": [{"name": "alertname", "value": "Always", "isRegex": False, "isEqual": True}], "createdBy": "test", "comment": "restart",
            "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "endsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))})["silenceID"]
        before = wait(lambda: (s := state()) and s["Always"][2] == "suppressed" and s, 20)
        count = rows()
        if options.kill:
            # A killed process owes what it has acknowledged, and the scrape's samples of the last interval are that.
            time.sleep(6)
        moment = time.time()
        stack.stop(options.kill)
        print(f"all stopped after {time.time() - moment:.1f} s")
        print(f"up again after {stack.start():.1f} s")
        after = wait(state, 60)
        check("alerts' activeAt and startsAt, and what is suppressed, are as before", after == before, f"{before} {after if after != before else ''}")
        kept = get(f"http://localhost:9093/api/v2/silence/{silence}")
        check("the silence holds", kept["status"]["state"] == "active" and kept["comment"] == "restart")
        check("every row of before is there", wait(lambda: rows() >= count, 30) is True, f"{count}")
        old = get(f"http://localhost:9090/api/v1/query?query=count(up)&time={moment - 2:.3f}")["data"]["result"]
        check("samples of before are there", bool(old) and int(old[0]["value"][1]) >= 8, old[0]["value"][1] if old else "none")
        # Longer than group_wait and several group_intervals.
        time.sleep(40)
        told = sorted((name, "firing") for name in NAMES)
        check("nobody was told twice", stack.received() == sorted(NAMES) and sorted(Witness.heard) == told, str(sorted(Witness.heard)))
        verdict = subprocess.run([stack.minprom, "bot", "verify-log", folder + "/data/bot/incident_log.jsonl"], capture_output=True, text=True)
        check("the bot's log is whole", verdict.returncode == 0, verdict.stdout.strip()[-100:])
    finally:
        stack.stop(False)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
