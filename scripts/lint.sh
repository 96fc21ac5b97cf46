#!/usr/bin/env bash
# What no formatter sees: traps that input could reach, and imports that the core must not have.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0

found=$(grep -nE 'try!|as! |fatalError\(' -r Sources --include='*.swift' | grep -v '// lint: ')
if [ -n "$found" ]; then echo "traps without a reason:"; echo "$found"; status=1; fi

core="Sources/Leaves Sources/TSDB Sources/PromQL Sources/Scraper Sources/Alerter"
found=$(grep -nE '^ *(@[a-zA-Z_]+ )?import (Foundation|NIO|Hummingbird|Logging|Yams)' -r $core --include='*.swift')
if [ -n "$found" ]; then echo "the core imports:"; echo "$found"; status=1; fi

found=$(grep -nE '^ *import (CAllocations|CLZ4|CPostgres|CZlib|CTSDB|CWebFiles|Yams)' -r Sources --include='*.swift' | awk -F: '{split($3,a," "); n[a[2]]++; w[a[2]]=w[a[2]] "\n  " $1} END {for (m in n) if (n[m]>1) print m ":" w[m]}')
if [ -n "$found" ]; then echo "imported by more than one file:"; echo "$found"; status=1; fi
exit $status
