#!/usr/bin/env python3
"""Our host exporter beside the real node_exporter, on this machine at the same time.

    Tests/system/host_exporter.py [--minprom .build/debug/minprom] [--node-exporter PATH] [--ports 21510]

Both run with the same flags and are scraped within milliseconds of each other, ours between two scrapes of the other. Then
  - every family of the original is one of ours, with the same type,
  - every series of the original is one of ours (label names and values), and the other way round,
  - every value lies between the original's two, or near them where it may move either way.
What may differ is named in EXPECTED, each with its reason. Ends with 1 where anything else differs.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

# Families that only one side has, and why.
EXPECTED_ABSENT = {
    # The Go runtime is not ours.
    r"go_.*": "Go's runtime",
    r"promhttp_metric_handler_errors_total": "ours cannot fail to encode",
    r"process_network_.*_bytes_total": "of the process' network name space, not of the process",
    r"process_virtual_memory_max_bytes": "Go's client library",
}
# Families that only ours has, and why.
EXPECTED_MORE = {
    r"node_memory_.*": "ours shows every line of meminfo, the original those it knows by name",
}
# Values that differ, and why.
EXPECTED_VALUES = {
    "node_disk_info": "1.11.1 says rotational=0 where any other file of the queue cannot be read; mended later upstream",
    "node_filesystem_readonly": "1.11.1 shows 0 for a mount whose options say ro in both lists of mountinfo; why is not known",
}
# Values that belong to the exporter, not to the machine.
OWN = re.compile(r"^(node_exporter_build_info|node_scrape_collector_|process_|promhttp_|go_)")
# Collectors that the original has and we have not.
LEFT_OUT = {"bcache", "bcachefs", "btrfs", "fibrechannel", "infiniband", "nfs", "nfsd", "systemd", "tapestats", "xfs", "zfs"}
# Gauges that move in both directions between two looks: only their presence is compared.
MOVING = re.compile(
    r"^node_(load\d+|procs_(running|blocked)|memory_.*|sockstat_.*|netstat_Tcp_CurrEstab|filefd_allocated|disk_io_now|softnet_backlog_len"
    r"|udp_queues|nf_conntrack_entries|timex_.*|filesystem_(avail|free)_bytes|filesystem_files_free|textfile_.*|hwmon_.*|thermal_zone_temp"
    r"|cpu_(scaling_)?frequency.*|arp_entries|entropy_available_bits)$")

LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')


def parse(text):
    """Types by family, and values by (name, labels)."""
    types, helps, values, seen = {}, set(), {}, []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            assert name not in types, f"family {name} stands on the page twice"
            types[name] = kind
            seen.append(name)
        elif line.startswith("# HELP "):
            helps.add(line.split(" ", 3)[2])
        elif line:
            match = LINE.match(line)
            assert match, f"not a sample: {line!r}"
            labels = tuple(sorted(LABEL.findall(match[2] or "")))
            key = (match[1], labels)
            assert key not in values, f"series {key} stands on the page twice"
            values[key] = float(match[3])
    assert helps >= set(types), f"families without a help text: {set(types) - helps}"
    return types, values


def get(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.read().decode()


def start(command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait(port):
    for _ in range(200):
        try:
            return get(port, "/")
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nobody listens on {port}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--minprom", default=".build/debug/minprom")
    arguments.add_argument("--node-exporter", default=os.path.join(os.environ.get("ANCHORS", "/usr/bin"), "prometheus-node-exporter"))
    arguments.add_argument("--ports", type=int, default=21510)
    options = arguments.parse_args()
    theirs_port, ours_port = options.ports, options.ports + 1
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "a.prom"), "w") as file:
            file.write('# HELP backup_done_seconds When.\n# TYPE backup_done_seconds gauge\nbackup_done_seconds{disk="a b"} 12.5\nplain 1\n'
                       '# TYPE took_seconds histogram\ntook_seconds_bucket{le="1"} 2\ntook_seconds_bucket{le="+Inf"} 3\n'
                       'took_seconds_sum 4\ntook_seconds_count 3\n')
        flags = [
            f"--collector.textfile.directory={directory}",
            # Debian changed this default; this is upstream's.
            r"--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
        ]
        children = [
            start([options.node_exporter, f"--web.listen-address=127.0.0.1:{theirs_port}", *flags]),
            start([options.minprom, "exporter", "host", f"--web.listen-address=127.0.0.1:{ours_port}", *flags]),
        ]
        try:
            wait(theirs_port), wait(ours_port)
            get(theirs_port), get(ours_port)
            before, ours, after = get(theirs_port), get(ours_port), get(theirs_port)
            problems = compare(parse(before), parse(ours), parse(after)) + selections(theirs_port, ours_port)
        finally:
            for child in children:
                child.send_signal(signal.SIGTERM)
            codes = [child.wait(20) for child in children]
        if codes[1] != 0:
            problems.append(f"ours ended with {codes[1]}")
    for problem in problems:
        print("  differs:", problem)
    print("FAILED" if problems else "ok")
    sys.exit(1 if problems else 0)


def compare(before, ours, after):
    problems = []
    types, values = before
    our_types, our_values = ours
    later = after[1]
    shared = 0
    for name, kind in sorted(types.items()):
        if any(re.fullmatch(pattern, name) for pattern in EXPECTED_ABSENT):
            continue
        if name not in our_types:
            problems.append(f"family {name} is missing")
        elif our_types[name] != kind:
            problems.append(f"family {name} is a {our_types[name]}, not a {kind}")
        else:
            shared += 1
    more = {name for name in set(our_types) - set(types) if any(re.fullmatch(pattern, name) for pattern in EXPECTED_MORE)}
    for name in sorted(set(our_types) - set(types) - more):
        problems.append(f"family {name} is only ours")
    print(f"{shared} families of {sum(not re.match('go_', n) for n in types)} (without Go's) are the same by name and type")
    # Series that come and go between the two looks of the original say nothing.
    stable = {key for key in values if key in later and not OWN.match(key[0])}
    ours_only = {key for key in our_values if key not in values and key not in later and not OWN.match(key[0]) and key[0] not in more}
    for name, reason in EXPECTED_VALUES.items():
        differing = {key for key in stable if key[0] == name and our_values.get(key) != values[key]}
        if differing:
            print(f"as expected, {len(differing)} of {name} differ: {reason}")
        stable -= differing
        ours_only -= {key for key in ours_only if key[0] == name}
    for key in sorted(stable - set(our_values)):
        problems.append(f"series {show(key)} is missing")
    for key in sorted(ours_only):
        problems.append(f"series {show(key)} is only ours")
    exact = moving = 0
    for key in sorted(stable & set(our_values)):
        low, value, high = values[key], our_values[key], later[key]
        if MOVING.match(key[0]):
            moving += 1
            if low and not (abs(value - low) <= max(abs(low), abs(high)) * 0.5 + 100 or "memory" in key[0]):
                problems.append(f"value of {show(key)}: {low} … {value} … {high}")
            continue
        exact += 1
        # Both read the same file a moment apart: a counter lies between. The clock ticks a hundred times a second.
        slack = 0.011 + abs(high) * 1e-9
        if not min(low, high) - slack <= value <= max(low, high) + slack:
            problems.append(f"value of {show(key)}: {low} … {value} … {high}")
    print(f"{exact} series lie between two values of the original, {moving} more are near it")
    for name in ("node_scrape_collector_success", "node_scrape_collector_duration_seconds"):
        theirs = {labels[0][1] for (metric, labels) in values if metric == name}
        mine = {labels[0][1] for (metric, labels) in our_values if metric == name}
        if theirs - mine != LEFT_OUT or mine - theirs:
            problems.append(f"collectors of {name}: missing {sorted(theirs - mine - LEFT_OUT)}, only ours {sorted(mine - theirs)}")
    for (metric, labels), value in values.items():
        if metric == "node_scrape_collector_success" and our_values.get((metric, labels), value) != value:
            problems.append(f"{show((metric, labels))} is {value} there and {our_values[(metric, labels)]} here")
    build = [set(name for name, _ in labels) for page in (values, our_values) for (metric, labels) in page if metric == "node_exporter_build_info"]
    if len(build) != 2 or build[0] != build[1]:
        problems.append(f"labels of node_exporter_build_info: {build}")
    return problems


def show(key):
    return key[0] + ("{" + ",".join(f'{name}="{value}"' for name, value in key[1]) + "}" if key[1] else "")


def selections(theirs, ours):
    """`collect[]` and `exclude[]` choose the same families, and are refused alike."""
    problems = []
    for query in ("collect[]=loadavg&collect[]=uname", "collect[]=pressure", "exclude[]=netstat&exclude[]=meminfo",
                  "collect[]=nope", "collect[]=interrupts", "collect[]=cpu&exclude[]=cpu", "exclude[]=nope"):
        answers = []
        for port in (theirs, ours):
            try:
                answers.append((200, get(port, "/metrics?" + query)))
            except urllib.error.HTTPError as error:
                answers.append((error.code, error.read().decode().strip()))
        (code, text), (our_code, our_text) = answers
        if code != our_code:
            problems.append(f"?{query}: {code} there, {our_code} here")
        elif code == 200:
            node = lambda page: {name for name in parse(page)[0] if name.startswith("node_")}
            apart = {name for name in node(text) ^ node(our_text) if not any(re.fullmatch(p, name) for p in EXPECTED_MORE)}
            if apart:
                problems.append(f"?{query}: families {sorted(apart)}")
        elif text != our_text:
            problems.append(f"?{query}: {text!r} there, {our_text!r} here")
    return problems


if __name__ == "__main__":
    main()
