#!/usr/bin/env python3
"""The real blackbox_exporter and ours probe the same targets with the same blackbox.yml: equal names, labels, types, and values where
they do not measure time.

    blackbox.py MINPROM REAL [FIRST_PORT]        e.g. .build/debug/minprom $ANCHORS/prometheus-blackbox-exporter 21400
"""
import http.server, os, re, socket, socketserver, ssl, struct, subprocess, sys, tempfile, threading, time, urllib.parse, urllib.request

MINPROM, REAL = sys.argv[1:3]
BASE = int(sys.argv[3]) if len(sys.argv) > 3 else 21400
REAL_PORT, OUR_PORT, HTTP, HTTPS, TCP, DNS, CLOSED = (BASE + n for n in range(7))
CONFIG = """
modules:
  http_2xx: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4}}
  http_slow: {prober: http, timeout: 1s, http: {preferred_ip_protocol: ip4}}
  http_stay: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, follow_redirects: false}}
  http_post: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, method: POST, body: "{}", headers: {X-Test: "1"}}}
  http_auth: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, basic_auth: {username: u, password: p}}}
  http_gzip: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, compression: gzip, headers: {Accept-Encoding: gzip}}}
  http_limit: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, body_size_limit: 3B}}
  http_body: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, fail_if_body_not_matches_regexp: ["nowhere"]}}
  http_head: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, fail_if_header_not_matches: [{header: X-Kind, regexp: "^live$"}]}}
  http_tls: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, tls_config: {insecure_skip_verify: true}, enable_http2: false}}
  http_verified: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, tls_config: {ca_file: CA}, enable_http2: false}}
  http_nossl: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, fail_if_not_ssl: true}}
  tcp: {prober: tcp, timeout: 1s, tcp: {preferred_ip_protocol: ip4}}
  tcp_talk: {prober: tcp, timeout: 1s, tcp: {preferred_ip_protocol: ip4, query_response: [{send: "hello 7"}, {expect: "^hello ([0-9]+)$", labels: [{name: number, value: "$1"}]}]}}
  tcp_wrong: {prober: tcp, timeout: 1s, tcp: {preferred_ip_protocol: ip4, query_response: [{send: "quit"}, {expect: "never"}]}}
  tcp_tls: {prober: tcp, timeout: 3s, tcp: {preferred_ip_protocol: ip4, tls: true, tls_config: {insecure_skip_verify: true}}}
  dns_udp: {prober: dns, timeout: 1s, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: A, validate_answer_rrs: {fail_if_not_matches_regexp: ["IN.A.10.0.0.1$"]}}}
  dns_tcp: {prober: dns, timeout: 1s, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: A, transport_protocol: tcp}}
  dns_soa: {prober: dns, timeout: 1s, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: SOA}}
  dns_none: {prober: dns, timeout: 1s, dns: {preferred_ip_protocol: ip4, query_name: missing.example.com, query_type: A}}
  icmp: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4}}
"""
H, S = f"http://127.0.0.1:{HTTP}", f"https://127.0.0.1:{HTTPS}"
CASES = [("http_2xx", H + "/"), ("http_2xx", f"127.0.0.1:{HTTP}/"), ("http_2xx", H + "/404"), ("http_2xx", H + "/redirect"),
         ("http_2xx", H + "/loop"), ("http_stay", H + "/redirect"), ("http_2xx", H + "/chunked"), ("http_2xx", H + "/dated"),
         ("http_2xx", f"http://127.0.0.1:{CLOSED}/"), ("http_slow", H + "/slow"), ("http_post", H + "/"), ("http_auth", H + "/auth"),
         ("http_2xx", H + "/auth"), ("http_gzip", H + "/gzip"), ("http_limit", H + "/"), ("http_body", H + "/"), ("http_head", H + "/"),
         ("http_head", H + "/404"), ("http_tls", S + "/"), ("http_2xx", S + "/"), ("http_verified", f"https://localhost:{HTTPS}/"),
         ("http_nossl", H + "/"), ("http_2xx", "http://no.such.host.invalid/"), ("http_2xx", "http://[::bad/"),
         ("tcp", f"127.0.0.1:{TCP}"), ("tcp", f"127.0.0.1:{CLOSED}"), ("tcp", "noport"), ("tcp_talk", f"127.0.0.1:{TCP}"),
         ("tcp_wrong", f"127.0.0.1:{TCP}"), ("tcp_tls", f"127.0.0.1:{HTTPS}"), ("dns_udp", f"127.0.0.1:{DNS}"),
         ("dns_tcp", f"127.0.0.1:{DNS}"), ("dns_soa", f"127.0.0.1:{DNS}"), ("dns_none", f"127.0.0.1:{DNS}"),
         ("dns_udp", f"127.0.0.1:{CLOSED}"), ("icmp", "127.0.0.1")]
# Newer than the installed exporter.
NEWER = {"probe_timeout_seconds", "probe_failed_due_to_bytes"}
TIMES = re.compile("seconds$|_time_|duration")


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_): pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def do_GET(self):
        import gzip
        status, body, headers = 200, b"hello, prober", {"X-Kind": "live"}
        path = self.path
        if path == "/404": status, headers = 404, {}
        if path == "/redirect": status, headers["Location"] = 302, "/"
        if path == "/loop": status, headers["Location"] = 302, "/loop"
        if path == "/slow": time.sleep(2)
        if path == "/dated": headers["Last-Modified"] = "Sun, 06 Nov 1994 08:49:37 GMT"
        if path == "/auth" and self.headers.get("Authorization") != "Basic dTpw": status = 401
        if path == "/gzip": body, headers["Content-Encoding"] = gzip.compress(body * 10), "gzip"
        try:
            self.send_response(status)
            for name, value in headers.items(): self.send_header(name, value)
            if path == "/chunked":
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n")
            else:
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
        except OSError: pass


http.server.ThreadingHTTPServer.handle_error = lambda *_: None


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line.strip() == b"quit": return
            self.wfile.write(line)


def name(text): return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + b"\0"


def answer(query):
    end = query.index(b"\0", 12) + 5
    kind, = struct.unpack(">H", query[end - 4:end - 2])
    missing = b"missing" in query
    records = b""
    if not missing:
        data = socket.inet_aton("10.0.0.1") if kind == 1 else name("ns.example.com") + name("hm.example.com") + struct.pack(">5I", 42, 1, 2, 3, 4)
        records = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return query[:2] + struct.pack(">5H", 0x8183 if missing else 0x8180, 1, 0 if missing else 1, 0, 0) + query[12:end] + records


def dns():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", DNS))
    tcp = socket.create_server(("127.0.0.1", DNS))

    def over_udp():
        while True:
            query, peer = udp.recvfrom(4096)
            udp.sendto(answer(query), peer)

    def over_tcp():
        while True:
            peer, _ = tcp.accept()
            query = peer.recv(4096)
            while len(query) < 2 or len(query) < 2 + struct.unpack(">H", query[:2])[0]: query += peer.recv(4096)
            reply = answer(query[2:])
            peer.sendall(struct.pack(">H", len(reply)) + reply)
            peer.close()
    for work in over_udp, over_tcp: threading.Thread(target=work, daemon=True).start()


def serve(server): threading.Thread(target=server.serve_forever, daemon=True).start()


def probe(port, module, target):
    url = f"http://127.0.0.1:{port}/probe?" + urllib.parse.urlencode({"module": module, "target": target})
    with urllib.request.urlopen(url, timeout=20) as reply: text = reply.read().decode()
    types, samples = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            _, _, family, kind = line.split(" ")
            types[family] = kind
        elif line.startswith("# HELP"):
            types["help " + line.split(" ")[2]] = line
        elif line:
            series, value = line.rsplit(" ", 1)
            samples[series] = value
    return types, samples


def main():
    directory = tempfile.mkdtemp()
    certificate, key = directory + "/c.pem", directory + "/k.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                    certificate, "-days", "30", "-subj", "/C=DE/O=Example Org/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,DNS:other.example,IP:127.0.0.1"], check=True, capture_output=True)
    config = directory + "/blackbox.yml"
    with open(config, "w") as file: file.write(CONFIG.replace("CA}", certificate + "}"))
    http.server.ThreadingHTTPServer.request_queue_size = 64
    serve(http.server.ThreadingHTTPServer(("127.0.0.1", HTTP), Pages))
    secure = http.server.ThreadingHTTPServer(("127.0.0.1", HTTPS), Pages)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    serve(secure)
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    serve(socketserver.ThreadingTCPServer(("127.0.0.1", TCP), Echo))
    dns()
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes = [
        subprocess.Popen([REAL, "--config.file=" + config, f"--web.listen-address=127.0.0.1:{REAL_PORT}"], **quiet),
        subprocess.Popen([MINPROM, "exporter", "blackbox", "--config.file=" + config, f"--web.listen-address=127.0.0.1:{OUR_PORT}",
                          "--probe.allow=127.0.0.0/8,::1/128"], stdout=subprocess.DEVNULL, stderr=open("/tmp/blackbox-ours.log", "w"))]
    bad = 0
    try:
        for port in REAL_PORT, OUR_PORT:
            for _ in range(100):
                try: urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthy"); break
                except OSError: time.sleep(0.1)
        for module, target in CASES:
            problems = []
            try: real, ours = probe(REAL_PORT, module, target), probe(OUR_PORT, module, target)
            except OSError as error: real = ours = ({}, {}); problems.append(str(error))
            for theirs, mine in zip(real, ours):
                for item in sorted(theirs.keys() | mine.keys()):
                    if item.removeprefix("help ") in NEWER and item not in theirs: continue
                    a, b = theirs.get(item), mine.get(item)
                    measured = TIMES.search(item.split("{")[0]) and "expiry" not in item and "last_modified" not in item
                    if a is None or b is None or (a != b and not (measured and theirs is real[1])): problems.append(f"{item}: real {a}, ours {b}")
            print(("ok  " if not problems else "DIFF"), module, target, "success", ours[1].get("probe_success"))
            for problem in problems: print("      ", problem)
            bad += bool(problems)
        # The address policy, with nothing listed.
        extra = BASE + 8
        processes.append(subprocess.Popen([MINPROM, "exporter", "blackbox", "--config.file=" + config, f"--web.listen-address=127.0.0.1:{extra}"], **quiet))
        time.sleep(2)
        for target in f"http://127.0.0.1:{HTTP}/", f"http://2130706433:{HTTP}/", f"http://[::ffff:127.0.0.1]:{HTTP}/", "http://169.254.169.254/":
            closed = probe(extra, "http_2xx", target)[1].get("probe_success") == "0"
            print("ok  " if closed else "DIFF", "refused", target)
            bad += not closed
    finally:
        for process in processes: process.terminate()
    print(f"{len(CASES)} cases, {bad} differ")
    sys.exit(bool(bad))


main()
