#!/usr/bin/env bash
# The files of the stack, checked without starting it: configuration, rules and routing by minprom itself and, where they are there, by
# promtool and amtool; compose files and dashboards by scripts of ours. MINPROM may name another binary.
set -uo pipefail
cd "$(dirname "$0")/.."
minprom=$(realpath -m "${MINPROM:-.build/debug/minprom}")
status=0

check() {
    local said
    if said=$("$@" 2>&1); then echo "ok      $*"; else status=1; echo "FAILED  $*"; echo "$said"; fi
}

for tool in "$minprom tool" "$(command -v promtool)"; do
    command -v "${tool%% *}" >/dev/null || { echo "skipped ${tool:-promtool}: not there"; continue; }
    check $tool check config prometheus/prometheus.yml
    check $tool test rules prometheus/tests/*.yml
done
for tool in "$minprom amtool" "$(command -v amtool)"; do
    command -v "${tool%% *}" >/dev/null || { echo "skipped ${tool:-amtool}: not there"; continue; }
    check $tool check-config alertmanager/config.yml
done
if command -v "$minprom" >/dev/null; then check "$minprom" amtool test alertmanager/tests.yml; fi

if python3 -c 'import yaml' 2>/dev/null; then
    check scripts/check-compose.py
    check scripts/check-compose.py --self-test
    check python3 grafana/dashboards.py --check
    if command -v "$minprom" >/dev/null; then
        start="$minprom serve --storage.tsdb.path=:memory: --web.listen-address=127.0.0.1:{port}"
        check Tests/system/grafana.py --cmd "$start"
        check Tests/system/grafana.py --cmd "$start" --self-test
    fi
else
    echo "skipped compose files and dashboards: python3-yaml is not there"
fi
exit $status
