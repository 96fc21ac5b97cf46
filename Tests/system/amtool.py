#!/usr/bin/env python3
"""minprom amtool and the real amtool: the same input, the same words.

    amtool.py --binary .build/release/minprom --anchors /usr/bin

Broken and good configurations of Tests/ServicesTests/Configuration/alertmanager, routes shown and tested, configurations as a server
shows them, and the commands that talk to a server, here the real Alertmanager. Without the originals the check is skipped, and says so.

Exit code 1 when something differs. PyYAML, where it is there, for what servers show; else the standard library.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "..", "ServicesTests", "Configuration", "alertmanager")
parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--anchors", default=os.environ.get("ANCHORS", "/usr/bin"), help="where the originals are")
options = parser.parse_args()
ANCHORS = options.anchors
failures = []
checks = 0


def check(what, real, ours):
    global checks
    checks += 1
    if real != ours:
        failures.append(what)
        print(f"DIFFERENT {what}\n--- real\n{real}\n--- ours\n{ours}")


def run(program, *arguments, stdin=None):
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=60, input=stdin)
    return done.stdout, done.returncode


def broken_cases():
    cases = []
    for line in open(os.path.join(FILES, "broken.txt")):
        if line.startswith("### "):
            cases.append([line[4:].strip(), "", ""])
        elif cases:
            if line.startswith("# upstream: "):
                cases[-1][1] = line[len("# upstream: "):].strip()
            cases[-1][2] += line
    return cases


def check_broken(real, ours, directory):
    path = os.path.join(directory, "broken.yml")
    for title, message, text in broken_cases():
        with open(path, "w") as file:
            file.write(text)
        said, status = run(real, "check-config", path)
        found = re.search(r"FAILED: (.*)", said, re.S)
        check(f"{title}: the original's words are in the table", message, found.group(1).strip().replace("\n", " | ") if found else "")
        said, our_status = run(ours, "check-config", path)
        found = re.search(r"FAILED: \S+: (.*)", said)
        check(f"{title}: ours ends with them", True, bool(found) and found.group(1).endswith(message))
        check(f"{title}: status", status, our_status)


def good_files(directory):
    """Copies whose certificates need not exist."""
    for name in sorted(os.listdir(FILES)):
        if not name.endswith(".yml"):
            continue
        text = open(os.path.join(FILES, name)).read()
        text = text.replace("ca_file: ca.pem, ", "").replace("{cert_file: c.pem, key_file: /k.pem}", "{server_name: mail}")
        # The original does not survive a global http_config that is null.
        text = text.replace("  http_config:\nroute", "  resolve_timeout: 5m\nroute")
        path = os.path.join(directory, name)
        with open(path, "w") as file:
            file.write(text)
        yield path


LABELS = [
    [], ["severity=page"], ["severity=page", "team=db"], ["severity=critical", "team=db", "db=pg1"], ["severity=page", "team=db", "db=mysql"],
    ["team=web"], ['alertname="Watch\\"dog\\""'], ['"a b"=c'], ['"a b"=c', "d=xx"], ["team=db", "severity=page", "env=prod", "name=ab", "region=eu"],
    ["severity=warn", "team=y"], ["alertname=Down", '"service name"="a b"'], ["audited=yes"], ["team=shop", "audited=yes"], ["x=~y"], ["nonsense"],
]


def check_routes(real, ours, path):
    name = os.path.basename(path)
    check(f"{name}: check-config", run(real, "check-config", path), run(ours, "check-config", path))
    check(f"{name}: routes show", run(real, "config", "routes", "show", f"--config.file={path}"),
          run(ours, "config", "routes", "show", f"--config.file={path}"))
    for labels in LABELS:
        for flags in ([], ["--tree"], ["--verify.receivers=db,both"]):
            arguments = ["config", "routes", "test", f"--config.file={path}", *flags, *labels]
            check(f"{name}: routes test {flags} {labels}", run(real, *arguments), run(ours, *arguments))


def without_foreign(shown):
    """What a server shows, without addresses for receivers that minprom does not have."""
    return re.sub(r"^  (opsgenie|wechat|victorops|telegram|webex|rocketchat)_api_url: .*\n", "", shown, flags=re.M)


def check_shown(real, ours, url, path):
    try:
        import yaml
    except ImportError:
        print("skipped: shown configurations (no PyYAML)")
        return
    with urllib.request.urlopen(url + "/api/v2/status") as answer:
        shown = yaml.safe_load(without_foreign(json.load(answer)["config"]["original"]))
    mine = yaml.safe_load(run(ours, "config", "show", f"--config.file={path}")[0])

    def drop(node):
        # Said by us, lost by the original: an empty text instead of a default, one group for all.
        if isinstance(node, dict):
            return {key: drop(value) for key, value in node.items() if not (key == "html" and value == "") and not (key == "group_by" and value == [])}
        return [drop(item) for item in node] if isinstance(node, list) else node

    check(f"{os.path.basename(path)}: shown", json.dumps(shown, indent=1), json.dumps(drop(mine), indent=1))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A real Alertmanager."""

    def __init__(self, path, directory):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = open(os.path.join(directory, "log"), "w")
        self.process = subprocess.Popen(
            [os.path.join(ANCHORS, "prometheus-alertmanager"), f"--config.file={path}", f"--web.listen-address={self.url[7:]}",
             f"--storage.path={tempfile.mkdtemp(dir=directory)}", "--cluster.listen-address="], stdout=self.log, stderr=self.log)
        deadline = time.time() + 20
        while True:
            try:
                urllib.request.urlopen(self.url + "/-/ready", timeout=2)
                return
            except OSError:
                if time.time() > deadline or self.process.poll() is not None:
                    raise SystemExit(f"the real Alertmanager does not start: {open(self.log.name).read()[-500:]}")
                time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def check_server(real, ours, url):
    at = f"--alertmanager.url={url}"
    for tool, name in ((real, "A"), (ours, "B")):
        run(tool, at, "alert", "add", name, "severity=page", 'job="a b"', "--annotation=summary=it is down", "--generator-url=http://x",
            "--start=2026-01-02T03:04:05Z", "--end=2036-01-02T03:04:05Z")
        said, status = run(tool, "silence", "add", f"alertname={name}Silent", "x=~y.*", "z!=1", "-c", "known", "-a", "me", "--end=2036-01-02T03:04:05Z", at)
        check(f"silence add of {tool}", (0, 36), (status, len(said.strip())))
    check("alert add without a server", 1, run(ours, "alert", "add", "x")[1])
    ids = run(real, at, "silence", "query", "-q")[0].split()
    # The server forgets an alert's state until its group was looked at.
    for output in ("simple", "extended", "json"):
        for words in (["alert", "query"], ["alert", "query", "A"], ["alert", "query", "-a", "-s", "-i", "-u", 'severity=~"p.*"'], ["alert", "query", "nothing"],
                      ["alert"], ["silence", "query"], ["silence", "query", "-q"], ["silence", "query", "--created-by=you"], ["silence"],
                      ["silence", "query", "--within=1h"], ["silence", "query", f"--id={ids[0]}"], ["silence", "query", "--expired"],
                      ["cluster", "show"], ["cluster"]):
            check(f"{words} {output}", run(real, at, "-o", output, *words), run(ours, at, "-o", output, *words))
    check("dates", run(real, at, "--date.format=Mon Jan _2 15:04 2006", "alert")[0], run(ours, at, "--date.format=Mon Jan _2 15:04 2006", "alert")[0])
    for words in (["config", "show"], ["config"], ["config", "routes", "show"], ["config", "routes", "test", "severity=page"]):
        check(f"{words}", run(real, at, *words), run(ours, at, *words))
    exported = run(ours, at, "-o", "json", "silence", "query")[0]
    check("import of what is there", sorted(ids), sorted(run(ours, at, "silence", "import", stdin=exported)[0].split()))
    forced = run(ours, at, "silence", "import", "--force", stdin=exported)[0].split()
    check("forced import makes new ones", (2, 0), (len(forced), len(set(forced) & set(ids))))
    updated = run(ours, at, "silence", "update", "-q", "-c", "better known", ids[0])[0].strip()
    check("update", True, "better known" in run(real, at, "silence", "query", f"--id={updated}")[0])
    check("expire", 0, run(ours, at, "silence", "expire", *forced)[1])
    check("expired ones", sorted(forced), sorted(run(real, at, "silence", "query", "--expired", "-q")[0].split()))


def main():
    real = [os.path.join(ANCHORS, "amtool")]
    missing = [name for name in ("amtool", "prometheus-alertmanager") if shutil.which(os.path.join(ANCHORS, name)) is None]
    if missing:
        print(f"skipped: {', '.join(missing)} not in {ANCHORS}")
        return 0
    ours = [os.path.abspath(options.binary), "amtool"]
    with tempfile.TemporaryDirectory() as directory:
        check_broken(real, ours, directory)
        for path in good_files(directory):
            check_routes(real, ours, path)
            server = Server(path, directory)
            check_shown(real, ours, server.url, path)
            if path.endswith("deep.yml"):
                check_server(real, ours, server.url)
            server.stop()
    print(f"{checks} checks, {len(failures)} different")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
