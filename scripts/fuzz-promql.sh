#!/bin/sh
# Fuzz the PromQL parser for a number of seconds. It needs other modules, so they are compiled one by one, instrumented,
# from the files it uses; findings stay in the current folder as crash-*.
set -eu
seconds=${1:-60}
root=$(cd "$(dirname "$0")/.." && pwd)
out=${FUZZ_OUT:-$(mktemp -d)}
cd "$out"
module() {
    name=$1; shift
    swiftc -O -wmo -parse-as-library -sanitize=fuzzer -enforce-exclusivity=unchecked -module-name "$name" \
        -emit-module -emit-module-path "$name.swiftmodule" -c -o "$name.o" -I . "$@"
}
module Numbers "$root"/Sources/Leaves/Numbers/*.swift
module RegularExpression "$root"/Sources/Leaves/RegularExpression/*.swift
module TSDB "$root"/Sources/TSDB/Labels/*.swift "$root"/Sources/TSDB/Storage/Time.swift \
    "$root"/Sources/TSDB/Storage/Matcher.swift "$root"/Sources/TSDB/Storage/TSDBError.swift "$root"/Sources/TSDB/Storage/ByteCursor.swift
module PromQL "$root"/Sources/PromQL/AST/*.swift "$root"/Sources/PromQL/Parser/*.swift \
    "$root"/Sources/PromQL/Engine/QueryError.swift
swiftc -O -parse-as-library -sanitize=fuzzer -I . "$root"/Fuzz/PromQLParserFuzz.swift ./*.o -o fuzz
mkdir -p corpus
i=0
sed -n 's/^        \(.*\)  →  .*/\1/p' "$root"/Tests/PromQLTests/ParserPrintTable.swift | while IFS= read -r query; do
    i=$((i + 1)); printf %s "$query" > "corpus/seed-$i"
done
SWIFT_BACKTRACE=enable=no timeout $((seconds + 30)) ./fuzz -max_total_time="$seconds" -max_len=400 -timeout=5 corpus
