// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/source/file_source.hpp>

namespace waybill {
namespace detail {

/// Pins one file after the other. Many files of one job lie in one directory: it is resolved once.
class pinner {
public:
    explicit pinner(const file_root& root) : root_(root) {}

    [[nodiscard]] pinned_file pin(const std::string& path) {
        const auto name = path.find_last_of('/') + 1;
        resolve(name == 0 ? "." : path.substr(0, name));
        if (!resolved_.empty()) {
            try {
                std::string absolute = resolved_ + path.substr(name);
                const file_identity identity = open_regular(absolute, root_).second;
                return {std::move(absolute), identity};
            } catch (const error&) {
                // A link, or nothing that can be pinned: the long way tells.
            }
        }
        return file_opener::pin_one(path, root_);
    }

private:
    void resolve(const std::string& directory) {
        if (directory == directory_) {
            return;
        }
        const std::unique_ptr<char, decltype(&std::free)> found(::realpath(directory.c_str(), nullptr), &std::free);
        directory_ = directory;
        resolved_ = found ? found.get() : "";
        if (!resolved_.empty() && resolved_.back() != '/') {
            resolved_ += '/';
        }
    }

    const file_root& root_;
    std::string directory_;
    std::string resolved_;  // ends in '/'; empty: it cannot be
};

[[nodiscard]] inline std::vector<pinned_file> pin_all(const std::vector<std::string>& paths, const file_root& root) {
    std::vector<pinned_file> pinned;
    pinned.reserve(paths.size());
    pinner pins(root);
    for (const std::string& path : paths) {
        pinned.push_back(pins.pin(path));
    }
    return pinned;
}

}  // namespace detail

WAYBILL_DECL asio::awaitable<std::vector<pinned_file>> file_opener::pin(std::vector<std::string> paths) {
    // A few are looked at as quickly here as a thread is woken: as many as one that sends them opens between two turns.
    constexpr std::size_t few = 8;
    if (paths.size() <= few) {
        co_return detail::pin_all(paths, root_);
    }
    std::function<std::vector<pinned_file>()> work = [this, paths = std::move(paths)] {
        return detail::pin_all(paths, root_);
    };
    co_return co_await worker_.run(std::move(work));
}

}  // namespace waybill
