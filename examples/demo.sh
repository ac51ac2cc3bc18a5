#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# The main job, shown: three jobs of several files each, sent to a small server on this machine; the
# uploader is killed with `kill -9` in the middle, started again, and everything has arrived.
#   sh examples/demo.sh        Installs what is missing, builds in build/demo, takes some minutes at first.
#   BUILD_DIR=<folder> sh examples/demo.sh        Takes what is built there already.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${BUILD_DIR:-}" ]; then
    . examples/packages.sh
    # shellcheck disable=SC2086
    need_packages $building

    BUILD_DIR=build/demo
    echo "Building the command and the receiver (in $BUILD_DIR)"
    mkdir -p build
    cmake -S . -B "$BUILD_DIR" -G Ninja -DCMAKE_BUILD_TYPE=Release -DWAYBILL_BUILD_TESTS=OFF \
        -DWAYBILL_BUILD_BENCHMARKS=OFF >build/demo.log 2>&1 || { cat build/demo.log >&2; exit 1; }
    cmake --build "$BUILD_DIR" --target waybill_command receiver
fi
waybill=$(realpath "$BUILD_DIR/examples/waybill")
receiver=$(realpath "$BUILD_DIR/examples/receiver")

work=$(mktemp -d)
server=""
sender=""
trap 'for one in $sender $server; do kill "$one" 2>/dev/null || true; done; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
export XDG_STATE_HOME="$work/state"

say() { printf '\n== %s\n' "$*"; }
fail() { echo "The demo failed: $*" >&2; exit 1; }

say "A receiver that takes 8 MB/s for each file"
"$receiver" received 0 8000000 >port &
server=$!
until [ -s port ]; do kill -0 "$server"; sleep 0.05; done
url=http://127.0.0.1:$(cat port)

say "Three jobs: two sets of files by PUT, and a post with a caption as one form"
for job in holiday backup post; do
    for i in 1 2 3; do
        head -c $((3000000 * i)) /dev/urandom >"$job-$i.bin"
    done
done
"$waybill" add --id holiday --to "$url/files/" holiday-*.bin
"$waybill" add --id backup --to "$url/files/" backup-*.bin
"$waybill" add --id post --to "$url/posts" --via multipart --if-unknown retry-same-key \
    --field caption="Istanbul" post-*.bin

say "Sending; after three seconds: kill -9"
"$waybill" run --until-idle &
sender=$!
sleep 3
kill -9 "$sender" || fail "the uploader had ended before it could be killed"
status=0
wait "$sender" 2>/dev/null || status=$?
[ "$status" = 137 ] || fail "the uploader was not killed: it ended with status $status"
echo
echo "Process $sender was killed with kill -9 in mid-upload. What the store knows:"
sender=""
"$waybill" list
"$waybill" list | grep -qv ' completed ' || fail "everything had arrived before the kill"

say "Started again: everything continues where it was"
"$waybill" run --until-idle

say "Compare what was sent with what has arrived"
for file in *.bin; do
    cmp "$file" "received/$file"
    echo "$(sha256sum <"$file" | cut -c1-16)…  $file: equal"
done
echo
echo "All 3 jobs, 9 files arrived byte by byte, though the uploader was killed in the middle."
