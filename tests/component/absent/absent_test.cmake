# SPDX-License-Identifier: BSL-1.0
#
# A job of a component is kept by a program without that component, and goes on in one that has it.
#   cmake -D WITH=<program> -D WITHOUT=<the same without tus> -D WORK=<folder> -P absent_test.cmake
cmake_minimum_required(VERSION 3.20)

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
# Of group and others nobody may write to it.
file(CHMOD ${WORK} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
string(REPEAT "x" 3000 content)
file(WRITE ${WORK}/file "${content}")

function(step program what expected)
    execute_process(COMMAND ${program} ${what} ${WORK}/uploads.db ${WORK}/file OUTPUT_VARIABLE said ERROR_VARIABLE said
        RESULT_VARIABLE result TIMEOUT 60)
    if(NOT result EQUAL 0 OR NOT said MATCHES "${expected}")
        message(FATAL_ERROR "${what} of ${program}: ${result}: ${said}")
    endif()
    set(said "${said}" PARENT_SCOPE)
endfunction()

step(${WITH} begin "^waiting ")
foreach(again RANGE 1)
    step(${WITHOUT} go_on "^failed tus: this program has no protocol of this name; include its header or register it, then retry the job\n$")
endforeach()
step(${WITHOUT} retry "^failed tus: this program has no protocol of this name")
step(${WITH} go_on "^failed tus: this program has no protocol of this name")  # it is the app that decides
step(${WITH} retry "^sent from 1000\ncompleted ")
