// SPDX-License-Identifier: BSL-1.0
#pragma once

// What every example needs and none is about: the command line, an event loop and an exit code.

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

/// The arguments of an example: `<url> <store>`, and what else it takes.
struct arguments {
    std::string url;
    std::string store;
    std::vector<std::string> more;
};

/// Checks the arguments, runs `program`, and returns its exit code. An exception is printed, with its cause and remedy,
/// and makes the exit code 1; wrong arguments make it 2.
///
/// @param usage the program's name and its arguments. Each `<name>` is required; `...` at the end stands for more.
inline int plain_main(int argc, char** argv, const std::string& usage, const std::function<int(arguments)>& program) {
    const std::vector<std::string> given(argv + std::min(argc, 1), argv + argc);
    const auto required = static_cast<std::size_t>(std::count(usage.begin(), usage.end(), '<'));
    if (!given.empty() && given.front() == "--help") {
        std::cout << "usage: " << usage << "\n";
        return 0;
    }
    if (given.size() < required || (given.size() > required && !usage.ends_with("..."))) {
        std::cerr << "usage: " << usage << "\n";
        return 2;
    }
    try {
        return program({given[0], given[1], {given.begin() + 2, given.end()}});
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}

/// The same for a coroutine, which runs on an event loop of its own.
inline int co_main(int argc, char** argv, const std::string& usage, asio::awaitable<int> (*program)(arguments)) {
    return plain_main(argc, argv, usage, [program](arguments given) {
        asio::io_context context(1);
        int code = 1;
        std::exception_ptr thrown;
        asio::co_spawn(context, program(std::move(given)), [&](const std::exception_ptr& failed, int returned) {
            thrown = failed;
            code = returned;
        });
        context.run();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        return code;
    });
}
