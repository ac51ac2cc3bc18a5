// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace waybill::bench {

/// What every client here is told to do: `client URL LIST IN_FLIGHT [CA]`. The list has one path in
/// each line; a URL that ends in `/` is completed by the file's name.
struct upload_order {
    std::string url;
    std::vector<std::string> files;
    std::size_t in_flight = 1;
    std::string ca;

    upload_order(int argc, char** argv) {
        if (argc < 4) {
            std::fprintf(stderr, "usage: %s URL LIST IN_FLIGHT [CA]\n", argv[0]);
            std::exit(2);
        }
        url = argv[1];
        std::ifstream list(argv[2]);
        for (std::string line; std::getline(list, line);) {
            files.push_back(line);
        }
        in_flight = std::stoul(argv[3]);
        ca = argc > 4 ? argv[4] : "";
    }

    [[nodiscard]] std::string target(const std::string& file) const {
        return url.ends_with('/') ? url + std::filesystem::path(file).filename().string() : url;
    }
};

/// Reports what went wrong, and ends the program.
[[noreturn]] inline void give_up(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

}  // namespace waybill::bench
