# SPDX-License-Identifier: BSL-1.0
#
# What find_package gives, by the components that are asked for.
#   cmake -D SOURCE=<this repository> -D WORK=<folder> -D CXX=<compiler> -P components_test.cmake
cmake_minimum_required(VERSION 3.20)

file(REMOVE_RECURSE ${WORK})

# install(<folder> <definition>…)
function(install_to prefix)
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/library-${prefix} -D CMAKE_CXX_COMPILER=${CXX}
        -D WAYBILL_BUILD_TESTS=OFF -D WAYBILL_BUILD_EXAMPLES=OFF -D WAYBILL_BUILD_BENCHMARKS=OFF ${ARGN}
        OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/library-${prefix} --prefix ${WORK}/${prefix} OUTPUT_QUIET
        COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# app(<folder> <prefix> <asked> <expected: components, or a text of the error> <definition>…)
function(app name prefix asked expected)
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE}/tests/consumer/components -B ${WORK}/${name} -G Ninja
        -D CMAKE_BUILD_TYPE=Debug -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_PREFIX_PATH=${WORK}/${prefix} "-DASKED=${asked}"
        "-DEXPECTED=${expected}" ${ARGN} OUTPUT_QUIET RESULT_VARIABLE failed ERROR_VARIABLE says)
    string(REGEX REPLACE "[ \n]+" " " says "${says}")
    if(expected MATCHES " ")
        string(FIND "${says}" "${expected}" found)
        if(NOT failed OR found EQUAL -1)
            message(FATAL_ERROR "${name}: '${expected}' is not said: ${says}")
        endif()
    elseif(failed)
        message(FATAL_ERROR "${name}: ${says}")
    endif()
endfunction()

install_to(whole)
install_to(small -D WAYBILL_S3=OFF)
set(hidden -D CMAKE_DISABLE_FIND_PACKAGE_pugixml=ON)
app(asks-nothing whole "" "tus;resumable;s3")
app(asks-nothing-hidden whole "" "tus;resumable" ${hidden})
app(asks-tus whole "COMPONENTS;tus" "tus" ${hidden})
app(asks-two whole "COMPONENTS;s3;resumable" "resumable;s3")
app(asks-optional whole "COMPONENTS;tus;OPTIONAL_COMPONENTS;s3" "tus" ${hidden})
app(asks-s3-hidden whole "COMPONENTS;s3" "component s3 needs pugixml 1.11 or newer. On Debian: apt install libpugixml-dev"
    ${hidden})
app(asks-s3-of-small small "COMPONENTS;s3" "component s3 was not installed")
app(asks-other whole "COMPONENTS;gopher" "component gopher was not installed")
app(asks-s3 whole "COMPONENTS;s3" "s3")

execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/asks-s3 --target app OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(MAKE_DIRECTORY ${WORK}/store)
file(CHMOD ${WORK}/store PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
execute_process(COMMAND ${WORK}/asks-s3/app ${WORK}/store/uploads.db OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
if(NOT said STREQUAL "s3: known\ntus: unknown\n")
    message(FATAL_ERROR "an app with s3 alone says: ${said}")
endif()
