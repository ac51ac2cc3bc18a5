#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
#
# The options that keep uploads safe are set in one place, to one value, and nothing that would weaken
# them is used at all.
#   sh policy.sh <the library's include folder>
set -eu
include=${1:?usage: policy.sh INCLUDE}
policy=$include/waybill/transport/detail/easy_setup.hpp
wrong=0
complain() {
    echo "$*" >&2
    wrong=1
}

# always <option> <value>: set once in the policy, to this, and nowhere else.
always() {
    count=$(grep -rhc "$1," "$include" | awk '{ n += $1 } END { print n }')
    [ "$count" = 1 ] || complain "$1 is set $count times, not once"
    grep -q "set_option(e, $1, $2);" "$policy" || complain "$1 is not set to $2 in $policy"
}
always CURLOPT_SSL_VERIFYPEER 1
always CURLOPT_SSL_VERIFYHOST 2
always CURLOPT_SSLVERSION CURL_SSLVERSION_TLSv1_2
always CURLOPT_FOLLOWLOCATION 0
always CURLOPT_PROTOCOLS_STR '"http,https"'
always CURLOPT_REDIR_PROTOCOLS_STR '"http,https"'
always CURLOPT_NETRC CURL_NETRC_IGNORED
always CURLOPT_UNRESTRICTED_AUTH 0
always CURLOPT_HTTP09_ALLOWED 0
always CURLOPT_PROXY 'options.proxy.c_str()'
always CURLOPT_NOPROXY '""'

# never <what> <why>
never() {
    found=$(grep -rnE "$1" "$include" || true)
    [ -z "$found" ] || complain "$2: $found"
}
never 'CURLOPT_(PROXY_SSL_VERIFY|DOH_SSL_VERIFY|SSL_OPTIONS|SSL_VERIFYSTATUS)' 'another switch of the certificate check'
never 'CURLOPT_(COOKIE|COOKIEFILE|COOKIEJAR|COOKIELIST)\b' 'cookies are kept'
never 'CURLOPT_(HTTPAUTH|PROXYAUTH|USERPWD|USERNAME|PASSWORD|XOAUTH2_BEARER)\b' 'libcurl authenticates'
never 'CURLOPT_(ACCEPT_ENCODING|ENCODING|TRANSFER_ENCODING)\b' 'answers are decompressed'
never 'CURLOPT_(HSTS|ALTSVC|HSTS_CTRL|ALTSVC_CTRL)\b' 'answers are remembered for other requests'
never 'CURLOPT_STREAM_DEPENDS|CURLOPT_VERBOSE|CURLOPT_DEBUGFUNCTION' 'used'
never 'curl_mime_|CURLOPT_MIMEPOST|CURLOPT_HTTPPOST' 'libcurl builds the form'
never 'curl_easy_duphandle' 'an easy handle is copied'
never '\bmmap\(|\bmmap64\(' 'files are mapped'
never '\b(system|popen|tmpnam|mktemp|strcpy|strcat|sprintf|gets)\(' 'used'

# What users can set has no word for it.
found=$(grep -niE '(bool|enum).*(insecure|verify|trust_all|skip)' "$include"/waybill/transport/curl_options.hpp \
    "$include"/waybill/options.hpp || true)
[ -z "$found" ] || complain "a switch of the certificate check: $found"
exit $wrong
