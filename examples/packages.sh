# SPDX-License-Identifier: BSL-1.0
# Sourced by scripts: need_packages <package>… installs what is missing of them, on Debian and its kin.

building="cmake g++ make ninja-build libasio-dev libcurl4-openssl-dev libssl-dev libsqlitecpp-dev libsqlite3-dev
    libpugixml-dev libcli11-dev nlohmann-json3-dev libcpp-httplib-dev"
testing="catch2 nginx libnginx-mod-http-dav-ext apache2 nghttp2-proxy strace
    php-cli ruby-rack ruby-webrick
    memcached s3cmd swift-account swift-container swift-object swift-proxy"

need_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "not a Debian system: install the equivalents of these yourself: $*" >&2
        return 0
    fi
    missing=""
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "needs root or sudo to install:$missing" >&2; return 1; }
        as_root=sudo
    fi
    echo "Installing:$missing"
    # What a package starts by itself would take ports and memory: the tests start their own servers.
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing \
        >/dev/null
}
