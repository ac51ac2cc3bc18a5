#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# The main job, shown: three jobs of several files each, sent to a small server on this machine; the
# uploader is killed with `kill -9` in the middle, started again, and everything has arrived.
#   sh examples/demo.sh        Installs what is missing, builds in build/demo, takes some minutes at first.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
# shellcheck disable=SC2086
need_packages $building

echo "Building the command and the receiver (in build/demo)"
mkdir -p build
cmake -S . -B build/demo -G Ninja -DCMAKE_BUILD_TYPE=Release -DWAYBILL_BUILD_TESTS=OFF -DWAYBILL_BUILD_BENCHMARKS=OFF \
    >build/demo.log 2>&1 || { cat build/demo.log >&2; exit 1; }
cmake --build build/demo --target waybill_command receiver || exit 1
waybill=$PWD/build/demo/examples/waybill
receiver=$PWD/build/demo/examples/receiver

work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
export XDG_STATE_HOME="$work/state"

say() { printf '\n== %s\n' "$*"; }

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

say "Sending, and after three seconds: kill -9"
# In the foreground, so that bars are drawn on the terminal; the killer waits in the background.
( sleep 3; pkill -9 -f "^$waybill run" 2>/dev/null || true ) &
"$waybill" run --until-idle || true
echo
echo "Killed. What the store knows:"
"$waybill" list

say "Started again: everything continues where it was"
"$waybill" run --until-idle

say "Compare what was sent with what has arrived"
for file in *.bin; do
    cmp "$file" "received/$file"
    echo "$(sha256sum <"$file" | cut -c1-16)…  $file: equal"
done
echo
echo "All 3 jobs, 9 files arrived byte by byte, though the uploader was killed in the middle."
