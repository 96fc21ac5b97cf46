#!/usr/bin/env python3
"""`minprom up` with real processes: what dies comes back, what is stopped stays down, nothing outlives the supervisor.

    Tests/system/supervisor.py --minprom .build/release/minprom [--port 21200] [--only orphans]

Each experiment has a directory and a stack of its own: small Python servers in place of images (`x-minprom-program`), and a real PostgreSQL
where it is installed. The table says what happened; the exit status is 1 if a goal was missed.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

EXPERIMENTS = []

SERVER = """
import http.server, os, signal, sys
port = int(os.environ["LISTEN"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(os.getpid()).encode())
    def do_POST(self):
        self.send_response(200); self.end_headers(); self.wfile.flush(); os._exit(0)
    def log_message(self, *a): pass
if os.environ.get("STUBBORN"): signal.signal(signal.SIGTERM, signal.SIG_IGN)
else: signal.signal(signal.SIGTERM, lambda *a: os._exit(0))
print("listening on", port, flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

COMPOSE = """
x-server: &server
  x-minprom-program: {python}
  command: [-u, {folder}/server.py]
  restart: unless-stopped
  stop_grace_period: 2s
services:
  base:
    <<: *server
    environment: {{LISTEN: "{base}"}}
    ports: ["{base}:{base}"]
    healthcheck: {{test: [CMD, minprom, health, "http://localhost:{base}/"], interval: 1s, timeout: 1s, retries: 2}}
  top:
    <<: *server
    environment: {{LISTEN: "{top}", SUPERVISOR_SOCKET: /var/run/minprom/supervisor.sock}}
    ports: ["{top}:{top}"]
    secrets: [token]
    depends_on: {{base: {{condition: service_healthy}}}}
    healthcheck: {{test: [CMD, curl, -f, "http://localhost:{top}/"], interval: 1s, timeout: 1s, retries: 2}}
  stubborn:
    <<: *server
    environment: {{LISTEN: "{stubborn}", STUBBORN: "1"}}
    ports: ["{stubborn}:{stubborn}"]
  loop:
    x-minprom-program: /bin/sh
    command: [-c, 'sleep 1000 & wait']
    restart: unless-stopped
secrets: {{token: {{file: ./secrets/token}}}}
"""

POSTGRES = """
services:
  postgres_db:
    image: postgres:17
    restart: unless-stopped
    command: [postgres, -c, shared_buffers=16MB]
    environment: {{POSTGRES_USER: demo, POSTGRES_DB: demo, POSTGRES_PASSWORD_FILE: /run/secrets/pw}}
    volumes: [db:/var/lib/postgresql/data, ./init.sql:/docker-entrypoint-initdb.d/init.sql]
    ports: ["{base}:5432"]
    secrets: [pw]
    healthcheck: {{test: [CMD, pg_isready, -h, localhost, -U, demo, -d, demo], interval: 1s, timeout: 3s}}
volumes: {{db: {{}}}}
secrets: {{pw: {{file: ./secrets/pw}}}}
"""


def experiment(name, goal):
    def register(play):
        EXPERIMENTS.append((name, goal, play))
        return play

    return register


class Stack:
    """A directory with a compose file, and the supervisor in it."""

    def __init__(self, minprom, port, compose=COMPOSE):
        self.minprom = os.path.abspath(minprom)
        # Not below a directory that only root may enter: PostgreSQL's user has to.
        self.folder = tempfile.mkdtemp(prefix="minprom-up-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.base, self.top, self.stubborn = port, port + 1, port + 2
        with open(self.folder + "/server.py", "w") as file:
            file.write(SERVER)
        with open(self.folder + "/init.sql", "w") as file:
            file.write("CREATE TABLE t (n int); INSERT INTO t VALUES (42);")
        with open(self.folder + "/compose.yml", "w") as file:
            file.write(compose.format(python=sys.executable, folder=self.folder, base=self.base, top=self.top, stubborn=self.stubborn))
        self.process = None

    def run(self, *words, check=True):
        done = subprocess.run([self.minprom, *words], cwd=self.folder, capture_output=True, text=True, timeout=150)
        if check and done.returncode:
            raise RuntimeError(f"{words}: {done.stderr}")
        return done

    def up(self, *words):
        self.process = subprocess.Popen(
            [self.minprom, "up", *words], cwd=self.folder, stdout=open(self.folder + "/out", "ab"), stderr=subprocess.STDOUT)

    def services(self):
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(5)
            connection.connect(self.folder + "/.minprom/supervisor.sock")
            connection.sendall(b"GET /services HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            data = b""
            while block := connection.recv(65536):
                data += block
            return {s["name"]: s for s in json.loads(data.split(b"\r\n\r\n", 1)[1])}
        except (OSError, ValueError, IndexError):
            return {}

    def until(self, condition, seconds=60):
        """Seconds it took, or None."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self.process and self.process.poll() is not None:
                raise RuntimeError("the supervisor ended:\n" + open(self.folder + "/out").read()[-3000:])
            services = self.services()
            if services and condition(services):
                return time.monotonic() - began
            time.sleep(0.02)
        return None

    def healthy(self, seconds=60):
        return self.until(lambda all: all and all_well(all), seconds)

    def pids(self):
        """Every process that has this directory in its command line or environment, but the supervisor's."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit() or self.process and int(name) == self.process.pid or int(name) == os.getpid():
                continue
            try:
                words = open(f"/proc/{name}/cmdline", "rb").read() + open(f"/proc/{name}/environ", "rb").read()
                state = open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if self.folder.encode() in words and state != "Z":
                found.append(int(name))
        return found

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def all_well(services):
    return all(s["state"] == "running" and s["health"] in ("healthy", "none") or s.get("exit_code") == 0 for s in services.values())


def get(port, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/", method=method), timeout=5) as answer:
        return answer.read().decode()


def gone(stack, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not stack.pids():
            return True
        time.sleep(0.05)
    return False


@experiment("up", "healthy, in order; ps, logs, modes, secret")
def up(stack):
    stack.up()
    took = stack.healthy()
    services = stack.services()
    order = services["base"]["started_at"] <= services["top"]["started_at"]
    folder = stack.folder
    modes = [oct(os.stat(folder + path).st_mode & 0o777) for path in ("/.minprom/supervisor.sock", "/secrets/token", "/.minprom/logs/base.log")]
    listing = stack.run("ps").stdout
    log = stack.run("logs", "-n", "5", "base").stdout
    second = stack.run("up", check=False)
    environment = open(f"/proc/{services['top']['pid']}/environ").read().split("\0")
    passed = f"SUPERVISOR_SOCKET={folder}/.minprom/supervisor.sock" in environment
    named = any(e.startswith("MINPROM_SERVICE_NAMES=") and f"base:{stack.base}=127.0.0.1:{stack.base}" in e for e in environment)
    ok = took and order and modes == ["0o600"] * 3 and "healthy" in listing and "listening" in log and passed and named
    ok = ok and second.returncode == 1 and "runs in" in second.stderr
    return f"{took:.1f} s, modes {modes}, second: {second.stderr.strip()[:60]}", ok


@experiment("killed", "kill -9 of a child: running again within 1 s")
def killed(stack):
    stack.up()
    stack.healthy()
    times = []
    for name in ("base", "loop"):
        pid = stack.services()[name]["pid"]
        os.kill(pid, signal.SIGKILL)
        times.append(stack.until(lambda all: all[name]["state"] == "running" and all[name]["pid"] != pid, 10))
    restarts = [stack.services()[name]["restarts"] for name in ("base", "loop")]
    left = [p for p in stack.pids() if open(f"/proc/{p}/comm").read().strip() == "sleep"]
    text = ", ".join("never" if t is None else f"{t:.2f} s" for t in times)
    return f"{text}, restarts {restarts}, sleeps {len(left)}", all(t and t <= 1 for t in times) and restarts == [1, 1] and len(left) == 1


@experiment("quit", "a service that ends itself is started again")
def quits(stack):
    stack.up()
    stack.healthy()
    before = get(stack.top)
    get(stack.top, "POST")
    took = stack.until(lambda all: all["top"]["state"] == "running" and str(all["top"]["pid"]) != before, 10)
    return f"{took:.2f} s", took is not None and took <= 1


@experiment("stop", "stop, start, restart, scale")
def stops(stack):
    stack.up()
    stack.healthy()
    stack.run("stop", "top")
    stopped = stack.until(lambda all: all["top"]["state"] == "stopped", 10)
    time.sleep(1.5)
    stays = stack.services()["top"]["state"] == "stopped"
    stack.run("start", "top")
    started = stack.until(lambda all: all["top"]["health"] == "healthy", 10)
    pid = stack.services()["stubborn"]["pid"]
    stack.run("restart", "stubborn")
    restarted = stack.until(lambda all: all["stubborn"]["state"] == "running" and all["stubborn"]["pid"] not in (pid, None), 10)
    stack.run("scale", "loop=3")
    scaled = stack.until(lambda all: all["loop"]["replicas"] == 3, 10)
    stack.run("scale", "loop=1")
    back = stack.until(lambda all: all["loop"]["replicas"] == 1, 10)
    unknown = stack.run("stop", "nobody", check=False)
    ok = None not in (stopped, started, restarted, scaled, back) and stays and restarted >= 1.5 and unknown.returncode == 1
    return f"stubborn restarted in {restarted:.1f} s; {unknown.stderr.strip()}", ok


@experiment("down", "SIGTERM: all gone, in time; down: the same")
def down(stack):
    stack.up()
    stack.healthy()
    began = time.monotonic()
    stack.process.terminate()
    code = stack.process.wait(30)
    took = time.monotonic() - began
    first = not stack.pids() and not os.path.exists(stack.folder + "/.minprom/supervisor.sock")
    stack.process = None
    stack.run("up", "-d")
    well = all_well(stack.services())
    stack.run("down")
    return f"code {code}, {took:.1f} s", code == 0 and took < 6 and first and well and gone(stack, 3)


@experiment("orphans", "kill -9 of the supervisor: no child is left, and the next start is clean")
def orphans(stack):
    stack.up()
    stack.healthy()
    stack.process.kill()
    stack.process.wait()
    clean = gone(stack, 2)
    stale = os.path.exists(stack.folder + "/.minprom/supervisor.sock")
    stack.up()
    took = stack.healthy()
    return f"all gone within 2 s: {clean}, socket was left: {stale}, again healthy in {took:.1f} s", stale and took and clean


@experiment("postgres", "a cluster of our own: made once, kept over kill -9 and a second start")
def postgres(stack):
    if not shutil.which("psql"):
        return "skipped: no psql", True
    stack.up()
    first = stack.healthy()

    def ask(query):
        password = open(stack.folder + "/secrets/pw").read().strip()
        done = subprocess.run(
            ["psql", "-h", "127.0.0.1", "-p", str(stack.base), "-U", "demo", "demo", "-Atqc", query],
            env={**os.environ, "PGPASSWORD": password}, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip()

    wrong = subprocess.run(
        ["psql", "-h", "127.0.0.1", "-p", str(stack.base), "-U", "demo", "demo", "-Atqc", "SELECT 1"],
        env={**os.environ, "PGPASSWORD": "wrong"}, capture_output=True)
    value = ask("SELECT n FROM t")
    ask("INSERT INTO t VALUES (43)")
    pid = stack.services()["postgres_db"]["pid"]
    os.kill(pid, signal.SIGKILL)
    again = stack.until(lambda all: all["postgres_db"]["health"] == "healthy" and all["postgres_db"]["pid"] != pid, 30)
    stack.process.kill()
    stack.process.wait()
    clean = gone(stack, 5)
    stack.up()
    second = stack.healthy()
    count = ask("SELECT count(*) FROM t")
    ok = first and again and second and value == "42" and count == "2" and wrong.returncode != 0 and clean
    return f"{first:.1f} s, after kill {again:.1f} s, second start {second:.1f} s, rows {count}, orphans {not clean}", ok


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minprom", default=".build/release/minprom")
    parser.add_argument("--port", type=int, default=21200)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    missed = 0
    for number, (name, goal, play) in enumerate(EXPERIMENTS):
        if options.only not in name:
            continue
        stack = Stack(options.minprom, options.port + 10 * number, POSTGRES if name == "postgres" else COMPOSE)
        try:
            text, met = play(stack)
        except Exception as error:
            text, met = f"{type(error).__name__}: {error}", False
        if not met and os.path.exists(stack.folder + "/out"):
            print(open(stack.folder + "/out").read()[-2000:])
        stack.end()
        missed += not met
        print(f"{'ok  ' if met else 'MISS'} {name:10} {goal}: {text}", flush=True)
    sys.exit(1 if missed else 0)


main()
