# SPDX-License-Identifier: BSL-1.0
#
# Who includes the facade and a protocol of the core compiles no component, and needs none of their libraries; and
# <waybill/waybill.hpp> has the components that there are.
# Run: cmake -D INCLUDE=<…>/include -D CXX=<compiler> -D FLAGS=<…> -D WORK=<folder> -P core_test.cmake

cmake_minimum_required(VERSION 3.20)

file(MAKE_DIRECTORY ${WORK})

# what_is_read(<list> <definition> <header>…): every file that the compiler reads.
function(what_is_read result definition)
    set(text "")
    foreach(header IN LISTS ARGN)
        string(APPEND text "#include <${header}>\n")
    endforeach()
    file(WRITE ${WORK}/includes.cpp "${text}")
    execute_process(COMMAND ${CXX} -std=c++20 ${FLAGS} -D ${definition} -I ${INCLUDE} -M ${WORK}/includes.cpp
        OUTPUT_VARIABLE files RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "${ARGN} cannot be read")
    endif()
    string(REGEX MATCHALL "[^ \\\n]+" files "${files}")
    set(${result} "${files}" PARENT_SCOPE)
endfunction()

foreach(way WAYBILL_JUST_HEADERS WAYBILL_SEPARATE_COMPILATION)
    what_is_read(files ${way} waybill/uploader.hpp waybill/background_uploader.hpp waybill/protocol/put.hpp
        waybill/protocol/multipart.hpp waybill/protocol/automatic.hpp)
    list(FILTER files INCLUDE REGEX "waybill/protocol/(tus|resumable|s3)|pugixml")
    if(files)
        message(FATAL_ERROR "the core reads files of components: ${files}")
    endif()
endforeach()

what_is_read(files WAYBILL_JUST_HEADERS waybill/waybill.hpp)
foreach(component tus resumable)
    if(NOT files MATCHES "waybill/protocol/${component}/component.ipp")
        message(FATAL_ERROR "<waybill/waybill.hpp> lacks ${component}")
    endif()
endforeach()
if(files MATCHES "pugixml")
    message(FATAL_ERROR "<waybill/waybill.hpp> needs pugixml where there is no S3")
endif()
what_is_read(files WAYBILL_HAS_S3 waybill/waybill.hpp)
if(NOT files MATCHES "waybill/protocol/s3/component.ipp")
    message(FATAL_ERROR "<waybill/waybill.hpp> lacks s3")
endif()
