"""A PostgreSQL of a test's own, and programs beside it, for the scripts that need both.

    with Cluster() as db, Program([MINPROM_DEMO, "api"], environment=db.environment()) as api: …

The cluster lies in a temporary directory and listens on a free port of 127.0.0.1. `initdb` and the server refuse to run as root; then they
run as the user `postgres` that Debian's package makes.
"""

import glob
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
import urllib.error
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINPROM_DEMO = os.environ.get("MINPROM_DEMO", TOP + "/.build/debug/minprom-demo")
ANCHORS = os.environ.get("ANCHORS", "/usr/bin")
TOKEN = "system-test"


def programs():
    """The directory of initdb and its like, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb") + glob.glob("/opt/homebrew/opt/postgresql*/bin/initdb"))
    path = shutil.which("pg_ctl")
    return os.path.dirname(found[-1]) if found else os.path.dirname(path) if path else None


def skip_without_postgres():
    if not programs():
        print("skipped: initdb is not installed")
        sys.exit(0)


def free_port(first=int(os.environ.get("MINPROM_TEST_PORTS", "21040"))):
    for port in range(first, first + 40):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


class Cluster:
    def __init__(self, port=None, options=""):
        self.directory = tempfile.mkdtemp(prefix="minprom-pg-")
        self.port = port or free_port()
        self.bin, self.options = programs(), options
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        self._run("initdb", "-D", self.data, "-U", "demo", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")

    data = property(lambda self: self.directory + "/data")

    def _run(self, name, *arguments, check=True):
        command = [f"{self.bin}/{name}", *arguments]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        # To a file: a server that stays would keep a pipe open.
        with open(self.directory + ".log", "w") as log:
            return subprocess.run(command, cwd="/", check=check, stdout=log, stderr=log)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.directory} {self.options}"
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.directory + "/log", "-o", options, "start")
        self.query("SELECT 1", "postgres")
        if self.query("SELECT 1 FROM pg_database WHERE datname = 'demo'", "postgres") == "":
            self.query("CREATE DATABASE demo", "postgres")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", self.data, "-m", mode, "stop", check=False)

    def kill(self):
        """kill -9 of the postmaster and all its children, as a power cut would look to it."""
        with open(self.data + "/postmaster.pid") as file:
            postmaster = int(file.readline())
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True).stdout.split()
        for pid in [postmaster, *map(int, children)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        # Where nobody collects the dead, the postmaster stays in the process table, and its lock file would be believed.
        while any(self._runs(pid) for pid in [postmaster, *map(int, children)]):
            time.sleep(0.02)
        for path in [self.data + "/postmaster.pid", *glob.glob(self.directory + "/.s.PGSQL.*.lock")]:
            os.path.exists(path) and os.unlink(path)

    @staticmethod
    def _runs(pid):
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    def query(self, text, database="demo"):
        return subprocess.run(
            ["psql", "-qAtX", "-h", "127.0.0.1", "-p", str(self.port), "-U", "demo", database, "-c", text],
            check=True, capture_output=True, text=True).stdout.strip()

    def environment(self, database="demo"):
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "demo", "PGDATABASE": database, "ADMIN_TOKEN": TOKEN}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)
        os.path.exists(self.directory + ".log") and os.unlink(self.directory + ".log")


class Program:
    """A process that serves HTTP on a free port; `{address}` in its command is where."""

    def __init__(self, command, environment=None, port=None, ready="/metrics"):
        self.port = port or free_port()
        self.command = [part.format(address=f"127.0.0.1:{self.port}") for part in command]
        self.environment, self.ready = {**os.environ, **(environment or {})}, ready
        self.log = tempfile.NamedTemporaryFile("w+", prefix="minprom-log-")

    def start(self):
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT)
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command[0]} ended: {open(self.log.name).read()}")
            try:
                self.get(self.ready)
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self.command[0]} does not answer: {open(self.log.name).read()}")

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)

    def request(self, method, path, body=None, token=TOKEN, headers=None, timeout=30):
        """(status, text, headers); a refused connection is an OSError."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers=dict(headers or {}))
        if body is not None:
            asked.data = json.dumps(body).encode()
            asked.add_header("Content-Type", "application/json")
        if token:
            asked.add_header("Authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(asked, timeout=timeout) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def get(self, path, **rest):
        return self.request("GET", path, **rest)

    def metric(self, name):
        """The value of the first sample that begins with `name`."""
        match = re.search(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", self.get("/metrics")[1], re.M)
        return float(match[1]) if match else None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def families(page):
    """Of a page in text format or OpenMetrics: {family: (type, {label names}, {le})}."""
    types, found = {}, {}
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            types[name] = kind
            found.setdefault(name, (kind, set(), set()))
    for line in page.splitlines():
        match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+", line)
        if not match or line.startswith("#"):
            continue
        name = match[1]
        family = next((name[: len(name) - len(s)] for s in ["", "_bucket", "_sum", "_count", "_total", "_created"]
                       if name.endswith(s) and name[: len(name) - len(s)] in types), None)
        assert family, f"{name} has no TYPE"
        labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or "")
        found[family][1].update(label for label, _ in labels)
        found[family][2].update(value for label, value in labels if label == "le")
    return found


def check(claim, holds, detail=""):
    print(("ok    " if holds else "FAIL  ") + claim + (f": {detail}" if detail != "" and not holds else ""), flush=True)
    if not holds:
        check.failed += 1


check.failed = 0


def end():
    print(f"{check.failed} failed" if check.failed else "all hold")
    sys.exit(1 if check.failed else 0)
