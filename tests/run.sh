#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# Installs what is missing, builds everything with warnings as errors, runs all tests.
#   sh tests/run.sh [ctest options, such as -L unit or -R tus]
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
# shellcheck disable=SC2086
need_packages $building $testing
command -v npm >/dev/null || need_packages nodejs npm

build=${BUILD_DIR:-build/tests}
launcher=""
command -v ccache >/dev/null && launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
# Lines and functions in a backtrace, no more: variables take the compiler a fifth longer.
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DWAYBILL_WERROR=ON $launcher
cmake --build "$build"
ctest --test-dir "$build" --output-on-failure -j "$(nproc)" "$@"
