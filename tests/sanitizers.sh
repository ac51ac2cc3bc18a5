#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
#   sh tests/sanitizers.sh asan|tsan|valgrind|all
#
# What would be wrong without anybody noticing: builds what touches the network, the disk and threads, in
# build/<name>, and runs it. asan is AddressSanitizer with UndefinedBehaviorSanitizer; both need clang-16.
set -eu
cd "$(dirname "$0")/.."

# build <name> <compiler> <flags> <target>…
build() {
    folder=build/$1
    cmake -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER="$2" -DCMAKE_BUILD_TYPE=Debug -DWAYBILL_WERROR=ON \
        -DCMAKE_CXX_FLAGS="$3" -DWAYBILL_BUILD_BENCHMARKS=OFF
    shift 3
    cmake --build "$folder" --target "$@"
}

# `allocations` replaces operator new, and is no match for the one that AddressSanitizer has.
asan() {
    export ASAN_OPTIONS=alloc_dealloc_mismatch=0
    build asan clang++-16 "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1" \
        waybill_command component_engine component_store loopback_transport loopback_delivery loopback_tus loopback_resumable \
        loopback_s3 security allocations simulation
    for test in component/component_engine component/component_store loopback/loopback_transport \
        loopback/loopback_delivery loopback/loopback_tus loopback/loopback_resumable loopback/loopback_s3 \
        security/security crash/allocations "simulation/simulation --seeds 200"; do
        printf '\n# %s\n' "$test"
        case $test in
            crash/allocations) build/asan/tests/$test ;;
            *) ASAN_OPTIONS='' build/asan/tests/$test ;;
        esac
    done
    unset ASAN_OPTIONS
}

# Asio's fences and libstdc++'s counts of exceptions are the false alarms that are known: the first are switched
# off in the build, the second in the file.
tsan() {
    build tsan clang++-16 "-fsanitize=thread -fno-omit-frame-pointer -O1" \
        unit_detail component_store loopback_transport loopback_delivery
    for test in unit/unit_detail component/component_store loopback/loopback_transport loopback/loopback_delivery; do
        printf '\n# %s\n' "$test"
        TSAN_OPTIONS="suppressions=$PWD/tests/tsan.suppressions" "build/tsan/tests/$test"
    done
}

valgrind_() {
    build valgrind g++ "" loopback_transport
    valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
        build/valgrind/tests/loopback/loopback_transport
}

case ${1:-} in
    asan | tsan) "$1" ;;
    valgrind) valgrind_ ;;
    all) asan && tsan && valgrind_ ;;
    *) sed -n 's/^#   //p' "$0" >&2 && exit 2 ;;
esac
