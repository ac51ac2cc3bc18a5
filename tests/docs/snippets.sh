#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# The code in the documentation is compiled code: every ```cpp block follows a line
#   <!-- snippet: <file>#<name> -->
# and is the text between //[<name> and //] in that file. This checks it; with --update it writes it.
set -eu
cd "$(dirname "$0")/../.."
mode=${1:-check}
status=0

extract() {  # file name: the marked lines, without their common indentation
    awk -v name="$2" '
        $0 ~ "^[ \t]*//\\[" name "[ \t]*$" { inside = 1; found = 1; next }
        inside && /^[ \t]*\/\/\][ \t]*$/ { inside = 0 }
        inside {
            line[++n] = $0
            if ($0 !~ /^[ \t]*$/) {
                match($0, /^ */)
                if (!have || RLENGTH < least) { least = RLENGTH; have = 1 }
            }
        }
        END {
            if (!found) exit 3
            for (i = 1; i <= n; ++i) print substr(line[i], least + 1)
        }' "$1"
}

rewrite() {  # document: the document with each snippet replaced by its source
    while IFS= read -r line || [ -n "$line" ]; do
        printf '%s\n' "$line"
        case $line in
        '<!-- snippet: '*' -->')
            source=${line#'<!-- snippet: '}
            source=${source%' -->'}
            if ! [ -f "${source%%#*}" ] || ! code=$(extract "${source%%#*}" "${source#*#}"); then
                echo "$1: no snippet $source" >&2
                return 1
            fi
            IFS= read -r fence
            [ "$fence" = '```cpp' ] || { echo "$1: no \`\`\`cpp block after $source" >&2; return 1; }
            printf '%s\n%s\n```\n' "$fence" "$code"
            while IFS= read -r skipped && [ "$skipped" != '```' ]; do :; done
            ;;
        esac
    done < "$1"
}

for document in README.md $(find docs -name '*.md' | sort); do
    # A block without a source would never be compiled.
    if ! awk -v document="$document" '
        /^```cpp/ && before !~ /^<!-- snippet: / { print document ": line " NR ": C++ that is not compiled"; bad = 1 }
        { before = $0 }
        END { exit bad }' "$document" >&2; then
        status=1
    fi
    fresh=$(mktemp)
    if ! rewrite "$document" > "$fresh"; then
        status=1
    elif ! cmp -s "$fresh" "$document"; then
        if [ "$mode" = --update ]; then
            cp "$fresh" "$document"
            echo "$document: updated"
        else
            echo "$document differs from its sources; run: sh tests/docs/snippets.sh --update" >&2
            diff -u "$document" "$fresh" | head -n 20 >&2 || true
            status=1
        fi
    fi
    rm -f "$fresh"
done
exit $status
