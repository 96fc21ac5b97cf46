"""Alerting from a metric to a receiver, to be broken at will: an exporter whose values the test sets, servers that can be killed, receivers
that can fail. Used by alerting.py and alert_interop.py.

    exporter (problem 0 → 1) ─scrape─▶ rules ─▶ Alertmanager ─▶ pager, chat (webhooks.Recorder)

The middle is real Prometheus and Alertmanager, or one minprom, or any mixture of halves: `Pair(prometheus, alertmanager)`, `Whole(minprom)`.
"""

import asyncio
import datetime
import json
import os
import re
import shutil
import signal
import tempfile
import time
import urllib.parse

import webhooks

ANCHORS = os.environ.get("ANCHORS", "/usr/bin")
PROMETHEUS = [ANCHORS + "/prometheus"]
ALERTMANAGER = [ANCHORS + "/prometheus-alertmanager", "--cluster.listen-address="]
INTERVAL = 0.5  # seconds between scrapes, and between evaluations

RULES = """
groups:
- name: lab
  rules:
  - {alert: Problem, expr: problem == 1, annotations: {summary: 'Problem of {{ $labels.team }}'}}
  - {alert: Slow, expr: slow == 1, for: 4s}
  - {alert: Long, expr: long == 1, for: 20s}
  - {alert: Storm, expr: storm == 1}
"""

ROUTES = """
route:
  receiver: pager
  group_by: [alertname, bucket]
  group_wait: 500ms
  group_interval: 1s
  repeat_interval: 1h
  routes:
  - {receiver: chat, matchers: [team="b"]}
receivers:
- name: pager
  webhook_configs: [{url: 'http://pager/'}]
- name: chat
  webhook_configs: [{url: 'http://chat/'}]
"""


class Process:
    """One server process that can be started again on the same directory and port."""

    def __init__(self, command, port, log):
        self.command, self.port, self.log = command, port, log
        self.process = None

    async def start(self):
        with open(self.log, "ab") as log:
            self.process = await asyncio.create_subprocess_exec(*self.command, stdout=log, stderr=log)
        await webhooks.until_ready(self.port, self.process)

    async def end(self, number):
        if self.process and self.process.returncode is None:
            self.process.send_signal(number)
            try:
                await asyncio.wait_for(self.process.wait(), 20)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024


class Exporter:
    """A page of metrics: `set("problem", 1, team="a")`."""

    def __init__(self, port):
        self.port = port
        self.values = {}

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, reuse_address=True)

    def set(self, name, value, **labels):
        inside = ",".join(f'{k}="{v}"' for k, v in labels.items())
        self.values[f"{name}{{{inside}}}"] = value

    async def serve(self, reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            page = "".join(f"{series} {value}\n" for series, value in self.values.items()).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + page)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Lab:
    """Servers, exporter and receivers of one experiment, in a directory of its own. `async with Lab(servers, ports) as lab`."""

    def __init__(self, servers, ports, routes=ROUTES, rules=RULES, flags=()):
        self.servers, self.ports, self.routes, self.rules, self.flags = servers, ports, routes, rules, list(flags)
        self.directory = tempfile.mkdtemp(prefix="alertlab-")
        self.taken = []

    def port(self):
        self.taken.append(self.ports.take())
        return self.taken[-1]

    def file(self, name, text):
        path = f"{self.directory}/{name}"
        with open(path, "w") as file:
            file.write(text)
        return path

    async def __aenter__(self):
        self.exporter = Exporter(self.port())
        await self.exporter.listen()
        self.receivers = {n: webhooks.Recorder(n, self.port()) for n in sorted(set(re.findall(r"http://([a-z0-9-]+)/", self.routes)))}
        routes = self.routes
        for name, recorder in self.receivers.items():
            await recorder.listen()
            routes = routes.replace(f"http://{name}/", f"http://127.0.0.1:{recorder.port}/")
        self.web, self.alerts = self.port(), self.port()
        self.rules_file = self.file("rules.yml", self.rules)
        self.alertmanager_file = self.file("alertmanager.yml", routes)
        self.prometheus_file = self.file(
            "prometheus.yml",
            f"global: {{scrape_interval: {int(INTERVAL * 1000)}ms, evaluation_interval: {int(INTERVAL * 1000)}ms}}\n"
            f"rule_files: [{self.rules_file}]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{self.alerts}']}}]}}]}}\n"
            f"scrape_configs: [{{job_name: lab, static_configs: [{{targets: ['127.0.0.1:{self.exporter.port}']}}]}}]\n",
        )
        self.processes = self.servers(self)
        await self.start()
        await self.until_connected()
        return self

    async def __aexit__(self, kind, *_):
        await self.end(signal.SIGTERM)
        self.exporter.server.close()
        for recorder in self.receivers.values():
            await recorder.close()
        for port in self.taken:
            self.ports.give_back(port)
        if kind is None:
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            print(f"  files of the failed experiment: {self.directory}")

    async def start(self):
        for process in self.processes:
            await process.start()

    async def end(self, number):
        await asyncio.gather(*(process.end(number) for process in self.processes))

    async def kill(self, seconds=1):
        """kill -9 of everything, and a start after a while."""
        await self.end(signal.SIGKILL)
        await asyncio.sleep(seconds)
        await self.start()

    def resident(self):
        return sum(process.resident() for process in self.processes)

    # MARK: What came

    def told(self, receiver, name, status=None, since=0.0):
        """Accepted notifications with an alert of this name, oldest first, as (time, status of that alert, labels)."""
        found = []
        for arrival in self.receivers[receiver].arrivals:
            if arrival.answered == 200 and arrival.time >= since:
                for alert in arrival.body["alerts"]:
                    if alert["labels"]["alertname"] == name and status in (None, alert["status"]):
                        found.append((arrival.time, alert["status"], alert["labels"]))
        return found

    async def until(self, condition, timeout):
        """Seconds until `condition()` is true; `None` if it does not become so in time."""
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            if condition():
                return time.monotonic() - began
            await asyncio.sleep(0.02)
        return None

    # MARK: Asking

    async def ask(self, port, method, path, body=None, **parameters):
        if parameters:
            path += "?" + urllib.parse.urlencode(parameters)
        status, answer = await webhooks.request(port, method, path, body, timeout=20)
        try:
            return status, json.loads(answer)
        except ValueError:
            return status, answer

    async def states(self):
        """State of each alert of the rules, by name."""
        _, answer = await self.ask(self.web, "GET", "/api/v1/alerts")
        return {alert["labels"]["alertname"]: alert["state"] for alert in answer["data"]["alerts"]}

    async def until_state(self, name, state, timeout=10):
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            if (await self.states()).get(name) == state:
                return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"{name} did not become {state}")

    async def until_connected(self, timeout=15):
        """Waits until the rules' server knows its Alertmanager and has scraped the exporter."""
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            _, known = await self.ask(self.web, "GET", "/api/v1/alertmanagers")
            _, up = await self.ask(self.web, "GET", "/api/v1/query", query="up")
            if known["data"]["activeAlertmanagers"] and up["data"]["result"]:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError("the rules' server knows no Alertmanager")

    async def evaluation_age(self):
        """Seconds since the rules were evaluated last."""
        _, answer = await self.ask(self.web, "GET", "/api/v1/rules")
        last = re.sub(r"\.(\d+)", lambda m: "." + (m[1] + "000000")[:6], answer["data"]["groups"][0]["lastEvaluation"])
        return time.time() - datetime.datetime.fromisoformat(last.replace("Z", "+00:00")).timestamp()

    async def silence(self, minutes=60, **labels):
        now = datetime.datetime.now(datetime.timezone.utc)
        body = {
            "matchers": [{"name": n, "value": v, "isRegex": False, "isEqual": True} for n, v in labels.items()],
            "startsAt": now.isoformat(),
            "endsAt": (now + datetime.timedelta(minutes=minutes)).isoformat(),
            "createdBy": "lab",
            "comment": "lab",
        }
        status, answer = await self.ask(self.alerts, "POST", "/api/v2/silences", body)
        if status != 200:
            raise RuntimeError(f"silence: {status} {answer}")
        return answer["silenceID"]


# MARK: Servers


def prometheus(command):
    def process(lab):
        return Process(
            [
                *command,
                f"--config.file={lab.prometheus_file}",
                f"--storage.tsdb.path={lab.directory}/tsdb",
                f"--web.listen-address=127.0.0.1:{lab.web}",
                "--web.enable-lifecycle",
                "--web.enable-remote-write-receiver",
                "--rules.alert.for-grace-period=1s",
                "--rules.alert.resend-delay=2s",  # Prometheus knows no Alertmanager in its first five seconds: it must say it again
                *lab.flags,
            ],
            lab.web,
            f"{lab.directory}/prometheus.log",
        )

    return process


def alertmanager(command):
    def process(lab):
        return Process(
            [
                *command,
                f"--config.file={lab.alertmanager_file}",
                f"--storage.path={lab.directory}/alerts",
                f"--web.listen-address=127.0.0.1:{lab.alerts}",
            ],
            lab.alerts,
            f"{lab.directory}/alertmanager.log",
        )

    return process


def pair(rules, alerts):
    """Two processes, of whatever make: rules here, alerts there."""
    return lambda lab: [alertmanager(alerts)(lab), prometheus(rules)(lab)]


def whole(command):
    """One minprom that is both."""

    def processes(lab):
        process = prometheus(command)(lab)
        process.command += [
            f"--alertmanager.config.file={lab.alertmanager_file}",
            f"--alertmanager.storage.path={lab.directory}/alerts",
            f"--alertmanager.web.listen-address=127.0.0.1:{lab.alerts}",
        ]
        return [process]

    return processes
