#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# Compares Waybill with its peers on this machine, one run after another by turns, and prints tables.
#   sh benchmarks/compare.sh [--list] [--rounds N] [SCENARIO...]
#   sh benchmarks/compare.sh --write docs/benchmarks.md      makes the results there anew
# BUILD_DIR: where to build (default: build/benchmarks). TMPDIR: where files and stores lie.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
# shellcheck disable=SC2086
need_packages $building $testing curl rclone iproute2 nftables
command -v npm >/dev/null || need_packages nodejs npm

build=${BUILD_DIR:-build/benchmarks}
launcher=""
command -v ccache >/dev/null && launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DWAYBILL_BUILD_TESTS=OFF -DWAYBILL_BUILD_EXAMPLES=OFF \
    $launcher >/dev/null
cmake --build "$build" -- benchmarks/all >&2

peers=$build/benchmarks/node
mkdir -p "$peers"
cp benchmarks/compare/node/* "$peers"
if [ ! -d "$peers/node_modules/tus-js-client" ]; then
    (cd "$peers" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >&2)
fi
exec "$build/benchmarks/compare" "$@"
