# SPDX-License-Identifier: BSL-1.0
#
# fwd.hpp declares every type of namespace waybill, with the same words, and no type that does not
# exist. Types of detail and of testing are no part of the interface.
# Run: cmake -D INCLUDE=<…>/include -P fwd_test.cmake

cmake_minimum_required(VERSION 3.20)

# Fills `result` with the types a header defines, or declares, at the top of namespace waybill. The
# code is formatted: what stands in the first column belongs to a namespace.
function(types_of file end result)
    file(STRINGS "${file}" lines REGEX "^(namespace|}  // namespace|class|struct|enum class) ")
    set(namespaces "")
    set(found "")
    foreach(line IN LISTS lines)
        if(line MATCHES "^namespace ([a-z_:]*) ")
            list(APPEND namespaces "${CMAKE_MATCH_1}")
        elseif(line MATCHES "^}")
            list(POP_BACK namespaces)
        elseif(namespaces STREQUAL "waybill" AND line MATCHES "${end}")
            string(REGEX REPLACE " final" "" line "${line}")
            if(line MATCHES "^(class [a-z_]+|struct [a-z_]+|enum class [a-z_]+ : [a-z_0-9: ]*[a-z0-9])")
                list(APPEND found "${CMAKE_MATCH_1}")
            endif()
        endif()
    endforeach()
    set(${result} "${found}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE "${INCLUDE}/waybill" "${INCLUDE}/waybill/*.hpp")
list(FILTER files EXCLUDE REGEX "(^|/)(detail|testing)/|^fwd\\.hpp$")
set(defined "")
foreach(name IN LISTS files)
    # A semicolon would split the line in two; a definition in one line has none before its brace.
    types_of("${INCLUDE}/waybill/${name}" "\\{" types)
    list(APPEND defined ${types})
endforeach()
types_of("${INCLUDE}/waybill/fwd.hpp" "" declared)

set(missing ${defined})
list(REMOVE_ITEM missing ${declared})
set(stale ${declared})
list(REMOVE_ITEM stale ${defined})
list(LENGTH defined count)
if(missing)
    list(SORT missing)
    list(JOIN missing ";\n  " text)
    message(SEND_ERROR "fwd.hpp lacks:\n  ${text};")
endif()
if(stale)
    list(JOIN stale ";\n  " text)
    message(SEND_ERROR "fwd.hpp declares what does not exist, or otherwise:\n  ${text};")
endif()
if(count LESS 20)
    message(SEND_ERROR "only ${count} types found in ${INCLUDE}: that is not the library")
endif()
if(NOT missing AND NOT stale)
    message(STATUS "${count} types, all declared in fwd.hpp")
endif()
