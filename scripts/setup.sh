#!/usr/bin/env bash
# Installs what a build needs and is not there: liblz4, libpq and zlib headers (Debian, Ubuntu, Homebrew), and uPlot for the
# graphs. Changes nothing that is already in place. Usage: scripts/setup.sh [--postgres]
#
# --postgres: PostgreSQL's server as well, for `make demo`; its own service is not left running.
set -euo pipefail
cd "$(dirname "$0")/.."

have_header() { [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ] || [ -e "/opt/homebrew/include/$1" ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        echo "setup: need root for: $*" >&2
        return 1
    fi
}

missing=()
have_header lz4.h || missing+=(liblz4-dev)
have_header libpq-fe.h || have_header postgresql/libpq-fe.h || missing+=(libpq-dev)
have_header zlib.h || missing+=(zlib1g-dev)
command -v pkg-config >/dev/null || missing+=(pkg-config)
if [ "${1-}" = --postgres ] && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    # Debian starts a cluster on install, at the port the demo's has; it is not wanted.
    if command -v apt-get >/dev/null; then
        echo "setup: installing postgresql (the server's programs, no cluster)"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null
        echo "create_main_cluster = false" | as_root tee -a /etc/postgresql-common/createcluster.conf >/dev/null
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
    else
        missing+=(postgresql)
    fi
fi

if [ ${#missing[@]} -gt 0 ]; then
    if command -v apt-get >/dev/null; then
        echo "setup: installing ${missing[*]}"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    elif command -v brew >/dev/null; then
        brew install lz4 libpq pkg-config
    else
        echo "setup: please install ${missing[*]} with this system's package manager" >&2
        exit 1
    fi
fi

# uPlot (MIT) draws the graphs. It comes inside a Python wheel that is pure data; both the wheel and the two files taken from it are
# checked. Without it everything works but the graphs, and the page says so.
scripts/fetch-uplot.sh || echo "setup: uPlot could not be fetched; the pages will show tables without graphs" >&2
