"""The api beside a real Flask application with prometheus_flask_exporter: the same requests to both, then the pages compared by family, type,
help text, label names and `le` values, in the text format and in OpenMetrics; with strict parity every sample's labels and count, too.

    python3 -m venv /tmp/flaskenv && /tmp/flaskenv/bin/pip install flask prometheus_flask_exporter
    FLASK_PYTHON=/tmp/flaskenv/bin/python python3 Tests/system/api_flask.py

MINPROM_DEMO names another executable than .build/debug/minprom-demo. Skips where Flask or PostgreSQL are not installed.
"""

import os
import re
import subprocess
import sys
import tempfile

import postgres_lab as lab
from postgres_lab import check

PYTHON = os.environ.get("FLASK_PYTHON", sys.executable)

APPLICATION = '''
import sys
from flask import Flask, jsonify, request
from prometheus_flask_exporter import PrometheusMetrics

app = Flask(__name__)
metrics = PrometheusMetrics(app)
fault = {}
rows = []

@app.before_request
def strike():
    if request.path.startswith("/-/") or request.path == "/metrics":
        return
    if fault.get("throw"):
        raise ValueError("raised on purpose")
    if fault.get("status"):
        return jsonify(error="answered on purpose"), fault["status"]

@app.route("/-/chaos", methods=["POST", "DELETE"])
@metrics.do_not_track()
def chaos():
    fault.clear()
    if request.method == "POST":
        fault.update(request.get_json())
    return jsonify(fault)

@app.route("/health")
def health():
    return jsonify(status="ok")

@app.route("/transactions", methods=["GET", "POST"])
def transactions():
    if request.method == "GET":
        return jsonify(transactions=rows)
    wanted = request.get_json(force=True, silent=True)
    if not isinstance(wanted, dict) or not isinstance(wanted.get("amount"), (int, float)):
        return jsonify(error="amount"), 400
    rows.append(wanted)
    return jsonify(wanted), 201

app.run(port=int(sys.argv[1]))
'''

REQUESTS = [
    ("GET", "/health", None), ("GET", "/health", None), ("HEAD", "/health", None), ("OPTIONS", "/health", None), ("POST", "/health", {}),
    ("GET", "/transactions", None), ("POST", "/transactions", {"amount": 12.5, "description": "coffee"}), ("POST", "/transactions", {"amount": "x"}),
    ("GET", "/transactions?limit=1", None), ("DELETE", "/transactions", None), ("GET", "/nowhere", None), ("POST", "/nowhere/else", {}),
    ("POST", "/-/chaos", {"throw": True}), ("GET", "/health", None), ("POST", "/transactions", {"amount": 1}), ("GET", "/nowhere", None),
    ("POST", "/-/chaos", {"status": 503}), ("GET", "/health", None), ("DELETE", "/-/chaos", None), ("GET", "/health", None),
]

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
               "text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"}


def flask_only(found):
    return {name: value for name, value in found.items() if name.startswith(("flask_", "process_"))}


def helps(page):
    return {match[1]: match[2] for match in re.finditer(r"^# HELP ((?:flask|process)_\w+) (.*)$", page, re.M)}


def counts(page):
    """Samples whose values do not depend on time: everything but durations' sums and buckets, and beginnings."""
    return sorted(
        (line.rsplit(" ", 1)[0], float(line.rsplit(" ", 1)[1])) for line in page.splitlines()
        if line.startswith("flask_") and not re.match(r"\w+(_sum|_bucket|_created)\{", line))


def compare(ours, theirs, what):
    for form, headers in [("text", {}), ("OpenMetrics", OPENMETRICS)]:
        a, b = ours.get("/metrics", headers=headers), theirs.get("/metrics", headers=headers)
        check(f"{what}: {form}: content type", a[2]["Content-Type"] == b[2]["Content-Type"], (a[2]["Content-Type"], b[2]["Content-Type"]))
        mine, real = flask_only(lab.families(a[1])), flask_only(lab.families(b[1]))
        check(f"{what}: {form}: {len(real)} families, types, label names, le", mine == real,
              {name: (mine.get(name), real.get(name)) for name in {**mine, **real} if mine.get(name) != real.get(name)})
        check(f"{what}: {form}: help texts", helps(a[1]) == helps(b[1]), set(helps(a[1]).items()) ^ set(helps(b[1]).items()))
        check(f"{what}: {form}: ends as the format wants", a[1].endswith("# EOF\n") == (form == "OpenMetrics"))
    for query in ["name[]=flask_http_request_total", "name[]=flask_http_request", "name[]=flask_http_request_created&name[]=flask_exporter_info",
                  "name[]=flask_http_request_duration_seconds_sum"]:
        a, b = ours.get("/metrics?" + query)[1], theirs.get("/metrics?" + query)[1]
        check(f"{what}: ?{query}", lab.families(a) == lab.families(b), (a, b))


def main():
    lab.skip_without_postgres()
    if subprocess.run([PYTHON, "-c", "import flask, prometheus_flask_exporter"], capture_output=True).returncode:
        print(f"skipped: {PYTHON} has no flask and prometheus_flask_exporter")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file, lab.Cluster(options="-c fsync=off") as db:
        file.write(APPLICATION)
        file.flush()
        for parity in ["0", "1"]:
            port = lab.free_port()
            with lab.Program([PYTHON, file.name, str(port)], port=port) as flask, lab.Program(
                    [lab.MINPROM_DEMO, "api", "--web.listen-address={address}"], {**db.environment(), "FLASK_PARITY": parity}) as api:
                if parity == "0":
                    check("by default the exceptions begin at 0, before any request", api.metric("flask_http_request_exceptions_total") == 0)
                    check("the original has none yet", flask.metric("flask_http_request_exceptions_total") is None)
                for method, path, body in REQUESTS:
                    a, b = api.request(method, path, body)[0], flask.request(method, path, body)[0]
                    check(f"{method} {path}: status {b}", a == b, a)
                compare(api, flask, "parity" if parity == "1" else "default")
                if parity == "1":
                    a, b = counts(api.get("/metrics")[1]), counts(flask.get("/metrics")[1])
                    check(f"parity: all {len(b)} counts, labels and values", a == b, set(a) ^ set(b))
    lab.end()


if __name__ == "__main__":
    main()
