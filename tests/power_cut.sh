#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# Cuts the power, as root: the store is on an ext4 file system of its own, on a loop device, whose
# journal and caches are thrown away at a random moment (EXT4_IOC_SHUTDOWN without a flush). What
# `waybill add` acknowledged must be there afterwards, and what `waybill run` finished stays finished.
#
#   tests/power_cut.sh build [cuts, 20 by default] [--plant-no-sync]
# The last makes every sync a lie (needs the package eatmydata); success is to find that.
set -eu
[ $# -ge 1 ] || { sed -n '4,10s/^# *//p' "$0"; exit 2; }
waybill=$(realpath "$1/examples/waybill")
receiver=$(realpath "$1/examples/receiver")
cuts=${2:-20}
preload=
if [ "${3:-}" = --plant-no-sync ]; then
    preload=$(ls /usr/lib/*/libeatmydata.so 2>/dev/null | head -n 1)
    [ -n "$preload" ] || { echo "skipped: eatmydata is not installed"; exit 77; }
fi
[ "$(id -u)" = 0 ] || { echo "skipped: only root can mount a disk and cut its power"; exit 77; }
for tool in mkfs.ext4 mount perl; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/waybill-power-XXXXXX")
server=
clean_up() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    umount "$dir/disk" 2>/dev/null || :
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
cd "$dir"
mkdir disk in files
truncate -s 64M image
mkfs.ext4 -q -F image
mount -o loop image disk 2>mount.err || { echo "skipped: no loop device here ($(cat mount.err))"; exit 77; }
mkdir -m 700 disk/store

"$receiver" in >port 2>/dev/null &
server=$!
while ! [ -s port ]; do sleep 0.05; done
host=http://127.0.0.1:$(cat port)
: >acknowledged
: >finished

command() { LD_PRELOAD=$preload "$waybill" --store disk/store/u.db "$@"; }

# Until the power goes: jobs are accepted and delivered. What is known of them is noted elsewhere.
work() { # <round>
    n=0
    while :; do
        for _ in 1 2 3; do
            n=$((n + 1))
            id=job-$1-$n
            head -c $((n * 7919 % 60000)) /dev/urandom >"files/$id"
            [ "$(command add --to "$host/files/" --id "$id" "files/$id")" = "$id" ] || return 0
            echo "$id" >>acknowledged
        done
        command run --until-idle --progress none || return 0
        # Whoever is told of it may forget its files: it must never be sent again.
        command list --json >listed || return 0
        sed -n '/"state":"completed"/s/.*"id":"\([^"]*\)".*/\1/p' listed >done
        while read -r id; do
            grep -qx "$id" finished && continue
            [ -f "in/$id" ] || echo "WRONG: $id is completed, but did not arrive"
            cmp -s "in/$id" "files/$id" || echo "WRONG: $id arrived with other bytes"
            mv "in/$id" "files/$id.arrived"
            echo "$id" >>finished
        done <done
    done
}

cut_power() {
    # The flag 2: nothing that is still in memory, journal included, reaches the disk.
    perl -e 'open my $disk, "<", "disk" or die; my $flag = pack "L", 2; ioctl $disk, 0x8004587D, $flag or die "$!"'
}

: >wrong
round=0
while [ "$round" -lt "$cuts" ]; do
    round=$((round + 1))
    work "$round" >>wrong 2>work.err &
    worker=$!
    sleep "$(awk -v seed="$round$$" 'BEGIN { srand(seed); print 0.1 + rand() * 1.5 }')"
    # Only what was said before counts: a sync that runs into the cut may come back well, but when the
    # power is really gone there is nobody left to believe it.
    sort -u acknowledged >known
    sort -u finished >known-finished
    cut_power
    wait "$worker"
    umount disk
    mount -o loop image disk
    # A copy of the mount in another namespace keeps the old disk, and its power is off.
    touch disk/alive 2>/dev/null || { echo "cut $round: the disk is held by another mount namespace" >&2; exit 1; }
    if ! LD_PRELOAD='' "$waybill" --store disk/store/u.db list --json >listed 2>list.err; then
        echo "WRONG: cut $round: the store does not open: $(cat list.err)" | tee -a wrong
        [ -n "$preload" ] || exit 1
        break
    fi
    sed -n 's/.*"id":"\([^"]*\)".*/\1/p' listed | sort >there
    comm -23 known there | sed "s/^/WRONG: lost in cut $round: /" >>wrong
    sed -n '/"state":"completed"/s/.*"id":"\([^"]*\)".*/\1/p' listed | sort >done
    comm -23 known-finished done | sed "s/^/WRONG: not finished any more after cut $round: /" >>wrong
    [ ! -s wrong ] || break
    sort -u acknowledged | comm -12 - there >kept && mv kept acknowledged
    sort -u finished | comm -12 - done >kept && mv kept finished
done
if [ ! -s wrong ]; then
    LD_PRELOAD='' "$waybill" --store disk/store/u.db run --until-idle --progress none
    sort -u acknowledged | while read -r id; do
        if grep -qx "$id" finished; then
            [ ! -e "in/$id" ] || echo "WRONG: $id was sent again after it was finished"
        else
            cmp -s "in/$id" "files/$id" || echo "WRONG: $id did not arrive as it was"
        fi
    done >>wrong
fi
head -n 20 wrong
echo "$round cuts, $(sort -u acknowledged | wc -l) jobs acknowledged, $(wc -l <finished) seen finished before a cut:" \
    "$(wc -l <wrong) wrong"
if [ -n "$preload" ]; then
    [ -s wrong ] && echo "the planted bug was found"
else
    [ ! -s wrong ]
fi
