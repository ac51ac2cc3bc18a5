#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# Kills an upload with kill -9 when its server has 90 % of the file, lets the client continue, and counts what the
# server was sent beyond the file: headers, and bytes sent twice.
#
#   sh tests/real/compare_resend.sh <build folder> [bytes]
#
# The server is @tus/server; the clients are Waybill and tus-js-client. Build `waybill` first, and run
# `ctest -R servers` once for the packages. A new contender is a pair of functions: begin_<name>, continue_<name>.
set -eu

build=$(cd "$1" && pwd)
bytes=${2:-1073741824}
work=$(mktemp -d)
pids=""
finish() {
    for pid in $pids; do kill -9 "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT INT TERM

node=$build/servers/node_modules/.bin/node
[ -x "$node" ] || node=node
truncate -s "$bytes" "$work/file"
# Not all zeros: what lands at a wrong place is found out.
for mebibyte in 0 100 500 900; do
    head -c 1048576 /dev/urandom | dd of="$work/file" bs=1M seek=$mebibyte conv=notrunc 2>/dev/null
done
truncate -s "$bytes" "$work/file"

begin_waybill() {
    "$build/examples/waybill" --store "$work/store/jobs.db" add --to "$endpoint" --via tus "$work/file" >/dev/null
    exec "$build/examples/waybill" --store "$work/store/jobs.db" run --progress none
}
continue_waybill() {
    "$build/examples/waybill" --store "$work/store/jobs.db" run --until-idle --progress none
}
begin_tus_js_client() {
    FILE=$work/file ENDPOINT=$endpoint exec "$node" "$build/servers/tus_client.mjs" >/dev/null
}
continue_tus_js_client() {
    FILE=$work/file UPLOAD_URL=$endpoint/$(stored) "$node" "$build/servers/tus_client.mjs" >/dev/null
}

# The name of the upload, as the server has it.
stored() { ls "$work/$client" | grep -v json; }
size_there() { find "$work/$client" -type f -printf '%s\n' | sort -n | tail -1 | grep . || echo 0; }

bytes_read() {
    sed -n 's/^{"bytes":\([0-9]*\)}$/\1/p' "$work/$client.log" | awk '{ sum += $1 } END { printf "%d", sum }'
}

start_server() {
    mkdir "$work/$client"
    DIR=$work/$client LOG=$work/$client.log "$node" "$build/servers/tus.mjs" >"$work/$client.port" &
    server=$!
    pids="$pids $server"
    until grep -qs port "$work/$client.port"; do sleep 0.1; done
    endpoint=http://127.0.0.1:$(cut -d' ' -f2 "$work/$client.port")/files
}

printf '%-16s %16s %16s %12s\n' client 'at the kill' 'sent in all' 'more than 1x'
for client in waybill tus_js_client; do
    start_server
    ("begin_$client") &
    running=$!
    pids="$pids $running"
    while [ "$(size_there)" -lt $((bytes / 10 * 9)) ]; do sleep 0.01; done
    kill -9 "$running"
    wait "$running" 2>/dev/null || true
    reached=$(size_there)
    "continue_$client"
    cmp "$work/file" "$work/$client/$(stored)"
    while [ "$(bytes_read)" -lt "$bytes" ]; do sleep 0.1; done  # noted when a connection ends
    sent=$(bytes_read)
    kill -9 "$server"
    printf '%-16s %16s %16s %12s\n' "$client" "$reached" "$sent" $((sent - bytes))
done
