#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# g++ 12 destroys some temporaries of an awaited expression twice: an aggregate that is made by braces, and the result of
# ?: of a class type (docs/guide/threading.md). They get a name before the co_await.
#   sh tests/headers/awaited_temporaries.sh [FILE...]
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- $(find include examples -name '*.hpp' -o -name '*.ipp' -o -name '*.cpp')
bad=0
for file in "$@"; do
    # A statement on one line, without comments. Braces behind a name, with something in them; a ? outside of a string.
    found=$(sed 's://.*::; s/"[^"]*"/""/g' "$file" | tr '\n' ' ' | grep -oE 'co_await [^;{]*([A-Za-z_>]\{[^} ][^}]*\}[^;]*;|\?[^;]*;)' || true)
    if [ -n "$found" ]; then
        printf '%s: %s\n' "$file" "$found"
        bad=1
    fi
done
exit $bad
