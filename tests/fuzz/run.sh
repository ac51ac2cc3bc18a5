#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# run.sh <build folder> [seconds for each fuzzer]: starts from the corpora beside this file, keeps
# what it finds new in the build folder, and adds up what was executed.
set -eu
corpora=$(cd "$(dirname "$0")" && pwd)/corpus
build=$1
seconds=${2:-4}
total=0
for fuzzer in "$build"/tests/fuzz/fuzz_*; do
    [ -x "$fuzzer" ] && [ -f "$fuzzer" ] || continue
    what=${fuzzer##*/fuzz_}
    found=$build/fuzz-corpus/$what
    mkdir -p "$found"
    if ! "$fuzzer" -max_total_time="$seconds" -max_len=2048 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$build/fuzz-corpus/$what-" "$found" "$corpora/$what" >"$found.log" 2>&1; then
        tail -n 40 "$found.log"
        echo "$what: FAILED; the input is beside $found.log"
        exit 1
    fi
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log")
    echo "$what: $executed executions in $seconds s"
    total=$((total + executed))
done
[ "$total" -gt 0 ] || { echo "no fuzzer is built in $build"; exit 1; }
echo "all: $total executions, nothing found"
