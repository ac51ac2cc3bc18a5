#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# Every enumerator of errc has its line in docs/errors.md, and no line is about anything else.
set -eu
cd "$(dirname "$0")/../.."
declared=$(mktemp)
documented=$(mktemp)
trap 'rm -f "$declared" "$documented"' EXIT
awk '/^enum class errc/ { inside = 1; next } inside && /^};/ { exit }
     inside && match($0, /^    [a-z_]+/) { print substr($0, 5, RLENGTH - 4) }' include/waybill/error.hpp | sort > "$declared"
sed -n 's/^| `\([a-z_]*\)` | .*/\1/p' docs/errors.md | sort > "$documented"
[ -s "$declared" ] || { echo "no enumerators found" >&2; exit 1; }
diff -u "$declared" "$documented" || { echo "docs/errors.md and enum class errc differ" >&2; exit 1; }
