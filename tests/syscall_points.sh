#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# Kills the real command at every system call that matters, and makes every one of them fail:
# `waybill add` and `waybill run`, the n-th call of each kind, for every n. Afterwards the store must
# open, and what was accepted must arrive with equal bytes, once, or an error was given.
#
#   tests/syscall_points.sh build [every n-th point; 1: all]
set -eu
[ $# -ge 1 ] || { sed -n '4,9s/^# *//p' "$0"; exit 2; }
waybill=$(realpath "$1/examples/waybill")
receiver=$(realpath "$1/examples/receiver")
every=${2:-1}
command -v strace >/dev/null || { echo "skipped: strace is not installed"; exit 77; }
strace -qq -o /dev/null true 2>/dev/null || { echo "skipped: strace may not trace here"; exit 77; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/waybill-syscalls-XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
cd "$dir"
mkdir sent template in

# Takes a megabyte in some 50 ms: then a request has several calls in its middle.
"$receiver" in 0 20000000 >port 2>/dev/null &
server=$!
while ! [ -s port ]; do sleep 0.05; done
host=http://127.0.0.1:$(cat port)

# Each kind of call, and the errors that Linux may give for it; where none may come (brk, a registered
# descriptor that is modified), or the loader alone would stumble (mmap), it is only killed at.
kinds='openat:EIO:EMFILE:ENFILE:ENOSPC:EACCES:EINTR
newfstatat:EIO
pread64:EIO:EINTR
read:EIO:EINTR
pwrite64:EIO:ENOSPC:EINTR
write:EIO:ENOSPC:EPIPE
fdatasync:EIO:ENOSPC
fsync:EIO:ENOSPC
ftruncate:EIO
fcntl:ENOLCK
flock:EINTR:ENOLCK
mkdir:EACCES:ENOSPC
unlink:EIO
rename:EIO
close:EIO
mmap
brk
clone3:EAGAIN
socketpair:EMFILE
eventfd2:EMFILE
epoll_create1:EMFILE
epoll_ctl
epoll_wait:EINTR
poll:EINTR
timerfd_create:EMFILE
timerfd_settime
socket:EMFILE:ENFILE:ENOBUFS
connect:ENETUNREACH:ECONNREFUSED:EINTR
setsockopt:EINVAL
getsockopt:ENOBUFS
sendto:ECONNRESET:EINTR:ENOBUFS
recvfrom:ECONNRESET:EINTR
sendmsg:ECONNRESET
recvmsg:ECONNRESET'

points=0 killed=0 failed=0 accepted=0 refused=0 unsaid=0 named=0 wrong=0 skipped=0

broken() {
    wrong=$((wrong + 1))
    echo "WRONG: $*"
    sed 's/^/    | /' err again.err 2>/dev/null | head -n 6
}

# A store with this point's job in it, whose file only this point has.
fresh() {
    name=p$points
    rm -rf store
    cp ../sent/payload "sent/$name" 2>/dev/null || cp payload "sent/$name"
    head -c 16 /dev/urandom >>"sent/$name"
    : >out
    : >err
    : >again.err
}

add_arguments() {
    # Half of the jobs are forms, which the receiver stores once for each key.
    if [ $((points % 2)) = 0 ]; then
        set -- --to "$host/files/"
    else
        set -- --to "$host/posts" --via multipart --if-unknown retry-same-key
    fi
    echo "$@" --id "$name" "sent/$name"
}

state_of() {
    "$waybill" --store store/u.db list --json 2>again.err >list || { echo unreadable; return; }
    sed -n 's/.*"state":"\([a-z_]*\)".*/\1/p' list | head -n 1
}

# How many calls of a kind the busiest thread makes: strace counts for each thread.
most_calls() { awk -v call="$2(" 'index($2, call) == 1 { n[$1]++ } END { for (i in n) if (n[i] > m) m = n[i]; print m + 0 }' "$1"; }

traced() { # <kind> <what to inject> <arguments…>
    kind=$1 what=$2
    shift 2
    status=0
    # A network that is away is looked for again after up to a minute. Kills the whole group: a command that
    # hangs would outlive its tracer.
    timeout -s KILL 120 strace -f -qq -o /dev/null -e trace="$kind" -e inject="$kind:$what" \
        "$waybill" --store store/u.db "$@" >out 2>err || status=$?
}

# One point: the command is hit, and then the world is in order again.
point() { # add|run <kind> <what to inject>
    points=$((points + 1))
    case $3 in signal=*) killed=$((killed + 1)) ;; *) failed=$((failed + 1)) ;; esac
    fresh
    said=no
    if [ "$1" = add ]; then
        # shellcheck disable=SC2046
        traced "$2" "$3" add $(add_arguments)
        grep -qx "$name" out && said=yes
    else
        # shellcheck disable=SC2046
        "$waybill" --store store/u.db add $(add_arguments) >out 2>err || broken "$*: could not prepare"
        said=yes
        traced "$2" "$3" run --until-idle --progress none
    fi
    case $3 in
    error=*) # whoever does not succeed says why
        [ "$status" != 137 ] || { broken "$*: hangs"; return; }
        [ "$status" = 0 ] || [ "$1:$status" = run:1 ] || [ -s err ] || broken "$*: exit code $status without a word"
        [ "$status" -le 127 ] || broken "$*: dies with $status"
        ;;
    esac
    state=$(state_of)
    case $said:$state in
    *:unreadable) broken "$*: the store does not open"; return ;;
    yes:) broken "$*: an accepted job is not there"; return ;;
    yes:*) accepted=$((accepted + 1)) ;;
    no:) refused=$((refused + 1)); rm -f "sent/$name"; return ;;
    no:*) # committed, but the answer did not get out
        unsaid=$((unsaid + 1))
        case $2:$3 in *:signal=* | write:* | fdatasync:* | fsync:*) ;; *) echo "note: $*: not confirmed, but kept: $(head -n 1 err)" ;; esac
        ;;
    esac
    case $2:$3:$state in
    openat:error=EACCES:*:failed | openat:error=ENOSPC:*:failed) # a file that may not be opened: the job says so
        grep -q '"error":"[^"]' list || broken "$*: failed without a word"
        named=$((named + 1))
        return
        ;;
    esac
    timeout -s KILL 30 "$waybill" --store store/u.db run --until-idle --progress none >out 2>again.err ||
        { broken "$*: does not arrive afterwards ($state)"; return; }
    state=$(state_of)
    [ "$state" = completed ] || broken "$*: is $state in the end"
    cmp -s "sent/$name" "in/$name" || broken "$*: other bytes arrived"
    [ "$(find in -name "$name*" | wc -l)" = 1 ] || broken "$*: arrived more than once"
    rm -f "sent/$name" "in/$name"
}

head -c 1000000 /dev/urandom >payload
cp payload sent/payload
turn=0
for phase in add run; do
    fresh
    # shellcheck disable=SC2046
    if [ "$phase" = add ]; then
        strace -f -qq -o trace "$waybill" --store store/u.db add $(add_arguments) >out
    else
        "$waybill" --store store/u.db add $(add_arguments) >out
        strace -f -qq -o trace "$waybill" --store store/u.db run --until-idle --progress none >out
    fi
    for entry in $kinds; do
        kind=${entry%%:*}
        calls=$(most_calls trace "$kind")
        for error in KILL $(echo "${entry#"$kind"}" | tr ':' ' '); do
            n=1
            case $kind:$error in write:E*) n=2 ;; esac # the first only wakes the loop, which cannot fail
            while [ "$n" -le "$calls" ]; do
                turn=$((turn + 1))
                if [ $((turn % every)) = 0 ]; then
                    case $error in
                    KILL) point "$phase" "$kind" "signal=KILL:when=$n" ;;
                    *) point "$phase" "$kind" "error=$error:when=$n" ;;
                    esac
                else
                    skipped=$((skipped + 1))
                fi
                n=$((n + 1))
            done
        done
    done
done
echo "$points points ($killed kills, $failed errors; $skipped skipped): $accepted accepted and delivered," \
    "$refused refused, $named failed with a name, $unsaid kept without having been confirmed; $wrong wrong"
[ "$points" -gt 0 ] && [ "$wrong" = 0 ]
