"""Our PostgreSQL exporter beside prometheus-community's, on one server: names, types and labels of every sample that begins with pg_.

    ANCHORS=/usr/bin python3 Tests/system/postgres_exporter.py

Only what depends on who asks may differ: each exporter sees the other's session and not its own in pg_stat_activity, and statistics of
statements go on while the two are asked. Skips where PostgreSQL or the original are not installed.
"""

import os
import re
import subprocess
import threading
import time

import postgres_lab as lab
from postgres_lab import check

ORIGINAL = lab.ANCHORS + "/prometheus-postgres-exporter"


def series(page):
    """{(name, labels)} of pg_ samples, without the sessions of the exporters themselves."""
    found = set()
    for line in page.splitlines():
        if line.startswith("pg_"):
            found.add(line.rsplit(" ", 1)[0])
    return {s for s in found if not s.startswith(("pg_stat_activity_", "pg_stat_statements_"))}


def types(page):
    return {match[1]: match[2] for match in re.finditer(r"^# TYPE (pg_\w+) (\w+)$", page, re.M)}


def values(page, names):
    return {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in page.splitlines() if line.startswith(names)}


def success(page):
    return {match[1]: match[2] for match in re.finditer(r'^pg_scrape_collector_success\{collector="(\w+)"\} (\d)$', page, re.M)}


def main():
    lab.skip_without_postgres()
    if not os.path.exists(ORIGINAL):
        print(f"skipped: no {ORIGINAL}")
        return
    with lab.Cluster(options="-c fsync=off -c shared_preload_libraries=pg_stat_statements") as db:
        db.query("CREATE TABLE a (id int PRIMARY KEY, t text); INSERT INTO a SELECT n, 'x' FROM generate_series(1, 100) n; ANALYZE a")
        db.query("VACUUM a")
        db.query("SELECT pg_create_physical_replication_slot('slot')")
        source = {"DATA_SOURCE_NAME": f"postgresql://demo@127.0.0.1:{db.port}/demo?sslmode=disable"}
        flags = ["--collector.long_running_transactions", "--web.listen-address={address}"]
        with lab.Program([ORIGINAL, "--collector.stat_statements", *flags], source) as real, lab.Program(
                [lab.MINPROM_DEMO, "exporter", "postgres", *flags], source) as ours:
            check("no extension, no statements, no failure", "stat_statements_" not in ours.get("/metrics")[1].replace("pg_settings_pg_stat_statements_", ""))
            db.query("CREATE EXTENSION pg_stat_statements")
            for _ in range(3):
                db.query("SELECT count(*) FROM a")
            b, a = real.get("/metrics")[1], ours.get("/metrics")[1]
            check(f"{len(types(b))} families and their types", types(a) == types(b), set(types(a).items()) ^ set(types(b).items()))
            check(f"{len(series(b))} series: names and labels", series(a) == series(b), sorted(series(a) ^ series(b))[:10])
            check("collectors", success(a) == success(b), (success(a), success(b)))
            labels = lambda page: {name: kind[1] for name, kind in lab.families(page).items() if name.startswith("pg_")}
            check("label names of every family", labels(a) == labels(b), {n: (labels(a).get(n), v) for n, v in labels(b).items() if labels(a).get(n) != v})
            # The original's driver asks for more digits of floats than a session begins with; that is not the server's setting.
            b = re.sub(r"(?m)^pg_settings_extra_float_digits\{.*\n", "", b)
            a = re.sub(r"(?m)^pg_settings_extra_float_digits\{.*\n", "", a)
            still = ("pg_settings", "pg_database_connection_limit", "pg_roles", "pg_static", "pg_wal", "pg_replication_is_replica", "pg_stat_user_tables_n_")
            check(f"{len(values(b, still))} values that do not move", {k: float(v) for k, v in values(a, still).items()} == {k: float(v) for k, v in values(b, still).items()},
                  {k: (values(a, still).get(k), v) for k, v in values(b, still).items() if values(a, still).get(k) != v})

            # A table that somebody has locked: its collector runs into the statement timeout, alone.
            holder = subprocess.Popen(
                ["psql", "-qX", "-h", "127.0.0.1", "-p", str(db.port), "-U", "demo", "demo", "-c",
                 "BEGIN; LOCK TABLE a IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)"], stdout=subprocess.DEVNULL)
            time.sleep(0.5)
            begin = time.monotonic()
            page = ours.get("/metrics")[1]
            took = time.monotonic() - begin
            bad = [name for name, ok in success(page).items() if ok == "0"]
            check("a locked table: its collector says 0, the others 1", bad == ["stat_user_tables"], bad)
            check("… and the page comes within the statement timeout", took < 3, took)
            check("… pg_up stays 1, the error is told", ours.metric("pg_up") == 1 and ours.metric("pg_exporter_last_scrape_error") == 1)
            oldest = [float(v) for k, v in values(page, ("pg_stat_activity_max_tx_duration",)).items()]
            check("… and max_tx_duration shows the transaction", max(oldest) > 0.4, max(oldest))
            begin = time.monotonic()
            ours.get("/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.7"})
            check("a scraper in a hurry gets a short page, not a late one", time.monotonic() - begin < 2.5)
            holder.kill()
            db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()")

            # The server goes and comes back.
            db.stop("immediate")
            for program in (ours, real):
                program.get("/metrics")
            a, b = ours.get("/metrics")[1], real.get("/metrics")[1]
            check("away: pg_up 0 on both", ours.metric("pg_up") == 0 and real.metric("pg_up") == 0)
            check("away: no collector says anything", success(a) == {}, success(a))
            db.start()
            for _ in range(50):
                if ours.metric("pg_up") == 1:
                    break
                time.sleep(0.1)
            check("back: pg_up 1", ours.metric("pg_up") == 1)
            check("SIGTERM ends it cleanly", ours.stop() == 0)
    lab.end()


if __name__ == "__main__":
    main()
