#!/usr/bin/env python3
"""Runs incidents against a running stack and prints what became of each.

    Tests/system/incidents.py                                  all that heal by themselves, against `minprom up` on this machine
    Tests/system/incidents.py latency kill --log data/bot/incident_log.jsonl
    Tests/system/incidents.py --start                          starts the minimal stack for the time of the run
    Tests/system/incidents.py --parts                          only what needs no stack: load, proxy and pressure, with the real program

Each incident is `minprom incident NAME --watch --wait`, whose exit code is 0 only if it healed as it must; it begins when the alerts that
it concerns are quiet and the bot may act on its target. With --log the bot's log is checked for M-26 as well: one decision, one action, one
verified line per incident that was healed. (The bot acts three times on a target, then only after ten quiet minutes: all of them in one run
take as long as that.)
"""
import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

HEALING = ["latency", "errors", "status", "kill", "db-slow", "partition", "backlog"]


def get(url, token=None):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def log_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def healed_lines(lines):
    """Per incident of the log: how many decision, action (notices apart) and verified lines."""
    counts = {}
    for line in lines:
        key = (line.get("incident_id", ""), line.get("alert", ""))
        event = line.get("event")
        if event == "action" and line.get("action") in ("notify", "ticket"):
            continue
        counts.setdefault(key, {}).setdefault(event, 0)
        counts[key][event] += 1
    return counts


def run_incident(name, options, out):
    command = [options.minprom, "incident", name, "--watch", "--within", options.within, "--wait", options.pause]
    for flag in ("url", "worker_url", "proxy_url", "prometheus_url", "bot_url", "supervisor_socket", "token_file", "bot_token_file"):
        value = getattr(options, flag)
        if value:
            command += ["--" + flag.replace("_", "-"), value]
    if options.log:
        command += ["--incident-log", options.log]
    before = len(log_lines(options.log)) if options.log else 0
    start = time.time()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    took = time.time() - start
    out.write(f"$ {' '.join(command)}\n{done.stdout}\n")
    out.flush()
    seen = {}
    for line in done.stdout.splitlines():
        match = re.match(r"\s*([0-9.]+) s  (.*)", line)
        if not match:
            continue
        second, text = float(match[1]), match[2]
        for key, pattern in (("pending", "→ pending"), ("firing", "→ firing"), ("decision", "bot: decision"), ("action", "bot: action"),
                             ("verified", "bot: verified"), ("resolved", "bot: resolved")):
            if pattern in text:
                seen.setdefault(key, second)
    notes = [line.strip()[2:] for line in done.stdout.splitlines() if line.startswith("  - ")]
    if done.returncode != 0 and not notes:
        notes = done.stdout.strip().splitlines()[-1:]
    if options.log:
        for (incident, alert), events in healed_lines(log_lines(options.log)[before:]).items():
            if events.get("action") and not (events.get("decision") == events.get("action") == events.get("verified") == 1) \
                    and name != "backlog":
                notes.append(f"{alert} {incident}: {events}")
    return done.returncode == 0 and not notes, took, seen, notes


def stack(options):
    results = []
    with open(options.output, "w", encoding="utf-8") as out:
        for name in options.names:
            results.append((name, *run_incident(name, options, out)))
            print(row(*results[-1]), flush=True)
    print(f"\n{sum(r[1] for r in results)} of {len(results)} healed; transcripts in {options.output}")
    return all(r[1] for r in results)


COLUMNS = ["pending", "firing", "decision", "action", "verified", "resolved"]


def row(name, good, took, seen, notes):
    cells = [f"{seen[c]:8.1f}" if c in seen else "       –" for c in COLUMNS]
    text = f"{name:10} {'healed' if good else 'FAILED':7}{took:7.1f} {' '.join(cells)}"
    return text + "".join(f"\n           {note}" for note in notes)


# What needs no stack.

def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(check, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        try:
            value = check()
            if value:
                return value
        except OSError:
            pass
        time.sleep(0.05)
    return None


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        own = [int(child) for child in file.read().split()]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            own += [int(child) for child in file.read().split()]
    return sorted(set(own))


def parts(options):
    failures = []

    def check(name, good, note=""):
        print(f"{'ok    ' if good else 'FAILED'} {name}  {note}", flush=True)
        if not good:
            failures.append(name)

    # An incident that is killed leaves no child.
    incident = subprocess.Popen([options.minprom, "incident", "cpu", "--cores", "1", "--for", "10m"], stdout=subprocess.DEVNULL)
    pressing = wait_for(lambda: children(incident.pid)) or []
    check("cpu incident has a child", len(pressing) == 1, str(pressing))
    incident.kill()
    incident.wait()
    check("kill -9 of the incident ends the child", wait_for(lambda: not any(alive(p) for p in pressing)) is True)
    incident = subprocess.Popen([options.minprom, "incident", "memory", "--mb", "16", "--for", "10m"], stdout=subprocess.DEVNULL)
    pressing = wait_for(lambda: children(incident.pid)) or []
    incident.send_signal(signal.SIGINT)
    code = incident.wait(20)
    check("Ctrl-C ends incident and child", code == 0 and not any(alive(p) for p in pressing), f"code {code}")

    # The proxy as a program, in front of a server that echoes.
    server = socket.create_server(("127.0.0.1", 0))

    def echo():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return

            def serve(connection=connection):
                with connection:
                    try:
                        while data := connection.recv(65536):
                            connection.sendall(data)
                    except OSError:
                        pass
            threading.Thread(target=serve, daemon=True).start()
    threading.Thread(target=echo, daemon=True).start()
    port, web = free_port(), free_port()
    proxy = subprocess.Popen(
        [options.minprom, "proxy", f"--listen=127.0.0.1:{port}", f"--to=127.0.0.1:{server.getsockname()[1]}", f"--web.listen-address=127.0.0.1:{web}"],
        env={**os.environ, "ADMIN_TOKEN": "t0ken"}, stderr=subprocess.DEVNULL)

    def talk(timeout=5.0):
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
            connection.sendall(b"hello")
            return connection.recv(100) == b"hello"

    def fault(method, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{web}/-/fault", method=method, data=body and json.dumps(body).encode(), headers={"Authorization": "Bearer t0ken"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)
    check("proxy passes on", wait_for(talk) is True)

    def fails(kind, timeout=1.0):
        try:
            return not talk(timeout)
        except kind:
            return True
        except OSError:
            return False
    fault("POST", {"mode": "drop", "for_s": 2})
    check("drop: silence, and it ends by itself", fails(TimeoutError, 0.5) and wait_for(talk) is True)
    fault("POST", {"mode": "reset"})
    check("reset", fails((ConnectionResetError, BrokenPipeError)))
    fault("POST", {"mode": "refuse"})
    check("refuse", wait_for(lambda: fails(ConnectionRefusedError)) is True)
    fault("DELETE")
    check("healed", wait_for(talk) is True)

    # Load at a slow server: latency counts from the moment a request was due.
    done = subprocess.run(
        [options.minprom, "load", "--url", f"http://127.0.0.1:{web}", "--path", "/-/healthy", "--rps", "100", "--for", "3s", "--quiet"],
        stdout=subprocess.PIPE, text=True)
    check("load", "300 requests in 3.0 s: 100.0/s of 100.0/s" in done.stdout and "200 300" in done.stdout, done.stdout.splitlines()[0] if done.stdout else "")
    load = subprocess.Popen(
        [options.minprom, "load", "--url", f"http://127.0.0.1:{web}", "--path", "/-/healthy", "--rps", "50", "--for", "10m", "--quiet"],
        stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    load.send_signal(signal.SIGINT)
    text = load.communicate(timeout=20)[0]
    check("Ctrl-C gives the summary", "requests in" in text and "latency" in text, text.splitlines()[0] if text else "")
    proxy.terminate()
    check("proxy stops cleanly", proxy.wait(20) == 0)
    server.close()
    return not failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="incidents; all that heal where left out")
    parser.add_argument("--minprom", default=".build/debug/minprom")
    parser.add_argument("--start", action="store_true", help="start compose-minimal.yml with minprom up, and end it afterwards")
    parser.add_argument("--parts", action="store_true", help="only what needs no stack")
    parser.add_argument("--within", default="6m")
    parser.add_argument("--pause", default="12m", help="how long to wait before each incident until nothing is in its way")
    parser.add_argument("--log", help="the bot's incident log")
    parser.add_argument("--output", default="/tmp/minprom-incidents.txt")
    parser.add_argument("--prometheus-url", default="http://localhost:9090")
    parser.add_argument("--bot-url", default="http://localhost:5001")
    for flag in ("url", "worker-url", "proxy-url", "supervisor-socket", "token-file", "bot-token-file"):
        parser.add_argument("--" + flag)
    options = parser.parse_args()
    options.names = options.names or HEALING
    if options.parts:
        sys.exit(0 if parts(options) else 1)
    up = None
    if options.start:
        up = subprocess.Popen([options.minprom, "up", "-f", "compose-minimal.yml"], stdout=subprocess.DEVNULL)
        if not wait_for(lambda: get(options.prometheus_url + "/api/v1/alerts"), 120):
            sys.exit("the stack does not come up")
    try:
        print(f"{'incident':10} {'':7}{'took':>7} " + " ".join(f"{c:>8}" for c in COLUMNS))
        good = stack(options)
    finally:
        if up:
            up.send_signal(signal.SIGINT)
            up.wait(60)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
