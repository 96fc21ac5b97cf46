"""Just enough of Prometheus' wire formats to test a server from outside: remote write 1.0 and the query API. Standard library only."""

import json
import os
import signal
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def label(name, value):
    return field(1, field(1, name.encode()) + field(2, value.encode()))


def series(labels, samples):
    """One TimeSeries message: labels as a dict, samples as (milliseconds, value)."""
    body = b"".join(label(k, v) for k, v in sorted(labels.items()))
    for t, v in samples:
        body += field(2, b"\x09" + struct.pack("<d", v) + b"\x10" + varint(t & (1 << 64) - 1))
    return field(1, body)


def snappy(raw):
    """Valid snappy made of literals only."""
    out = bytearray(varint(len(raw)))
    for start in range(0, len(raw), 60):
        part = raw[start : start + 60]
        out.append((len(part) - 1) << 2)
        out += part
    return bytes(out)


def post(url, body, headers=None, timeout=10):
    request = urllib.request.Request(url, data=body, headers=headers or {}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def write(base, message, timeout=10):
    return post(
        base + "/api/v1/write",
        snappy(message),
        {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        },
        timeout,
    )


def get(base, path, timeout=10, **parameters):
    url = base + path + ("?" + urllib.parse.urlencode(parameters, doseq=True) if parameters else "")
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def query(base, expression, timeout=30, **parameters):
    status, body = get(base, "/api/v1/query", timeout, query=expression, **parameters)
    if status != 200:
        raise RuntimeError(f"{status}: {body[:300]!r}")
    return json.loads(body)["data"]["result"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A minprom process on a port of its own."""

    def __init__(self, binary, directory, *flags, config=None):
        self.binary, self.directory, self.flags, self.config = binary, directory, flags, config
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self, wait=60):
        command = [
            self.binary,
            f"--storage.tsdb.path={self.directory}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-remote-write-receiver",
            *self.flags,
        ]
        if self.config:
            command.append(f"--config.file={self.config}")
        self.log = open(os.path.join(os.path.dirname(self.directory) or ".", "server.log"), "ab")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        began = time.monotonic()
        while time.monotonic() - began < wait:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}; see {self.log.name}")
            try:
                if get(self.base, "/-/ready", 2)[0] == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.005)
        raise RuntimeError("not ready in time")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)

    def alive(self):
        return self.process.poll() is None

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS"):
                    return int(line.split()[1]) * 1024
        return 0
