# SPDX-License-Identifier: BSL-1.0
#
# A file of the library includes only what its layer may see (docs/design/architecture.md).
# Both ways of compiling include every file of definitions.
# Run: cmake -D INCLUDE=<…>/include -P layers_test.cmake

cmake_minimum_required(VERSION 3.20)

# What a layer shows to those above it.
set(values "error\\.hpp|limit_scope\\.hpp|detail/(codec|persistent_trie)\\.hpp")  # these need no Asio
set(base "fwd\\.hpp|detail/|platform/|error\\.hpp|limit_scope\\.hpp|clock\\.hpp|random\\.hpp|version\\.hpp")
set(store "store/(store|store_options|apply)\\.hpp")
set(words "http/|body/")  # of HTTP, and the bytes to send
set(transport "${words}|transport/(transport|request|request_limits|response|curl_options|bandwidth_limits|timetable)\\.hpp")
set(source "source/(source_opener|recognition)\\.hpp")
set(protocol "protocol/(protocol|factory|registry|reserved_headers|session|failure|http_rules)\\.hpp")
set(settings "(http/header|transport/(request_limits|bandwidth_limits))\\.hpp|protocol/factory\\.hpp|store/store_options\\.hpp|transport/curl_options\\.hpp")
set(facade "(uploader|uploader_base|job_control|background_uploader|feed|options)\\.hpp")

# Headers of an operating system, which C++ does not know.
set(system_headers "(aio|dirent|dlfcn|fcntl|ftw|glob|grp|ifaddrs|io|langinfo|mqueue|netdb|poll|pthread|pwd|sched|\
semaphore|signal|spawn|syslog|termios|ucontext|unistd|utime|windows|winsock2|ws2tcpip)\\.h>|\
(arpa|asm|linux|mach|net|netinet|sys)/")

# <file>  <what it may include of the library>  <and of others>; the first line that fits counts. Its
# own folder is always allowed, and `x.ipp` beside a header counts as that header.
set(layers
    "src\\.hpp                 .*                                              -"
    "waybill\\.hpp             ([^/]*|(model|http|protocol|source|store|transport)/[^/]*)$       -"
    "fwd\\.hpp                 -                                               -"
    "detail/.*digest.*         ${base}                                         openssl"
    "(detail/|error|limit_scope|clock|random|version).*   ${base}                          asio"
    "platform/                 ${base}                                         asio"
    "http/url                  ${base}                                         curl"
    "http/                     ${base}                                         -"
    "body/                     ${base}|http/                                   asio"
    "model/                    ${values}                                       -"
    "store/                    ${base}|model/                                  asio|SQLiteCpp|sqlite3"
    "transport/                ${base}|${words}                                asio|curl"
    "source/                   ${base}|model/|body/                            asio"
    "protocol/                 ${base}|model/|${transport}                     asio|pugixml"
    "engine/                   ${base}|model/|${store}|${transport}|${source}|${protocol}|options\\.hpp             asio"
    # A whole app in memory: it uses the facade as apps do.
    "testing/(process|crash_runner)   ${base}|model/|testing/|${facade}   asio"
    "testing/                  ${base}|model/|${store}|${transport}|${source}|${protocol}             asio"
    # Here the concrete parts are put together, and nowhere else.
    "compose\\.ipp             ${base}|model/|store/|transport/|source/|protocol/|engine/|${facade}   -"
    "uploader\\.ipp            ${base}|model/|engine/|${facade}|compose\\.ipp  asio"
    "feed\\.ipp                ${base}|model/|engine/|${facade}                 asio"
    # Programs compile these again in each of their files: values and settings, none of the machinery.
    "(uploader|uploader_base|job_control|background_uploader|feed|options)\\.   ${base}|model/|${settings}|${facade}   asio")

function(rule_for name own allowed others)
    foreach(layer IN LISTS layers)
        string(REGEX MATCHALL "[^ ]+" part "${layer}")
        list(GET part 0 pattern)
        if(name MATCHES "^(${pattern})")
            list(GET part 1 library)
            list(GET part 2 foreign)
            string(REGEX MATCH "^[^/]*/" folder "${name}")
            set(${own} "${folder}" PARENT_SCOPE)
            set(${allowed} "${library}" PARENT_SCOPE)
            set(${others} "${foreign}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    set(${allowed} "" PARENT_SCOPE)
endfunction()

set(wrong 0)
macro(complain text)
    message(SEND_ERROR "${text}")
    math(EXPR wrong "${wrong} + 1")
endmacro()

file(GLOB_RECURSE files RELATIVE "${INCLUDE}/waybill" "${INCLUDE}/waybill/*.hpp" "${INCLUDE}/waybill/*.ipp")
set(edges 0)
set(header_only "")
set(compiled_once "")
foreach(name IN LISTS files)
    rule_for("${name}" own allowed others)
    if(allowed STREQUAL "")
        complain("${name} is in no layer: give it one in ${CMAKE_CURRENT_LIST_FILE}")
        continue()
    endif()
    # What is shown is committed: everything that is written goes through one place, which counts it.
    if(name MATCHES "^engine/" AND NOT name MATCHES "/ledger\\.ipp$")
        file(STRINGS "${INCLUDE}/waybill/${name}" writes REGEX
            "store(_|\\(\\))?(->|\\.)(open|add|commit|quarantine|remove|remove_finished|postpone_leftover|remove_leftover)\\(")
        if(writes)
            complain("${name} writes to the store past the ledger: ${writes}")
        endif()
    endif()
    # What every program compiles knows no component: it is there because somebody includes its header.
    set(components "protocol/(tus|resumable|s3)(/|_|\\.)")
    if(NOT name MATCHES "^(src|waybill)\\.hpp$|^${components}")
        file(STRINGS "${INCLUDE}/waybill/${name}" known REGEX "include <waybill/${components}")
        if(known)
            complain("${name} must not know a component: ${known}")
        endif()
    endif()
    # A protocol is read, added and dropped as one folder. `automatic` checks
    # what it may send as a put.
    if(name MATCHES "^protocol/([a-z0-9]+)/")
        set(mine "${CMAKE_MATCH_1}")
        file(STRINGS "${INCLUDE}/waybill/${name}" siblings REGEX "include <waybill/protocol/[a-z0-9]+/")
        list(FILTER siblings EXCLUDE REGEX "protocol/(${mine}|shared)/")
        if(mine STREQUAL automatic)
            list(FILTER siblings EXCLUDE REGEX "protocol/put/")
        endif()
        if(siblings)
            complain("${name} leans on another protocol; what both need is for protocol/shared/: ${siblings}")
        endif()
    endif()
    # What belongs to a protocol it says itself (protocol.hpp, reserved_headers.hpp): another one can be added without a
    # word here.
    if(name MATCHES "^(engine/|(uploader|uploader_base|job_control|background_uploader|feed|options)\\.[hi]pp$)")
        file(STRINGS "${INCLUDE}/waybill/${name}" named REGEX "(^|[^A-Za-z0-9_])((tus|s3|resumable|multipart)([^a-z0-9]|$)|(Tus|Upload|X-Amz|x-amz)-)")
        if(named)
            complain("${name} names a protocol: ${named}")
        endif()
    endif()
    file(STRINGS "${INCLUDE}/waybill/${name}" system REGEX "^ *# *include +<(${system_headers})")
    if(system AND NOT name MATCHES "^platform/")
        complain("${name} asks the operating system, which is for platform/ to do: ${system}")
    endif()
    file(STRINGS "${INCLUDE}/waybill/${name}" includes REGEX "^ *# *include")
    foreach(line IN LISTS includes)
        math(EXPR edges "${edges} + 1")
        if(line MATCHES "<waybill/(.*)>")
            set(target "${CMAKE_MATCH_1}")
            if(NOT name MATCHES "(^|/)src\\.hpp$")
                list(APPEND header_only "${target}")
            endif()
            if(name MATCHES "(^|/)src\\.hpp$|\\.ipp$")
                list(APPEND compiled_once "${target}")
            endif()
            string(REGEX REPLACE "\\.[hi]pp$" "" stem "${name}")
            if(NOT target MATCHES "^(${allowed})" AND NOT (own AND target MATCHES "^${own}")
                    AND NOT target MATCHES "^${stem}\\.[hi]pp$")
                complain("${name} must not include waybill/${target}: only ${own} ${allowed}")
            endif()
        elseif(line MATCHES "\"")
            complain("${name}: ${line}: write <waybill/…>, so that it does not matter where it is included from")
        elseif(line MATCHES "<(asio|curl|SQLiteCpp|sqlite3|openssl|pugixml)[/.]")
            set(library "${CMAKE_MATCH_1}")
            if(NOT library MATCHES "^(${others})$")
                complain("${name} must not know ${library}")
            endif()
        endif()
    endforeach()
endforeach()

# A program that includes the headers gets every definition, and so does one that compiles the library once.
foreach(name IN LISTS files)
    if(name MATCHES "\\.ipp$")
        if(NOT name IN_LIST header_only)
            complain("no header includes ${name}: header-only programs lack its definitions")
        endif()
        if(NOT name IN_LIST compiled_once)
            complain("no src.hpp includes ${name}: separately compiled programs lack its definitions")
        endif()
    endif()
endforeach()

list(LENGTH files count)
if(count LESS 10)
    complain("only ${count} files found in ${INCLUDE}: that is not the library")
endif()
if(wrong EQUAL 0)
    message(STATUS "${count} files, ${edges} includes: every file sees only what its layer may see")
endif()
