#!/usr/bin/env python3
"""The calls that Grafana's Prometheus data source makes, replayed against a running server.

    Tests/system/api.py --cmd '.build/release/minprom --config.file={config} --storage.tsdb.path={data}
        --web.listen-address=127.0.0.1:{port} --web.enable-remote-write-receiver --enable-feature=exemplar-storage'
    Tests/system/api.py --cmd 'prometheus … the same …'          upstream must pass as well
    Tests/system/api.py --url http://127.0.0.1:9090              a running, empty server with these flags

Each check says what a client relies on: status, content type, shape, order of keys, texts. Written from reading Grafana's
client; not run against Grafana itself. Standard library only. Exit status 0 when all hold.
"""
import argparse
import gzip
import http.client
import json
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


# --- the server under test


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, content):
    if isinstance(content, str):
        content = content.encode()
    return varint(number << 3 | 2) + varint(len(content)) + content


def labels(pairs):
    return b"".join(field(1, field(1, k) + field(2, v)) for k, v in sorted(pairs.items()))


def sample(value, ms):
    return field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(ms))


def exemplar(pairs, value, ms):
    return field(3, labels(pairs) + b"\x11" + struct.pack("<d", value) + b"\x18" + varint(ms))


def snappy(data):
    """Snappy's block format, literals only."""
    out = varint(len(data))
    for at in range(0, len(data), 60):
        piece = data[at : at + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    return out


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        if self.headers.get("Content-Encoding") == "gzip":
            self.body = gzip.decompress(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        assert self.status == 200, f"status {self.status}: {self.text[:200]}"
        assert self.headers["Content-Type"].startswith("application/json"), self.headers["Content-Type"]
        assert self.json["status"] == "success", self.text[:200]
        return self.json["data"]


class Server:
    def __init__(self, host, port):
        self.host, self.port = host, port

    def ask(self, method, path, parameters=None, body=None, headers=None):
        headers = dict(headers or {})
        if parameters is not None:
            encoded = urllib.parse.urlencode(parameters, doseq=True)
            if method == "POST" and body is None:
                body, headers = encoded, {**FORM, **headers}
            else:
                path += "?" + encoded
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **parameters):
        return self.ask("GET", path, parameters)

    def post(self, path, **parameters):
        return self.ask("POST", path, parameters)

    def write(self, *series):
        body = snappy(b"".join(field(1, one) for one in series))
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
        answer = self.ask("POST", "/api/v1/write", body=body, headers=headers)
        assert answer.status in (200, 204), answer.text


# --- what is stored: two instances, 20 minutes up to NOW, one with exemplars

NOW = int(time.time()) // 60 * 60 - 60
START = NOW - 1200
SERIES = [
    {"__name__": "test_requests_total", "instance": "a", "job": "demo"},
    {"__name__": "test_requests_total", "instance": "b", "job": "demo"},
    {"__name__": "test_latency_seconds_bucket", "le": "0.5", "job": "demo"},
    {"__name__": "test.dotted", "job": "demo"},
]


def fill(server):
    for at in range(START, NOW + 1, 60):
        server.write(*(labels(one) + sample((at - START) / 60 * (index + 1), at * 1000) for index, one in enumerate(SERIES)))
    # As Prometheus sends them: a series of their own, without samples.
    server.write(
        labels(SERIES[2]) + exemplar({"trace_id": "abc"}, 0.25, START * 1000 + 500),
        labels(SERIES[2]) + exemplar({"trace_id": "def"}, 0.125, START * 1000 + 1500),
    )


CHECKS = []


def check(identifier):
    def add(function):
        CHECKS.append((identifier, function.__doc__.strip(), function))
        return function

    return add


def same(found, expected):
    assert found == expected, f"\n      found    {found}\n      expected {expected}"


@check("G-1")
def save_and_test(server):
    """“Save & test”: 1+1 at time 4, by form, with a timeout"""
    same(server.post("/api/v1/query", query="1+1", time="4", timeout="30s").text.strip(),
         '{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}')


@check("G-2")
def build_info(server):
    """buildinfo: six strings and nothing that makes Grafana take the server for Mimir; version 2.24 or later"""
    data = server.get("/api/v1/status/buildinfo").data
    same(sorted(data), ["branch", "buildDate", "buildUser", "goVersion", "revision", "version"])
    assert all(isinstance(value, str) for value in data.values())
    major, minor = data["version"].split(".")[:2]
    assert (int(major), int(minor)) >= (2, 24), data["version"]


@check("G-3")
def range_panel(server):
    """a panel: times with fractions, step in seconds; resultType stands before result"""
    answer = server.post("/api/v1/query_range", query="test_requests_total", start=f"{START}.000", end=f"{NOW}.5", step="60.0")
    data = answer.data
    assert answer.text.index('"resultType"') < answer.text.index('"result":')
    same(data["resultType"], "matrix")
    same([series["metric"]["instance"] for series in data["result"]], ["a", "b"])
    values = data["result"][1]["values"]
    same((len(values), values[0], values[-1]), (21, [START, "0"], [NOW, "40"]))


@check("G-3")
def range_errors(server):
    """a panel's errors: status, errorType and text as shown to people"""
    good = dict(query="up", start=START, end=NOW, step=60)
    for change, status, kind, text in [
        (dict(step="1", start=0), 400, "bad_data",
         "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"),
        (dict(end=START - 1), 400, "bad_data", 'invalid parameter "end": end timestamp must not be before start time'),
        (dict(step=0), 400, "bad_data",
         'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer'),
        (dict(query="sum("), 400, "bad_data", 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'),
        (dict(query="test_requests_total + on() test_requests_total"), 422, "execution", None),
    ]:
        answer = server.post("/api/v1/query_range", **{**good, **change})
        error = answer.json
        same((answer.status, error["status"], error["errorType"]), (status, "error", kind))
        if text:
            same(error["error"], text)


@check("G-3")
def notices(server):
    """warnings and infos become a panel's notices"""
    infos = server.post("/api/v1/query", query="rate(test.dotted[5m])".replace("test.dotted", '{"test.dotted"}'), time=NOW).json["infos"]
    same(infos, ['PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "test.dotted" (1:6)'])
    warnings = server.post("/api/v1/query", query="quantile(2, test_requests_total)", time=NOW).json["warnings"]
    same(warnings, ["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"])


@check("G-4")
def instant(server):
    """instant panels, alert rules, query_result(): vector, scalar, string; an empty vector is []"""
    data = server.post("/api/v1/query", query="sum(test_requests_total)", time=f"{NOW}.250").data
    same(data, {"resultType": "vector", "result": [{"metric": {}, "value": [NOW + 0.25, "60"]}]})
    same(server.get("/api/v1/query", query='"x"', time=4).data, {"resultType": "string", "result": [4, "x"]})
    same(server.get("/api/v1/query", query="nothing", time=4).data, {"resultType": "vector", "result": []})


@check("G-5")
def exemplar_probe(server):
    """the probe for exemplars sends milliseconds"""
    same(server.get("/api/v1/query_exemplars", query="test", start=START * 1000, end=NOW * 1000).data, [])


@check("G-6")
def exemplars(server):
    """exemplars of all series that the query selects"""
    query = 'histogram_quantile(0.9, sum by (le) (rate(test_latency_seconds_bucket{job="demo"}[5m])))'
    expected = [{
        "seriesLabels": SERIES[2],
        "exemplars": [
            {"labels": {"trace_id": "abc"}, "value": "0.25", "timestamp": START + 0.5},
            {"labels": {"trace_id": "def"}, "value": "0.125", "timestamp": START + 1.5},
        ],
    }]
    same(server.post("/api/v1/query_exemplars", query=query, start=START, end=NOW).data, expected)
    expected[0]["exemplars"].pop(0)
    same(server.get("/api/v1/query_exemplars", query=query, start=START + 1, end=NOW).data, expected)
    same(server.get("/api/v1/query_exemplars", query=query, start=START + 2, end=NOW).data, [])


@check("G-6")
def exemplar_errors(server):
    """exemplars: what is wrong with a request"""
    for parameters, text in [
        (dict(query="sum(", start=0, end=1), "1:5: parse error: unclosed left parenthesis"),
        (dict(query="a", start=2, end=1), "end timestamp must not be before start timestamp"),
        (dict(query="a", start="x", end=1),
         'invalid parameter "start": invalid time value for \'start\': cannot parse "x" to a valid timestamp'),
    ]:
        answer = server.get("/api/v1/query_exemplars", **parameters)
        same((answer.status, answer.json["errorType"], answer.json["error"]), (400, "bad_data", text))
    same(server.get("/api/v1/query_exemplars", query="1").status, 204)


@check("G-7")
def label_names(server):
    """label names by GET and POST, with a selector and unknown parameters"""
    for ask in (server.get, server.post):
        found = ask("/api/v1/labels", **{"start": START, "end": NOW, "match[]": '{__name__=~"test.*"}', "limit": 40000, "nonsense": 1})
        same(found.data, ["__name__", "instance", "job", "le"])


@check("G-7")
def label_values(server):
    """label values by GET; escaped names; the limit and its warning; POST is refused"""
    window = {"start": START, "end": NOW}
    same(server.get("/api/v1/label/instance/values", **window, **{"match[]": '{__name__!=""}'}).data, ["a", "b"])
    same(server.get("/api/v1/label/U__instance/values", **window).data, ["a", "b"])
    names = server.get("/api/v1/label/__name__/values", **window, limit=10000).data
    assert {"test.dotted", "test_requests_total"} <= set(names), names
    cut = server.get("/api/v1/label/instance/values", **window, limit=1)
    same((cut.data, cut.json["warnings"]), (["a"], ["results truncated due to limit"]))
    same(server.post("/api/v1/label/instance/values").status, 405)


@check("G-7")
def series(server):
    """series by GET and POST, sorted, with the limit and its warning"""
    match = {"match[]": ["test_requests_total", '{le!=""}'], "start": START, "end": NOW}
    for ask in (server.get, server.post):
        same(ask("/api/v1/series", **match).data, [SERIES[2], SERIES[0], SERIES[1]])
    cut = server.get("/api/v1/series", **{**match, "match[]": "test_requests_total", "limit": 1})
    same((len(cut.data), cut.json["warnings"]), (1, ["results truncated due to limit"]))
    same(server.get("/api/v1/series", start=START).json["error"], "no match[] parameter provided")


@check("G-8")
def metadata(server):
    """metadata: an object of lists"""
    data = server.get("/api/v1/metadata", limit=10).data
    assert isinstance(data, dict) and all(isinstance(value, list) for value in data.values())


@check("editor")
def editor(server):
    """the editor's formatter"""
    same(server.get("/api/v1/format_query", query="sum by(job)(rate(x[5m]))").data, "sum by (job) (rate(x[5m]))")
    same(server.post("/api/v1/parse_query", query="(1)").data,
         {"type": "parenExpr", "expr": {"type": "numberLiteral", "val": "1"}})


@check("G-10")
def unknown_paths(server):
    """unknown paths are 404 with text, never a page; ruler and Alertmanager probes find nothing"""
    for path in ["/rules/x", "/config/v1/rules/x", "/api/v1/nonsense", "/alertmanager/api/v2/status"]:
        answer = server.get(path)
        same((answer.status, answer.text), (404, "404 page not found\n"))
    assert server.post("/api/v1/rules").status in (404, 405)


@check("G-15")
def annotations(server):
    """annotations: a range query by POST with step 60"""
    data = server.post("/api/v1/query_range", query="changes(test_requests_total[2m]) > 0", start=START, end=NOW, step=60).data
    same(data["resultType"], "matrix")


@check("G-17")
def keep_alive(server):
    """thirty queries over one connection, answers in gzip when asked"""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    for _ in range(30):
        connection.request("POST", "/api/v1/query", "query=test_requests_total&time=%d" % NOW, {**FORM, "Accept-Encoding": "gzip"})
        same(len(Answer(connection.getresponse()).data["result"]), 2)
    connection.request("GET", "/api/v1/query_range?query=vector(1)&start=%d&end=%d&step=1" % (NOW - 3000, NOW), headers={"Accept-Encoding": "gzip"})
    answer = Answer(connection.getresponse())
    same((answer.headers["Content-Encoding"], len(answer.data["result"][0]["values"])), ("gzip", 3001))
    connection.close()


@check("browser")
def cross_origin(server):
    """a page of another origin may read answers; OPTIONS is 204"""
    answer = server.ask("GET", "/api/v1/query?query=1", headers={"Origin": "http://example.org"})
    same(answer.headers["Access-Control-Allow-Origin"], "http://example.org")
    same(answer.headers["Access-Control-Allow-Methods"], "GET, POST, OPTIONS")
    answer = server.ask("OPTIONS", "/api/v1/query", headers={"Origin": "http://example.org"})
    same((answer.status, answer.headers["Access-Control-Allow-Headers"]), (204, "Accept, Authorization, Content-Type, Origin"))
    same(server.get("/api/v1/query", query="1").headers["Access-Control-Allow-Origin"], None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(server):
    deadline = time.time() + 60
    while True:
        try:
            if server.get("/-/ready").status == 200:
                break
        except OSError:
            pass
        if time.time() > deadline:
            sys.exit("the server did not become ready")
        time.sleep(0.1)
    fill(server)
    failures = 0
    for identifier, claim, function in CHECKS:
        try:
            function(server)
            print(f"ok    {identifier:8} {claim}")
        except Exception as error:  # every check is its own; the rest still runs
            failures += 1
            print(f"FAIL  {identifier:8} {claim}\n      {type(error).__name__}: {error}")
    print(f"{len(CHECKS) - failures} of {len(CHECKS)} hold")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmd", help="command with {port}, {data}, {config}")
    parser.add_argument("--url", help="a running, empty server")
    parser.add_argument("--port", type=int, help="port for --cmd (a free one otherwise)")
    options = parser.parse_args()
    if options.url:
        parts = urllib.parse.urlsplit(options.url)
        sys.exit(1 if run(Server(parts.hostname, parts.port or 80)) else 0)
    if not options.cmd:
        parser.error("--cmd or --url")
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/config.yml", "w") as file:
            file.write("global: {}\n")
        port = options.port or free_port()
        command = options.cmd.format(port=port, data=folder + "/data", config=folder + "/config.yml")
        with open(folder + "/log", "w+") as log:
            process = subprocess.Popen(shlex.split(command), stdout=log, stderr=log)
            try:
                failures = run(Server("127.0.0.1", port))
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
