"""The demo's services and a database that goes away: kill -9 in the middle of inserts, a worker that starts before its database, a network
that swallows everything, and clean ends.

    python3 Tests/system/demo_database.py

Skips where PostgreSQL is not installed.
"""

import select
import socket
import threading
import time

import postgres_lab as lab
from postgres_lab import check

API = [lab.MINPROM_DEMO, "api", "--web.listen-address={address}"]
WORKER = [lab.MINPROM_DEMO, "worker", "--web.listen-address={address}"]


class Proxy:
    """Forwards TCP to a port until it is told to swallow: then bytes go nowhere, and nobody is told."""

    def __init__(self, target):
        self.target, self.swallows = target, False
        self.socket = socket.create_server(("127.0.0.1", lab.free_port()))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.forward, args=(client,), daemon=True).start()

    def forward(self, client):
        try:
            while self.swallows:
                time.sleep(0.05)
            server = socket.create_connection(("127.0.0.1", self.target))
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        client.close(), server.close()
                        return
                    while self.swallows:
                        time.sleep(0.05)
                    (server if source is client else client).sendall(data)
        except OSError:
            client.close()


def wait(condition, seconds):
    """Seconds it took, or None."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        try:
            if condition():
                return time.monotonic() - begin
        except OSError:
            pass
        time.sleep(0.05)
    return None


def killed_in_the_middle(db):
    """M-2: what was acknowledged is there after kill -9 of the server, whatever was under way."""
    acknowledged, running, lock = set(), True, threading.Lock()
    with lab.Program(API, db.environment()) as api:
        def insert(number):
            while running:
                try:
                    status, text, _ = api.request("POST", "/transactions", {"amount": 1, "description": f"kill {number}"})
                except OSError:
                    continue
                if status == 201:
                    with lock:
                        acknowledged.add(int(text.split('"id":')[1].split(",")[0]))
                else:
                    time.sleep(0.02)
        threads = [threading.Thread(target=insert, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for round in range(3):
            before = len(acknowledged)
            wait(lambda: len(acknowledged) > before + 200, 20)
            db.kill()
            time.sleep(0.5)
            check(f"kill {round + 1}: the api is up and says 503", api.get("/transactions")[0] == 503 and api.get("/health")[0] == 200)
            db.start()
            took = wait(lambda: api.get("/transactions?limit=1")[0] == 200, 10)
            check(f"kill {round + 1}: the api is back by itself within 1 s", took is not None and took < 1, took)
        running = False
        for thread in threads:
            thread.join()
        kept = {int(line) for line in db.query("SELECT id FROM transactions").split()}
        check(f"all {len(acknowledged)} acknowledged rows are there (of {len(kept)})", acknowledged <= kept, sorted(acknowledged - kept)[:10])
        check("none was inserted twice for one answer", len(kept) - len(acknowledged) <= 8 * 3, len(kept) - len(acknowledged))
        check("a database that is away is no exception", api.metric("flask_http_request_exceptions_total") == 0)
        check("SIGTERM ends the api cleanly", api.stop() == 0)


def worker_first(db):
    """M-3: the worker starts, waits, and works within five seconds of the database being there."""
    # Its port is taken before the database gives up its own.
    program = lab.Program(WORKER, {**db.environment(), "WORKER_RATE": "50"}, ready="/-/healthy")
    db.stop()
    with program as worker:
        time.sleep(20)
        check("20 s without a database: the worker runs", worker.process.poll() is None and worker.get("/-/healthy")[0] == 200)
        check("… is not ready", worker.get("/-/ready")[0] == 503)
        check("… and says nothing of the queue's length", worker.metric("worker_queue_length") is None)
        db.start()
        took = wait(lambda: worker.metric("worker_rows_inserted_total") > 0, 10)
        check("the first batch lands within 5 s", took is not None and took < 5, took)
        print(f"      after {took:.1f} s")

        check("a backlog is put in", worker.request("POST", "/-/enqueue?jobs=600")[0] == 200)
        before, begin = worker.metric("worker_rows_inserted_total"), time.monotonic()
        time.sleep(3)
        one = (worker.metric("worker_rows_inserted_total") - before) / (time.monotonic() - begin)
        check("three workers are asked for", worker.request("POST", "/-/scale?workers=3")[1] == '{"workers":3}\n')
        before, begin = worker.metric("worker_rows_inserted_total"), time.monotonic()
        time.sleep(2)
        three = (worker.metric("worker_rows_inserted_total") - before) / (time.monotonic() - begin)
        check("one worker does about 50 jobs a second", 40 < one < 60, one)
        check("three do about three times as many", 110 < three < 190, three)
        print(f"      {one:.0f} and {three:.0f} jobs a second")
        check("the backlog is drained", wait(lambda: worker.metric("worker_queue_length") < 20, 20) is not None)
        db.query("SELECT 1")
        waiting = int(db.query("SELECT count(*) FROM jobs WHERE done_at IS NULL"))
        done = int(db.query("SELECT count(*) FROM jobs WHERE done_at IS NOT NULL"))
        rows = int(db.query("SELECT count(*) FROM transactions WHERE description LIKE 'payment%'"))
        check("every job that is done made one row", abs(rows - done) <= 30, (rows, done, waiting))

        for _ in range(3):
            worker.process.kill()
            worker.process.wait()
            worker.start()
            time.sleep(0.3)
        worker.request("POST", "/-/scale?workers=0")
        time.sleep(0.5)
        rows = int(db.query("SELECT count(*) FROM transactions WHERE description LIKE 'payment%'"))
        done = int(db.query("SELECT count(*) FROM jobs WHERE done_at IS NOT NULL"))
        check("… also after three kill -9 of the worker", rows == done, (rows, done))
        check("quit ends it cleanly", worker.request("POST", "/-/quit")[0] == 200 and worker.process.wait(10) == 0)


def partition(db):
    """A network that swallows: requests end by the statement timeout, and go on when it is over."""
    proxy = Proxy(db.port)
    with lab.Program(API, {**db.environment(), "PGPORT": str(proxy.port), "PG_STATEMENT_TIMEOUT_MS": "1000"}) as api:
        check("through the proxy", api.get("/transactions")[0] == 200)
        proxy.swallows = True
        begin = time.monotonic()
        status = api.get("/transactions")[0]
        took = time.monotonic() - begin
        check("swallowed: 503 after the statement timeout and a second", status == 503 and 1.5 < took < 4, (status, took))
        check("swallowed: health answers", api.get("/health")[0] == 200)
        proxy.swallows = False
        took = wait(lambda: api.get("/transactions")[0] == 200, 10)
        check("over: works again within 3 s", took is not None and took < 3, took)


def slow(db):
    """M-22: the delay is the database's, so its own metrics show it; M-21: exceptions and 5xx are different counts."""
    with lab.Program(API, db.environment()) as api, lab.Program(
            [lab.MINPROM_DEMO, "exporter", "postgres", "--web.listen-address={address}"], db.environment()) as exporter:
        api.request("POST", "/-/chaos", {"db_delay_ms": 2000})
        thread = threading.Thread(target=lambda: api.get("/transactions"))
        thread.start()
        time.sleep(1.5)
        page = exporter.get("/metrics")[1]
        oldest = max(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith("pg_stat_activity_max_tx_duration{"))
        check("pg_stat_activity_max_tx_duration rises", oldest > 1, oldest)
        thread.join()
        total = api.metric("flask_http_request_duration_seconds_sum")
        check("and so does the api's latency", total > 2, total)
        api.request("POST", "/-/chaos", {"db_delay_ms": 9000})
        check("past the statement timeout the answer is 503", api.get("/transactions")[0] == 503)
        api.request("POST", "/-/chaos", {"status": 503, "for_s": 60})
        check("status 503", api.get("/health")[0] == 503 and api.metric("flask_http_request_exceptions_total") == 0)
        api.request("POST", "/-/chaos", {"throw": True})
        check("throw", api.get("/health")[0] == 500 and api.metric("flask_http_request_exceptions_total") == 1)
        api.request("POST", "/-/chaos", {"latency_ms": 1000, "path": "/health", "for_s": 1.5})
        begin = time.monotonic()
        api.get("/health")
        check("latency", time.monotonic() - begin > 1)
        time.sleep(0.7)
        begin = time.monotonic()
        api.get("/health")
        check("for_s: over by itself", time.monotonic() - begin < 0.5)
        check("quit answers and exits 0", api.request("POST", "/-/quit")[0] == 200 and api.process.wait(10) == 0)


if __name__ == "__main__":
    lab.skip_without_postgres()
    # With fsync, as it is where it matters.
    with lab.Cluster() as db:
        slow(db)
        partition(db)
        killed_in_the_middle(db)
        worker_first(db)
    lab.end()
