// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/source/file_source.hpp>

namespace waybill {

WAYBILL_DECL asio::awaitable<std::vector<pinned_file>> file_opener::pin(std::vector<std::string> paths) {
    std::function<std::vector<pinned_file>()> work = [paths = std::move(paths)] {
        std::vector<pinned_file> pinned;
        pinned.reserve(paths.size());
        for (const std::string& path : paths) {
            pinned.push_back(pin_one(path));
        }
        return pinned;
    };
    co_return co_await worker_.run(std::move(work));
}

}  // namespace waybill
