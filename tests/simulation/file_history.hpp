// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/testing/memory_sources.hpp>

#include "simulation/posted_job.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace waybill::simulation {

/// Files with all the contents they ever had.
class file_history {
public:
    void write(const std::string& path, std::string content) {
        files->write(path, std::move(content));
        versions_[path].push_back(files->at(path));
    }
    /// Something else about it has changed, or nothing can be told of it now.
    void note(const std::string& path) {
        try {
            versions_[path].push_back(files->at(path));
        } catch (const error&) {
            // Nothing to keep.
        }
    }
    /// What a file is now; null when it is gone or cannot be reached.
    [[nodiscard]] const testing::memory_files::entry* now(const std::string& path) const {
        try {
            return &files->at(path);
        } catch (const error&) {
            return nullptr;
        }
    }
    [[nodiscard]] bool ever_was(const std::string& path, const std::string& content) const {
        const auto found = versions_.find(path);
        return found != versions_.end() && std::any_of(found->second.begin(), found->second.end(),
                                                       [&](const auto& v) { return v.content == content; });
    }
    [[nodiscard]] const std::string& as_pinned(const std::string& path, const file_identity& identity) const {
        for (const auto& v : versions_.at(path)) {
            if (v.identity == identity) {
                return v.content;
            }
        }
        throw broken(path + " was accepted with an identity it never had");
    }

    std::shared_ptr<testing::memory_files> files = std::make_shared<testing::memory_files>();

private:
    std::map<std::string, std::vector<testing::memory_files::entry>> versions_;
};

}  // namespace waybill::simulation
