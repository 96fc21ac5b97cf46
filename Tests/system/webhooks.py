"""Receivers of notifications for tests: small web servers that note what comes when, and can be told to fail. Standard library only.

    pager = Recorder("pager"); await pager.listen()        http://127.0.0.1:PORT/
    pager.behaviour = "answer 500" | "answer 400" | "hang" | "answer after 2s" | "work"
    await pager.close()                                    connection refused, until it listens again (on the same port)

All runs in one event loop, so that many stories can be played at once and times are exact.
"""

import asyncio
import dataclasses
import json
import socket
import time


class Ports:
    """Ports of a range, each given to one at a time. Kernels give away others (from 32768), so a port that is free now stays so."""

    def __init__(self, text="20000-28000"):
        first, _, last = text.partition("-")
        self.range = range(int(first), int(last) + 1)
        self.taken = set()
        self.next = 0

    def take(self):
        for _ in self.range:
            port = self.range[self.next % len(self.range)]
            self.next += 1
            if port not in self.taken:
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        probe.bind(("127.0.0.1", port))
                    except OSError:
                        continue
                self.taken.add(port)
                return port
        raise RuntimeError("no port is free")

    def give_back(self, port):
        self.taken.discard(port)


@dataclasses.dataclass
class Arrival:
    """One request: when it had come in whole (`time.monotonic`), and the status it was answered with (`None`: never)."""

    to: str
    time: float
    body: dict
    answered: int | None


class Recorder:
    def __init__(self, name, port=0):
        self.name, self.port = name, port
        self.behaviour = "work"
        self.arrivals = []
        self.server = None
        self.connections = set()

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, reuse_address=True)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def close(self):
        """Connections are refused from now on; those that hang are cut."""
        if self.server:
            self.server.close()
            for connection in list(self.connections):
                connection.close()
            self.server = None

    async def serve(self, reader, writer):
        self.connections.add(writer)
        try:
            head, body = await read_message(reader)
            arrived = time.monotonic()
            behaviour = self.behaviour
            arrival = Arrival(self.name, arrived, json.loads(body) if body else {}, None)
            self.arrivals.append(arrival)
            if behaviour == "hang":
                await reader.read()  # until the other side gives up
                return
            if behaviour.startswith("answer after "):
                await asyncio.sleep(float(behaviour.removeprefix("answer after ").removesuffix("s")))
                behaviour = "work"
            status = int(behaviour.removeprefix("answer ")) if behaviour != "work" else 200
            arrival.answered = status
            writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # cancelled: the test is over
        finally:
            self.connections.discard(writer)
            writer.close()


async def read_message(reader):
    """Head and body of an HTTP/1 message whose body has a length or is chunked, or lasts to the end of the connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = {}
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    if fields.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    elif "content-length" in fields:
        body = await reader.readexactly(int(fields["content-length"]))
    elif head.startswith("HTTP/"):
        body = await reader.read()
    else:
        body = b""
    return head, body


async def request(port, method, path, body=None, timeout=10):
    """Status and body of one request to 127.0.0.1; a dict or list goes as JSON."""

    async def exchange():
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        try:
            data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            kind = "" if body is None else "Content-Type: application/json\r\n"
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{kind}"
                f"Content-Length: {len(data)}\r\n\r\n".encode() + data
            )
            await writer.drain()
            head, answer = await read_message(reader)
            return int(head.split()[1]), answer
        finally:
            writer.close()

    return await asyncio.wait_for(exchange(), timeout)


async def until_ready(port, process, wait=30):
    """Waits for `/-/ready` to say 200."""
    began = time.monotonic()
    while time.monotonic() - began < wait:
        if process.returncode is not None:
            raise RuntimeError(f"the process ended with {process.returncode}")
        try:
            status, _ = await request(port, "GET", "/-/ready", timeout=2)
            if status == 200:
                return
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        await asyncio.sleep(0.01)
    raise RuntimeError("not ready in time")
