// SPDX-License-Identifier: BSL-1.0
#include "compare/workspace.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace waybill::bench {

server_process::server_process(const std::vector<std::string>& argv,
                               const std::vector<std::pair<std::string, std::string>>& env) {
    test::command_line what;
    what.argv = argv;
    what.env = env;
    what.out_file = dir_ / "out";
    what.err_file = dir_ / "err";
    process_.emplace(what);
    for (int tries = 0; tries < 1000; ++tries) {
        std::istringstream said(test::read_file(dir_ / "out"));
        std::string word;
        if (said >> word >> port_ && word == "port") {
            return;
        }
        if (!process_->running()) {
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error(argv.front() + " did not come up: " + process_->words());
}

void sink::expect(std::uint64_t bytes) {
    test::command_line ask;
    ask.argv = {"curl", "-s", url("/stats")};
    std::istringstream answer(test::run_process(ask).out);
    taken now;
    answer >> now.requests >> now.bytes;
    const std::uint64_t came = now.bytes - before_;
    before_ = now.bytes;
    if (came != bytes) {
        throw std::runtime_error("the sink took " + std::to_string(came) + " bytes instead of " +
                                 std::to_string(bytes));
    }
}

std::string workspace::file(const std::string& name, std::uint64_t size) {
    const std::string path = dir_ / name;
    if (!std::filesystem::exists(path)) {
        // Small: a program started by a large one is charged with its memory.
        constexpr std::uint64_t piece = 256 << 10;
        const std::string content = test::random_bytes(std::min(piece, size));
        std::ofstream out(path, std::ios::binary);
        for (std::uint64_t left = size; left > 0;) {
            const std::uint64_t next = std::min<std::uint64_t>(left, content.size());
            out.write(content.data(), static_cast<std::streamsize>(next));
            left -= next;
        }
    }
    return path;
}

std::vector<std::string> workspace::files(std::size_t count, std::uint64_t size) {
    const std::string folder = std::to_string(count) + "x" + std::to_string(size);
    std::filesystem::create_directories(dir_ / folder);
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(file(folder + "/" + std::to_string(1'000'000 + i), size));
    }
    return all;
}

std::string workspace::list(const std::string& name, const std::vector<std::string>& paths) const {
    std::string text;
    for (const std::string& path : paths) {
        text += path + "\n";
    }
    return dir_.write(name + ".list", text);
}

std::string workspace::curl_config(const std::string& name, const std::vector<std::string>& paths,
                                   const std::string& url, const std::string& more) const {
    std::string text;
    for (const std::string& path : paths) {
        text += "upload-file = \"" + path + "\"\nurl = \"" + url + std::filesystem::path(path).filename().string() +
                "\"\noutput = /dev/null\n" + more;
    }
    return dir_.write(name + ".curl", text);
}

void workspace::remove_store(const std::string& name) const {
    std::filesystem::remove_all(dir_ / name);
}

}  // namespace waybill::bench
