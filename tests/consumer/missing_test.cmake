# Configures with one dependency after the other hidden.
#   cmake -D SOURCE=<this repository> -D WORK=<folder> -D CXX=<compiler> -P missing_test.cmake
cmake_minimum_required(VERSION 3.20)

# hidden(<Debian package> <definition>): configuring with that must fail and name the package.
function(hidden package definition)
    file(REMOVE ${WORK}/CMakeCache.txt)
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK} -D CMAKE_CXX_COMPILER=${CXX} -D ${definition}
        RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE says)
    # The message is wrapped.
    string(REGEX REPLACE "[ \n]+" " " says "${says}")
    if(result EQUAL 0 OR NOT says MATCHES "apt install ${package}\\. ")
        message(FATAL_ERROR "with ${definition}, ${package} is not named: ${result} ${says}")
    endif()
endfunction()

hidden(libcurl4-openssl-dev CMAKE_DISABLE_FIND_PACKAGE_CURL=ON)
hidden(libssl-dev CMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON)
hidden(libsqlitecpp-dev CMAKE_DISABLE_FIND_PACKAGE_SQLiteCpp=ON)
hidden(libasio-dev WAYBILL_ASIO_INCLUDE_DIR=)
hidden(libpugixml-dev CMAKE_DISABLE_FIND_PACKAGE_pugixml=ON)
hidden(libcli11-dev CMAKE_DISABLE_FIND_PACKAGE_CLI11=ON)
hidden(nlohmann-json3-dev CMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON)
hidden(libcpp-httplib-dev HTTPLIB_INCLUDE_DIR=)
hidden(catch2 CMAKE_DISABLE_FIND_PACKAGE_Catch2=ON)
