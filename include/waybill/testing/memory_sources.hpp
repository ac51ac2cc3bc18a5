// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/source/source_opener.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace waybill::testing {

/// Files that exist only here. Each change of one gives it another identity, as on a real disk.
///
/// @par Thread safety
///   Used on one strand.
class memory_files {
public:
    void write(const std::string& path, std::string content) {
        entry& e = files_[path];
        e.content = std::move(content);
        e.identity = {1, e.identity.inode == 0 ? ++last_inode_ : e.identity.inode, e.content.size(), ++changes_,
                      changes_};
    }
    void remove(const std::string& path) { files_.erase(path); }

    struct entry {
        std::string content;
        file_identity identity;
    };
    [[nodiscard]] const entry& at(const std::string& path) const {
        const auto found = files_.find(path);
        if (found == files_.end()) {
            throw error(errc::source_missing, path);
        }
        return found->second;
    }

private:
    std::map<std::string, entry> files_;
    std::uint64_t last_inode_ = 0;
    std::int64_t changes_ = 0;
};

/// Opens `memory_files`.
class memory_sources final : public source_opener {
public:
    explicit memory_sources(std::shared_ptr<memory_files> files) : files_(std::move(files)) {}

    asio::awaitable<std::vector<pinned_file>> pin(std::vector<std::string> paths) override {
        std::vector<pinned_file> pinned;
        for (const std::string& path : paths) {
            pinned.push_back({path, files_->at(path).identity});
        }
        co_return pinned;
    }

    [[nodiscard]] std::unique_ptr<body_source> open(const item_spec& item) override {
        if (item.kind == source_kind::bytes) {
            return std::make_unique<bytes_source>(item.data);
        }
        return std::make_unique<source>(files_, item);
    }

private:
    class source final : public body_source {
    public:
        source(std::shared_ptr<memory_files> files, const item_spec& item)
            : files_(std::move(files)), path_(item.path), pinned_(item.identity), offset_(item.offset),
              size_(item.size) {
            verify();
        }
        [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
        void read(std::uint64_t offset, std::span<char> out) override {
            const std::string& content = verify();
            content.copy(out.data(), out.size(), static_cast<std::size_t>(offset_ + offset));
        }

    private:
        const std::string& verify() const {
            const memory_files::entry& now = files_->at(path_);
            if (now.identity != pinned_) {
                throw error(errc::file_changed, path_);
            }
            return now.content;
        }

        std::shared_ptr<memory_files> files_;
        std::string path_;
        file_identity pinned_;
        std::uint64_t offset_;
        std::uint64_t size_;
    };

    std::shared_ptr<memory_files> files_;
};

}  // namespace waybill::testing
