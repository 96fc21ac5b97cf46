#!/usr/bin/env bash
# Every path in backquotes in the documents exists.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
for document in README.md ARCHITECTURE.md CONTRIBUTING.md docs/*/*.md; do
    [ -f "$document" ] || continue
    while read -r path; do
        [ -e "$path" ] || { echo "$document: no $path"; status=1; }
    done < <(grep -oE '`(Sources|Tests|docs|scripts|web|Fuzz|prometheus)/[A-Za-z0-9_./+-]+`' "$document" | tr -d '`' | sort -u)
done
exit $status
