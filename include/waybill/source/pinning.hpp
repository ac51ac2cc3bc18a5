// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/platform/file.hpp>
#include <waybill/source/content_look.hpp>
#include <waybill/source/file_root.hpp>
#include <waybill/source/opened_file.hpp>
#include <waybill/source/recognition.hpp>
#include <waybill/source/source_opener.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// Pins one file after the other. Many files of one job lie in one directory: it is resolved once.
class pinning {
public:
    pinning(std::vector<wanted_file> files, const file_root& root) : files_(std::move(files)), root_(root) {
        pinned_.reserve(files_.size());
    }

    /// Works for a while; false when all files are pinned. With `only_small` it stops at the first file that takes more
    /// than one read.
    bool go_on(bool only_small = false) {
        while (pinned_.size() < files_.size()) {
            const wanted_file& wanted = files_[pinned_.size()];
            try {
                if (!look_ && begin(wanted)) {
                    continue;
                }
                if (only_small || look_->read_some(content_look::most_at_once)) {
                    return true;
                }
                end(wanted, look_->file(), look_->value());
            } catch (const error& e) {
                if (e.code() != errc::file_changed || disturbed_ == most_disturbed) {
                    throw;
                }
                ++disturbed_;
            }
            look_.reset();
        }
        return false;
    }

    [[nodiscard]] std::vector<pinned_file> take() && { return std::move(pinned_); }

private:
    /// True when the file is done: it is pinned, or was written to meanwhile.
    bool begin(const wanted_file& wanted) {
        opened_file file = find(wanted.path);
        const std::uint64_t size = file.identity.size;
        const std::uint64_t offset = std::min(wanted.offset, size);
        const std::uint64_t length = std::min(wanted.length.value_or(size), size - offset);
        // A file that is written to constantly is not fingerprinted: it will have changed when it is sent.
        const fingerprint_scope scope = disturbed_ < most_disturbed ? wanted.scope : fingerprint_scope::none;
        const bool ends = !wanted.length && !wanted.append_only;
        if (scope != fingerprint_scope::none && sampling().is_whole(length)) {
            const std::string bytes = read_small(file, offset, length, ends);
            const auto read = [&](std::uint64_t at, std::span<char> out) {
                bytes.copy(out.data(), out.size(), static_cast<std::size_t>(at));
            };
            end(wanted, file, fingerprint_of(scope, 0, length, read));
            return true;
        }
        if (disturbed_ < most_disturbed) {
            require_true_size(file, offset + length, ends);
        }
        if (scope == fingerprint_scope::none) {
            end(wanted, file, {});
            return true;
        }
        look_.emplace(std::move(file), scope, offset, length);
        return false;
    }

    void end(const wanted_file& wanted, const opened_file& file, file_fingerprint content) {
        if (!wanted.append_only && disturbed_ < most_disturbed && look_again(file) != file.identity) {
            ++disturbed_;
            return;
        }
        disturbed_ = 0;
        pinned_.push_back({file.path, file.identity, std::move(content)});
    }

    static void require_true_size(const opened_file& file, std::uint64_t end, bool ends) {
        char last = 0;
        if (end > 0) {
            read_all(file, end - 1, std::span<char>(&last, 1));
        }
        if (ends) {
            require_end(file, end);
        }
    }

    /// Reads all of a small item, and checks with the same read that it ends where it should.
    [[nodiscard]] static std::string read_small(const opened_file& file, std::uint64_t offset, std::uint64_t length,
                                                bool ends) {
        std::string bytes(static_cast<std::size_t>(length) + 1, '\0');
        const std::ptrdiff_t got = read_at(file.fd, offset, bytes);
        const bool short_read = got < 0 || static_cast<std::uint64_t>(got) < length;
        if (short_read) {
            read_all(file, offset, std::span<char>(bytes).first(static_cast<std::size_t>(length)));
        }
        if (ends && (short_read || static_cast<std::uint64_t>(got) > length)) {
            require_end(file, offset + length);
        }
        return bytes;
    }

    [[nodiscard]] opened_file find(const std::string& path) {
        const auto name = path.find_last_of('/') + 1;
        resolve(name == 0 ? "." : path.substr(0, name));
        if (!resolved_.empty()) {
            try {
                return open_regular(resolved_ + path.substr(name), root_);
            } catch (const error&) {
                // A link, or nothing that can be pinned: the full check reports it.
            }
        }
        const std::optional<std::string> absolute = real_path(path);
        if (!absolute) {
            throw failed(open_error(errno), errno, path);
        }
        return open_regular(*absolute, root_);
    }

    void resolve(const std::string& directory) {
        if (directory == directory_) {
            return;
        }
        directory_ = directory;
        resolved_ = real_path(directory).value_or("");
        if (!resolved_.empty() && resolved_.back() != '/') {
            resolved_ += '/';
        }
    }

    static constexpr int most_disturbed = 2;

    std::vector<wanted_file> files_;
    const file_root& root_;
    std::vector<pinned_file> pinned_;
    std::optional<content_look> look_;
    int disturbed_ = 0;  // how often the current file was written to while it was checked
    std::string directory_;
    std::string resolved_;  // ends in '/'; empty: it cannot be
};

}  // namespace waybill::detail
