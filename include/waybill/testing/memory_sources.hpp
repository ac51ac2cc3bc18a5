// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/error.hpp>
#include <waybill/source/recognition.hpp>
#include <waybill/source/source_opener.hpp>

#include <algorithm>
#include <cstddef>
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
    struct entry {
        std::string content;
        file_identity identity;
    };

    void write(const std::string& path, std::string content) {
        entry& e = files_[path];
        e.content = std::move(content);
        const std::int64_t now = tick();
        e.identity = {1, e.identity.inode == 0 ? ++last_inode_ : e.identity.inode, e.content.size(), now, now};
    }
    /// At its end, as a log is written.
    void append(const std::string& path, const std::string& more) { write(path, at(path).content + more); }
    /// A change of permission, hard link or attribute, or a rename and back: visible only in the time of the last
    /// change (ctime).
    void touch(const std::string& path) { known(path).identity.ctime_ns = tick(); }
    /// Its file system is remounted, with other device and inode numbers.
    void remount(const std::string& path) {
        file_identity& now = known(path).identity;
        now.device += 1;
        now.inode = ++last_inode_;
    }
    /// Replaces the content by as many other bytes and restores the modification time: visible only in the ctime.
    void replace_unseen(const std::string& path, std::string content) {
        entry& e = known(path);
        content.resize(e.content.size());
        e.content = std::move(content);
        e.identity.ctime_ns = tick();
    }
    void remove(const std::string& path) { files_.erase(path); }
    /// Whether its disk is available.
    void set_reachable(const std::string& path, bool reachable) { out_of_reach_[path] = !reachable; }

    [[nodiscard]] const entry& at(const std::string& path) const {
        if (const auto away = out_of_reach_.find(path); away != out_of_reach_.end() && away->second) {
            throw error(errc::source_unavailable, path);
        }
        const auto found = files_.find(path);
        if (found == files_.end()) {
            throw error(errc::source_missing, path);
        }
        return found->second;
    }

private:
    [[nodiscard]] entry& known(const std::string& path) {
        static_cast<void>(at(path));
        return files_.at(path);
    }
    // More than a second apart, and not a round number: detectable with any clock, however coarse.
    [[nodiscard]] std::int64_t tick() { return ++changes_ * 3'000'000'007; }

    std::map<std::string, entry> files_;
    std::map<std::string, bool> out_of_reach_;
    std::uint64_t last_inode_ = 0;
    std::int64_t changes_ = 0;
};

/// Opens `memory_files`.
class memory_sources final : public source_opener {
public:
    /// @param how how much of a file is read to recognise it. Less than usual lets small files stand for large ones.
    explicit memory_sources(std::shared_ptr<memory_files> files, detail::sampling how = {})
        : files_(std::move(files)), how_(how) {}

    /// What is read ahead in one turn of the loop, for a digest. Make it small, so that a crash or a stop can happen in
    /// between.
    std::size_t piece = std::size_t(1) << 20;

    [[nodiscard]] std::size_t piece_size() const noexcept override { return piece; }

    asio::awaitable<std::vector<pinned_file>> pin(std::vector<wanted_file> files) override;
    [[nodiscard]] std::unique_ptr<body_source> open(const item_spec& item) override;
    asio::awaitable<std::vector<recognition>> recognize(std::vector<item_spec> items, std::vector<bool> begun) override;

private:
    [[nodiscard]] static file_fingerprint fingerprint_of(const std::string& content, fingerprint_scope scope,
                                                         std::uint64_t offset, std::uint64_t size,
                                                         const detail::sampling& how) {
        const auto read = [&](std::uint64_t at, std::span<char> out) {
            content.copy(out.data(), out.size(), static_cast<std::size_t>(at));
        };
        return detail::fingerprint_of(scope, offset, size, read, how);
    }

    [[nodiscard]] recognition recognize_one(const item_spec& item, bool begun) const;

    class source final : public body_source {
    public:
        source(std::shared_ptr<memory_files> files, const item_spec& item, const detail::sampling& how)
            : files_(std::move(files)), path_(item.path), accepted_(item.identity), content_(item.content),
              offset_(item.offset), size_(item.size), append_only_(item.append_only), how_(how) {
            verify();
            require_content();
        }
        [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
        void read(std::uint64_t offset, std::span<char> out) override {
            const std::string& content = verify();
            content.copy(out.data(), out.size(), static_cast<std::size_t>(offset_ + offset));
            require_content();
        }

    private:
        const std::string& verify() {
            const memory_files::entry& now = files_->at(path_);
            const detail::likeness found = detail::compare(accepted_, now.identity, append_only_);
            if (found == detail::likeness::other) {
                throw error(errc::file_changed, path_);
            }
            if (found == detail::likeness::alike && !append_only_) {
                if (content_.scope == fingerprint_scope::none || !how_.is_whole(size_)) {
                    throw error(errc::file_touched, path_);
                }
                compare_content();
                accepted_ = now.identity;
            }
            return now.content;
        }
        void require_content() const {
            if (append_only_) {
                compare_content();
            }
        }
        void compare_content() const {
            const std::string& content = files_->at(path_).content;
            if (fingerprint_of(content, content_.scope, offset_, size_, how_) != content_) {
                throw error(errc::file_changed, path_);
            }
        }

        std::shared_ptr<memory_files> files_;
        std::string path_;
        file_identity accepted_;
        file_fingerprint content_;
        std::uint64_t offset_;
        std::uint64_t size_;
        bool append_only_;
        detail::sampling how_;
    };

    std::shared_ptr<memory_files> files_;
    detail::sampling how_;
};

}  // namespace waybill::testing

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/testing/memory_sources.ipp>
#endif
