#!/usr/bin/env python3
"""State files go both ways: the real Alertmanager starts on ours, and we on its.

    Tests/system/alertmanager_state.py --real /usr/bin/prometheus-alertmanager
        --ours 'swift test --skip-build --filter StateExchangeTests' --port 21210

The original makes a silence and a notification and stops; ours goes on in its directory, is killed or stops in order, and the
original starts again: it must know both silences, keep what they silence from people, and not repeat what either has told.
Twice: once with the file as appended (an id stands twice in it), once as rewritten. Standard library only. Exit status 0 when all holds.
"""
import argparse
import datetime
import http.server
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

CONFIG = """
route: {receiver: ops, group_by: [alertname], group_wait: 1s, group_interval: 5s, repeat_interval: 1h}
receivers: [{name: ops, webhook_configs: [{url: 'http://127.0.0.1:%d/hook', send_resolved: true}]}]
"""

told = []
failures = 0


def check(what, holds):
    global failures
    failures += not holds
    print(("ok    " if holds else "FAILS ") + what, flush=True)


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        told.append(",".join(alert["labels"]["alertname"] for alert in body["alerts"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Original:
    def __init__(self, binary, config, data, port):
        self.base = "http://127.0.0.1:%d/api/v2" % port
        self.log = open(os.path.join(os.path.dirname(config), "original.log"), "a")
        self.process = subprocess.Popen(
            [binary, "--config.file=" + config, "--storage.path=" + data, "--cluster.listen-address=",
             "--web.listen-address=127.0.0.1:%d" % port], stdout=self.log, stderr=self.log)
        for _ in range(100):
            try:
                self.call("/status")
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the original does not start; see " + self.log.name)

    def call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def alert(self, *names, **labels):
        self.call("/alerts", [{"labels": dict(labels, alertname=name)} for name in names])

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run(options, closes):
    told.clear()
    with tempfile.TemporaryDirectory() as directory:
        config, data = os.path.join(directory, "am.yml"), os.path.join(directory, "data")
        with open(config, "w") as file:
            file.write(CONFIG % (options.port + 1))

        with Original(options.real, config, data, options.port) as original:
            now = datetime.datetime.now(datetime.timezone.utc)
            silence = original.call("/silences", {
                "matchers": [{"name": "alertname", "value": "S", "isRegex": False}], "startsAt": now.isoformat(),
                "endsAt": (now + datetime.timedelta(hours=1)).isoformat(), "createdBy": "them", "comment": "theirs"})["silenceID"]
            original.call("/alerts", [{"labels": {"alertname": "A", "x": "1"}}, {"labels": {"alertname": "A", "x": "2"}}])
            time.sleep(2.5)
        check("the original told about A", told == ["A,A"])

        environment = dict(os.environ, MINPROM_STATE_DIRECTORY=data, MINPROM_STATE_NOW=str(int(time.time() * 1000)))
        if closes:
            environment["MINPROM_STATE_CLOSES"] = "1"
        ours = subprocess.run(shlex.split(options.ours), env=environment, capture_output=True, text=True)
        check("ours goes on where the original stopped",
              ours.returncode == 0 and "taken over and given back" in ours.stdout + ours.stderr)
        time.sleep(2.5)  # ours worked two seconds ahead of the clock
        if ours.returncode:
            print(ours.stdout[-3000:], ours.stderr[-3000:])
            return

        with Original(options.real, config, data, options.port) as original:
            silences = {item["comment"]: item for item in original.call("/silences")}
            check("the original has both silences", set(silences) == {"theirs, longer", "ours"})
            check("the changed one has its id", silences.get("theirs, longer", {}).get("id") == silence)
            check("none is over", all(item["status"]["state"] == "active" for item in silences.values()))
            told.clear()
            original.call("/alerts", [{"labels": {"alertname": "A", "x": "1"}}, {"labels": {"alertname": "A", "x": "2"}}])
            original.alert("B", "C", "S", "T", "U")
            time.sleep(3.5)
            check("it tells about C alone: A and B were told, S, T and U are silenced (%s)" % told, told == ["C"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", required=True)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--port", type=int, default=21210)
    options = parser.parse_args()
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", options.port + 1), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    for closes in (False, True):
        print("ours %s" % ("stops in order" if closes else "just ends"))
        run(options, closes)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
