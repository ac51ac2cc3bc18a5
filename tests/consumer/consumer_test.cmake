# Builds README's first program as an app would, and starts it.
#   cmake -D FROM=package|subdirectory|fetch -D SOURCE=<this repository>
#         -D WORK=<folder> -D CXX=<compiler> -P consumer_test.cmake
cmake_minimum_required(VERSION 3.20)

file(REMOVE_RECURSE ${WORK})
set(run COMMAND_ERROR_IS_FATAL ANY)
if(FROM STREQUAL package)
    # As the README says, and with no other packages than it names.
    file(STRINGS ${SOURCE}/README.md line REGEX "^cmake -S waybill -B build ")
    string(REGEX MATCHALL "-D[^ ]+" options "${line}")
    if(NOT options)
        message(FATAL_ERROR "the README does not say how to configure")
    endif()
    foreach(package CLI11 nlohmann_json Catch2)
        list(APPEND options -DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
    endforeach()
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/library -D CMAKE_CXX_COMPILER=${CXX}
        -D HTTPLIB_INCLUDE_DIR= ${options} OUTPUT_QUIET ${run})
    execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/library --prefix ${WORK}/prefix OUTPUT_QUIET ${run})
    # What was installed is all there is: a reference to the source tree would go unnoticed otherwise.
    file(GLOB_RECURSE configs ${WORK}/prefix/*.cmake)
    foreach(config IN LISTS configs)
        file(READ ${config} text)
        string(FIND "${text}" "${SOURCE}/" found)
        if(NOT found EQUAL -1)
            message(FATAL_ERROR "${config} names the source tree")
        endif()
    endforeach()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE}/tests/consumer/app -B ${WORK}/build -G Ninja
    -D CMAKE_BUILD_TYPE=Debug -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_PREFIX_PATH=${WORK}/prefix
    -D WAYBILL_FROM=${FROM} -D WAYBILL_SOURCE=${SOURCE} -D PROGRAM=${SOURCE}/examples/quickstart.cpp
    ${run})
if(CONFIGURE_ONLY)
    return()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target app ${run})
execute_process(COMMAND ${WORK}/build/app RESULT_VARIABLE result ERROR_VARIABLE says)
if(NOT result EQUAL 2 OR NOT says MATCHES "usage: quickstart")
    message(FATAL_ERROR "the program did not start: ${result} ${says}")
endif()
