# Brings the servers and the packages they need into the build tree; quick when nothing has changed.
#   cmake -D from=tests/servers -D to=build/servers -P install.cmake
# The newest of these servers need Node 20.19; where the machine's is older, npm's own `node` package is used.
set(oldest_node 20.19)

file(GLOB files ${from}/*.mjs)
file(COPY ${files} ${from}/package.json DESTINATION ${to})

file(SHA256 ${from}/package.json wanted)
set(stamp ${to}/installed)
if(EXISTS ${stamp})
    file(READ ${stamp} installed)
    if(installed STREQUAL wanted)
        return()
    endif()
endif()

find_program(npm npm)
if(NOT npm)
    message(FATAL_ERROR "npm is not installed: apt-get install npm")
endif()
set(node_package)
execute_process(COMMAND node --version OUTPUT_VARIABLE node_version OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REGEX REPLACE "^v" "" node_version "${node_version}")
if(node_version VERSION_LESS oldest_node)
    set(node_package node@22)
endif()
execute_process(
    COMMAND ${npm} install --no-audit --no-fund --no-package-lock --no-save --loglevel=error ${node_package}
    WORKING_DIRECTORY ${to}
    COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${stamp} ${wanted})
