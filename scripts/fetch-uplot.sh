#!/usr/bin/env bash
# Puts uPlot 1.6.16 (MIT) into web/vendor/, from a wheel of known checksum. Does nothing where it is already.
set -euo pipefail
cd "$(dirname "$0")/.."

wheel_sum=07c96cc34ff9107c3751fc31dfad48ccd6e86c6deebb8b41d7ec7d9811722208
script_sum=655bc8aa33781e8721c5af6b59f1699c03c9bda951aa74a6ab518ac20cc4326d
style_sum=3f121cd4a997b634e07a887658850018e475c26f0bddd874109a8d382c19de87

sum_of() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1; }

script=web/vendor/uPlot.iife.js
style=web/vendor/uPlot.min.css
if [ -f "$script" ] && [ -f "$style" ] && [ "$(sum_of "$script")" = $script_sum ] && [ "$(sum_of "$style")" = $style_sum ]; then
    exit 0
fi

if ! python3 -m pip --version >/dev/null 2>&1; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-pip >/dev/null
    else
        echo "fetch-uplot: needs python3 with pip" >&2
        exit 1
    fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'uplot-python==1.1.1 --hash=sha256:%s\n' $wheel_sum >"$work/vendor.txt"
python3 -m pip download -q --disable-pip-version-check --no-deps --require-hashes -r "$work/vendor.txt" -d "$work"
python3 -m zipfile -e "$work"/uplot_python-1.1.1-py3-none-any.whl "$work/wheel"
[ "$(sum_of "$work/wheel/uplot/static/uPlot.iife.js")" = $script_sum ]
[ "$(sum_of "$work/wheel/uplot/static/uPlot.min.css")" = $style_sum ]
mkdir -p web/vendor
cp "$work/wheel/uplot/static/uPlot.iife.js" "$script"
cp "$work/wheel/uplot/static/uPlot.min.css" "$style"
# A build before this one has embedded their absence: the file that embeds them does not change by itself.
touch Sources/Leaves/CWebFiles/webfiles.c
echo "fetch-uplot: uPlot 1.6.16 is in web/vendor"
